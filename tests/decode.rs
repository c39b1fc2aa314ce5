//! Decoding and legs: the samples against readable goldens, every shape and known quirk, and a second reader on made-up input.

mod kernels;
mod made;
mod oracle;
mod pushes;
mod quirks;
mod random;
mod render;
mod shapes;
mod silence;
mod ways;

use std::path::Path;

use harbourwatch::dingtalk::{Decoder, Reject};
use harbourwatch::domain::event::{Act, Counterpart, Event, Id, Personal, Shape};

use render::{event_lines, leg_lines};

type Results<'a> = Vec<Result<Event<'a>, Reject>>;

fn decode(bytes: &[u8]) -> Results<'_> {
    decode_with(&Decoder::default(), bytes)
}

fn decode_with<'a>(decoder: &Decoder, bytes: &'a [u8]) -> Results<'a> {
    let mut results = Vec::new();
    let count = decoder.decode(bytes, &mut |index, result| {
        assert_eq!(index as usize, results.len(), "indices run from 0");
        results.push(result);
    });
    assert_eq!(count as usize, results.len());
    results
}

/// Compares with a golden file; `UPDATE_GOLDEN=1` writes it anew.
fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decode/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).expect("golden is writable");
    }
    let expected = std::fs::read_to_string(&path).expect("golden is there");
    assert!(expected == actual, "{name} differs; UPDATE_GOLDEN=1 shows the change in git diff\n{actual}");
}

fn sample_text(name: &str) -> String {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dingtalk").join(name))
        .expect("sample");
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        for result in decode(line.as_bytes()) {
            out += &format!("== line {number}\n");
            match result {
                Ok(event) => out += &(event_lines(&event) + &leg_lines(&event)),
                Err(reject) => out += &format!("rejected {reject}\n"),
            }
        }
    }
    out
}

#[test]
fn audit_samples() {
    golden("samples.txt", &sample_text("samples.jsonl"));
}

#[test]
fn push_samples() {
    golden("samples-push.txt", &sample_text("samples-push.jsonl"));
}

/// An event with a named receiver, a member of each role, an app: every leg that an act can have shows.
fn full(act: Act<'static>) -> Event<'static> {
    let mut event = Event::new(Shape::AuditRow, act);
    let party = |name: &'static str, kind, member, role| Counterpart {
        id: None,
        name: Some(Personal::new(name.into())),
        kind: Some(kind),
        member,
        role,
    };
    event.counterparts.push(party("receiver", 0, false, None));
    event.counterparts.push(party("drive", 2, false, None));
    event.counterparts.push(party("person", 2, true, Some(1)));
    event.counterparts.push(party("removed", 2, true, Some(0)));
    event.counterparts.push(party("department", 0, true, Some(2)));
    event.counterparts.push(party("organisation", 3, true, Some(4)));
    event.app = Some(harbourwatch::domain::event::App { code: Some(Id::Number(1000)), name: None });
    event.module = Some(23);
    event
}

#[test]
fn legs_of_every_act() {
    let mut out = String::new();
    let mut note = |name: String, event: &Event<'_>| out += &format!("== {name}\n{}", leg_lines(event));
    for code in -1..36 {
        let mut event = full(Act::Audit(code));
        note(format!("action {code}"), &event);
        event.counterparts.clear();
        note(format!("action {code}, nobody named"), &event);
    }
    for module in 0..25 {
        let mut event = full(Act::Audit(0));
        event.module = Some(module);
        note(format!("upload in module {module}"), &event);
    }
    for row in harbourwatch::dingtalk::codes::PUSHES {
        let mut event = full(Act::Push(row.name.into()));
        event.detail = Some("TEAM_ADD_MEMBER".into());
        note(format!("push {}", row.name), &event);
        event.counterparts.clear();
        event.app = None;
        event.detail = Some("TEAM_REMOVE_MEMBER".into());
        note(format!("push {}, nobody named", row.name), &event);
    }
    let mut event = full(Act::Push("doc_spaces_team_member_change".into()));
    event.detail = Some("TEAM_SOMETHING_NEW".into());
    note("push doc_spaces_team_member_change, new type".into(), &event);
    note("push of tomorrow".into(), &full(Act::Push("something_new".into())));
    golden("legs.txt", &out);
}

#[test]
fn an_act_that_takes_every_permission_away_moves_nothing() {
    let mut event = full(Act::Audit(20));
    event.counterparts.retain(|one| one.role == Some(0));
    assert_eq!(leg_lines(&event), "nothing\n");
}

#[test]
fn debug_of_an_event_shows_nothing_personal() {
    let line = br#"{"action":2,"userId":"secret-id","realName":"secret-name","ipAddress":"203.0.113.9","resource":"secret-file",
        "receiverName":"secret-receiver","receiverId":"secret-r","gmtCreate":1763456712345}"#;
    let shown = format!("{:?}", decode(line));
    assert!(!shown.contains("secret") && !shown.contains("203.0.113"), "{shown}");
    assert!(shown.contains("1763456712345"));
}
