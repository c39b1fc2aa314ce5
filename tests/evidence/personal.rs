//! Which fields of a record stay open is decided for each, and decided by a person: a field that is in neither list fails.

use super::*;
use crate::support::{bank, day, run_in};
use harbourwatch::evidence::personal::{PERSONAL, SubjectKey, key_of};
use serde_json::Value;
use std::collections::BTreeSet;

/// What says nothing of a person. Everything else is sealed.
const OPEN: &str = "
    id schema shape act time time_utc tenant verdict rule severity geo_sha256 sealed
    position.topic position.partition position.offset position.index
    actor.party actor.platform actor.module
    data.extension data.size data.item data.personal data.categories[] data.suggested[] data.subjects data.purpose
    legs[].kind legs[].preview legs[].verdict legs[].rule legs[].severity legs[].safeguard legs[].failed
    legs[].policy_rule legs[].possible[] legs[].tags[] legs[].binding
    legs[].origin.places[] legs[].origin.code legs[].origin.method legs[].origin.confidence legs[].origin.doubt
    legs[].origin.source legs[].destination.places[] legs[].destination.code legs[].destination.method
    legs[].destination.confidence legs[].destination.doubt legs[].destination.source
    legs[].recipient.party legs[].recipient.name legs[].recipient.role legs[].recipient.tie
    policy.pack policy.sha256 policy.s33_in_force";

/// The paths of everything that is no object or array.
fn paths(value: &Value, above: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let dot = if above.is_empty() { "" } else { "." };
            members.iter().for_each(|(name, value)| paths(value, &format!("{above}{dot}{name}"), found));
        }
        Value::Array(elements) => elements.iter().for_each(|value| paths(value, &format!("{above}[]"), found)),
        Value::Null => (),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => drop(found.insert(above.to_owned())),
    }
}

#[test]
fn every_field_of_a_real_record_is_open_or_sealed_by_decision() {
    let (reports, ..) = run_in(&bank(), day(3, 20_000, 100), 1, usize::MAX, 1);
    let open: BTreeSet<String> = OPEN.split_whitespace().map(str::to_owned).collect();
    let (key, salt) = (SubjectKey::new([9; 32]), [1; 16]);
    let (mut seen, mut records) = (BTreeSet::new(), 0);
    for record in reports.iter().flat_map(|report| &report.records) {
        let text = std::str::from_utf8(&record.json).unwrap();
        let whole: Value = serde_json::from_str(text).unwrap();
        let sealed = key.seal(text, &salt).unwrap();
        let mut left = BTreeSet::new();
        paths(&serde_json::from_str(&sealed).unwrap(), "", &mut left);
        let undecided: Vec<_> = left.difference(&open).collect();
        assert!(undecided.is_empty(), "decide whether these speak of a person: {undecided:?}");
        paths(&whole, "", &mut seen);
        assert_eq!(key.open(&sealed, &salt), Some(whole));
        assert_eq!(key_of(&sealed), Some(key.id()));
        records += 1;
    }
    assert!(records > 500, "{records}");
    // "event_id" comes with push events only
    let missing: Vec<_> = PERSONAL.iter().filter(|path| !seen.contains(**path) && **path != "event_id").collect();
    assert!(missing.is_empty(), "no record has {missing:?}");
}

#[test]
fn a_sealed_archive_without_recipients_names_nobody() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 40).unwrap();
    log.close().unwrap();
    let mut texts = Vec::new();
    for path in files(&room.archive().join("segments")) {
        let (segment, mut at) = (fs::read(path).unwrap(), 0);
        while at < segment.len() {
            let length = u32::from_be_bytes(segment[at..at + 4].try_into().unwrap()) as usize;
            texts.push(zstd::decode_all(&segment[at + 4..at + 4 + length]).unwrap());
            at += 4 + length;
        }
    }
    let text = String::from_utf8(texts.concat()).unwrap();
    assert_eq!(text.matches("\"sealed\":\"").count(), 40);
    for name in ["chan.siu.ming", "陳小明", "203.0.113.77", "薪金", "message_sha256", "\"finding\""] {
        assert!(!text.contains(name), "{name}");
    }
}
