//! Messages made up by dice: rows, pages, envelopes, and what comes of them when bytes change.

use super::pushes::push;

/// Xorshift: the same cases on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % sides
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.roll(choices.len())]
    }

    pub(crate) fn odds(&mut self, one_in: usize) -> bool {
        self.roll(one_in) == 0
    }
}

const KEYS: [&str; 40] = [
    "action",
    "operateModule",
    "operate_module",
    "platform",
    "status",
    "receiverType",
    "gmtCreate",
    "gmt_create",
    "resourceSize",
    "bizId",
    "biz_id",
    "targetSpaceId",
    "spaceId",
    "workSpaceId",
    "prevWorkSpaceId",
    "receiverId",
    "operatorName",
    "realName",
    "orgName",
    "resource",
    "resourceExtension",
    "docPcUrl",
    "receiverName",
    "receiver_name",
    "corpId",
    "corp_id",
    "tenant",
    "tenantId",
    "userId",
    "userid",
    "user_id",
    "unionId",
    "ipAddress",
    "ip_address",
    "IP_ADDRESS",
    "actionView",
    "docReceiverList",
    "docMemberList",
    "doc_member_info_list",
    "_enrichment",
];

const SCALARS: [&str; 34] = [
    "null",
    "\"\"",
    "0",
    "1",
    "2",
    "7",
    "8",
    "\"2\"",
    "\"02\"",
    "-1",
    "\"-1\"",
    "1e3",
    "1.5",
    "true",
    "\"abc\"",
    "{}",
    "[]",
    "24870551923",
    "\"24870551923\"",
    "18446744073709551615",
    "18446744073709551616",
    "1763456712",
    "1763456712345",
    "\"1763456712345\"",
    "\"2025-11-18 17:05:12\"",
    "\"202.45.84.58\"",
    "[\"202.45.84.58\",\"8.8.8.8\"]",
    "[1,null,\"b\"]",
    "\"\\u738b\\u82b3\"",
    "\"a\\/b\"",
    "{\"a\":[1,{\"b\":[]}]}",
    "\"保單.docx\"",
    "[{}]",
    "[[\"x\"]]",
];

fn members(dice: &mut Dice, keys: &[&str], scalars: &[&str]) -> String {
    let count = dice.roll(4);
    let fields: Vec<String> = (0..count).map(|_| format!("\"{}\":{}", dice.pick(keys), dice.pick(scalars))).collect();
    format!("{{{}}}", fields.join(","))
}

fn list(dice: &mut Dice) -> String {
    let keys = [
        "memberName",
        "memberType",
        "member_type",
        "permissionRole",
        "receiverName",
        "receiver_name",
        "receiverType",
        "userId",
    ];
    let values = ["\"Tan\"", "2", "\"2\"", "0", "\"USER\"", "null", "\"\"", "3", "{}", "1e3"];
    let items: Vec<String> = (0..dice.roll(3)).map(|_| members(dice, &keys, &values)).collect();
    format!("[{}]", items.join(","))
}

fn enrichment(dice: &mut Dice) -> String {
    let keys = ["region", "host", "endpoint", "endPoint", "bucketName", "resourceUrls", "oss", "partitionType"];
    let values =
        ["\"SHANGHAI\"", "\"UNKNOWN\"", "\"cn-hongkong\"", "[\"https://a\",\"https://b\"]", "[]", "null", "7", "{}"];
    let inner = members(dice, &keys, &values);
    match dice.roll(6) {
        0 => inner,
        4 => format!("{{\"answers\":[{inner},{{\"storage\":{inner}}}],\"host\":\"h\"}}"),
        5 => format!("{{\"x\":{{\"file_storage\":{inner},\"region\":\"HK\"}},\"headerSignatureInfo\":{inner}}}"),
        1 => format!("{{\"storage\":{inner}}}"),
        2 => format!("{{\"storage\":{{\"region\":\"SHENZHEN\",\"headerSignatureInfo\":{inner}}}}}"),
        _ => format!("{{\"storage\":{{\"stsUploadInfo\":{inner}}},\"api\":\"x\"}}"),
    }
}

fn field(dice: &mut Dice) -> String {
    let key = dice.pick(&KEYS);
    let fitting = match key {
        "action" => dice.pick(&["0", "2", "8", "\"20\"", "33", "99"]).to_owned(),
        "docReceiverList" | "docMemberList" | "doc_member_info_list" => list(dice),
        "_enrichment" => enrichment(dice),
        "userId" | "userid" => dice.pick(&["\"manager7675\"", "\"0136\"", "304235493801"]).to_owned(),
        _ => dice.pick(&["1", "\"1\"", "\"x\"", "1763456712345", "null"]).to_owned(),
    };
    let value = if dice.odds(6) { dice.pick(&SCALARS).to_owned() } else { fitting };
    // Now and then a letter of the key is escaped.
    let key = if dice.odds(30) { key.replacen('a', "\\u0061", 1) } else { key.to_owned() };
    format!("\"{key}\":{value}")
}

fn row(dice: &mut Dice) -> String {
    let mut fields = vec!["\"action\":2".to_owned(), "\"gmtCreate\":1763456712345".to_owned()];
    fields.truncate(if dice.odds(8) { dice.roll(3) } else { 2 });
    fields.extend((0..dice.roll(8)).map(|_| field(dice)));
    let at = dice.roll(fields.len() + 1);
    let turn = at % fields.len().max(1);
    fields.rotate_left(turn);
    format!("{{{}}}", fields.join(","))
}

