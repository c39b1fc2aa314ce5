//! `doctor`: what is well, what is wrong, and what to do.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::harness::{Room, until};
use super::run::Service;

#[test]
fn a_machine_that_is_ready_is_found_good() {
    let room = Room::new();
    room.bank(&[]);
    let ran = room.run(&["doctor", "-c", "bank.toml", "--data", "data"]).exits(0);
    ran.says(&["configuration: bank.toml: no fault", "geolocation: ", "folder evidence: ", "folder state: "]);
    ran.says(&[
        "signing key: will be made at the first start",
        "admin server: 127.0.0.1:0 is free",
        "channel officer: ",
    ]);
    ran.says(&["looked at, 0 wrong"]);
    assert!(!room.path("data").exists(), "it makes nothing that stays");
}

#[test]
fn a_stale_database_and_a_readable_folder_are_shown() {
    let room = Room::new();
    room.bank(&[("max_age_days = 45", "max_age_days = 1")]);
    fs::create_dir_all(room.path("data/evidence")).unwrap();
    fs::set_permissions(room.path("data/evidence"), fs::Permissions::from_mode(0o755)).unwrap();
    let ran = room.run(&["doctor", "-c", "bank.toml", "--data", "data"]).exits(0);
    ran.says(&["look   geolocation: the oldest database is", "days old, more than 1", "name a newer file"]);
    ran.says(&["look   folder evidence: data/evidence: others can read it; chmod 700"]);
}

#[test]
fn evidence_without_its_key_is_wrong() {
    let room = Room::new();
    room.bank(&[]);
    let mut service = Service::start(&room);
    service.feed("{}\n");
    service.until_received(1.0);
    service.finish().exits(0);
    room.run(&["doctor", "-c", "bank.toml", "--data", "data"])
        .exits(0)
        .says(&["signing key: ", "there and of this log"]);
    let key = room.path("data/state/evidence.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    room.run(&["doctor", "-c", "bank.toml", "--data", "data"]).exits(1).says(&["WRONG  signing key: ", "chmod 600"]);
    let other = room.run(&["doctor", "-c", "bank.toml", "--data", "data", "--instance", "b"]).exits(1);
    other.says(&["WRONG  signing key: ", "belongs to a log of another name"]);
    fs::remove_file(&key).unwrap();
    room.run(&["doctor", "-c", "bank.toml", "--data", "data"]).exits(1).says(&[
        "WRONG  signing key: ",
        "is gone",
        "restore it",
    ]);
}

#[test]
fn brokers_that_do_not_answer_and_an_address_in_use_are_wrong() {
    let room = Room::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    room.bank(&[
        ("127.0.0.1:0", &address),
        ("brokers = [\"kafka-1.vhb.example:9093\", \"kafka-2.vhb.example:9093\"]", "brokers = [\"127.0.0.1:1\"]"),
        ("kind = \"replay\"\nfiles = [\"-\"]", "kind = \"kafka\"\n[source.kafka]\ngroup = \"g\"\ntopics = [\"t\"]"),
    ]);
    let ran = room.run(&["doctor", "-c", "bank.toml", "--data", "data"]).exits(1);
    ran.says(&[
        "WRONG  admin server: ",
        "choose another one",
        "WRONG  brokers: kafka: ",
        "check kafka.brokers",
        "2 wrong",
    ]);
    let ran = room.run(&["doctor", "-c", "bank.toml", "--data", "data", "--offline"]).exits(1);
    assert!(!ran.out.contains("brokers"), "{}", ran.out);
}

#[test]
fn a_running_service_is_seen() {
    let room = Room::new();
    room.bank(&[]);
    let service = Service::start(&room);
    let text = room.read("bank.toml").replace("127.0.0.1:0", &service.address);
    room.write("known.toml", text);
    until("readiness", || {
        room.run(&["doctor", "-c", "known.toml", "--data", "data"]).out.contains("is ready").then_some(())
    });
    service.finish().exits(0);
}

#[test]
fn instances_that_share_a_configuration_have_logs_of_their_own() {
    let room = Room::new();
    room.bank(&[("files = [\"-\"]", "files = [\"events.ndjson\"]")]);
    room.generate("events.ndjson", 50, 7);
    for instance in ["hw-0", "hw-1"] {
        room.run(&["run", "-c", "bank.toml", "--data", instance, "--instance", instance]).exits(0);
        let checkpoint = room.read(&format!("{instance}/evidence/checkpoint"));
        assert_eq!(checkpoint.lines().next(), Some(&*format!("vhb.example/harbourwatch/{instance}")));
        room.run(&["verify", &format!("{instance}/evidence")]).exits(0);
    }
    room.run(&["run", "-c", "bank.toml", "--instance", "two words"]).exits(64).complains(&["letters, digits"]);
}

#[test]
fn channels_are_tried_without_a_message() {
    use std::io::{Read as _, Write as _};
    let mail = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mail.local_addr().unwrap().port().to_string();
    // greets as a mail server does, and writes down what it is told
    let told = std::thread::spawn(move || {
        let (mut stream, _) = mail.accept().unwrap();
        let mut told = String::new();
        let say = |line: &str, stream: &mut std::net::TcpStream| stream.write_all(line.as_bytes()).unwrap();
        say("220 mail.example ESMTP\r\n", &mut stream);
        let mut buffer = [0_u8; 1024];
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            let heard = String::from_utf8_lossy(&buffer[..n]).into_owned();
            say("250 mail.example\r\n", &mut stream);
            told.push_str(&heard);
        }
        told
    });
    let room = Room::new();
    let channels = "[[channels]]\nid = \"officer\"\nkind = \"mail\"\n[channels.mail]\nserver = \"127.0.0.1\"\nport = PORT\n\
        security = \"none\"\nfrom = \"hw@example.com\"\nto = [\"dpo@example.com\"]\n\n\
        [[channels]]\nid = \"group\"\nkind = \"dingtalk\"\n[channels.http]\nurl_from = \"file:robot-url\"\n\n\
        [[channels]]\nid = \"siem\"\nkind = \"syslog\"\n[channels.syslog]\naddress = \"127.0.0.1:9\"\nplaintext = true\n\n";
    let terminal = "[[channels]]\nid = \"officer\"\nkind = \"terminal\"\nmin_severity = \"MEDIUM\"\n";
    room.bank(&[(terminal, &channels.replace("PORT", &port))]);
    let doctor = ["doctor", "-c", "bank.toml", "--data", "data"];
    let offline = room.run(&[doctor.as_slice(), &["--offline"]].concat()).exits(1);
    offline.says(&["good   channel officer: ", "nobody was asked", "WRONG  channel group: ", "robot-url"]);
    let ran = room.run(&doctor).exits(1);
    ran.says(&["good   channel officer: the server greets; no message was sent", "WRONG  channel group: "]);
    ran.says(&["WRONG  channel siem: syslog 127.0.0.1:9: ", "what is owed waits until it answers"]);
    let told = told.join().unwrap();
    assert!(told.starts_with("EHLO ") && !told.contains("MAIL FROM"), "{told}");
    fs::write(room.path("robot-url"), "https://127.0.0.1:9/robot/send?access_token=s3cret").unwrap();
    fs::set_permissions(room.path("robot-url"), fs::Permissions::from_mode(0o600)).unwrap();
    let ran = room.run(&doctor).exits(1);
    ran.says(&["WRONG  channel group: https://127.0.0.1:9/…: "]);
    assert!(!ran.out.contains("s3cret"), "{}", ran.out);
}
