//! Phrases that follow from the verdict, the severity and the tags.

use super::{Phrase, say};
use crate::domain::verdict::{Severity, Tag, Verdict};

/// Headline; `foreign` for a movement between places outside Hong Kong that is controlled from Hong Kong, `stays` where it is
/// open what a movement is, but not that nothing left Hong Kong.
pub(in super::super) fn headline(verdict: Verdict, foreign: bool, stays: bool) -> [Phrase; 2] {
    let movement = if foreign {
        say(
            "Possible transfer of personal data between places outside Hong Kong, controlled from Hong Kong",
            "個人資料可能在香港以外的地方之間轉移，而有關資料由香港控制",
        )
    } else {
        say("Possible transfer of personal data outside Hong Kong", "個人資料可能被轉移至香港以外的地方")
    };
    match verdict {
        Verdict::Prohibited => [
            movement,
            say(
                "; a rule of the organisation or a contract on record bars it",
                "；機構本身的規則或已記錄的合約不容許此項轉移",
            ),
        ],
        Verdict::Uncovered => [movement, say("; no recorded safeguard matched", "；沒有相符的已記錄保障措施")],
        Verdict::Defect => [
            movement,
            say(
                "; a recorded safeguard names it but a condition is not met",
                "；已記錄的保障措施指明此接收者，但有一項條件未符合",
            ),
        ],
        Verdict::Undetermined if stays => [
            say(
                "Movement of personal data that ends in Hong Kong or has no connection with it",
                "個人資料的流動；其終點在香港，或與香港沒有關連",
            ),
            say("; which of these is not known", "；現有資料不足以判斷屬何者"),
        ],
        Verdict::Undetermined => [
            say("Movement of personal data that may lead outside Hong Kong", "個人資料的流動可能涉及香港以外的地方"),
            say(
                "; the places or the recipient are not known well enough to decide",
                "；所知的地點或接收者資料不足以作出判斷",
            ),
        ],
        Verdict::Covered => [movement, say("; a recorded safeguard covers it", "；已有記錄的保障措施涵蓋此項轉移")],
        Verdict::Inbound => [
            say("Movement of personal data into Hong Kong", "個人資料流入香港"),
            say("; for information", "；僅供參考"),
        ],
        Verdict::Domestic => [
            say("Movement of personal data that appears to stay in Hong Kong", "個人資料的流動看來僅在香港境內"),
            say("; for information", "；僅供參考"),
        ],
        Verdict::NoHkNexus => [
            say(
                "Movement of personal data without recorded connection with Hong Kong",
                "個人資料的流動，未有記錄顯示與香港有關",
            ),
            say("; for information", "；僅供參考"),
        ],
        Verdict::OutOfScope => [
            say(
                "Movement of data that the inventory records as not personal",
                "資料的流動；資料清單記錄其並非個人資料",
            ),
            say("; for information", "；僅供參考"),
        ],
    }
}

/// State of the safeguards, where no failed condition says more.
pub(in super::super) fn safeguard_state(verdict: Verdict) -> Phrase {
    match verdict {
        Verdict::Prohibited => {
            say("not asked for: a bar goes before any safeguard", "不適用：禁止規則優先於任何保障措施")
        }
        Verdict::Uncovered => say("none on record names this recipient", "沒有任何已記錄的保障措施指明此接收者"),
        Verdict::Defect => say("on record, but a condition is not met", "已有記錄，但有一項條件未符合"),
        Verdict::Undetermined => {
            say("not decided, as the facts allow several answers", "未能判斷，因為現有事實容許多於一個答案")
        }
        Verdict::Covered => say("on record, and all its conditions are met", "已有記錄，而且所有條件均已符合"),
        Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => {
            say("none is needed for this movement", "此項流動無須保障措施")
        }
    }
}

