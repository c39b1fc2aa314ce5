//! Times variants by turns, so that whatever disturbs the machine disturbs all of them, and takes medians: of times, and of
//! the ratios of times in the same round.

use std::time::{Duration, Instant};

/// A variant: its name and one pass over the corpus, which says how long it took.
pub type Variant<'v> = (String, Box<dyn FnMut() -> Duration + 'v>);

/// How long something takes.
pub fn time(what: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    what();
    begun.elapsed()
}

/// Uses a value, so that it is not worked out for nothing.
#[inline(always)]
#[allow(clippy::needless_pass_by_value)] // a value is dropped where it was made
pub fn keep<T>(value: T) {
    std::hint::black_box(&value);
}

/// A variant that needs nothing made ready.
pub fn variant<'v>(name: impl Into<String>, mut pass: impl FnMut() + 'v) -> Variant<'v> {
    (name.into(), Box::new(move || time(&mut pass)))
}

/// How long a variant took.
pub struct Row {
    pub name: String,
    /// Nanoseconds of one pass, round by round.
    times: Vec<f64>,
}

impl Row {
    /// Nanoseconds of one pass.
    pub fn nanos(&self) -> f64 {
        median(self.times.clone())
    }

    /// How many times as long as another it took. Both are held against each other round by round, as the machine may be
    /// faster in one round than in the next.
    pub fn against(&self, other: &Self) -> f64 {
        median(self.times.iter().zip(&other.times).map(|(own, other)| own / other).collect())
    }
}

/// Each variant over `rounds`, after one round that is thrown away.
pub fn rounds(variants: &mut [Variant<'_>], rounds: usize) -> Vec<Row> {
    let row = |(name, _): &Variant<'_>| Row { name: name.clone(), times: Vec::with_capacity(rounds) };
    let mut rows: Vec<Row> = variants.iter().map(row).collect();
    for round in 0..=rounds {
        for ((_, pass), row) in variants.iter_mut().zip(&mut rows) {
            let nanos = pass().as_nanos() as f64;
            if round > 0 {
                row.times.push(nanos);
            }
        }
    }
    rows
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
}

/// A Markdown table of nanoseconds an event, with ratios to some of the rows.
pub struct Table {
    pub title: String,
    pub unit: &'static str,
    /// Operations in a pass.
    pub count: f64,
    /// Bytes in a pass; 0: no column for it.
    pub bytes: f64,
    /// Rows that others are held against.
    pub against: Vec<usize>,
    pub rows: Vec<Row>,
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        write!(f, "| variant | ns/{} |", self.unit)?;
        if self.bytes > 0.0 {
            write!(f, " MB/s |")?;
        }
        for at in &self.against {
            let name = self.rows[*at].name.split(' ').next().unwrap_or_default();
            write!(f, " × {name} |")?;
        }
        writeln!(
            f,
            "\n|---|---:|{}{}",
            if self.bytes > 0.0 { "---:|" } else { "" },
            "---:|".repeat(self.against.len())
        )?;
        for row in &self.rows {
            let nanos = row.nanos();
            write!(f, "| {} | {:.1} |", row.name, nanos / self.count)?;
            if self.bytes > 0.0 {
                write!(f, " {:.0} |", self.bytes / nanos * 1000.0)?;
            }
            for at in &self.against {
                write!(f, " {:.2} |", self.rows[*at].against(row))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// What the figures belong to.
pub fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| cpu.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
    let model = field("model name").map_or("unknown", |(_, model)| model.trim());
    let flags = field("flags").map_or("", |(_, flags)| flags);
    let has = |flag: &str| flags.split(' ').any(|known| known == flag);
    let simd: Vec<&str> =
        ["sse4_2", "avx2", "bmi2", "avx512bw", "avx512_vbmi2"].into_iter().filter(|flag| has(flag)).collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let run = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let commit = run("git", &["rev-parse", "--short=12", "HEAD"]);
    let changed = if run("git", &["status", "--porcelain", "src"]).is_empty() { "" } else { " with changes" };
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let flags = if flags.is_empty() { "none".to_owned() } else { flags };
    format!(
        "CPU {model}, {cores} processors, {}; {}; RUSTFLAGS {flags}; commit {commit}{changed}",
        simd.join(" "),
        run("rustc", &["--version"])
    )
}
