//! The folder that is handed out. Written whole or not at all as far as its reader can tell: SHA256SUMS comes last.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::csv;
use super::health::Health;
use super::html;
use super::list::List;
use super::totals::Totals;
use crate::app::proof::source::{Found, Source};
use crate::app::proof::when;
use crate::domain::hex::hex;
use crate::evidence::Deed;
use crate::evidence::archive::{Opened, Told};
use crate::evidence::bundle::{Pack, VERIFIER};
use crate::evidence::ship::digest_of;
use crate::recorder::now_ms;

/// What a bundle is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A period.
    Report,
    /// A person's access request.
    Subject,
    /// That a person was erased.
    Erasure,
}

/// What stands on its first page.
#[derive(Clone, Debug)]
pub struct Cover {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose data.
    pub organisation: String,
    /// Who made it.
    pub by: String,
    /// Why, or on what ground.
    pub why: String,
    /// When, ms since the epoch.
    pub made: i64,
    /// First event time.
    pub from: Option<i64>,
    /// First event time that is not in it.
    pub to: Option<i64>,
    /// Conditions in words.
    pub filter: Vec<(&'static str, String)>,
    /// Whether personal fields are opened.
    pub personal: bool,
}

impl Cover {
    fn new(purpose: Purpose, why: &str, by: &str) -> Self {
        let (why, by, filter) = (why.to_owned(), by.to_owned(), Vec::new());
        let personal = purpose == Purpose::Subject;
        Self { purpose, organisation: String::new(), by, why, made: now_ms(), from: None, to: None, filter, personal }
    }

    /// Of a report.
    pub fn report(why: &str, by: &str) -> Self {
        Self::new(Purpose::Report, why, by)
    }

    /// Of an access request.
    pub fn subject(why: &str, by: &str) -> Self {
        Self::new(Purpose::Subject, why, by)
    }

    /// Of an erasure.
    pub fn erasure(ground: &str, by: &str) -> Self {
        Self::new(Purpose::Erasure, ground, by)
    }

    /// Title of the page.
    pub fn title(&self) -> &'static str {
        match self.purpose {
            Purpose::Report => "Data flows across the border of Hong Kong",
            Purpose::Subject => "What the evidence holds about one person",
            Purpose::Erasure => "Erasure of one person's personal data from the evidence",
        }
    }

    /// The same in Chinese.
    pub fn title_in_chinese(&self) -> &'static str {
        match self.purpose {
            Purpose::Report => "香港跨境資料流動報告",
            Purpose::Subject => "證據中有關一名人士的記錄",
            Purpose::Erasure => "從證據中刪除一名人士的個人資料",
        }
    }
}

/// A bundle that is being written.
#[derive(Debug)]
pub struct Bundle {
    dir: PathBuf,
}

impl Bundle {
    /// Makes its folder.
    ///
    /// # Errors
    /// It exists, or cannot be made.
    pub fn begin(dir: &Path) -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        anyhow::ensure!(!dir.exists(), "{} exists; name a new folder", dir.display());
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Writes everything; says whether the evidence verified. `since` is the first entry whose deeds belong in it; without
    /// it those of the period do.
    ///
    /// # Errors
    /// A record cannot be opened, or a file cannot be written.
    pub fn finish(
        self,
        cover: &Cover,
        sources: &[Source],
        found: &[Found],
        since: Option<u64>,
    ) -> anyhow::Result<bool> {
        let mut list = List::of(found);
        let mut health = Vec::new();
        for (number, source) in sources.iter().enumerate() {
            health.push(Health::of(source, cover.from, cover.to)?);
            self.log(number, source, cover, found, since, &mut list)?;
        }
        let totals = Totals::of(found);
        let mut file = self.file("records.csv")?;
        csv::write(&mut file, sources, found)?;
        file.flush()?;
        self.write("report.json", &serde_json::to_vec_pretty(&as_json(cover, &totals, &health))?)?;
        self.write("report.html", html::page(cover, &totals, &health, &list).as_bytes())?;
        self.write("verify.py", VERIFIER.as_bytes())?;
        self.write("README.txt", readme(cover, sources)?.as_bytes())?;
        self.sums()?;
        Ok(health.iter().all(|health| health.wrong.is_empty()))
    }

