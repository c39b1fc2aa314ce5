//! What people do with the evidence: look into it, report from it, hold, erase, keep within bounds. One file a command; what
//! they share is here. Whoever looks is recorded before anything is shown, with who and why.

pub mod erase;
pub mod hold;
pub mod keys;
pub mod near;
pub mod query;
pub mod report;
pub mod retention;
pub mod ship;
pub mod source;
pub mod subject;
pub mod when;

use clap::builder::NonEmptyStringValueParser;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::handover::{Desk, Recorded, filing};
use crate::evidence::Deed;
use crate::evidence::deed::Access;
use crate::evidence::search::Sought;
use source::Source;

/// Whose evidence, and who wants it.
#[derive(Debug, clap::Args)]
pub struct Look {
    /// Folder that `--data` named when the evidence was made.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Configuration file, if `--data` is not given.
    #[arg(long, short, env = "HARBOURWATCH_CONFIG", default_value = "harbourwatch.toml")]
    pub config: PathBuf,
    /// File with the age identity that opens the frames, if they are encrypted.
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// Data or evidence folder of a further instance, or a copy in a bucket (`s3://BUCKET/PREFIX`); may be given several times.
    /// Records are joined by their id.
    #[arg(long)]
    pub also: Vec<PathBuf>,
    /// Read this shipped copy, a folder or `s3://BUCKET/PREFIX`, instead of the archive here. Keys are taken from here, and who
    /// looks is recorded here.
    #[arg(long)]
    pub copy: Option<PathBuf>,
    /// Who is looking. Default: the name of the account.
    #[arg(long)]
    pub by: Option<String>,
    /// Why; becomes part of the evidence.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub why: String,
}

/// Which records.
#[derive(Debug, Default, clap::Args)]
pub struct Conditions {
    /// From this day of Hong Kong (`2026-11-01`) or instant (`2026-11-01T00:00:00Z`) on.
    #[arg(long)]
    pub from: Option<String>,
    /// Up to the end of this day, or up to this instant.
    #[arg(long)]
    pub to: Option<String>,
    /// Id of the person who acted, as DingTalk has it.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub subject: Option<String>,
    /// Destination, such as `SG`; may be given several times.
    #[arg(long)]
    pub destination: Vec<String>,
    /// Verdict, such as `UNCOVERED`; may be given several times.
    #[arg(long)]
    pub verdict: Vec<String>,
    /// Safeguard of the register; may be given several times.
    #[arg(long)]
    pub safeguard: Vec<String>,
    /// Receiving party; may be given several times.
    #[arg(long)]
    pub recipient: Vec<String>,
    /// Id of a record.
    #[arg(long)]
    pub record: Option<String>,
}

impl Conditions {
    /// As the index is asked; the subject is for each log to translate.
    ///
    /// # Errors
    /// A time cannot be read.
    pub fn sought(&self) -> anyhow::Result<Sought> {
        Ok(Sought {
            from: self.from.as_deref().map(when::begin).transpose()?,
            to: self.to.as_deref().map(when::end).transpose()?,
            subjects: None,
            destinations: self.destination.clone(),
            verdicts: self.verdict.clone(),
            safeguards: self.safeguard.clone(),
            recipients: self.recipient.clone(),
            id: self.record.clone(),
        })
    }

    /// In words, without the person.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        let lists = [
            ("destination", &self.destination),
            ("verdict", &self.verdict),
            ("safeguard", &self.safeguard),
            ("recipient", &self.recipient),
        ];
        let named = lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| (name, list.join(", ")));
        let times = [("from", &self.from), ("to", &self.to), ("record", &self.record)];
        let times = times.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        times.chain(named).collect()
    }

    /// What the entry about the access tells of it: the person by a tag that only the tag key leads to.
    fn told(&self, source: Option<&Source>) -> Value {
        let mut told: Value = self.words().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let tag = self.subject.as_deref().zip(source).and_then(|(subject, source)| source.tag(subject));
        if let Some(tag) = tag {
            told["subject_tag"] = json!(tag);
        }
        told
    }
}

impl Look {
    /// The desk of the instance.
    ///
    /// # Errors
    /// The configuration has faults.
    pub fn desk(&self) -> anyhow::Result<Desk> {
        desk(&self.config, self.data.as_ref())
    }

    /// Who looks.
    pub fn by(&self) -> String {
        by(self.by.as_deref())
    }

    /// The instance's own archive, and the further ones.
    ///
    /// # Errors
    /// One of them cannot be opened.
    pub fn sources(&self, desk: &Desk) -> anyhow::Result<Vec<Source>> {
        let identity = self.identity.as_ref().map(|path| {
            std::fs::read_to_string(path).with_context(|| format!("cannot read the identity {}", path.display()))
        });
        let identity = identity.transpose()?;
        let own = match &self.copy {
            Some(copy) => Source::copy(copy, desk.folders(), identity.as_deref())?,
            None => Source::of(desk.folders(), identity.as_deref())?,
        };
        let others = self.also.iter().map(|dir| Source::at(dir, identity.as_deref()));
        std::iter::once(Ok(own)).chain(others).collect()
    }

    /// Records the access before anything is shown.
    ///
    /// # Errors
    /// It cannot be recorded.
    pub fn record(&self, desk: &Desk, access: Access, what: &Value) -> anyhow::Result<()> {
        let detail = json!({"by": self.by(), "why": self.why, "filter": what});
        desk.record_before_showing(&filing(&detail, |commitment| Deed::Accessed { access, commitment })?)
    }
}

/// The desk of a configuration. With `--data` alone the example's settings serve: they say nothing about the folder.
///
/// # Errors
/// The configuration has faults.
pub fn desk(config: &std::path::Path, data: Option<&PathBuf>) -> anyhow::Result<Desk> {
    match data {
        Some(data) if !config.exists() => Desk::beside(data),
        Some(_) | None => Desk::of(config, data),
    }
}

/// The name that was given, or that of the account.
pub fn by(given: Option<&str>) -> String {
    let account = || std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    given.map_or_else(|| account().unwrap_or_else(|_| "unknown account".into()), str::to_owned)
}

/// Says what became of a deed.
///
/// # Errors
/// The service has not taken it over yet.
pub fn settled(recorded: Recorded) -> anyhow::Result<()> {
    match recorded {
        Recorded::Done => Ok(()),
        Recorded::Waiting => {
            anyhow::bail!("the service has not recorded this yet; it will, but nothing is done before")
        }
    }
}
