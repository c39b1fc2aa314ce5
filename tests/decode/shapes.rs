//! Messages that are written as others before are read by their shape, and say what they would say otherwise: whatever
//! byte of them changes, and whatever stands where another value stood.

use super::ways::Ways;

const ROW: &str = r#"{"operatorName":"Mei Ling","userId":"16341106","orgName":"維港銀行","platform":11,"platformView":"WIN","action":2,"operateModule":23,"resource":"名單.xlsx","resourceSize":91280,"targetSpaceId":24870551923,"bizId":"248705519239206","ipAddress":"10.20.58.153","gmtCreate":1795392001456,"gmtModified":1795392001456}"#;

const ENRICHED: &str = r#"{"action":2,"gmtCreate":1795392001456,"docMemberList":[],"docReceiverList":[{"receiverName":"Chan","receiverType":2}],"_enrichment":{"storage":{"protocol":"X","n":[1,"a"],"headerSignatureInfo":{"resourceUrls":["https://a.aliyuncs.com/x","https://b/y"],"expirationSeconds":900,"region":"UNKNOWN"},"bucket":"b"}}}"#;

const WRAPPED: &str = r#"{"corpId":"ding8f2c","collectedAt":1795392089171,"payload":{"action":"2","operate_module":23,"biz_id":77,"gmt_create":"1795392001456","real_name":""},"storage":{"driver":"D","urls":["u"]},"success":true,"errcode":0}"#;

const PAGE: &str = r#"{"errcode":0, "list":[{"action":2, "bizId":1}, {"action":3, "bizId":2}], "hasMore":false}"#;

/// Shorter than what is compared in one step.
const SHORT: &str = r#"{"action":2,"bizId":7}"#;

const MESSAGES: [&str; 5] = [ROW, ENRICHED, WRAPPED, PAGE, SHORT];

/// All ways, to which the messages are known.
fn knowing() -> Ways {
    let mut ways = Ways::new();
    for message in MESSAGES.into_iter().cycle().take(40) {
        ways.compare(message.as_bytes());
    }
    ways
}

#[test]
fn what_is_written_alike_is_read_by_its_shape() {
    let mut ways = knowing();
    let alike = [
        ROW.replace("Mei Ling", "王").replace("91280", "0").replace(":11,", ":12345,"),
        ENRICHED.replace("[1,\"a\"]", "[2,\"\"]").replace("900", "1").replace("UNKNOWN", "SHANGHAI"),
        WRAPPED.replace("ding8f2c", "x").replace("\"2\"", "\"20\"").replace("\"u\"", "\"保單\""),
        PAGE.replace("\"bizId\":1}", "\"bizId\":18}"),
    ];
    for (message, objects) in alike.iter().zip([1, 1, 3, 2]) {
        let (before, kernels) = (ways.shaped(), ways.kernels());
        assert!(ways.compare(message.as_bytes()), "{message}");
        assert_eq!(ways.shaped() - before, objects * kernels, "{message}");
    }
}

#[test]
fn whatever_byte_changes_all_ways_say_the_same() {
    let mut ways = knowing();
    for message in MESSAGES {
        for at in 0..message.len() {
            let (before, behind) = (&message.as_bytes()[..at], &message.as_bytes()[at + 1..]);
            for byte in b"\"\\{}[],: 09-.enax\xff\n" {
                ways.compare(&[before, &[*byte], behind].concat());
            }
            ways.compare(&[before, behind].concat());
            ways.compare(before);
            // as it was: what was learnt from the others must not matter
            ways.compare(message.as_bytes());
        }
    }
}

#[test]
fn another_value_than_before_says_what_it_says() {
    const VALUES: [&str; 26] = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "00",
        "1.5",
        "1e3",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "\"\"",
        "\"a\"",
        "\"7\"",
        "\"1795392001456\"",
        "\"a\\/b\"",
        "\"\\u738b\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\\ud83d\"",
        "\"\\x\"",
        "\"{\\\"action\\\":2}\"",
        "{}",
        "[]",
        "{\"action\":2,\"bizId\":3}",
        "[{\"receiverName\":\"Lam\",\"receiverType\":1}]",
        "[1,[\"b\"]]",
    ];
    let mut ways = knowing();
    for message in MESSAGES {
        for (from, to) in values(message) {
            let (before, behind) = (&message.as_bytes()[..from], &message.as_bytes()[to..]);
            for value in VALUES {
                let changed = [before, value.as_bytes(), behind].concat();
                // the second time it may be known itself
                ways.compare(&changed);
                ways.compare(&changed);
                ways.compare(message.as_bytes());
            }
        }
    }
}

