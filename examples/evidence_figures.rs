//! Measures the evidence log with synthetic records of real shape: bytes a record, append rate with fsync, verify rate with
//! and without keys, search by subject, a report of one month with 100,000 records (or all, if there are fewer); wall time,
//! processor time and the peak of memory of each. Says how far it is. Writes below the folder that is named and leaves it
//! there: about 5 GB for 10 million records, and for the report another half. Run again with the same folder it goes on where
//! it was stopped, with the same identity, and measures what is there.
//!
//! `cargo run --release --example evidence_figures -- DIR [RECORDS] [RECORDS A BATCH]`

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;
use std::time::Instant;

use age::secrecy::ExposeSecret;
use harbourwatch::app::proof::report::bundle::{Bundle, Cover};
use harbourwatch::app::proof::source::{Source, find_all};
use harbourwatch::domain::position::Lane;
use harbourwatch::evidence::index::number_of_key;
use harbourwatch::evidence::keyring::Keyring;
use harbourwatch::evidence::keys::{TagKey, subjects_path, tag_path};
use harbourwatch::evidence::search::{Sought, search};
use harbourwatch::evidence::{Batch, Log, Options, VerifyOptions, verify};
use harbourwatch::pipeline::report::{Coverage, Record};
use harbourwatch::recorder::Folders;

/// 2026-11-23T00:00:00Z.
const NOW: i64 = 1_795_392_000_000;

const SUBJECTS: u64 = 5000;

/// Records of the last month, the one that the report is of.
const MONTH: u64 = 100_000;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let dir = words.next().ok_or("name a folder to write to")?;
    let mut number = |default: u64| words.next().map_or(Ok(default), |word| word.parse());
    let (records, size) = (number(1_000_000)?, number(4096)?);
    let (dir, key) = (Path::new(&dir).join("evidence"), Path::new(&dir).join("state/evidence.key"));
    let identity = identity(&dir.with_file_name("identity.txt"))?;
    let mut options = Options::new("harbourwatch/evidence/figures", &key);
    options.recipients = vec![identity.to_public().to_string()];
    append(&dir, &options, records, size)?;
    sizes(&dir, &key, records)?;
    let text = identity.to_string();
    for identity in [None, Some(text.expose_secret())] {
        check(&dir, identity)?;
    }
    find(&dir, &key)?;
    report(&dir, &key, text.expose_secret(), records)
}

/// The identity of the folder, drawn at its first run.
fn identity(path: &Path) -> Result<age::x25519::Identity, Box<dyn Error>> {
    if let Ok(text) = fs::read_to_string(path) {
        return Ok(text.trim().parse()?);
    }
    let identity = age::x25519::Identity::generate();
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, identity.to_string().expose_secret())?;
    Ok(identity)
}

fn check(dir: &Path, identity: Option<&str>) -> Result<(), Box<dyn Error>> {
    let with = if identity.is_some() { "with keys" } else { "without keys" };
    let spent = Spent::begin();
    let report = verify(dir, &VerifyOptions { identity, ..VerifyOptions::default() })?;
    println!("verify {with}: {:.0} records/s, {spent}", report.records_per_second());
    report.breaches.iter().for_each(|breach| println!("  {breach}"));
    Ok(())
}

/// What a step has cost since it began.
struct Spent {
    begun: Instant,
    processor: f64,
}

impl Spent {
    fn begin() -> Self {
        // Where the system allows it the peak begins anew; elsewhere it is that of the whole run so far.
        fs::write("/proc/self/clear_refs", "5").unwrap_or_default();
        Self { begun: Instant::now(), processor: processor().unwrap_or(f64::NAN) }
    }
}

impl Display for Spent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (wall, cpu) = (self.begun.elapsed().as_secs_f64(), processor().unwrap_or(f64::NAN) - self.processor);
        write!(f, "wall {wall:.2} s, processor {cpu:.2} s, memory peak {} MiB", peak().unwrap_or(0) / 1024)
    }
}

