//! Kills, starves and locks out the real program, and holds what it left against a run that nothing disturbed.
//!
//! The oracle is outside the program under test: `verify` and `findings` read the folders after the fact. Nothing here
//! reaches into the library.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_harbourwatch");

/// Every verdict leaves a record here, so that "recorded exactly once" can be counted.
const ALL_VERDICTS: [&str; 9] = [
    "PROHIBITED",
    "UNCOVERED",
    "DEFECT",
    "UNDETERMINED",
    "COVERED",
    "INBOUND",
    "DOMESTIC",
    "NO_HK_NEXUS",
    "OUT_OF_SCOPE",
];

/// Messages in a batch: small, so that a run has many durable steps to be killed in.
const BATCH_MESSAGES: i64 = 500;

/// SplitMix64: the same moments on every machine, given the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: Duration) -> Duration {
        Duration::from_micros(self.next() % u64::try_from(bound.as_micros()).unwrap().max(1))
    }
}

/// What a third party finds in the folders of a run.
struct Outcome {
    records: u64,
    /// Lane → received, judged, rejected, duplicate.
    lanes: BTreeMap<String, [u64; 4]>,
    findings: Vec<String>,
}

/// A finding's revision counts how often it was added to, which the speed of the medium decides.
fn without_revision(finding: &str) -> String {
    let mut finding: Value = serde_json::from_str(finding).unwrap();
    assert!(finding.as_object_mut().unwrap().remove("revision").is_some());
    finding.to_string()
}

impl Outcome {
    fn received(&self) -> u64 {
        self.lanes.values().map(|figures| figures[0]).sum()
    }

    /// Says where two outcomes part, rather than printing both in full.
    fn assert_same(&self, expected: &Self, after: &str) {
        assert_eq!(self.lanes, expected.lanes, "{after}: lanes");
        assert_eq!(self.records, expected.records, "{after}: records");
        for (own, other) in self.findings.iter().zip(&expected.findings) {
            assert_eq!(own, other, "{after}: findings part here");
        }
        assert_eq!(self.findings.len(), expected.findings.len(), "{after}: findings");
    }

    fn check_conservation(&self) {
        for (lane, [received, judged, rejected, duplicate]) in &self.lanes {
            assert_eq!(*received, judged + rejected + duplicate, "conservation on {lane}");
        }
    }
}

/// An input file, a configuration, and as many data folders as a test wants.
struct Scene {
    place: TempDir,
    events: u64,
}

impl Scene {
    fn new(events: u64) -> Self {
        let scene = Self { place: tempfile::tempdir().unwrap(), events };
        fs::write(scene.path("harbourwatch.toml"), configuration()).unwrap();
        let generated =
            scene.run(&["generate", "--events", &events.to_string(), "--seed", "7", "--out", "events.ndjson"]);
        assert!(generated.status.success(), "generate: {}", stderr(&generated));
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.place.path()).env_remove("HARBOURWATCH_CONFIG").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(BINARY).args(arguments).output().unwrap()
    }

    fn replay(&self, data: &str) -> Output {
        self.run(&replay_arguments(data))
    }

    /// Starts a replay whose output goes to files, so that no full pipe can hold it up.
    fn start(&self, data: &str) -> Child {
        let log = File::create(self.path("stderr")).unwrap();
        self.command(BINARY).args(replay_arguments(data)).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// Replays to the end and says how long it took.
    fn finish(&self, data: &str) -> Duration {
        let begun = Instant::now();
        let output = self.replay(data);
        assert!(output.status.success(), "replay into {data}: {}: {}", output.status, stderr(&output));
        begun.elapsed()
    }

    fn verify(&self, data: &str) -> Output {
        self.run(&["verify", &format!("{data}/evidence"), "--json"])
    }

    /// Whoever takes the folder away at such a moment must find it whole: from the first checkpoint on, `verify` passes.
    fn check_torn(&self, data: &str, after: &str) {
        if self.path(data).join("evidence/checkpoint").exists() {
            let verified = self.verify(data);
            assert!(verified.status.success(), "{data}, {after}: {}{}", stdout(&verified), stderr(&verified));
        }
    }

    fn outcome(&self, data: &str) -> Outcome {
        let verified = self.verify(data);
        assert!(verified.status.success(), "verify {data}: {}{}", stdout(&verified), stderr(&verified));
        let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert_eq!(report["breaches"].as_array().map(Vec::len), Some(0), "{report}");
        let findings = self.run(&["findings", "--data", data, "--json"]);
        assert!(findings.status.success(), "findings {data}: {}", stderr(&findings));
        let outcome = Outcome {
            records: figure(&report, "records"),
            lanes: report["lanes"].as_array().expect("lanes").iter().map(lane_figures).collect(),
            findings: stdout(&findings).lines().map(without_revision).collect(),
        };
        outcome.check_conservation();
        outcome
    }

    /// A run that nothing disturbs: the measure for all others.
    fn undisturbed(&self) -> (Outcome, Duration) {
        let took = self.finish("undisturbed");
        let outcome = self.outcome("undisturbed");
        // the stray messages of the traffic hold an empty page, which is no event
        let missing = self.events.saturating_sub(outcome.received());
        assert!(missing <= self.events / 1000, "{} of {} received", outcome.received(), self.events);
        assert!(outcome.records > 0 && !outcome.findings.is_empty(), "the traffic must give something to lose");
        (outcome, took)
    }
}

