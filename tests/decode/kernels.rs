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
    assert!(sure * 100 >= written.len() * 90, "{sure} of {}", written.len());
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