/// Processor seconds of this process, if the system says so (clock ticks of a hundredth of a second, as Linux has them).
fn processor() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// The most memory that this process held, in KiB, if the system says so.
fn peak() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

fn append(dir: &Path, options: &Options, records: u64, size: u64) -> Result<(), Box<dyn Error>> {
    let mut log = Log::open(dir, options)?;
    let (mut took, mut at) = (0.0, log.coverage_since(0)?.first().map_or(0, |reached| reached.next));
    let (first, spent) = (at, Spent::begin());
    while at < records {
        let next = (at + size).min(records);
        let batch: Vec<Record> = (at..next).map(|n| record(n, records)).collect();
        let coverage = [coverage(at, next)];
        let begun = Instant::now();
        let now_ms = time(at, records);
        let staged = log.stage(&Batch { now_ms, records: &batch, coverage: &coverage, ..Batch::default() })?;
        log.publish(staged)?;
        took += begun.elapsed().as_secs_f64();
        at = next;
        if at % (size * 256) < size {
            eprintln!("{at} of {records} records");
        }
    }
    log.close()?;
    let added = records.saturating_sub(first);
    if added > 0 {
        let rate = added as f64 / took;
        println!(
            "append of {added}, batches of {size}, each with fsync: {rate:.0} records/s, {took:.1} s; with their making: {spent}"
        );
    }
    Ok(())
}

fn sizes(dir: &Path, key: &Path, records: u64) -> Result<(), Box<dyn Error>> {
    let mut sum = 0;
    for part in ["tile/entries", "tile", "segments", "index"] {
        let bytes = bytes(&dir.join(part))?;
        let bytes = if part == "tile" { bytes - crate::bytes(&dir.join("tile/entries"))? } else { bytes };
        sum += bytes;
        println!("{part}: {:.1} bytes a record", bytes as f64 / records as f64);
    }
    let keys = fs::metadata(subjects_path(key))?.len();
    println!("subject keys: {:.1} bytes a record", keys as f64 / records as f64);
    println!("in all: {:.1} bytes a record", (sum + keys) as f64 / records as f64);
    Ok(())
}

fn find(dir: &Path, key: &Path) -> Result<(), Box<dyn Error>> {
    let spent = Spent::begin();
    let (ring, tag) = (Keyring::open(&subjects_path(key), false)?, TagKey::open(&tag_path(key), false)?);
    let keys = ring.of_subject(&tag, "u0000123")?;
    let subjects: BTreeSet<u64> = keys.iter().map(|key| number_of_key(key.id)).collect();
    let found = search(dir, &Sought { subjects: Some(subjects), ..Sought::default() })?;
    println!("search by subject: {} records, {spent}", found.len());
    Ok(())
}

/// A report of the last month.
fn report(dir: &Path, key: &Path, identity: &str, records: u64) -> Result<(), Box<dyn Error>> {
    let state = key.parent().unwrap_or(key).to_owned();
    let folders = Folders { evidence: dir.to_owned(), state };
    let spent = Spent::begin();
    let sources = [Source::of(&folders, Some(identity))?];
    let from = time(records.saturating_sub(MONTH), records);
    let (found, _) = find_all(&sources, &Sought { from: Some(from), ..Sought::default() }, None)?;
    let out = dir.with_file_name("report");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let sound = Bundle::begin(&out)?.finish(&Cover::report("figures", "nobody"), &sources, &found, None)?;
    println!("report of {} records with proofs, whole log verified ({sound}): {spent}", found.len());
    Ok(())
}

fn bytes(path: &Path) -> std::io::Result<u64> {
    let mut sum = 0;
    for file in fs::read_dir(path)? {
        let file = file?;
        sum += if file.file_type()?.is_dir() { bytes(&file.path())? } else { file.metadata()?.len() };
    }
    Ok(sum)
}

/// The last [`MONTH`] records fill thirty days, those before them the eleven months before.
fn time(n: u64, records: u64) -> i64 {
    let before = records.saturating_sub(MONTH);
    let (days, n, of) = if n < before { (335, n, before) } else { (30, n - before, records - before) };
    let begun = if days == 30 && before > 0 { NOW + 335 * DAY } else { NOW };
    begun + (n as i64 * days * DAY) / of.max(1) as i64
}