pub(crate) fn message(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.odds(3) {
        return row(dice);
    }
    if dice.odds(3) {
        let rows: Vec<String> = (0..dice.roll(4)).map(|_| message(dice, depth - 1)).collect();
        return format!("[{}]", rows.join(","));
    }
    let keys = ["payload", "data", "list", "result", "message", "items", "nothing", "after"];
    let mut fields: Vec<String> = (0..=dice.roll(2))
        .map(|_| {
            let inner = if dice.odds(5) { "\"plain text\"".to_owned() } else { message(dice, depth - 1) };
            let text = |inner: &String| serde_json::to_string(inner).expect("text");
            let inner = if dice.odds(5) { text(&inner) } else { inner };
            let inner = if dice.odds(9) { text(&inner) } else { inner };
            format!("\"{}\":{inner}", dice.pick(&keys))
        })
        .collect();
    fields.extend((0..dice.roll(3)).map(|_| field(dice)).filter(|_| depth.is_multiple_of(2)));
    if dice.odds(8) {
        let flag =
            ["\"errcode\":0", "\"errcode\":\"88\"", "\"success\":false", "\"Success\":\"true\"", "\"success\":7"];
        fields.push(dice.pick(&flag).to_owned());
    }
    format!("{{{}}}", fields.join(", "))
}

pub(crate) fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>) {
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(bytes.len().max(1));
        match dice.roll(4) {
            0 if at < bytes.len() => bytes[at] = b"{}[]\",:0129aeu\\ \xff\n"[dice.roll(18)],
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"{}[]\",:\\0e "[dice.roll(11)]),
            _ => bytes.truncate(at.max(1)),
        }
    }
}

/// A value as others at this place; now and then any.
fn alike(dice: &mut Dice, kind: usize) -> String {
    const TEXTS: [&str; 12] = [
        "",
        "a",
        "0",
        "7",
        "1763456712345",
        "2025-11-18 17:05:12",
        "202.45.84.58",
        "https://files.oss-cn-hongkong.aliyuncs.com/a",
        "保單.docx",
        "a\\/b",
        "\\u738b\\ud83d\\ude00\\u82b3",
        "\\ud83d",
    ];
    const NUMBERS: [&str; 12] = [
        "0",
        "1",
        "2",
        "23",
        "1763456712",
        "1763456712345",
        "24870551923",
        "9223372036854775808",
        "18446744073709551616",
        "007",
        "-3",
        "1.5",
    ];
    match kind {
        _ if dice.odds(24) => dice.pick(&SCALARS).to_owned(),
        0..3 => format!("\"{}\"", dice.pick(&TEXTS)),
        3 | 4 => dice.pick(&NUMBERS).to_owned(),
        5 => list(dice),
        6 => format!(
            "{{\"storage\":{{\"driver\":{},\"headerSignatureInfo\":{{\"resourceUrls\":[{},{}],\"region\":{},\"n\":{}}}}}}}",
            alike(dice, 0),
            alike(dice, 0),
            alike(dice, 0),
            alike(dice, 0),
            alike(dice, 3)
        ),
        7 => format!("{{\"x\":[{},{}],\"y\":{{\"z\":{}}}}}", alike(dice, 0), alike(dice, 3), alike(dice, 0)),
        8 => dice.pick(&["true", "false", "null"]).to_owned(),
        _ => "null".to_owned(),
    }
}

/// A row of one of some hundred shapes: the same keys and space each time, other values. Every other shape has one around
/// the row.
pub(crate) fn shaped(dice: &mut Dice) -> String {
    let number = dice.roll(400);
    let mut shape = Dice(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1).wrapping_mul(0x2545_f491_4f6c_dd1d));
    let space = if shape.odds(4) { " " } else { "" };
    let mut object = |shape: &mut Dice, most: usize| {
        let count = 1 + shape.roll(most);
        let fields: Vec<String> = (0..count)
            .map(|_| {
                let key = shape.pick(&KEYS);
                let kind = match key {
                    "docReceiverList" | "docMemberList" | "doc_member_info_list" => 5,
                    "_enrichment" => 6,
                    "action" | "gmtCreate" | "gmt_create" | "resourceSize" | "operateModule" => 3,
                    _ => shape.roll(5),
                };
                let (key, kind) = if shape.odds(8) { ("nothing", shape.roll(10)) } else { (key, kind) };
                format!("\"{key}\":{space}{}", alike(dice, kind))
            })
            .collect();
        fields.join(&format!(",{space}"))
    };
    let row = format!("{{\"action\":{space}2,{space}{}}}", object(&mut shape, 12));
    if shape.odds(2) {
        return row;
    }
    let (before, behind) = (object(&mut shape, 2), object(&mut shape, 3));
    match shape.roll(3) {
        0 => format!("{{{before},\"payload\":{space}{row},{behind}}}"),
        1 => format!("{{\"payload\":{row},{space}{behind}}}"),
        _ => format!("{{{before},{space}\"list\":[{row},{row}],{behind}}}"),
    }
}

/// The message of a number: mostly rows, some wrapped, some of few shapes, some push events, some samples; many with bytes changed.
pub(crate) fn made(dice: &mut Dice, case: u64, samples: &[&[u8]], bytes: &mut Vec<u8>) {
    bytes.clear();
    match case % 64 {
        0..4 => bytes.extend_from_slice(samples[dice.roll(samples.len())]),
        4..20 => bytes.extend_from_slice(message(dice, case as usize % 3).as_bytes()),
        20..40 => bytes.extend_from_slice(shaped(dice).as_bytes()),
        40..48 => bytes.extend_from_slice(push(dice).as_bytes()),
        _ => bytes.extend_from_slice(message(dice, 0).as_bytes()),
    }
    if dice.odds(if matches!(case % 64, 20..48) { 6 } else { 2 }) {
        mutate(dice, bytes);
    }
}
