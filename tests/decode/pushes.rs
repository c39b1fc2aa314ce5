//! Push events made up by dice, in all their shapes and in some that nobody writes.

use super::made::Dice;

const TYPES: [&str; 6] = [
    "storage_dentry_create",
    "chat_update_title",
    "user_modify_org",
    "doc_export_completed",
    "org_suite_auth",
    "other",
];

const TEXTS: [&str; 8] = ["", "ding8f2c", "7", "1763456712345", "FILE", "保單.xlsx", "a\\/b", "\\u738b"];

const NUMBERS: [&str; 6] = ["0", "7", "233", "1763456712345", "18446744073709551615", "-3"];

/// A value as one of these fields may have it; now and then another.
fn value(dice: &mut Dice, key: &str) -> String {
    let text = |dice: &mut Dice| format!("\"{}\"", dice.pick(&TEXTS));
    let number = |dice: &mut Dice| dice.pick(&NUMBERS).to_owned();
    let list = |dice: &mut Dice| {
        let ids: Vec<String> =
            (0..dice.roll(4)).map(|_| if dice.odds(4) { number(dice) } else { text(dice) }).collect();
        format!("[{}]", ids.join(if dice.odds(3) { ", " } else { "," }))
    };
    match key {
        _ if dice.odds(20) => {
            dice.pick(&["null", "true", "[null]", "{}", "[[]]", "1.5", "\" {\"", "\"\\ud83d\""]).to_owned()
        }
        "eventType" | "EventType" | "syncAction" => format!("\"{}\"", dice.pick(&TYPES)),
        "userId" | "unionId" if dice.odds(2) => list(dice),
        "eventBornTime" | "timeStamp" | "biz_type" if dice.odds(2) => number(dice),
        "member" => format!("[{{\"memberId\":{},\"memberType\":\"USER\"}}]", text(dice)),
        _ => text(dice),
    }
}

fn fields(dice: &mut Dice, keys: &[&str], most: usize) -> Vec<String> {
    (0..dice.roll(most + 1))
        .map(|_| {
            let key = dice.pick(keys);
            format!("\"{key}\":{}", value(dice, key))
        })
        .collect()
}

fn object(dice: &mut Dice, mut fields: Vec<String>) -> String {
    let turn = dice.roll(fields.len().max(1));
    fields.rotate_left(turn);
    format!("{{{}}}", fields.join(if dice.odds(4) { ", " } else { "," }))
}

/// An event with what is around it.
pub(crate) fn push(dice: &mut Dice) -> String {
    const HEAD: [&str; 9] = [
        "eventType",
        "EventType",
        "eventId",
        "eventBornTime",
        "eventCorpId",
        "corpId",
        "biz_type",
        "syncAction",
        "userId",
    ];
    const BODY: [&str; 14] = [
        "userId",
        "unionId",
        "operator",
        "operatorUnionId",
        "spaceId",
        "dentryId",
        "openConversationId",
        "timeStamp",
        "type",
        "extension",
        "coolAppCode",
        "member",
        "syncAction",
        "eventId",
    ];
    let mut head = fields(dice, &HEAD, 4);
    if !dice.odds(6) {
        let key = dice.pick(&["eventType", "eventType", "EventType", "syncAction", "biz_type"]);
        head.push(format!("\"{key}\":{}", value(dice, key)));
    }
    if dice.odds(3) {
        let key = dice.pick(&["headers", "headers", "authUserInfo", "authCorpInfo"]);
        let inner = std::mem::take(&mut head);
        head.push(format!("\"{key}\":{}", object(dice, inner)));
        head.extend(fields(dice, &HEAD, 1));
    }
    let body = fields(dice, &BODY, 5);
    if dice.odds(3) {
        head.extend(body);
    } else {
        let key = dice.pick(&["data", "data", "biz_data", "payload", "nothing"]);
        let body = object(dice, body);
        let packed = !dice.odds(3);
        head.push(format!("\"{key}\":{}", if packed { serde_json::to_string(&body).expect("text") } else { body }));
    }
    let event = object(dice, head);
    match dice.roll(8) {
        0 => format!("{{\"corpId\":\"ding8f2c\",\"payload\":{event}}}"),
        1 => format!("{{\"list\":[{event},{event}]}}"),
        2 => format!("[{event}]"),
        _ => event,
    }
}
