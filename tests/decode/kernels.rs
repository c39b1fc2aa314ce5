//! The fast way of the decoder beside the ordinary one: whatever the kernel, both say the same of every message.
//!
//! `HARBOURWATCH_DIFFERENTIAL` sets the number of messages; for longer runs there is `fuzz/scanner`.

use harbourwatch::source::generate::{Generator, Organisation, Plan, Quirks};

use super::made::{Dice, made};
use super::ways::Ways;

/// Messages as a bank of the generator writes them.
fn written() -> Vec<Vec<u8>> {
    let quirks = Quirks { enriched: 900_000, ..Quirks::default() };
    let mut generator = Generator::new(Plan { quirks, ..Plan::new(11, 3_000) }, Organisation::bank());
    let mut messages = Vec::new();
    let mut message = Vec::new();
    while generator.next(&mut message).is_some() {
        messages.push(std::mem::take(&mut message));
    }
    messages
}

#[test]
fn every_kernel_says_what_the_ordinary_way_says() {
    let asked = std::env::var("HARBOURWATCH_DIFFERENTIAL").ok().and_then(|number| number.parse().ok());
    let (cases, written) = (asked.unwrap_or(40_000_u64), written());
    let samples: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
    let (mut dice, mut ways, mut bytes, mut sure) = (Dice(0x9e37_79b9_7f4a_7c15), Ways::new(), Vec::new(), 0);
    for case in 0..cases {
        made(&mut dice, case, &samples, &mut bytes);
        sure += u64::from(ways.compare(&bytes));
    }
    // the cases are worth something only if both ways decide about many of them
    assert!(sure > cases / 10 && sure < cases * 9 / 10, "{sure} of {cases}");
    assert!(ways.shaped() > ways.readings / 10, "{} of {} by a known shape", ways.shaped(), ways.readings);
}

#[test]
fn the_fast_way_takes_what_is_written_every_day() {
    let (mut ways, written) = (Ways::new(), written());
    let sure = written.iter().filter(|message| ways.compare(message)).count();
    assert!(sure * 100 >= written.len() * 99, "{sure} of {}", written.len());
    let pushes = written.iter().filter(|message| String::from_utf8_lossy(message).contains("ventType\""));
    let sure =
        pushes.map(|message| ways.compare(message)).fold((0, 0), |(sure, all), one| (sure + u64::from(one), all + 1));
    assert!(sure.1 > 10 && sure.0 * 10 >= sure.1 * 8, "{sure:?} push events");
}

/// A body that would be an event by itself is none where the head says what it belongs to.
#[test]
fn a_body_belongs_to_its_head() {
    let body = r#"{"syncAction":"storage_dentry_delete","dentryId":"7"}"#;
    let packed = serde_json::to_string(body).expect("text");
    for head in ["\"biz_id\":\"1763456799000\"", "\"EventType\":\"chat_disband\"", "\"x\":1"] {
        for (key, body) in ["data", "biz_data", "payload"].iter().flat_map(|key| [(key, body), (key, &packed)]) {
            for corp in ["", "\"corp_id\":\"ding8f2c\",", "\"biz_type\":235,"] {
                let message = format!("{{{corp}{head},\"{key}\":{body}}}");
                let mut ways = Ways::new();
                ways.compare(message.as_bytes());
                ways.compare(message.as_bytes());
            }
        }
    }
}

/// Every length and place of a string, so that it lies across every edge of the blocks.
#[test]
fn strings_across_the_edges_of_blocks_are_read_the_same() {
    let mut ways = Ways::new();
    for length in 0..200 {
        for filling in ["x", "鍵", "\\\\", "\\\"", "\u{7f}", "\t"] {
            let text: String = filling.repeat(length);
            let row =
                format!(r#"{{"x":"{text}","action":2,"userId":"u","resource":"{text}","gmtCreate":1763456712345}}"#);
            ways.compare(row.as_bytes());
            ways.compare(&row.as_bytes()[..row.len().min(length * 2)]);
        }
    }
}
