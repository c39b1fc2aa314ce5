//! Phrases around the findings of a letter: what it is, what it asks, what was held back, how the day went.

use super::{Phrase, say};
use crate::deliver::letter::{Kind, Mishap, Reason};
use crate::domain::verdict::Severity;

/// A severity in words.
pub(in super::super) fn severity(severity: Severity) -> Phrase {
    match severity {
        Severity::Critical => say("CRITICAL", "危急"),
        Severity::High => say("HIGH", "高"),
        Severity::Medium => say("MEDIUM", "中"),
        Severity::Low => say("LOW", "低"),
        Severity::Info => say("INFO", "資訊"),
    }
}

/// What precedes the title; empty for findings told for the first time.
pub(in super::super) fn mark(kind: Kind) -> Phrase {
    match kind {
        Kind::Findings | Kind::Digest | Kind::Trouble => say("", ""),
        Kind::Reminder => say("Reminder, not yet acknowledged: ", "提示，尚未確認："),
        Kind::Escalation => say("Not acknowledged in time: ", "未有在時限內確認："),
        Kind::Test => say("TEST, no finding: ", "測試，並無事項："),
    }
}

/// Title of a letter about several findings: findings, records.
pub(in super::super) const SEVERAL: Phrase = say(
    "{} findings on personal data that may leave Hong Kong, {} new records",
    "{} 項有關個人資料可能離開香港的事項，新增記錄 {} 項",
);

/// Title of a letter that only says what was held back.
pub(in super::super) const ONLY_HELD: Phrase =
    say("Findings held back since the last message", "上一則訊息後暫緩通知的事項");

/// Title of a digest: from, to.
pub(in super::super) const DIGEST: Phrase = say("Daily summary, {} to {}", "每日摘要，{} 至 {}");

/// Title of a letter about other channels' trouble: the channel's name.
pub(in super::super) const TROUBLE: Phrase =
    say("Messages of channel {} were not delivered", "通知途徑 {} 的訊息未能送達");

/// Title of a test.
pub(in super::super) const TEST: Phrase = say("this channel works", "此通知途徑運作正常");

/// What a test asks.
pub(in super::super) const TEST_ASKS: Phrase = say(
    "Nothing is asked. Whoever reads this would be told of findings.",
    "無須行動。本訊息的收件人日後會收到有關事項的通知。",
);

/// How to acknowledge: the finding's id.
pub(in super::super) const HOW_TO_ACKNOWLEDGE: Phrase = say(
    "To acknowledge: harbourwatch ack {} --by NAME --note WHAT",
    "確認方法：harbourwatch ack {} --by 姓名 --note 備註",
);

/// Asked of several findings.
pub(in super::super) const GRAVEST_FIRST: Phrase = say("Please look at the gravest first.", "請先處理最嚴重的事項。");

/// Asked of a digest.
pub(in super::super) const KEEP_CHECKPOINT: Phrase = say(
    "Please keep this message: the checkpoint at its end proves later that the evidence up to here was not changed.",
    "請保存本訊息：文末的檢查點日後可證明截至此刻的證據未經改動。",
);

/// Asked when a channel is in trouble.
pub(in super::super) const MEND_CHANNEL: Phrase = say(
    "Please have the channel mended; `harbourwatch outbox list` shows what waits, `outbox retry` sends it again.",
    "請安排修復該途徑；`harbourwatch outbox list` 顯示待發訊息，`outbox retry` 可重新發送。",
);

/// Headings and labels.
pub(in super::super) const SUMMARY: Phrase = say("Summary", "概要");
pub(in super::super) const SEVERITY: Phrase = say("Severity", "嚴重程度");
pub(in super::super) const VERDICT: Phrase = say("Verdict", "判斷");
pub(in super::super) const FINDINGS: Phrase = say("Findings", "事項");
pub(in super::super) const RECORDS: Phrase = say("New records", "新增記錄");
pub(in super::super) const ALL_RECORDS: Phrase = say("Records", "記錄");
pub(in super::super) const KIND: Phrase = say("Kind of flow", "流動類別");
pub(in super::super) const OTHERS: Phrase = say("Other findings", "其他事項");
pub(in super::super) const HELD: Phrase = say("Held back since the last message", "上一則訊息後暫緩通知");
pub(in super::super) const TROUBLES: Phrase = say("Undelivered", "未能送達");
pub(in super::super) const FLOWS: Phrase = say("Recorded, by kind and verdict", "已記錄事項，按類別及判斷");
pub(in super::super) const ARRANGEMENTS: Phrase = say("New arrangements", "新出現的安排");
pub(in super::super) const EXPIRING: Phrase = say("Safeguards that end within 30 days", "30 天內期滿的保障措施");
pub(in super::super) const HEALTH: Phrase = say("Health of the monitor", "監察系統狀況");
pub(in super::super) const CHECKPOINT: Phrase = say("Evidence checkpoint", "證據檢查點");

