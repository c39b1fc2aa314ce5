//! Instances of the real program, each with its own folders, kept up the way a supervisor would.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use toml::{Table, Value};

const BINARY: &str = env!("CARGO_BIN_EXE_harbourwatch");

/// Longest wait for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The example bank with every verdict recorded, reading from Kafka.
pub(super) struct Configuration(Table);

impl Configuration {
    pub(super) fn new(bootstrap: &str, topic: &str, group: &str) -> Self {
        let bank = include_str!("../../config/bank.toml");
        let mut configuration = Self(bank.parse().unwrap());
        configuration.set("kafka", "brokers", vec![bootstrap]);
        configuration.0.insert("source".into(), Value::Table("kind = \"kafka\"".parse().unwrap()));
        let kafka = format!("topics = [{topic:?}]\ngroup = {group:?}\nsession_timeout_ms = 6000");
        configuration.table("source").insert("kafka".into(), Value::Table(kafka.parse().unwrap()));
        let verdicts = [
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
        configuration.set("evidence", "record", verdicts.to_vec());
        // the logs are read with nothing of the program: records in clear
        configuration.set("evidence", "subject_keys", false);
        configuration.set("admin", "listen", "127.0.0.1:0");
        configuration.set("log", "format", "json");
        configuration.0.remove("channels");
        configuration
    }

    fn table(&mut self, section: &str) -> &mut Table {
        let section = self.0.entry(section).or_insert_with(|| Value::Table(Table::new()));
        section.as_table_mut().unwrap()
    }

    pub(super) fn set(&mut self, section: &str, key: &str, value: impl Into<Value>) {
        self.table(section).insert(key.into(), value.into());
    }

    pub(super) fn source(&mut self, key: &str, value: impl Into<Value>) {
        self.table("source").get_mut("kafka").unwrap().as_table_mut().unwrap().insert(key.into(), value.into());
    }

    pub(super) fn kafka(&mut self, section: &str, key: &str, value: impl Into<Value>) {
        let kafka = self.table("kafka").entry(section).or_insert_with(|| Value::Table(Table::new()));
        kafka.as_table_mut().unwrap().insert(key.into(), value.into());
    }

    pub(super) fn channel(&mut self, text: &str) {
        let channel = Value::Table(text.parse().unwrap());
        let channels = self.0.entry("channels").or_insert_with(|| Value::Array(Vec::new()));
        channels.as_array_mut().unwrap().push(channel);
    }

    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }
}

/// One instance: its folders stay, its process comes and goes.
pub(super) struct Instance {
    pub(super) dir: PathBuf,
    child: Option<Child>,
    log: PathBuf,
    starts: u32,
}

impl Instance {
    pub(super) fn new(dir: &Path, configuration: &Configuration) -> Self {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("harbourwatch.toml"), configuration.text()).unwrap();
        Self { dir: dir.to_owned(), child: None, log: dir.join("log"), starts: 0 }
    }

    pub(super) fn configure(&self, configuration: &Configuration) {
        fs::write(self.dir.join("harbourwatch.toml"), configuration.text()).unwrap();
    }

    pub(super) fn start(&mut self) {
        self.start_limited(None);
    }

    /// Starts it with a bound on the size of its files in KiB, which stands in for a full disk.
    pub(super) fn start_limited(&mut self, kib: Option<u64>) {
        self.starts += 1;
        self.log = self.dir.join(format!("log-{}", self.starts));
        let limited = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";
        let mut command = match kib {
            None => Command::new(BINARY),
            Some(kib) => {
                let mut command = Command::new("sh");
                command.args(["-c", limited, "sh", &(kib * 2).to_string(), BINARY]);
                command
            }
        };
        command.args(["run", "--config", "harbourwatch.toml", "--data", "data"]).current_dir(&self.dir);
        command.env_remove("HARBOURWATCH_CONFIG").env("HW_TOKEN_DIR", &self.dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&self.log).unwrap());
        self.child = Some(command.spawn().unwrap());
    }

    pub(super) fn is_up(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// How it ended, if it did by itself.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().unwrap()?;
        self.child = None;
        Some(status)
    }

    pub(super) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            assert_eq!(child.wait().unwrap().signal(), Some(9));
        }
    }

    /// Asks it to end; gives how long it took.
    pub(super) fn stop(&mut self) -> Duration {
        // before this it has nothing in hand, and no handler for signals
        self.wait_said("serving /live");
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.wait(Duration::from_secs(40));
        assert!(status.success(), "{}: {status}: {}", self.dir.display(), self.said());
        begun.elapsed()
    }

    /// Waits until it ends.
    pub(super) fn wait(&mut self, patience: Duration) -> ExitStatus {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(Instant::now() < until, "{} does not end: {}", self.dir.display(), self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it said since its last start.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it said since its first start.
    pub(super) fn all_said(&self) -> String {
        (1..=self.starts).map(|n| fs::read_to_string(self.dir.join(format!("log-{n}"))).unwrap_or_default()).collect()
    }

    pub(super) fn wait_said(&mut self, what: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.said().contains(what) {
            assert!(self.is_up(), "{} ended before it said {what:?}: {}", self.dir.display(), self.said());
            assert!(Instant::now() < until, "{} does not say {what:?}: {}", self.dir.display(), self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it says this before long.
    pub(super) fn says_within(&self, what: &str, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while !self.said().contains(what) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.said().contains(what)
    }

    /// What a path of the admin server answers; `None` while there is none.
    pub(super) fn get(&self, path: &str) -> Option<String> {
        use std::io::{Read, Write};
        let line = self.said().lines().find(|line| line.contains("serving /live")).map(str::to_owned)?;
        let line: serde_json::Value = serde_json::from_str(&line).ok()?;
        let address = line["address"].as_str()?.to_owned();
        let mut stream = std::net::TcpStream::connect(address).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// The value of a series.
    pub(super) fn metric(&self, series: &str) -> Option<f64> {
        let metrics = self.get("/metrics")?;
        let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned))?;
        value.parse().ok()
    }

    /// Peak of resident memory in MiB.
    pub(super) fn peak_mib(&self) -> u64 {
        let pid = self.child.as_ref().unwrap().id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // a stopped process must be able to die
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Writes synthetic events to a topic.
pub(super) fn generate(bootstrap: &str, topic: &str, arguments: &[&str]) {
    let output = Command::new(BINARY)
        .args(["generate", "--to", "kafka", "--brokers", bootstrap, "--topic", topic])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Writes in the background, at most until it is dropped.
pub(super) struct Writer(Child);

impl Writer {
    /// Waits until all is written.
    pub(super) fn finish(mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // also where a test failed, which must leave no writer behind; one that is done needs no end
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts writing in the background.
pub(super) fn generating(bootstrap: &str, topic: &str, arguments: &[&str]) -> Writer {
    let mut command = Command::new(BINARY);
    command.args(["generate", "--to", "kafka", "--brokers", bootstrap, "--topic", topic]).args(arguments);
    Writer(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// Waits for something.
pub(super) fn wait_until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < until, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Runs a command of the program in a folder.
pub(super) fn harbourwatch(dir: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new(BINARY).args(arguments).current_dir(dir).env_remove("HARBOURWATCH_CONFIG").output().unwrap()
}
