//! `check`: all faults at once, each with its key, its value and what to do; else the configuration in force.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::harness::Room;

#[test]
fn all_faults_are_told_at_once_with_key_value_and_remedy() {
    let room = Room::new();
    room.bank(&[
        ("tie = \"own\"", "tie = \"owned\""),
        ("registered = \"SG\"", "registered = \"Singapore\""),
        ("entity = \"vhb-sz\"", "entity = \"vhb-shenzhen\""),
        ("cidrs = [\"203.0.113.0/25\"", "cidrs = [\"203.0.113.0/33\""),
        ("until = \"2029-03-02\"", "until = \"2026-02-30\""),
        ("min_severity = \"MEDIUM\"", "min_severity = \"medium\""),
        ("[workers]", "[workers]\nthreads = 3"),
        ("listen = \"127.0.0.1:0\"", "listen = \"localhost\""),
        ("default_tenant = \"ding8f2c", "default_tenant = \"ding9f2c"),
    ]);
    let ran = room.run(&["check", "-c", "bank.toml"]).exits(64);
    assert_eq!(ran.out, "", "nothing is in force");
    for (key, value, remedy) in [
        ("entities[0].tie", "\"owned\"", "write one of: own, group"),
        ("entities[2].registered", "\"Singapore\"", "\"SG\""),
        ("tenants[1].entity", "\"vhb-shenzhen\"", "declare it under [[entities]]"),
        ("sites[0].cidrs[0]", "\"203.0.113.0/33\"", ""),
        ("safeguards[0].until", "\"2026-02-30\"", ""),
        ("channels[0].min_severity", "\"medium\"", "INFO, LOW, MEDIUM, HIGH, CRITICAL"),
        ("workers.threads", "", "unknown"),
        ("admin.listen", "\"localhost\"", "127.0.0.1:9464"),
        ("decode.default_tenant", "\"ding9f2c41a0b7d9e63524f2f5cc6abecb85\"", "[[tenants]]"),
    ] {
        let line =
            ran.err.lines().find(|line| line.contains(key)).unwrap_or_else(|| panic!("{key} is not in\n{}", ran.err));
        assert!(line.contains(value) && line.contains(remedy), "{line}");
    }
}

#[test]
fn a_good_configuration_is_printed_with_its_defaults_and_reads_back_the_same() {
    let room = Room::new();
    let first = room.run(&["check", "-c", "config/minimal.toml"]).exits(0);
    first.says(&[
        "unknown_counts_as_personal = true",
        "[batch]",
        "[evidence]",
        "[admin]",
        "listen = \"127.0.0.1:9464\"",
    ]);
    first.complains(&["warning: ", "policy hk-2026-11-23 sha256 ", "geolocation sha256 ", "config/minimal.toml: good"]);
    room.write("again.toml", &first.out);
    let again = room.run(&["check", "-c", "again.toml"]).exits(0);
    assert_eq!(first.out, again.out);
    let digests =
        |text: &str| text.lines().filter(|line| line.contains("sha256")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(digests(&first.err), digests(&again.err));
}

#[test]
fn a_private_key_pasted_by_mistake_is_not_said_again() {
    let room = Room::new();
    let secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ";
    room.bank(&[("recipients = []\n# DOM", &format!("recipients = [\"{secret}\"]\n# DOM"))]);
    let ran = room.run(&["check", "-c", "bank.toml"]).exits(64);
    ran.complains(&["evidence.recipients[0]", "age1"]);
    assert!(!ran.err.contains("SECRET-KEY"), "{}", ran.err);
}

#[test]
fn people_of_the_directory_are_not_named_in_faults() {
    let room = Room::new();
    room.bank(&[("id = \"16338842\"", "id = \"16338841\"")]);
    let ran = room.run(&["check", "-c", "bank.toml"]).exits(64);
    ran.complains(&["people[3].id", "people[2]"]);
    assert!(!ran.err.contains("16338841") && !ran.err.contains("黃詠琳"), "{}", ran.err);
}

#[test]
fn what_is_no_configuration_is_refused_by_name() {
    let room = Room::new();
    room.run(&["check", "-c", "absent.toml"]).exits(64).complains(&["absent.toml"]);
    room.write("latin.toml", b"name = \"\xe9\"");
    room.run(&["check", "-c", "latin.toml"]).exits(64).complains(&["latin.toml", "UTF-8"]);
    room.write("torn.toml", "[organisation\nname = 3");
    room.run(&["check", "-c", "torn.toml"]).exits(64).complains(&["1"]);
    room.write("empty.toml", "");
    room.run(&["check", "-c", "empty.toml"]).exits(64).complains(&["entities", "tenants"]);
    room.run(&["check"]).exits(64).complains(&["harbourwatch.toml"]);
}

#[test]
fn the_configuration_may_be_named_by_the_environment() {
    let room = Room::new();
    let checked = room.command(&["check"]).env("HARBOURWATCH_CONFIG", "config/minimal.toml").output().unwrap();
    assert!(checked.status.success());
}

#[test]
fn standing_storage_is_listed_as_it_is_judged_on_a_day() {
    let room = Room::new();
    let listed = |day: &str| {
        let err = room.run(&["check", "-c", "config/bank.toml", "--on", day]).exits(0).err;
        let list = err.split_once("standing storage").unwrap_or_else(|| panic!("no list in\n{err}")).1;
        format!("standing storage{list}")
    };
    let november = listed("2026-11-23");
    super::harness::golden("check-standing.txt", &november);
    let before = listed("2024-09-29");
    let summaries = |text: &str| text.lines().find(|line| line.contains("24870552399")).unwrap().to_owned();
    assert!(summaries(&november).contains("COVERED by R7, INFO; safeguard dingtalk-storage-sg"), "{november}");
    assert!(summaries(&before).contains("DEFECT by R8"), "{before}");
    assert!(summaries(&before).contains("safeguard dingtalk-storage-sg; condition not_yet_in_force fails"), "{before}");
    // today, where no day is given; and a day that does not exist is bad usage
    room.run(&["check", "-c", "config/minimal.toml"]).exits(0).complains(&["standing storage, as judged on 2"]);
    room.run(&["check", "-c", "config/minimal.toml", "--on", "2026-02-30"]).exits(64).complains(&["2026-11-23"]);
}

/// Each configuration that a user is given to begin with, in `config/` and beside the deployment files.
#[test]
fn every_example_loads_and_reads_back_as_itself() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<_> =
        std::fs::read_dir(root.join("config")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.extend(
        ["container", "kubernetes/example"].map(|place| root.join("deploy").join(place).join("harbourwatch.toml")),
    );
    found.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    assert!(found.len() >= 6, "{found:?}");
    let room = Room::new();
    for path in found {
        let shown = room.run(&["check", "-c", path.to_str().unwrap()]).exits(0).out;
        room.write("effective.toml", &shown);
        assert_eq!(room.run(&["check", "-c", "effective.toml"]).exits(0).out, shown, "{}", path.display());
    }
}