/// The rest of the findings: how many.
pub(in super::super) const MORE: Phrase =
    say("and {} more; `harbourwatch findings` lists them", "另有 {} 項；可用 `harbourwatch findings` 列出");

/// Nothing to list.
pub(in super::super) const NONE: Phrase = say("none", "沒有");

/// Findings, records.
pub(in super::super) const HOW_MANY: Phrase = say("{} findings, {} records", "{} 項事項，{} 項記錄");

/// Findings open in a digest.
pub(in super::super) const OPEN: Phrase = say("Findings that wait for an acknowledgement: {}", "等待確認的事項：{}");

/// Received, judged, rejected, duplicate.
pub(in super::super) const INTAKE: Phrase =
    say("Events received {}: judged {}, rejected {}, duplicate {}", "收到事件 {} 宗：已判斷 {}、不獲接納 {}、重複 {}");

/// Offsets missing.
pub(in super::super) const MISSING: Phrase = say("Gaps in the input: {} messages", "輸入缺口：{} 則訊息");

/// Channel, messages, minutes.
pub(in super::super) const WAITING: Phrase = say(
    "Channel {}: {} messages wait, the oldest for {} minutes",
    "通知途徑 {}：{} 則訊息待發，最早一則已等候 {} 分鐘",
);

/// Channel, messages.
pub(in super::super) const GIVEN_UP: Phrase =
    say("Channel {}: {} messages were given up and stay on file", "通知途徑 {}：{} 則訊息已放棄發送，仍保留在案");

/// Channel.
pub(in super::super) const CLOSED: Phrase = say("Channel {}: its receiver is gone", "通知途徑 {}：接收端已不存在");

/// Days.
pub(in super::super) const STALE: Phrase =
    say("The geolocation database is {} days old", "地理位置資料庫已有 {} 天未更新");

/// The channel that should have carried it.
pub(in super::super) const MOVED_FROM: Phrase =
    say("Sent here because channel {} did not take it.", "因通知途徑 {} 未能接收，改由此途徑發送。");

/// Said at the end of every letter about findings.
pub(in super::super) const MODEST: Phrase = say(
    "harbourwatch reports recorded facts and the organisation's own register; it decides no question of law.",
    "harbourwatch 只報告已記錄的事實及機構本身的登記冊，並不就任何法律問題作出判定。",
);

/// Said to readers who see counts alone.
pub(in super::super) const COUNTS_ONLY: Phrase = say(
    "Counts only: this channel may be outside Hong Kong. Details: `harbourwatch findings`.",
    "只載數目：此途徑可能位於香港以外。詳情：`harbourwatch findings`。",
);

/// Why findings were held back.
pub(in super::super) fn reason(reason: &Reason) -> Phrase {
    match reason {
        Reason::Silence(_) => say("by silence {}", "按靜音規則 {}"),
        Reason::Inhibited => say("as a graver finding on the same matter was told", "同一事宜已有更嚴重的事項獲通知"),
        Reason::Digest => say("mild enough for the daily summary", "性質輕微，列入每日摘要"),
    }
}

/// What happened to a channel's messages: how many, since when.
pub(in super::super) fn mishap(mishap: Mishap) -> Phrase {
    match mishap {
        Mishap::GivenUp => {
            say("{} messages given up, first at {}; they stay on file", "{} 則訊息已放棄發送（首次於 {}）；仍保留在案")
        }
        Mishap::Closed => {
            say("{} messages wait; the receiver said at {} that it is gone", "{} 則訊息待發；接收端於 {} 表示已不存在")
        }
    }
}
