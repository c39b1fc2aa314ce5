//! CEF read back by a reader of its own.

use std::collections::BTreeMap;

use harbourwatch::deliver::Audience;
use harbourwatch::deliver::render::cef;
use harbourwatch::domain::verdict::Verdict;
use proptest::prelude::*;

use super::{context, notice};
use crate::support::findings::{finding, sealed};
use crate::support::golden;

/// Header and extension of a line, unescaped, or why it is none.
pub(crate) fn read(line: &str) -> Result<(Vec<String>, BTreeMap<String, String>), String> {
    let line = line.strip_prefix("CEF:").ok_or("no CEF:")?;
    let mut header = vec![String::new()];
    let mut chars = line.chars();
    while header.len() < 8 {
        match chars.next().ok_or("header ends early")? {
            '\\' => match chars.next() {
                Some(char @ ('\\' | '|')) => header.last_mut().unwrap().push(char),
                other => return Err(format!("header escapes {other:?}")),
            },
            '|' => header.push(String::new()),
            char => header.last_mut().unwrap().push(char),
        }
    }
    header.pop();
    Ok((header, extension(chars.as_str())?))
}

/// A key is a word that an unescaped `=` follows; its value reaches to the space before the next key.
fn extension(text: &str) -> Result<BTreeMap<String, String>, String> {
    let bytes = text.as_bytes();
    let bare =
        |at: usize| bytes[at] == b'=' && bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0;
    let marks: Vec<usize> = (0..bytes.len()).filter(|at| bare(*at)).collect();
    let key_start = |mark: usize| text[..mark].rfind(' ').map_or(0, |space| space + 1);
    let mut found = BTreeMap::new();
    for (nth, mark) in marks.iter().enumerate() {
        let end = marks.get(nth + 1).map_or(text.len(), |next| key_start(*next) - 1);
        let key = &text[key_start(*mark)..*mark];
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("{key:?} is no key"));
        }
        if found.insert(key.to_owned(), unescape(&text[mark + 1..end])?).is_some() {
            return Err(format!("{key} comes twice"));
        }
    }
    Ok(found)
}

fn unescape(value: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match (char, if char == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some(escaped @ ('\\' | '='))) => out.push(escaped),
            ('\\', other) => return Err(format!("value escapes {other:?}")),
            (char, _) => out.push(char),
        }
    }
    Ok(out)
}

#[test]
fn the_lines_are_these() {
    for audience in Audience::ALL {
        let line = cef::line(&notice(&finding(Verdict::Uncovered), audience), &context());
        assert_eq!(line.cut, 0);
        golden(&format!("feeds/{}.cef", audience.name()), &format!("{}\n", line.text));
    }
}

#[test]
fn the_extension_has_known_keys_and_a_label_for_each_custom_value() {
    let line = cef::line(&notice(&finding(Verdict::Uncovered), Audience::Officer), &context());
    let (header, values) = read(&line.text).unwrap();
    assert_eq!(header[..3], ["0", "harbourwatch", "harbourwatch"]);
    assert_eq!((header.len(), header[6].as_str()), (7, "8"));
    for key in values.keys().filter(|key| matches!(key.as_bytes(), [b'c', b's' | b'n', b'0'..=b'9'])) {
        assert!(values.contains_key(&format!("{key}Label")), "{key}");
    }
    assert_eq!((values["src"].as_str(), values["fname"].as_str()), ("203.0.113.7", "payroll-2026.xlsx"));
    assert!(line.text.len() < 2_048, "{} bytes: some receivers take no more", line.text.len());
}

#[test]
fn what_is_too_long_is_cut_at_a_character_and_counted() {
    let mut long = finding(Verdict::Uncovered);
    long.facts.resource = sealed(&"字".repeat(30_000));
    long.facts.recipient = sealed(&"=".repeat(300));
    let line = cef::line(&notice(&long, Audience::Officer), &context());
    let (_, values) = read(&line.text).unwrap();
    assert_eq!(values["fname"], "字".repeat(85));
    assert_eq!(values["duid"], "=".repeat(255));
    assert_eq!(line.cut, 3, "the name in the view, and both in their fields");
    long.facts.tenant = "t".into();
    for value in [&mut long.facts.actor_id, &mut long.facts.actor_name, &mut long.facts.resource] {
        *value = sealed(&"\u{202e}".repeat(20_000));
    }
    assert!(cef::line(&notice(&long, Audience::Officer), &context()).text.len() < 8_000);
}

/// What the writer shows of a value: hidden characters as pictures or codes, cut to its field.
fn shown(value: &str) -> String {
    let mut end = value.len().min(255);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let lines = |text: &str| {
        text.split('\r')
            .map(|part| {
                part.chars()
                    .collect::<Vec<_>>()
                    .chunks(150)
                    .map(|some| harbourwatch::deliver::render::plain::plain(&some.iter().collect::<String>()))
                    .collect::<String>()
            })
            .collect::<Vec<_>>()
            .join("\r")
    };
    value[..end].split('\n').map(lines).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn any_value_comes_back(name in any::<String>(), tail in "[|=\\\\\r\n a-c]{0,40}") {
        let mut any = finding(Verdict::Uncovered);
        let value = format!("{name}{tail}");
        any.facts.resource = sealed(&value);
        any.facts.actor_name = sealed(&tail);
        let line = cef::line(&notice(&any, Audience::Officer), &context());
        prop_assert!(!line.text.contains(['\n', '\r', '\0']));
        let (header, values) = read(&line.text).map_err(TestCaseError::fail)?;
        prop_assert_eq!(header.len(), 7);
        // a space at the very end of a value cannot be told from the one before the next key
        prop_assert_eq!(values.get("fname").cloned().unwrap_or_default(), shown(&value));
        prop_assert_eq!(values.get("suser").cloned().unwrap_or_default(), shown(&tail));
    }
}
