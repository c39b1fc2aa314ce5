//! Legal hooks with their weight: what binds today, and what is followed as recommended practice.
//!
//! Sources: PDPO (Cap. 486) s.33(2), s.65(2), s.66, Schedule 1 DPP1(3), DPP2(3), DPP3, DPP4(1), DPP4(2); PCPD, Guidance on
//! Recommended Model Contractual Clauses, May 2022; Standard Contract for Cross-boundary Flow of Personal Information
//! within the Guangdong–Hong Kong–Macao Greater Bay Area (Mainland, Hong Kong), December 2023.

use super::{Phrase, say};
use crate::domain::verdict::{Condition, Verdict};

/// What the verdict rests on, in force first.
pub(in super::super) fn hook(verdict: Verdict, processor: bool) -> Phrase {
    match verdict {
        Verdict::Uncovered | Verdict::Defect if processor => say(
            "In force: DPP2(3) and DPP4(2) (contractual or other means for a data processor), s.65(2) (liability for the processor's acts). Recommended practice: s.33(2)(f) with the Recommended Model Contractual Clauses, data user to processor.",
            "現行有效：保障資料第2(3)及4(2)原則（以合約規範方法或其他方法約束資料處理者）、第65(2)條（對資料處理者作為的法律責任）。建議做法：第33(2)(f)條及《建議合約條文範本》（資料使用者至資料處理者）。",
        ),
        Verdict::Uncovered | Verdict::Defect => say(
            "In force: DPP1(3) (classes of transferees told to the data subjects), DPP3 (use for the purpose of collection), DPP4(1) (security). Recommended practice: s.33(2) with the Recommended Model Contractual Clauses, data user to data user.",
            "現行有效：保障資料第1(3)原則（告知資料當事人承轉人的類別）、第3原則（按收集目的使用）、第4(1)原則（資料保安）。建議做法：第33(2)條及《建議合約條文範本》（資料使用者至資料使用者）。",
        ),
        Verdict::Prohibited => say(
            "This rests on the organisation's own rule or a contract, not on a ban in the ordinance: Hong Kong law names no forbidden country.",
            "此結果源於機構本身的規則或合約，而非條例的禁令：香港法例沒有指明禁止轉移的國家。",
        ),
        Verdict::Undetermined => say(
            "In force: DPP4(1) (security; the place where data are stored is one of the factors). Recommended practice: PCPD cloud computing leaflet (know, and be able to tell, where data are stored).",
            "現行有效：保障資料第4(1)原則（資料保安；資料儲存的地點是考慮因素之一）。建議做法：私隱專員公署雲端運算資料單張（知悉並能說明資料儲存的地點）。",
        ),
        Verdict::Covered => say(
            "Kept as a record of care (s.66: reasonable care is a defence to a claim).",
            "作為已採取謹慎措施的記錄保存（第66條：已採取合理謹慎措施可作為申索的免責辯護）。",
        ),
        Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => {
            say("No provision on transfers outside Hong Kong is in point.", "不涉及有關轉移至香港以外地方的條文。")
        }
    }
}

/// Said with every assessment against section 33.
pub(in super::super) const SECTION_33: Phrase = say(
    "s.33 PDPO is not in operation; assessed against it as recommended practice.",
    "《個人資料（私隱）條例》第33條尚未實施；本評估以該條作為建議做法。",
);

/// Said where a provision in force appears not to be met; `open` while it is not known whether the data left Hong Kong. The
/// gap stands in place of `{}`.
pub(in super::super) fn binding(open: bool) -> Phrase {
    if open {
        say(
            "If the data left Hong Kong, a provision in force may not be met: {}; please check.",
            "如資料已離開香港，可能有一項現行條文未獲符合：{}；請核實。",
        )
    } else {
        say(
            "On the recorded facts a provision in force appears not to be met: {}; please check.",
            "按已記錄的事實，看來有一項現行條文未獲符合：{}；請核實。",
        )
    }
}

/// Said of a safeguard that is on record but has a condition that is not met.
pub(in super::super) const TERMS: Phrase = say(
    "The terms of the recorded safeguard count as well (for the GBA Standard Contract, its guidelines).",
    "亦須考慮已記錄的保障措施本身的條款（如屬《粵港澳大灣區標準合同》，則為其實施指引）。",
);

const CONDITIONS: [Condition; 16] = [
    Condition::Suspended,
    Condition::NotYetInForce,
    Condition::Expired,
    Condition::Place,
    Condition::Kind,
    Condition::Category,
    Condition::Purpose,
    Condition::Cohort,
    Condition::Role,
    Condition::Exporter,
    Condition::Registration,
    Condition::Pipia,
    Condition::Filing,
    Condition::Dpp3Purpose,
    Condition::Dpp1Class,
    Condition::Dpp2Processor,
];

/// The condition that failed, by its stable name.
pub(in super::super) fn condition(name: &str) -> Option<Phrase> {
    CONDITIONS.into_iter().find(|condition| condition.name() == name).map(words)
}

fn words(condition: Condition) -> Phrase {
    match condition {
        Condition::Suspended => say("it is withdrawn or suspended", "已撤回或暫停"),
        Condition::NotYetInForce => say("it was not yet in force", "當時尚未生效"),
        Condition::Expired => say("it had expired", "當時已期滿"),
        Condition::Place => say("the destination is outside its places", "目的地不在其涵蓋的地點內"),
        Condition::Kind => say("the kind of flow is outside its scope", "流動類別不在其涵蓋範圍內"),
        Condition::Category => say("a category of data is outside its scope", "資料類別不在其涵蓋範圍內"),
        Condition::Purpose => say("the purpose is outside its scope or not known", "目的不在其涵蓋範圍內或不明"),
        Condition::Cohort => say("the data are outside its cohort or case", "資料不屬其涵蓋的群組或個案"),
        Condition::Role => say(
            "the recipient's role or tie on record is not one that this type reaches",
            "接收者已記錄的角色或關係，並非此類保障措施所適用者",
        ),
        Condition::Exporter => say(
            "it does not bind this exporter (for the GBA Standard Contract, one registered in Hong Kong)",
            "對此輸出者沒有約束力（如屬《粵港澳大灣區標準合同》，輸出者須在香港註冊）",
        ),
        Condition::Registration => {
            say("the recipient is not registered in one of the nine GBA cities", "接收者並非在大灣區內地九市註冊")
        }
        Condition::Pipia => say(
            "the personal information protection impact assessment is not on record",
            "沒有個人信息保護影響評估的記錄",
        ),
        Condition::Filing => say("it was not filed within ten working days", "未有在十個工作天內備案"),
        Condition::Dpp3Purpose => say(
            "what is agreed with the recipient has no room for the purpose of collection (DPP3)",
            "與接收者議定的用途未有涵蓋收集目的（保障資料第3原則）",
        ),
        Condition::Dpp1Class => say(
            "this class of transferee is not among those told to the data subjects (DPP1(3))",
            "此承轉人類別未有告知資料當事人（保障資料第1(3)原則）",
        ),
        Condition::Dpp2Processor => say(
            "no processor agreement is on file (DPP2(3), DPP4(2))",
            "沒有資料處理者協議的記錄（保障資料第2(3)及4(2)原則）",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_that_binds_today_names_its_principle() {
        for name in CONDITIONS.iter().filter(|condition| condition.is_binding()).map(|condition| condition.name()) {
            let phrase = condition(name).unwrap();
            assert!(phrase.en.contains("DPP") && phrase.zh.contains("原則"), "{name}");
        }
        assert_eq!(condition("no such condition"), None);
    }
}