fn replay_arguments(data: &str) -> [&str; 6] {
    ["replay", "events.ndjson", "--config", "harbourwatch.toml", "--data", data]
}

fn figure(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("no figure `{name}` in {value}"))
}

fn lane_figures(lane: &Value) -> (String, [u64; 4]) {
    let name = format!("{}/{}", lane["topic"].as_str().expect("topic"), figure(lane, "partition"));
    (name, ["received", "judged", "rejected", "duplicate"].map(|name| figure(lane, name)))
}

/// The example configuration with small batches and a record for every verdict.
fn configuration() -> String {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/bank.toml");
    let mut table: toml::Table = fs::read_to_string(example).unwrap().parse().unwrap();
    let mut set = |section: &str, key: &str, value: toml::Value| {
        let entry = table.entry(section).or_insert_with(|| toml::Table::new().into());
        entry.as_table_mut().unwrap().insert(key.into(), value);
    };
    set("batch", "messages", BATCH_MESSAGES.into());
    set("evidence", "record", ALL_VERDICTS.map(toml::Value::from).to_vec().into());
    table.to_string()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits for the child, at most until `moment` has passed.
fn ended_within(child: &mut Child, moment: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if begun.elapsed() >= moment {
            return None;
        }
        sleep(Duration::from_micros(500).min(moment));
    }
}

/// Starts a replay and kills it at that moment. `false`: it had come to its end before.
fn kill_at(scene: &Scene, data: &str, moment: Duration) -> bool {
    let mut child = scene.start(data);
    let status = ended_within(&mut child, moment).unwrap_or_else(|| {
        child.kill().unwrap();
        child.wait().unwrap()
    });
    let said = || fs::read_to_string(scene.path("stderr")).unwrap();
    assert!(status.signal() == Some(9) || status.success(), "{data} stopped by itself: {status}: {}", said());
    !status.success()
}

/// Kills a replay again and again until so many kills have landed or it has come to its end.
fn kill_repeatedly(scene: &Scene, data: &str, kills: u32, stride: Duration, random: &mut Random) -> u32 {
    for landed in 0..kills {
        if !kill_at(scene, data, random.below(stride * 2)) {
            return landed;
        }
        scene.check_torn(data, &format!("kill {landed}"));
    }
    kills
}

/// `HARBOURWATCH_CRASH=full`: 200,000 events and 50 kills; else a tenth of the events and 8 kills.
fn extent() -> (u64, u32) {
    match std::env::var("HARBOURWATCH_CRASH").as_deref() {
        Ok("full") => (200_000, 50),
        Ok(other) => panic!("HARBOURWATCH_CRASH is `{other}`; the one value it knows is `full`"),
        Err(_) => (20_000, 8),
    }
}

#[test]
fn kill_nine_at_random_moments_loses_nothing_and_records_nothing_twice() {
    let (events, kills) = extent();
    let scene = Scene::new(events);
    let (undisturbed, took) = scene.undisturbed();

    // Replaying what is recorded already adds nothing; it also shows how long a start takes.
    let start = scene.finish("undisturbed");
    scene.outcome("undisturbed").assert_same(&undisturbed, "a second replay");

    // On average each life gets past its start and does its share of the work; a run that ends early is followed by
    // another from the beginning, until all kills have landed.
    let stride = start + took.saturating_sub(start) / kills;
    let mut random = Random(0x4841_5242_4F55_5257);
    let mut landed = 0;
    let mut rounds = 0;
    while landed < kills {
        rounds += 1;
        assert!(rounds <= kills, "{landed} of {kills} kills landed in {rounds} runs");
        let data = format!("killed-{rounds}");
        landed += kill_repeatedly(&scene, &data, kills - landed, stride, &mut random);
        scene.finish(&data);
        scene.outcome(&data).assert_same(&undisturbed, &format!("{landed} kills, run {rounds}"));
        fs::remove_dir_all(scene.path(&data)).unwrap();
    }
    eprintln!("{landed} kills in {rounds} runs of {took:?}, starts of {start:?}");
}

