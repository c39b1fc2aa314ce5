//! Phrases for the facts of a flow: kinds, places, methods, roles, categories. They come as stable names; one that is not
//! known (from a later version) is shown as it is, made plain by the caller.

use super::countries::country;
use super::{Language, Phrase, say};
use crate::domain::flow::FlowKind;
use crate::domain::party::Category;

/// The kind of flow; `None` for an unknown name.
pub(in super::super) fn kind(name: &str, preview: bool) -> Option<Phrase> {
    Some(match FlowKind::parse(name)? {
        FlowKind::StoreAtRest => say("standing storage", "長期儲存"),
        FlowKind::Upload => say("upload or save", "上載或儲存"),
        FlowKind::Access if preview => say("view on a screen", "預覽"),
        FlowKind::Access => say("download or view", "下載或查閱"),
        FlowKind::Send => say("sent to a receiver", "傳送予接收者"),
        FlowKind::ShareGrant => say("share or permission", "分享或授權"),
        FlowKind::AppExport => say("third-party app", "第三方應用程式"),
        FlowKind::Sync => say("synchronisation or copy", "同步或複製"),
    })
}

/// Names of places in Traditional Chinese, longest first where one includes another.
const PLACES: [(&str, &str); 12] = [
    ("Guangdong, outside the nine GBA cities", "廣東，大灣區九市以外"),
    ("outside Guangdong", "廣東以外"),
    ("Guangzhou", "廣州"),
    ("Shenzhen", "深圳"),
    ("Zhuhai", "珠海"),
    ("Foshan", "佛山"),
    ("Huizhou", "惠州"),
    ("Dongguan", "東莞"),
    ("Zhongshan", "中山"),
    ("Jiangmen", "江門"),
    ("Zhaoqing", "肇慶"),
    ("Guangdong", "廣東"),
];

/// Why a place is not known.
fn doubt(name: &str) -> Option<Phrase> {
    Some(match name {
        "missing" => say("the event does not say", "事件未有說明"),
        "unreadable" => say("the address cannot be read", "地址無法讀取"),
        "private" => say("an internal address", "內部地址"),
        "opaque" => say("an exit that hides the true place", "隱藏真實地點的出口"),
        "conflict" => say("sources disagree", "來源不一致"),
        "unlisted" => say("no source lists it", "沒有來源收錄"),
        "no_region" => say("the host serves many regions", "該主機服務多個地區"),
        "stranger" => say("the receiver is not in the directory", "接收者不在通訊錄內"),
        "other_organisation" => say("a file of another organisation", "檔案屬其他機構"),
        _ => return None,
    })
}

/// A place as of `Place`'s display form, several with ` or ` between them, or `unknown (<doubt>)`, in words.
pub(in super::super) fn place(shown: &str, language: Language) -> String {
    if let Some(why) = shown.strip_prefix("unknown (").and_then(|rest| rest.strip_suffix(')')) {
        let why = doubt(why).map_or(why, |phrase| phrase.text(language));
        return match language {
            Language::English => format!("not known ({why})"),
            Language::Chinese => format!("不明（{why}）"),
        };
    }
    let names: Vec<String> = shown.split(" or ").map(|one| one_place(one, language)).collect();
    names.join(say(" or ", "或").text(language))
}

fn one_place(shown: &str, language: Language) -> String {
    let (code, rest) = shown.split_once(' ').unwrap_or((shown, ""));
    let name = if code == "WORLD" { Some(say("anywhere in the world", "世界任何地方")) } else { country(code) };
    let head = name.map_or_else(|| code.to_owned(), |name| format!("{} ({code})", name.text(language)));
    let whole = if rest.is_empty() { head } else { format!("{head} {rest}") };
    match language {
        Language::English => whole,
        Language::Chinese => PLACES.iter().fold(whole, |text, (en, zh)| text.replace(en, zh)),
    }
}