fn coverage(from: u64, next: u64) -> Coverage {
    let (lane, count) = (Lane { topic: "dingtalk-audit".into(), partition: 0 }, next - from);
    let last_digest = format!("{next:016x}");
    Coverage { lane, from, next, received: count, judged: count, rejected: 0, duplicate: 0, last_digest }
}

/// Spreads bits, so that digests and ids do not compress.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A record as the pipeline writes it.
fn record(n: u64, records: u64) -> Record {
    let (a, b) = (mix(n), mix(n ^ 0xabcd));
    let at = time(n, records);
    let places = [("SG", "Singapore", "merlion-payroll"), ("CN", "Shenzhen", "vhb-sz"), ("US", "Virginia", "stranger")];
    let (code, city, party) = places[(a % 3) as usize];
    let verdict = ["UNCOVERED", "COVERED", "COVERED", "COVERED", "UNDETERMINED"][(b % 5) as usize];
    let kind = ["access", "upload", "send", "share_grant"][(b >> 8) as usize % 4];
    let (id, subject) = (format!("{:016x}{:08x}", a, b as u32), format!("u{:07}", a % SUBJECTS));
    let digest = format!("{:016x}{:016x}{:016x}{:016x}", mix(a), mix(b), mix(a ^ 1), mix(b ^ 1));
    let (file, finding) = (24_870_552_000_000 + b % 999_999, format!("{:016x}{:08x}", mix(a ^ 2), mix(b ^ 2) as u32));
    let json = format!(
        r#"{{"id":"{id}","schema":1,"position":{{"topic":"dingtalk-audit","partition":0,"offset":{n},"index":0}},"message_sha256":"{digest}","shape":"audit_row","act":"action {act}","file_id":"{file}","time":{at},"time_utc":"2026-11-23T00:00:00.{ms:03}Z","tenant":"ding8f2c41a0b7d9e63524f2f5cc6abecb85","actor":{{"id":"{subject}","name":"蘇俊傑 {who}","address":"10.{x}.{y}.{z}","party":"","platform":{platform},"module":{module}}},"data":{{"resource":"Customer summary {doc}.docx","extension":"docx","size":{size},"space":"{space}","item":"support-tickets","personal":"yes","categories":["contact","customer"],"suggested":["customer"],"subjects":640,"purpose":"customer support"}},"legs":[{{"kind":"{kind}","origin":{{"places":["HK"],"code":"HK","method":"tenant_setting","confidence":"medium","source":"tenant setting: DMS-2026-0417, dedicated storage, schedule 2"}},"destination":{{"places":["{code} ({city})"],"code":"{code}","method":"site","confidence":"high","source":"site {party}"}},"recipient":{{"party":"{party}","name":"{party} Limited","role":"processor","tie":"external"}},"verdict":"{verdict}","rule":"R7","severity":"HIGH","safeguard":"rmc-2024","tags":["outbound","expiring"],"finding":"{finding}"}}],"verdict":"{verdict}","rule":"R7","severity":"HIGH","policy":{{"pack":"hk-2026-11-23","sha256":"c35258cb591760e646035e574ec969210dad45fb83d59c3bc10399fc9508d03a","s33_in_force":false}},"geo_sha256":"70ddd4d7c22ab4030fe62fdd91752d3e5ba75281a393027a862fd77efc02add5"}}"#,
        act = a % 40,
        ms = n % 1000,
        who = a % SUBJECTS,
        x = a >> 8 & 255,
        y = a >> 16 & 255,
        z = a >> 24 & 255,
        platform = a % 13,
        module = b % 30,
        doc = b % 9999,
        size = b % 20_000_000,
        space = 24_870_552_000_u64 + a % 900,
    );
    Record {
        id: id.into(),
        at,
        json: json.into_bytes(),
        subject: subject.into(),
        destination: code.into(),
        kind: "access",
        verdict,
    }
}
