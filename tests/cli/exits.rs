//! Exit codes: 0 done, 1 failed, 2 verify found something wrong, 64 bad usage or configuration; a reader that goes away is
//! no failure.

#![allow(clippy::unwrap_used)]

use std::io::Read as _;
use std::process::Stdio;

use super::harness::Room;

#[test]
fn help_and_version_are_no_failure_and_go_to_standard_output() {
    let room = Room::new();
    for command in ["", "demo", "run", "replay", "generate", "explain", "geo", "codes", "check", "verify", "findings"] {
        let mut arguments = vec![command, "--help"];
        arguments.retain(|argument| !argument.is_empty());
        let ran = room.run(&arguments).exits(0);
        assert!(ran.out.contains("Usage: harbourwatch") && ran.err.is_empty(), "{command}: {}", ran.err);
    }
    room.run(&["--version"]).exits(0).says(&["harbourwatch ", env!("CARGO_PKG_VERSION")]);
}

#[test]
fn bad_usage_is_64_whatever_the_command() {
    let room = Room::new();
    for arguments in [
        &[][..],
        &["nonsense"],
        &["geo"],
        &["replay"],
        &["verify"],
        &["codes", "--nonsense"],
        &["generate", "--events", "many"],
        &["findings", "--lang", "fr"],
        &["explain", "a", "b"],
    ] {
        let ran = room.run(arguments).exits(64);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_bad_configuration_is_64_whatever_the_command() {
    let room = Room::new();
    room.write("bad.toml", "[[tenants]]\nid = \"x\"\n");
    for command in
        [&["check"][..], &["run"], &["replay", "x.ndjson"], &["explain", "x.json"], &["findings"], &["geo", "1.2.3.4"]]
    {
        let ran = room.run(&[command, &["-c", "bad.toml"]].concat()).exits(64);
        assert!(ran.err.contains("entities") && ran.out.is_empty(), "{command:?}: {}", ran.err);
    }
}

#[test]
fn what_fails_is_1_and_says_what_to_do() {
    let room = Room::new();
    room.bank(&[("files = [\"-\"]", "files = []")]);
    room.run(&["run", "-c", "bank.toml"]).exits(1).complains(&["source.files is empty"]);
    room.write("occupied", "");
    room.run(&["replay", "-c", "config/bank.toml", "--data", "occupied", "config/example-event.json"])
        .exits(1)
        .complains(&["occupied"]);
}

#[test]
fn a_reader_that_goes_away_ends_the_program_without_a_word() {
    let room = Room::new();
    room.bank(&[]);
    room.generate("day.ndjson", 20_000, 31);
    for arguments in [
        &["codes"][..],
        &["generate", "--events", "200000"],
        &["check", "-c", "bank.toml"],
        &["replay", "-c", "bank.toml", "--data", "data", "--verdicts", "day.ndjson"],
    ] {
        let mut child = room.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 16];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        // the pipe is closed here
        let ended = child.wait_with_output().unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {err}");
        assert!(!err.contains("panicked") && !err.contains("Broken pipe"), "{arguments:?}: {err}");
    }
    // what was recorded before the reader went is whole, and the rest follows
    room.run(&["verify", "data/evidence"]).exits(0);
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "day.ndjson"]).exits(0);
    let whole = room.run(&["replay", "-c", "bank.toml", "--data", "whole", "day.ndjson"]).exits(0);
    let report = room.run(&["verify", "data/evidence", "--json"]).exits(0).lines().remove(0);
    assert_eq!(report["lanes"][0]["received"].as_u64(), Some(whole.received()));
}
