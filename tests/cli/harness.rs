//! A room of its own for each test: a folder with the example configurations, in which the program runs.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_harbourwatch");

/// The tenant of the example bank.
pub(super) const TENANT: &str = "ding8f2c41a0b7d9e63524f2f5cc6abecb85";

/// How long the program may take to do what a test waits for. Nothing takes that long; it bounds a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of its own, gone at the end of the test.
pub(super) struct Room(TempDir);

/// How a command ended and what it wrote.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    /// Asserts the exit code, and shows what was written if it is another.
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON lines.
    pub(super) fn lines(&self) -> Vec<Value> {
        json_lines(&self.out)
    }

    /// Events received, by the line on conservation. A blank line or an empty page is none.
    pub(super) fn received(&self) -> u64 {
        let line = self.err.lines().find(|line| line.starts_with("conservation:")).unwrap();
        line.split_whitespace().nth(1).unwrap().replace(',', "").parse().unwrap()
    }

    /// Asserts that the texts stand in standard output in this order.
    #[track_caller]
    pub(super) fn says(&self, texts: &[&str]) {
        in_order(&self.out, texts);
    }

    /// Asserts that the texts stand in standard error in this order.
    #[track_caller]
    pub(super) fn complains(&self, texts: &[&str]) {
        in_order(&self.err, texts);
    }
}

#[track_caller]
fn in_order(text: &str, wanted: &[&str]) {
    let mut at = 0;
    for one in wanted {
        let found = text.get(at..).and_then(|rest| rest.find(one));
        at += found.unwrap_or_else(|| panic!("{one:?} is not there, or not in order, in\n{text}")) + one.len();
    }
}

/// One JSON value for each line.
pub(super) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

impl Room {
    /// A room with `config/bank.toml`, `config/minimal.toml` and `config/example-event.json`.
    pub(super) fn new() -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        fs::create_dir(room.path("config")).unwrap();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, room.path("config").join(from.file_name().unwrap())).unwrap();
        }
        room
    }

    /// A path in the room.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Reads a file.
    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The example bank with changes to its text, each of which must apply, as `bank.toml`. Its admin server takes a free
    /// port.
    #[track_caller]
    pub(super) fn bank(&self, changes: &[(&str, &str)]) {
        let mut text = self.read("config/bank.toml").replace("127.0.0.1:9464", "127.0.0.1:0");
        for (from, to) in changes {
            assert!(text.contains(from), "bank.toml has no {from:?}");
            text = text.replacen(from, to, 1);
        }
        self.write("bank.toml", text);
    }

    /// The program in this room.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        for variable in ["HARBOURWATCH_CONFIG", "HARBOURWATCH_LOG", "RUST_BACKTRACE", "RUST_LOG"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs it to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// The same, with something on standard input.
    pub(super) fn feed(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.as_ref().to_vec());
        // on a thread of its own: the program may write before it has read all
        let feeding = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        feeding.join().unwrap();
        output.into()
    }

    /// Synthetic events in a file.
    pub(super) fn generate(&self, name: &str, events: u32, seed: u32) {
        let (events, seed) = (events.to_string(), seed.to_string());
        self.run(&["generate", "--events", &events, "--seed", &seed, "--out", name]).exits(0);
    }

    /// All files below a folder of the room, sorted.
    pub(super) fn files(&self, folder: &str) -> Vec<PathBuf> {
        let (mut found, mut folders) = (Vec::new(), vec![self.path(folder)]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }
}

/// A process that runs beside the test; ended with it.
pub(super) struct Beside(pub(super) Child);

impl Beside {
    /// Ends with a signal and waits.
    pub(super) fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // ended already, as a rule
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(super) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Compares with a file under `tests/golden/cli`; with `UPDATE_GOLDEN=1` the file is written instead.
#[track_caller]
pub(super) fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == expected,
        "{name}: look at the change, then run with UPDATE_GOLDEN=1\n{}",
        parting(&expected, text)
    );
}

/// Where two texts part: the lines around the first difference, `-` as expected, `+` as it came.
fn parting(expected: &str, got: &str) -> String {
    let (expected, got): (Vec<_>, Vec<_>) = (expected.lines().collect(), got.lines().collect());
    let same = expected.iter().zip(&got).take_while(|(a, b)| a == b).count();
    let mut shown = String::new();
    let from = same.saturating_sub(3);
    expected[from..same].iter().for_each(|line| writeln!(shown, "  {line}").unwrap());
    expected[same..].iter().take(8).for_each(|line| writeln!(shown, "- {line}").unwrap());
    got[same..].iter().take(8).for_each(|line| writeln!(shown, "+ {line}").unwrap());
    shown
}
