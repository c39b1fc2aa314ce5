//! What an auditor does who trusts nothing of ours: `openssl` for the signature and the commitments, the bundle's own
//! verifier in Python for root and inclusion, Debian's `age` and `zstd` for a frame. Where a program is absent that is said;
//! with `HARBOURWATCH_AUDITOR` set (as continuous integration does when it has installed them) its absence is a failure.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::harness::Room;
use super::proof::{WHY, sealed};

/// Runs a stock program in `dir` with `input`; `None` where it is absent.
fn stock(dir: &Path, program: &str, words: &[&str], input: &[u8]) -> Option<(bool, Vec<u8>)> {
    let child = Command::new(program)
        .args(words)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        assert!(std::env::var_os("HARBOURWATCH_AUDITOR").is_none(), "{program} is wanted here, and absent");
        eprintln!("NOT CHECKED: there is no {program} here");
        return None;
    };
    let mut to = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || to.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Some((output.status.success(), output.stdout))
}

/// The entries of an archive at rest, as docs/evidence-format.md says: each behind its length.
fn entries(room: &Room, evidence: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut paths = room.files(&format!("{evidence}/tile/entries"));
    paths.sort();
    for path in paths {
        let (bytes, mut at) = (std::fs::read(path).unwrap(), 0);
        while at < bytes.len() {
            let length = usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
            found.push(String::from_utf8(bytes[at + 2..at + 2 + length].to_vec()).unwrap());
            at += 2 + length;
        }
    }
    found
}

/// The signature with stock OpenSSL, as README.txt says.
#[test]
fn openssl_checks_the_signature_and_refuses_another_text() {
    let room = sealed();
    let note = room.read("data/evidence/checkpoint");
    let signature = STANDARD.decode(note.trim_end().rsplit(' ').next().unwrap()).unwrap();
    let key = STANDARD.decode(room.read("data/evidence/log.vkey").trim().splitn(3, '+').nth(2).unwrap()).unwrap();
    let der = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &key[1..]].concat();
    room.write("key.pem", format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der)));
    room.write("text", note.split_inclusive('\n').take(3).collect::<String>());
    room.write("signature", &signature[4..]);
    let words = ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "text", "-sigfile", "signature"];
    let Some((good, _)) = stock(&room.path(""), "openssl", &words, b"") else { return };
    assert!(good);
    room.write("text", room.read("text") + "one line more\n");
    assert_eq!(stock(&room.path(""), "openssl", &words, b"").map(|(good, _)| good), Some(false));
}

#[test]
fn the_bundles_own_verifier_checks_root_and_inclusion() {
    let room = sealed();
    let read = ["-c", "bank.toml", "--data", "data", "--identity", "officer.key"];
    room.run(&[&["report", "--out", "bundle"], read.as_slice(), &WHY].concat()).exits(0);
    let vkey = room.read("data/evidence/log.vkey").trim().to_owned();
    let words = ["-I", "-S", "bundle/verify.py", "--vkey", &vkey];
    let Some((good, said)) = stock(&room.path(""), "python3", &words, b"") else { return };
    assert!(good && said.starts_with(b"sound: "), "{}", String::from_utf8_lossy(&said));
    let records = room.read("bundle/log-1/records.ndjson");
    room.write("bundle/log-1/records.ndjson", records.replacen("UNCOVERED", "DOMESTIC", 1));
    assert_eq!(stock(&room.path(""), "python3", &words, b"").map(|(good, _)| good), Some(false));
}

/// Every frame of the archive: its digest is what the log says, `age` opens it for the officer and for the escrow and for
/// nobody else, `zstd` unpacks it, and each line is what the log has committed to.
#[test]
fn stock_age_and_zstd_open_the_frames_and_each_line_is_what_the_log_committed_to() {
    let room = sealed();
    let all = entries(&room, "data/evidence");
    let commitments: BTreeMap<u64, &str> = (0..)
        .zip(&all)
        .filter(|(_, entry)| entry.starts_with("hw1 R "))
        .map(|(index, entry)| (index, entry.rsplit(' ').next().unwrap()))
        .collect();
    assert!(commitments.len() > 20, "{}", commitments.len());
    let (mut frames, mut records) = (0, 0);
    for entry in all.iter().filter(|entry| entry.starts_with("hw1 F ")) {
        let words: Vec<&str> = entry.split(' ').collect();
        let segment = std::fs::read(room.path(&format!("data/evidence/segments/{}.seg", words[2]))).unwrap();
        let (offset, length): (usize, usize) = (words[3].parse().unwrap(), words[4].parse().unwrap());
        let frame = &segment[offset + 4..offset + 4 + length];
        let Some(digest) = sha256(&room, frame) else { return };
        assert_eq!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), words[5]);
        let open = |key: &str| stock(&room.path(""), "age", &["-d", "-i", key], frame);
        let Some((good, packed)) = open("officer.key") else { return };
        assert!(good, "age does not open {entry}");
        if frames == 0 {
            assert_eq!(open("escrow.key"), Some((true, packed.clone())));
            room.run(&["keys", "init", "--data", "other", "-c", "bank.toml", "--identity", "stranger.key"]).exits(0);
            assert_eq!(open("stranger.key").map(|(good, _)| good), Some(false));
        }
        let Some((true, lines)) = stock(&room.path(""), "zstd", &["-dc"], &packed) else { return };
        let lines = String::from_utf8(lines).unwrap();
        let mut own = lines.lines().map(|line| line.split_once(r#","r":"#)).collect::<Vec<_>>();
        own.retain(Option::is_some);
        // each line has a process of its own, so a few of each frame
        for (head, rest) in own.iter().flatten().step_by(own.len().div_ceil(8).max(1)) {
            let head: serde_json::Value = serde_json::from_str(&format!("{head}}}")).unwrap();
            let record = rest.strip_suffix('}').unwrap();
            let salt = STANDARD.decode(head["salt"].as_str().unwrap()).unwrap();
            let digest = sha256(&room, &[&salt, record.as_bytes()].concat()).unwrap();
            assert_eq!(STANDARD.encode(digest), commitments[&head["i"].as_u64().unwrap()]);
            records += 1;
        }
        frames += 1;
    }
    assert!(frames > 0 && records > 5, "{frames} frames, {records} records");
    eprintln!("age and zstd opened {frames} frames, openssl held {records} records against the log");
}

fn sha256(room: &Room, bytes: &[u8]) -> Option<Vec<u8>> {
    stock(&room.path(""), "openssl", &["dgst", "-sha256", "-binary"], bytes).map(|(good, digest)| {
        assert!(good);
        digest
    })
}