/// How a place was found; `None` for an unknown name.
pub(in super::super) fn method(name: &str) -> Option<Phrase> {
    Some(match name {
        "ip" => say("IP address", "IP 地址"),
        "site" => say("the organisation's address map", "機構的 IP 地址與地點對照表"),
        "host" => say("storage host name", "儲存主機名稱"),
        "region_enum" => say("DingTalk's storage region", "釘釘儲存地區代碼"),
        "bucket" => say("storage bucket name", "儲存桶名稱"),
        "space_map" => say("the organisation's map of spaces", "機構的空間對照表"),
        "tenant_setting" => say("the tenant's setting", "租戶設定"),
        "directory" => say("the organisation's directory", "機構的通訊錄"),
        "app_catalogue" => say("the app catalogue", "應用程式目錄"),
        "public_link" => say("the nature of a public link", "公開連結的性質"),
        "none" => say("nothing to go by", "沒有依據"),
        _ => return None,
    })
}

/// Weight of a location; `None` for an unknown name.
pub(in super::super) fn confidence(name: &str) -> Option<Phrase> {
    Some(match name {
        "none" => say("no confidence", "無可信度"),
        "low" => say("low confidence", "可信度低"),
        "medium" => say("medium confidence", "可信度中等"),
        "high" => say("high confidence", "可信度高"),
        _ => return None,
    })
}

/// How the recipient stands to the data; `None` for an unknown name.
pub(in super::super) fn role(name: &str) -> Option<Phrase> {
    Some(match name {
        "processor" => say("data processor", "資料處理者"),
        "data user" => say("data user", "資料使用者"),
        "same entity" => say("same entity as the exporter", "與輸出者為同一實體"),
        "unknown" => say("role not known", "角色不明"),
        "public" => say("open to everyone", "向所有人公開"),
        _ => return None,
    })
}

/// Category of personal data; `None` for an unknown name.
pub(in super::super) fn category(name: &str) -> Option<Phrase> {
    Some(match Category::parse(name)? {
        Category::Contact => say("contact data", "聯絡資料"),
        Category::Identity => say("identity documents", "身分證明文件"),
        Category::Biometric => say("biometric data", "生物辨識資料"),
        Category::Health => say("health data", "健康資料"),
        Category::Financial => say("financial data", "財務資料"),
        Category::Minors => say("data of children", "兒童資料"),
        Category::Employment => say("personnel data", "僱傭資料"),
        Category::Customer => say("customer data", "客戶資料"),
        Category::Other => say("other personal data", "其他個人資料"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_in_words_of_one_language() {
        let both = |shown| [Language::English, Language::Chinese].map(|language| place(shown, language));
        assert_eq!(
            both("CN (Shenzhen, Guangdong)"),
            ["Mainland China (CN) (Shenzhen, Guangdong)", "中國內地 (CN) (深圳, 廣東)"]
        );
        assert_eq!(both("HK or CN"), ["Hong Kong (HK) or Mainland China (CN)", "香港 (HK)或中國內地 (CN)"]);
        assert_eq!(both("WORLD"), ["anywhere in the world (WORLD)", "世界任何地方 (WORLD)"]);
        assert_eq!(
            both("unknown (stranger)"),
            ["not known (the receiver is not in the directory)", "不明（接收者不在通訊錄內）"]
        );
        assert_eq!(both("unknown (later_word)"), ["not known (later_word)", "不明（later_word）"]);
    }

    #[test]
    fn every_doubt_has_words() {
        use crate::domain::place::Doubt;
        for one in [
            Doubt::Missing,
            Doubt::Unreadable,
            Doubt::Private,
            Doubt::Opaque,
            Doubt::Conflict,
            Doubt::Unlisted,
            Doubt::NoRegion,
            Doubt::Stranger,
            Doubt::OtherOrganisation,
        ] {
            assert!(doubt(one.name()).is_some(), "{one:?}");
        }
    }
}