    /// Records and deeds of one log with their proofs.
    fn log(
        &self,
        number: usize,
        source: &Source,
        cover: &Cover,
        found: &[Found],
        since: Option<u64>,
        list: &mut List,
    ) -> anyhow::Result<()> {
        let mut rows: Vec<_> =
            found.iter().filter(|found| found.source == number).map(|found| found.row.clone()).collect();
        rows.sort_by_key(|row| row.i);
        let mut pack = Pack::begin(source.archive(), &self.dir.join(format!("log-{}", number + 1)))?;
        let mut opened = if cover.personal { Some(self.append("opened.ndjson")?) } else { None };
        let mut failed = Ok(());
        source.open(&rows, cover.personal, |record| {
            pack.record(&record)?;
            if let (Some(file), Ok(())) = (&mut opened, &failed) {
                failed = writeln!(file, "{}", opened_line(source.origin(), &record));
            }
            list.take(number, &record);
            Ok(())
        })?;
        failed?;
        opened.map_or(Ok(()), |mut file| file.flush())?;
        for told in source.archive().deeds()?.iter().filter(|told| belongs(told, cover, since)) {
            pack.deed(told)?;
        }
        Ok(pack.finish()?)
    }

    fn file(&self, name: &str) -> anyhow::Result<BufWriter<File>> {
        let path = self.dir.join(name);
        Ok(BufWriter::new(File::create(&path).with_context(|| format!("cannot write {}", path.display()))?))
    }

    fn append(&self, name: &str) -> anyhow::Result<BufWriter<File>> {
        let path = self.dir.join(name);
        let file = File::options().create(true).append(true).open(&path);
        Ok(BufWriter::new(file.with_context(|| format!("cannot write {}", path.display()))?))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.dir.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }

    fn sums(&self) -> anyhow::Result<()> {
        let list =
            |dir: &Path| -> std::io::Result<Vec<PathBuf>> { fs::read_dir(dir)?.map(|file| Ok(file?.path())).collect() };
        let mut names = Vec::new();
        for path in list(&self.dir)? {
            names.extend(if path.is_dir() { list(&path)? } else { vec![path] });
        }
        names.sort();
        let mut sums = String::new();
        for path in names {
            let digest = digest_of(&path, None)?.digest;
            let name = path.strip_prefix(&self.dir).unwrap_or(&path);
            put!(sums, "{}  {}\n", hex(&digest), name.display());
        }
        self.write("SHA256SUMS", sums.as_bytes())
    }
}

fn belongs(told: &Told, cover: &Cover, since: Option<u64>) -> bool {
    let in_time = cover.from.is_none_or(|from| from <= told.at) && cover.to.is_none_or(|to| told.at < to);
    match cover.purpose {
        Purpose::Report => in_time,
        Purpose::Subject => false,
        Purpose::Erasure => since.is_some_and(|since| told.i >= since) && matches!(told.deed, Deed::Erased { .. }),
    }
}

fn opened_line(origin: &str, record: &Opened) -> serde_json::Value {
    json!({"log": origin, "index": record.row.i, "sealed": record.shut, "record": record.record})
}

fn as_json(cover: &Cover, totals: &Totals, health: &[Health]) -> serde_json::Value {
    json!({
        "title": cover.title(), "organisation": cover.organisation, "by": cover.by, "why": cover.why,
        "made": cover.made, "made_utc": when::utc(cover.made), "from": cover.from, "to": cover.to,
        "from_hkt": cover.from.map(when::hkt), "to_hkt": cover.to.map(when::hkt),
        "filter": cover.filter.iter().map(|(name, value)| json!({"condition": name, "value": value})).collect::<Vec<_>>(),
        "totals": totals, "logs": health,
    })
}

fn readme(cover: &Cover, sources: &[Source]) -> anyhow::Result<String> {
    let mut text = format!(
        "{}\nMade {} by {}: {}\n\n{}",
        cover.title(),
        when::utc(cover.made),
        cover.by,
        cover.why,
        include_str!("README.txt")
    );
    for (number, source) in sources.iter().enumerate() {
        let vkeys = source.archive().vkeys()?;
        text.push_str(&format!("log-{}: {}\n", number + 1, vkeys.lines().last().unwrap_or_default()));
    }
    Ok(text)
}
