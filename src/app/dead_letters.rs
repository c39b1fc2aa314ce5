//! `dead-letters`: what was rejected, why, and a second try after the cause was mended.
//!
//! A letter that the configuration in force can read now is sent back to the topic that it came from, or, where it came from
//! a file, judged and recorded in a lane of its own. One that still cannot be read stays where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{BufRead as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::service::{self, Service, Way};
use super::summary::{Summary, grouped};
use super::{ConfigOption, Outcome, logging, wire};
use crate::dingtalk::Decoder;
use crate::domain::position::Lane;
use crate::kafka::{Haste, Header, Outgoing, Producer, Reader};
use crate::recorder::dead_letters::{Letter, header, letters};
use crate::recorder::now_ms;
use crate::settings::{Settings, SourceSettings};
use crate::source::letters::Letters;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with dead letters.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Count them by reason, and say how many could be read now.
    List(Where),
    /// Try again those that can be read now.
    Replay(Where),
}

/// Which dead letters.
#[derive(Debug, clap::Args)]
pub struct Where {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigOption,
    /// Folder that `--data` named when they were kept.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// File of dead letters; that of the configuration if not given.
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// Letters and what a second try needs to know.
struct Pile {
    letters: Vec<Letter>,
    /// Which of them can be read now.
    readable: Vec<bool>,
    from: From,
}

/// Where letters came from, to note what was tried.
enum From {
    File(PathBuf),
    Topic(Box<Reader>),
}

/// Runs the command.
///
/// # Errors
/// Bad configuration, unreadable letters, or a second try that could not be recorded.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let (What::List(at) | What::Replay(at)) = &options.what;
    let settings = super::load(&at.config.config)?;
    logging::start_as_configured(&settings.log);
    let decoder = wire::decoder(&settings);
    match &options.what {
        What::List(_) => list(&pile(&settings, at, &decoder)?),
        What::Replay(_) => replay(&settings, at, pile(&settings, at, &decoder)?),
    }?;
    Ok(Outcome::Done)
}

fn pile(settings: &Settings, at: &Where, decoder: &Decoder) -> anyhow::Result<Pile> {
    let (letters, from) = match (&at.file, &settings.dead_letter_topic, &settings.source) {
        (None, Some(topic), _) => from_topic(settings, topic)?,
        (file, _, _) => {
            let folder = service::folders(settings, at.data.as_ref()).state;
            let path = file.clone().unwrap_or_else(|| folder.join("dead-letters.ndjson"));
            (untried(letters(&path)?, &path)?, From::File(path))
        }
    };
    let readable = letters.iter().map(|letter| letter.cut == 0 && is_readable(decoder, &letter.raw)).collect();
    Ok(Pile { letters, readable, from })
}

fn from_topic(settings: &Settings, topic: &str) -> anyhow::Result<(Vec<Letter>, From)> {
    let group = match &settings.source {
        SourceSettings::Kafka(options) => format!("{}-dead-letters", options.group),
        SourceSettings::Replay(_) => "harbourwatch-dead-letters".to_owned(),
    };
    let mut reader = Reader::open(&settings.kafka, topic, &group)?;
    let mut found = Vec::new();
    while let Some(taken) = reader.take()? {
        let number = |name| taken.header(name).and_then(|text| text.parse().ok());
        let lane = Lane {
            topic: taken.header(header::TOPIC).unwrap_or_default().to_owned(),
            partition: number(header::PARTITION).unwrap_or_default() as i32,
        };
        let reason = taken.header(header::REASON).unwrap_or("unknown").to_owned();
        let (offset, cut) = (number(header::OFFSET).unwrap_or_default(), number(header::CUT).unwrap_or_default());
        found.push(Letter { lane, offset, reason, raw: taken.payload, key: taken.key, headers: taken.headers, cut });
    }
    Ok((found, From::Topic(Box::new(reader))))
}

/// Whether every event of the message can be read.
fn is_readable(decoder: &Decoder, raw: &[u8]) -> bool {
    let mut is_readable = true;
    decoder.decode(raw, &mut |_, event| is_readable &= event.is_ok());
    is_readable
}