/// The largest file below a folder, in bytes.
fn largest_file(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { largest_file(&path) } else { path.metadata().unwrap().len() })
        .max()
        .unwrap_or(0)
}

/// Says what failed and where, as a person can read it.
fn assert_clear_failure(output: &Output, names: &str) {
    assert_eq!(output.status.code(), Some(1), "{}: {}", output.status, stderr(output));
    let said = stderr(output);
    let clear = [names, "state database", "dead letters"].iter().any(|name| said.contains(name));
    assert!(clear, "the error does not name `{names}`: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_full_disk_stops_the_run_and_tears_nothing() {
    let scene = Scene::new(8_000);
    let (undisturbed, _) = scene.undisturbed();
    let largest = largest_file(&scene.path("undisturbed"));
    for quarters in 1..=3 {
        let data = format!("full-{quarters}");
        // A limit on the size of files stands in for the disk, with its signal ignored: writes then fail, for root too.
        let blocks = (largest * quarters / 4 / 512).to_string();
        let limited = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";
        let mut command = scene.command("sh");
        command.args(["-c", limited, "sh", &blocks, BINARY]).args(replay_arguments(&data));
        assert_clear_failure(&command.output().unwrap(), &data);
        scene.check_torn(&data, &format!("disk full at {quarters}/4"));
        scene.finish(&data);
        scene.outcome(&data).assert_same(&undisturbed, &format!("disk full at {quarters}/4"));
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_a_clear_failure() {
    let scene = Scene::new(100);
    let input = fs::read(scene.path("events.ndjson")).unwrap();
    // Below a regular file no folder can be made, not even by root.
    fs::write(scene.path("occupied"), "not a folder").unwrap();
    assert_clear_failure(&scene.replay("occupied/data"), "occupied");
    assert_eq!(fs::read(scene.path("occupied")).unwrap(), b"not a folder");
    assert_eq!(fs::read(scene.path("events.ndjson")).unwrap(), input);
}

#[test]
fn evidence_that_cannot_be_opened_stops_the_start_and_the_next_one_goes_on() {
    let scene = Scene::new(4_000);
    let (undisturbed, took) = scene.undisturbed();
    let data = "locked-out";
    kill_at(&scene, data, took / 2);
    if !scene.path("locked-out/evidence").is_dir() {
        scene.finish(data);
    }
    for part in ["evidence", "state"] {
        let (folder, aside) = (scene.path(data).join(part), scene.path("aside"));
        fs::rename(&folder, &aside).unwrap();
        fs::write(&folder, "not a folder").unwrap();
        assert_clear_failure(&scene.replay(data), part);
        fs::remove_file(&folder).unwrap();
        fs::rename(&aside, &folder).unwrap();
    }
    scene.finish(data);
    scene.outcome(data).assert_same(&undisturbed, "locked out");
}

#[cfg(test)]
mod self_test {
    use super::*;

    #[test]
    fn kill_moments_are_spread_and_repeatable() {
        let moments = |seed| {
            let mut random = Random(seed);
            (0..200).map(|_| random.below(Duration::from_millis(100)).as_micros()).collect::<Vec<_>>()
        };
        assert_eq!(moments(1), moments(1));
        assert_ne!(moments(1), moments(2));
        for tenth in 0..10 {
            let range = tenth * 10_000..(tenth + 1) * 10_000;
            assert!(moments(1).iter().any(|moment| range.contains(moment)), "none in {range:?}");
        }
    }

    #[test]
    fn the_limit_on_files_makes_writes_fail_without_a_signal() {
        let place = tempfile::tempdir().unwrap();
        let script = "trap '' XFSZ; ulimit -f 4; head -c 100000 /dev/zero > big; echo \"exit $?\"; wc -c < big";
        let output = Command::new("sh").args(["-c", script]).current_dir(place.path()).output().unwrap();
        assert!(output.status.success());
        assert!(stdout(&output).contains("exit 1") && stdout(&output).contains("2048"), "{}", stdout(&output));
    }

    #[test]
    fn a_child_is_waited_for_no_longer_than_asked() {
        let mut long = Command::new("sleep").arg("30").spawn().unwrap();
        assert_eq!(ended_within(&mut long, Duration::from_millis(20)), None);
        long.kill().unwrap();
        assert_eq!(long.wait().unwrap().signal(), Some(9));
        let mut short = Command::new("true").spawn().unwrap();
        assert!(ended_within(&mut short, Duration::from_secs(30)).unwrap().success());
    }
}
