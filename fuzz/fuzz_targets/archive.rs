//! What an auditor's program reads of an archive before it trusts anything: no text panics it, and a line that is accepted
//! is written again as it was, so that two texts never pass for one entry.
//!
//! `cargo +nightly fuzz run archive`

#![no_main]

use harbourwatch::evidence::checkpoint::Checkpoint;
use harbourwatch::evidence::entry::Entry;
use harbourwatch::evidence::note::NoteVerifier;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(entry) = Entry::parse(text) {
        assert_eq!(entry.to_string(), text);
    }
    if let Some(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.note(), text);
    }
    if let Ok(verifier) = NoteVerifier::parse(text) {
        assert_eq!(verifier.vkey(), text);
        assert!(!verifier.verifies("a text that nobody signed\n", "AAAA"));
    }
});