/// Parts that are sound each, of shapes that are known each, and not together.
#[test]
fn what_is_said_twice_is_said_twice_by_any_shape() {
    const ROW: &str = r#"{"action":2,"gmtCreate":1795392001456,"bizId":7}"#;
    let storage = |first: &str, second: &str| {
        format!(
            r#"{{"action":2,"bizId":7,"gmtCreate":1795392001456,"_enrichment":{{"storage":{{"host":"{first}","host":"{second}"}}}}}}"#
        )
    };
    let claims = |claims: &str| format!(r#"{{"action":2,"bizId":7,"_enrichment":{{{claims}}}}}"#);
    let around = |front: &str, behind: &str| format!(r#"{{{front}"payload":{ROW}{behind}}}"#);
    let (one, other) = (r#""_enrichment":{"host":"a.aliyuncs.com"}"#, r#""_enrichment":{"host":"b.aliyuncs.com"}"#);
    let list = r#""docMemberList":[{"memberName":"Lam","memberType":2}]"#;
    let mut ways = Ways::new();
    for _ in 0..600 {
        for message in [
            storage("", "b.aliyuncs.com"),
            storage("a.aliyuncs.com", ""),
            storage("a.aliyuncs.com", "b.aliyuncs.com"),
            claims(r#""region":"","region":"SHANGHAI""#),
            claims(r#""region":"SINGAPORE","region":"""#),
            claims(r#""region":"SINGAPORE","region":"SHANGHAI""#),
            claims(r#""bucket":"","bucketName":"b""#),
            claims(r#""bucket":"a","bucketName":"b""#),
            around(&format!("{one},"), ""),
            around("", &format!(",{other}")),
            around(&format!("{one},"), &format!(",{other}")),
            around(&format!("{list},"), ""),
            around("", &format!(",{list}")),
            around(&format!("{list},"), &format!(",{list}")),
            around(r#""corpId":"","#, r#","corpId":"b""#),
            around(r#""corpId":"a","#, r#","corpId":"b""#),
            around(r#""success":true,"#, ""),
            around(r#""success":false,"#, ""),
            around(r#""success":false,"#, r#","success":true"#),
        ] {
            ways.compare(message.as_bytes());
        }
    }
}

/// A field that comes twice may have said nothing the first time.
#[test]
fn what_says_nothing_and_comes_again_says_what_it_says_then() {
    let row =
        |front: &str, behind: &str| format!(r#"{{{front}"action":2,"gmtCreate":1795392001456,"bizId":7{behind}}}"#);
    let mut ways = Ways::new();
    for nothing in [r#""""#, "null"] {
        for (field, values) in [
            ("success", ["true", "false", "1"]),
            ("platform", ["11", "\"12\"", "0"]),
            ("receiverName", ["\"Lam\"", "\"\"", "7"]),
            ("gmtCreate", ["1795392001457", "\"1795392001457\"", "3"]),
        ] {
            let (front, behind) = (format!(r#""{field}":{nothing},"#), |value| format!(r#","{field}":{value}"#));
            for value in values {
                for message in [row(&front, &behind(value)), row("", &behind(nothing)), row(&front, "")] {
                    thrice(&mut ways, &message);
                }
                let (inner, again) = (row("", ""), behind(value));
                let twice = format!("{front}{},", again.trim_start_matches(','));
                for around in
                    [format!(r#"{{{front}"payload":{inner}{again}}}"#), format!(r#"{{{twice}"payload":{inner}}}"#)]
                {
                    thrice(&mut ways, &around);
                }
            }
        }
    }
}

/// Values of every length before and at the end of messages of every length, and more hosts than there mostly are.
#[test]
fn however_long_a_value_is_and_however_near_the_end() {
    let mut ways = knowing();
    for len in 0..200 {
        let (text, number) = ("x".repeat(len), "7".repeat(len % 21 + 1));
        for message in [
            format!(r#"{{"action":2,"bizId":7,"resource":"{text}"}}"#),
            format!(r#"{{"action":2,"bizId":7,"other":"{text}"}}"#),
            format!(r#"{{"action":2,"resource":"{text}","bizId":{number}}}"#),
            format!(r#"{{"action":2,"other":{number},"bizId":"{text}","gmtCreate":{number}}}"#),
            format!(r#"{{"action":{number}}}"#),
        ] {
            ways.compare(message.as_bytes());
            ways.compare(message.as_bytes());
        }
    }
    for hosts in 0..8 {
        let hosts = vec!["\"https://a.aliyuncs.com/x\""; hosts].join(",");
        let message = ENRICHED.replace("\"https://a.aliyuncs.com/x\",\"https://b/y\"", &hosts);
        thrice(&mut ways, &message);
    }
}

/// The second time a message may be known itself.
fn thrice(ways: &mut Ways, message: &str) {
    for _ in 0..3 {
        ways.compare(message.as_bytes());
    }
}

/// Where the plain values of a message are, keys among them.
fn values(message: &str) -> Vec<(usize, usize)> {
    let (mut values, mut at) = (Vec::new(), 0);
    let bytes = message.as_bytes();
    while at < bytes.len() {
        let rest = &bytes[at + 1..];
        let len = match bytes[at] {
            b'"' => 2 + rest.iter().take_while(|byte| **byte != b'"').count(),
            b'0'..=b'9' | b'a'..=b'z' => 1 + rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count(),
            _ => 0,
        };
        if len > 0 {
            values.push((at, at + len));
        }
        at += len.max(1);
    }
    values
}