fn list(pile: &Pile) -> anyhow::Result<()> {
    let mut reasons: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for (letter, readable) in pile.letters.iter().zip(&pile.readable) {
        let (all, now) = reasons.entry((&letter.lane.topic, &letter.reason)).or_default();
        *all += 1;
        *now += u64::from(*readable);
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table.set_header(["from", "reason", "messages", "readable now"]);
    for ((topic, reason), (all, now)) in reasons {
        table.add_row([topic, reason, &grouped(all), &grouped(now)]);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}")?;
    writeln!(out, "{} dead letters", grouped(pile.letters.len() as u64))?;
    Ok(())
}

fn replay(settings: &Settings, at: &Where, pile: Pile) -> anyhow::Result<()> {
    let (now, later): (Vec<_>, Vec<_>) =
        pile.letters.into_iter().zip(pile.readable).partition(|(_, readable)| *readable);
    let (now, later): (Vec<Letter>, Vec<Letter>) =
        (now.into_iter().map(|(letter, _)| letter).collect(), later.into_iter().map(|(letter, _)| letter).collect());
    match (&pile.from, &settings.source) {
        (From::Topic(reader), _) => {
            let dead = settings.dead_letter_topic.as_deref().unwrap_or_default();
            send_back(settings, &now, &later, dead)?;
            reader.commit()?;
        }
        (From::File(path), SourceSettings::Kafka(_)) => {
            send_back(settings, &now, &[], "")?;
            note_tried(path, &now)?;
        }
        (From::File(path), SourceSettings::Replay(_)) => {
            judge(settings, at, &now)?;
            note_tried(path, &now)?;
        }
    }
    let (sent, left) = (grouped(now.len() as u64), grouped(later.len() as u64));
    writeln!(std::io::stdout().lock(), "{sent} tried again, {left} still cannot be read and stay")?;
    Ok(())
}

/// Sends letters back to where they came from, and to the end of the dead letters those that stay.
fn send_back(settings: &Settings, now: &[Letter], later: &[Letter], dead: &str) -> anyhow::Result<()> {
    let producer = Producer::connect(&settings.kafka, Haste::Gather)?;
    for letter in now {
        anyhow::ensure!(!letter.lane.topic.is_empty(), "a dead letter does not say which topic it came from");
    }
    // what we added comes off again on the way back, and stays on what stays
    let own = |letter| -> Vec<_> {
        Letter::headers(letter).into_iter().filter(|(name, _)| !name.starts_with(header::PREFIX)).collect()
    };
    let back = now.iter().map(|letter| (letter.lane.topic.as_str(), letter, own(letter)));
    let stay = later.iter().map(|letter| (dead, letter, letter.headers()));
    let whole: Vec<(&str, &Letter, Vec<Header<'_>>)> = back.chain(stay).collect();
    let outgoing: Vec<_> = whole
        .iter()
        .map(|(topic, letter, headers)| Outgoing {
            topic,
            key: letter.key.as_deref(),
            payload: &letter.raw,
            headers,
            timestamp: None,
        })
        .collect();
    producer.send_all(&outgoing).map_err(|failed| {
        let first = failed.first().map(|(_, error)| error.to_string()).unwrap_or_default();
        anyhow::anyhow!("{} of {} letters were not taken: {first}", failed.len(), outgoing.len())
    })
}

/// Judges and records letters that came from a file.
fn judge(settings: &Settings, at: &Where, now: &[Letter]) -> anyhow::Result<()> {
    if now.is_empty() {
        return Ok(());
    }
    let folders = service::folders(settings, at.data.as_ref());
    let mut settings = settings.clone();
    settings.source.tell_nobody();
    let mut service = Service::start(settings, &Way { folders, admin: false, verdicts: false })?;
    let messages = now.iter().map(|letter| letter.raw.clone()).collect();
    let mut summary = Summary::default();
    let ran = service.run(&mut Letters::new(messages, &now_ms().to_string()), false, &mut |seen| {
        summary.add(seen);
        Ok(())
    });
    let finished = service.finish();
    ran?;
    finished?;
    Ok(summary.conservation(&mut std::io::stderr().lock())?)
}

/// The list of letters of a file that were tried again with success.
fn tried_path(path: &Path) -> PathBuf {
    path.with_extension("tried")
}

fn place(letter: &Letter) -> String {
    format!("{} {} {}", letter.lane.partition, letter.offset, letter.lane.topic)
}

fn untried(letters: Vec<Letter>, path: &Path) -> anyhow::Result<Vec<Letter>> {
    let path = tried_path(path);
    if !path.exists() {
        return Ok(letters);
    }
    let context = || format!("cannot read {}", path.display());
    let lines = std::io::BufReader::new(std::fs::File::open(&path).with_context(context)?).lines();
    let tried = lines.collect::<Result<BTreeSet<_>, _>>().with_context(context)?;
    Ok(letters.into_iter().filter(|letter| !tried.contains(&place(letter))).collect())
}

fn note_tried(path: &Path, letters: &[Letter]) -> anyhow::Result<()> {
    let path = tried_path(path);
    let text: String = letters.iter().map(|letter| place(letter) + "\n").collect();
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.with_context(|| {
        format!("cannot write {}; the letters were tried again, and would be once more", path.display())
    })
}