/// What the officer is asked to do.
pub(in super::super) fn action(verdict: Verdict, stays: bool) -> Phrase {
    match verdict {
        Verdict::Prohibited => say(
            "ask whether the movement was intended; where it was not, have it undone (access or share withdrawn, data moved back); record the decision.",
            "查詢此項流動是否有意進行；如非有意，請安排還原（撤回有關的存取權或分享，或將資料移回），並記錄決定。",
        ),
        Verdict::Uncovered => say(
            "find out whether an agreement or another safeguard exists; if so, add it to the register; if not, arrange one or have the flow stopped; record the decision.",
            "查明是否已有協議或其他保障措施；如有，請加入登記冊；如沒有，請安排訂立或停止有關流動，並記錄決定。",
        ),
        Verdict::Defect => say(
            "see whether the condition can be met or the entry of the register must be corrected; until then consider stopping the flow; record the decision.",
            "檢視有關條件能否符合，或登記冊的記項是否需要更正；在此之前請考慮停止有關流動，並記錄決定。",
        ),
        Verdict::Undetermined if stays => say(
            "nothing for now; complete the site map or the storage setting so that the next such event can be decided.",
            "暫時無須行動；請補充地點對照表或儲存設定，使日後同類事件可作判斷。",
        ),
        Verdict::Undetermined => say(
            "find out where the data went and who received them; complete the site map, the directory or the storage setting so that the next such event can be decided.",
            "查明資料去向及接收者；請補充地點對照表、通訊錄或儲存設定，使日後同類事件可作判斷。",
        ),
        Verdict::Covered => say(
            "nothing for now; look at the remarks, if any, before the safeguard ends.",
            "暫時無須行動；如有備註，請在保障措施期滿前跟進。",
        ),
        Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => {
            say("nothing.", "無須行動。")
        }
    }
}

/// By when. The law sets no time for a transfer; these are the product's defaults.
pub(in super::super) fn deadline(severity: Severity) -> Phrase {
    match severity {
        Severity::Critical => say(
            "Acknowledge within 1 hour of this notice (own time limit; the law sets none).",
            "請於本通知發出後 1 小時內確認（內部時限；法例並無訂明時限）。",
        ),
        Severity::High => say(
            "Acknowledge within 4 hours of this notice (own time limit; the law sets none).",
            "請於本通知發出後 4 小時內確認（內部時限；法例並無訂明時限）。",
        ),
        Severity::Medium => say(
            "Acknowledge within 2 working days of this notice (own time limit; the law sets none).",
            "請於本通知發出後 2 個工作天內確認（內部時限；法例並無訂明時限）。",
        ),
        Severity::Low => say(
            "Look at it in the daily review (own time limit; the law sets none).",
            "請於每日檢視時處理（內部時限；法例並無訂明時限）。",
        ),
        Severity::Info => say("No acknowledgement is asked for.", "無須確認。"),
    }
}

/// Remarks beside the verdict.
pub(in super::super) fn tag(tag: Tag) -> Phrase {
    match tag {
        Tag::Outbound => say("leaves Hong Kong", "離開香港"),
        Tag::ForeignHkControlled => {
            say("between places outside Hong Kong, controlled from Hong Kong", "在香港以外的地方之間流動，由香港控制")
        }
        Tag::CnExport => say(
            "comes from Mainland China, where remote access from outside counts as export (PIPL)",
            "來自中國內地；按內地規定，境外遠端存取視為數據出境（《個人信息保護法》）",
        ),
        Tag::FilingDue => say(
            "the GBA Standard Contract is not yet filed; ten working days run from its effect",
            "《粵港澳大灣區標準合同》尚未備案；備案期為生效起十個工作天",
        ),
        Tag::Expiring => say("the safeguard ends soon", "保障措施即將期滿"),
        Tag::GbaHandOn => say(
            "handed on in Hong Kong though received under the GBA Standard Contract: its extra conditions apply",
            "資料根據《粵港澳大灣區標準合同》接收，其後在香港再轉交：須符合合同的附加條件",
        ),
        Tag::Residency => {
            say("stored outside the places that the residency policy allows", "儲存於機構資料存放政策所容許的地點以外")
        }
        Tag::Unclassified => say("the kind of event is not in the tables", "事件類別不在對照表內"),
    }
}
