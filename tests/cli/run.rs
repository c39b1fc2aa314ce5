//! `run`: the service. Probes and metrics while it runs, reload on SIGHUP, drain on SIGTERM, and the next start goes on.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::harness::{Beside, Ran, Room, until};

/// One request to the admin server: status and body.
pub(super) fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split_whitespace().nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
}

/// A running service, fed by standard input.
pub(super) struct Service {
    process: Beside,
    stdin: Option<ChildStdin>,
    log: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
    /// Of the admin server.
    pub(super) address: String,
}

impl Service {
    /// Starts `run` on `bank.toml` and waits until it serves.
    pub(super) fn start(room: &Room) -> Self {
        Self::start_with(room, &[])
    }

    /// The same, with variables in its environment.
    pub(super) fn start_with(room: &Room, environment: &[(&str, &str)]) -> Self {
        let mut command = room.command(&["run", "-c", "bank.toml", "--data", "data"]);
        command.envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Beside(command.spawn().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let (writer, stderr) = (Arc::clone(&log), BufReader::new(process.0.stderr.take().unwrap()));
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut log = writer.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let address = until("the admin server", || {
            let log = log.lock().unwrap();
            let line = log.lines().find(|line| line.contains("serving /live"))?;
            let line: Value = serde_json::from_str(line).unwrap();
            Some(line["address"].as_str().unwrap().to_owned())
        });
        let stdin = process.0.stdin.take();
        Self { process, stdin, log, reader, address }
    }

    pub(super) fn feed(&mut self, bytes: impl AsRef<[u8]>) {
        self.stdin.as_mut().unwrap().write_all(bytes.as_ref()).unwrap();
    }

    pub(super) fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    pub(super) fn metrics(&self) -> String {
        get(&self.address, "/metrics").1
    }

    /// The sum of a family's samples whose line has `with`.
    pub(super) fn metric(&self, family: &str, with: &str) -> f64 {
        let text = self.metrics();
        let samples = text.lines().filter(|line| line.starts_with(family) && line.contains(with));
        samples.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    pub(super) fn until_received(&self, count: f64) {
        until("events received", || (self.metric("harbourwatch_events_received_total", "") >= count).then_some(()));
    }

    pub(super) fn until_logged(&self, text: &str) {
        until(text, || self.log.lock().unwrap().contains(text).then_some(()));
    }

    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends the input and waits.
    pub(super) fn finish(mut self) -> Ran {
        drop(self.stdin.take());
        self.ended()
    }

    /// Waits, with the input still open.
    pub(super) fn ended(mut self) -> Ran {
        let code = self.process.0.wait().unwrap().code();
        self.reader.join().unwrap();
        let err = self.log.lock().unwrap().clone();
        Ran { code, out: String::new(), err }
    }
}

/// A download by the Singapore office, which `rmc-sg-2025` covers.
fn row(number: u32) -> String {
    let row = json!({
        "action": 2, "bizId": number, "gmtCreate": 1_795_399_200_000_i64 + i64::from(number), "userId": "sg-90017",
        "ipAddress": "198.51.100.140", "targetSpaceId": 24_870_551_923_u64, "resource": "notes.docx",
    });
    row.to_string() + "\n"
}

/// Entries of the evidence log: full bundles, then the longest partial one of the last.
fn entries(room: &Room) -> Vec<String> {
    let (mut full, mut partial) = (Vec::new(), Vec::new());
    for path in room.files("data/evidence/tile/entries") {
        let folder = path.parent().unwrap().to_string_lossy().into_owned();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match folder.strip_suffix(".p") {
            Some(bundle) => partial.push((bundle.to_owned(), name.parse::<u32>().unwrap(), path)),
            None => full.push(path),
        }
    }
    let last = partial.into_iter().max().map(|(_, _, path)| path);
    full.into_iter().chain(last).flat_map(|path| bundle(&std::fs::read(path).unwrap())).collect()
}

/// Entries with their lengths before them.
fn bundle(mut rest: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    while let [high, low, tail @ ..] = rest {
        let (entry, after) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        found.push(String::from_utf8(entry.to_vec()).unwrap());
        rest = after;
    }
    found
}

#[test]
fn probes_answer_and_the_metrics_show_that_nothing_is_lost() {
    let room = Room::new();
    room.bank(&[]);
    room.generate("day.ndjson", 3000, 41);
    let mut service = Service::start(&room);
    until("readiness", || (get(&service.address, "/ready").0 == 200).then_some(()));
    assert_eq!(get(&service.address, "/live").0, 200);
    assert_eq!(get(&service.address, "/nonsense").0, 404);
    service.feed(std::fs::read(room.path("day.ndjson")).unwrap());
    service.until_received(3000.0);
    let of = |outcome: &str| service.metric("harbourwatch_events_total{", &format!("outcome=\"{outcome}\""));
    assert_eq!(of("judged") + of("rejected") + of("duplicate"), 3000.0, "{}", service.metrics());
    assert!(of("judged") > 2900.0 && of("duplicate") > 0.0);
    let text = service.metrics();
    for family in ["harbourwatch_verdicts_total", "harbourwatch_finding_records_total", "harbourwatch_build_info"] {
        assert!(text.contains(family), "{family} is not in\n{text}");
    }
    let ran = service.finish().exits(0);
    ran.complains(&["conservation: 3,000 received = ", "(holds)"]);
}

#[test]
fn sighup_takes_up_a_good_configuration_and_keeps_the_last_good_one() {
    let room = Room::new();
    room.bank(&[]);
    let suspended = ("id = \"rmc-sg-2025\"", "id = \"rmc-sg-2025\"\nsuspended = true");
    let mut service = Service::start(&room);
    let legs = |service: &Service, verdict: &str| {
        service.metric("harbourwatch_verdicts_total{kind=\"access\"", &format!("verdict=\"{verdict}\""))
    };
    service.feed(row(1));
    service.until_received(1.0);
    assert_eq!((legs(&service, "COVERED"), legs(&service, "DEFECT")), (1.0, 0.0));
    room.bank(&[suspended]);
    service.signal("HUP");
    service.until_logged("\"reloaded\"");
    assert_eq!(service.metric("harbourwatch_config_last_reload_successful", ""), 1.0);
    service.feed(row(2));
    service.until_received(2.0);
    assert_eq!((legs(&service, "COVERED"), legs(&service, "DEFECT")), (1.0, 1.0), "the new register is in force");
    room.write("bank.toml", "[[tenants]]\nid = \"x\"\n");
    service.signal("HUP");
    service.until_logged("reload refused, the last good configuration stays in force");
    service.feed(row(3));
    service.until_received(3.0);
    assert_eq!(legs(&service, "DEFECT"), 2.0, "the last good register stays");
    assert_eq!(service.metric("harbourwatch_config_last_reload_successful", ""), 0.0, "an alert can be put on it");
    service.finish().exits(0);
    let in_force: Vec<String> = entries(&room).into_iter().filter(|entry| entry.starts_with("hw1 C ")).collect();
    let policies: Vec<_> = in_force.iter().filter(|entry| entry.contains(" policy ")).collect();
    assert_eq!(policies.len(), 2, "each register that judged is in the evidence, once: {in_force:?}");
    assert_ne!(policies[0].rsplit(' ').next(), policies[1].rsplit(' ').next());
    room.run(&["verify", "data/evidence"]).exits(0);
}

#[test]
fn a_reload_while_nothing_comes_is_in_the_evidence_of_what_comes_next() {
    let room = Room::new();
    room.bank(&[]);
    let mut service = Service::start(&room);
    room.bank(&[("id = \"rmc-sg-2025\"", "id = \"rmc-sg-2025\"\nsuspended = true")]);
    service.signal("HUP");
    service.until_logged("\"reloaded\"");
    service.feed(row(1));
    service.until_received(1.0);
    service.finish().exits(0);
    let checked = room.run(&["check", "-c", "bank.toml"]).exits(0).err;
    let digest =
        checked.lines().find(|line| line.starts_with("policy ")).unwrap().rsplit(' ').next().unwrap().to_owned();
    let policies: Vec<_> =
        entries(&room).into_iter().filter(|entry| entry.starts_with("hw1 C ") && entry.contains(" policy ")).collect();
    assert!(policies.len() == 1 && policies[0].contains(&digest), "{digest}: {policies:?}");
}

#[test]
fn what_a_reload_leaves_until_the_next_start_is_named_in_the_log() {
    let room = Room::new();
    room.bank(&[]);
    let mut service = Service::start(&room);
    room.bank(&[("min_severity = \"MEDIUM\"", "min_severity = \"INFO\""), ("messages = 16384", "messages = 4096")]);
    service.signal("HUP");
    service.until_logged("taken up at the next start alone");
    assert!(service.log().contains("\"sections\":\"batch, channels\""), "{}", service.log());
    // which verdicts leave a record is a rule: it is taken up, and does not wait
    room.bank(&[("\"UNDETERMINED\", \"COVERED\"]", "\"UNDETERMINED\"]")]);
    service.signal("HUP");
    until("a second reload", || (service.log().matches("\"reloaded\"").count() == 2).then_some(()));
    service.feed(row(1));
    service.until_received(1.0);
    let ran = service.finish().exits(0);
    assert_eq!(ran.err.matches("taken up at the next start alone").count(), 1, "{}", ran.err);
}

#[test]
fn sigterm_drains_with_exit_code_0_while_the_input_stays_open() {
    let room = Room::new();
    room.bank(&[]);
    let mut service = Service::start(&room);
    (1..=500).for_each(|number| service.feed(row(number)));
    service.until_received(500.0);
    service.signal("TERM");
    let ran = service.ended().exits(0);
    ran.complains(&["conservation: 500 received"]);
    let told = super::harness::json_lines(&room.read("data/findings.ndjson"));
    assert!(told.iter().all(|one| one["kind"] == "store_at_rest"), "COVERED is INFO: nobody is told of an access");
    let life: Vec<_> =
        entries(&room).into_iter().filter(|entry| entry.contains(" start ") || entry.contains(" stop ")).collect();
    assert_eq!(life.len(), 2, "{life:?}");
    room.run(&["verify", "data/evidence"]).exits(0);
}

#[test]
fn what_is_due_is_told_before_the_end() {
    let room = Room::new();
    room.bank(&[("[[channels]]\nid = \"officer\"\nkind = \"terminal\"\nmin_severity = \"MEDIUM\"\n\n", "")]);
    let mut service = Service::start(&room);
    service.feed(row(1).replace("198.51.100.140", "165.21.83.88").replace("sg-90017", "ext-mp-001"));
    service.until_received(1.0);
    service.signal("TERM");
    service.ended().exits(0);
    let told = super::harness::json_lines(&room.read("data/findings.ndjson"));
    assert!(told.iter().any(|one| one["actor_id"] == "ext-mp-001"), "{told:?}");
}

#[test]
fn a_second_run_goes_on_where_the_first_was_stopped() {
    let room = Room::new();
    room.bank(&[("files = [\"-\"]", "files = [\"day.ndjson\"]"), ("messages = 16384", "messages = 200")]);
    room.generate("day.ndjson", 60_000, 42);
    let service = Service::start(&room);
    service.until_received(1.0);
    service.signal("TERM");
    let first = service.ended().exits(0);
    assert!(first.received() > 0);
    let second: Ran = room.command(&["run", "-c", "bank.toml", "--data", "data"]).output().unwrap().into();
    let second = second.exits(0);
    // findings and sums are those of a run that nobody stopped
    let whole = room.run(&["replay", "-c", "bank.toml", "--data", "whole", "day.ndjson"]).exits(0);
    assert_eq!(first.received() + second.received(), whole.received(), "every event once");
    let report = room.run(&["verify", "data/evidence", "--json"]).exits(0).lines().remove(0);
    assert_eq!(report["lanes"][0]["received"].as_u64(), Some(whole.received()));
    let list = |data: &str| {
        let found = room.run(&["findings", "--data", data, "--json"]).exits(0).lines();
        // the revision counts batches, which is its purpose
        found
            .into_iter()
            .map(|mut one| one.as_object_mut().unwrap().remove("revision").map(|_| one).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("data"), list("whole"));
}

#[test]
fn two_services_on_one_folder_are_refused() {
    let room = Room::new();
    room.bank(&[]);
    let service = Service::start(&room);
    room.run(&["run", "-c", "bank.toml", "--data", "data"]).exits(1).complains(&["evidence"]);
    service.finish().exits(0);
}

#[test]
fn the_feed_of_a_soc_carries_the_signed_checkpoint_and_verify_takes_it_from_there() {
    let room = Room::new();
    room.bank(&[]);
    let siem = "\n[[channels]]\nid = \"siem\"\nkind = \"file\"\naudience = \"soc\"\nformat = \"ocsf\"\npath = \"siem.ndjson\"\n";
    room.write("bank.toml", room.read("bank.toml") + siem);
    room.generate("events.ndjson", 2_000, 7);
    // what an earlier run has recorded is what the first checkpoint of this one speaks of
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "events.ndjson"]).exits(0);
    let before = room.read("siem.ndjson");
    assert!(!before.contains("checkpoint"), "a replay is no service");
    let service = Service::start(&room);
    let told = || std::fs::read_to_string(room.path("siem.ndjson")).ok().filter(|text| text.contains("Base Event"));
    let text = until("a checkpoint in the feed", told);
    service.finish().exits(0);
    let line = text.lines().find(|line| line.contains("Base Event")).unwrap();
    let event: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&event["class_uid"], &event["type_uid"]), (&json!(0), &json!(99)));
    let note = event["unmapped"]["harbourwatch"]["checkpoint"].as_str().unwrap();
    assert!(note.lines().nth(1).unwrap().parse::<u64>().unwrap() > 20, "{note}");
    // the whole file is taken as it is, findings and all
    room.run(&["verify", "data/evidence", "--anchor", "siem.ndjson"]).exits(0);
    room.run(&["demo", "--events", "100", "--data", "other"]).exits(0);
    room.run(&["verify", "other/evidence", "--anchor", "siem.ndjson"]).exits(2);
}

/// What `/metrics` says of a service that has judged a day of the example bank.
pub(super) fn metrics_after_a_day() -> String {
    let room = Room::new();
    room.bank(&[]);
    room.generate("events.ndjson", 3_000, 7);
    let mut service = Service::start(&room);
    service.feed(std::fs::read(room.path("events.ndjson")).unwrap());
    service.until_received(2_900.0);
    until("a notice", || (service.metric("harbourwatch_last_success_timestamp_seconds", "notify") > 0.0).then_some(()));
    until("the disks", || (service.metric("harbourwatch_disk_free_bytes", "") > 0.0).then_some(()));
    let text = service.metrics();
    service.finish().exits(0);
    text
}
