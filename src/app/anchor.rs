//! Finds signed checkpoints in what somebody kept: the file itself, a line of a feed (OCSF, ECS, CEF, our own JSON, an
//! envelope of a SIEM around any of them), a digest mail as text. Believes none of them; that is for `verify`.

use serde_json::Value;

use crate::evidence::checkpoint::Checkpoint;

/// Depth of JSON within strings of JSON that is followed: an export may wrap an event as text.
const DEEPEST: u8 = 3;

/// Every note in a text, each once. A text in which there is none is given back as it is, for `verify` to refuse it.
pub(super) fn notes_in(text: &str) -> Vec<String> {
    let mut found = blocks(text);
    if let Ok(whole) = serde_json::from_str::<Value>(text) {
        walk(&whole, DEEPEST, &mut found);
    } else {
        for line in text.lines().filter(|line| line.contains('{') || line.contains("CEF:")) {
            let json = line.find('{').and_then(|at| line.get(at..)).and_then(|json| serde_json::from_str(json).ok());
            json.iter().for_each(|json| walk(json, DEEPEST, &mut found));
            found.extend(line.split_once("msg=").into_iter().flat_map(|(_, value)| blocks(&unescaped(value))));
        }
    }
    found.sort();
    found.dedup();
    if found.is_empty() { vec![text.to_owned()] } else { found }
}

fn walk(value: &Value, depth: u8, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            found.extend(blocks(text));
            if depth > 0
                && text.contains('{')
                && let Ok(inner) = serde_json::from_str(text)
            {
                walk(&inner, depth - 1, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|one| walk(one, depth, found)),
        Value::Object(all) => all.values().for_each(|one| walk(one, depth, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => (),
    }
}

/// Notes that stand in a text as lines, however far they are indented, with as many signatures as follow. Signatures of
/// others are left out.
fn blocks(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let starts = (3..lines.len()).filter(|at| lines[*at].is_empty());
    let notes = starts.map(|at| {
        let signed = lines[at + 1..].iter().take_while(|line| line.starts_with("— ")).count();
        lines[at - 3..=at + signed].iter().map(|line| format!("{line}\n")).collect::<String>()
    });
    notes.filter_map(|note| Some(Checkpoint::parse(&note)?.note())).collect()
}

/// An extension value of CEF as it was before it was escaped.
fn unescaped(value: &str) -> String {
    let (mut out, mut chars) = (String::with_capacity(value.len()), value.chars());
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, true) => out.extend(chars.next().map(|next| if next == 'n' { '\n' } else { next })),
            (char, false) => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::Statement;
    use crate::deliver::render::{Context, Format, checkpoint};

    const NOTE: &str = include_str!("../../tests/data/evidence/golden.checkpoint");

    #[test]
    fn a_checkpoint_is_found_in_every_form_of_a_feed() {
        let context = Context { host: "hk=1\\a".into(), log: "x".into(), link: None };
        let statement = Statement::new(NOTE.to_owned(), 1_795_397_400_000);
        for format in Format::ALL {
            let line = checkpoint::line(format, &statement, &context);
            assert!(!line.contains('\n'));
            assert_eq!(notes_in(&line), [NOTE], "{format:?}");
            assert_eq!(notes_in(&format!("<110>1 - host harbourwatch - - - {line}\n{line}\n")), [NOTE], "{format:?}");
            // as a SIEM exports it: the event as text within its own JSON
            let wrapped = serde_json::json!({ "result": { "_raw": line } }).to_string();
            let is_json = format != Format::Cef;
            assert_eq!(notes_in(&wrapped) == [NOTE], is_json, "{format:?}");
        }
        assert_eq!(notes_in(NOTE), [NOTE]);
        let indented: String = NOTE.lines().map(|line| format!("    {line}\n")).collect();
        assert_eq!(notes_in(&format!("Daily summary\n\n{indented}\nEnd\n")), [NOTE]);
        // with the signatures of witnesses, before and behind
        let (text, own) = NOTE.split_once("\n\n").unwrap();
        let witness = "— witness.example AAAAAAA=\n";
        for signatures in [format!("{own}{witness}"), format!("{witness}{own}{witness}")] {
            assert_eq!(notes_in(&format!("{text}\n\n{signatures}\nEnd\n")), [NOTE]);
        }
    }

    #[test]
    fn what_holds_no_checkpoint_is_given_back_for_the_verifier_to_refuse() {
        for text in ["", "{", "{\"a\":1}", "CEF:0|x msg=", "a\n1\nb\n\n— c d\n"] {
            assert_eq!(notes_in(text), [text]);
        }
    }
}
