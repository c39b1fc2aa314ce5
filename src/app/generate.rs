//! `generate`: synthetic events of the bank of `config/bank.toml`, to a file, standard output, or a topic of Kafka.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::{Outcome, summary};
use crate::dingtalk::Decoder;
use crate::domain::event::Event;
use crate::kafka::{Connection, Haste, Outgoing, Producer, Round};
use crate::settings::Settings;
use crate::source::generate::{Generator, Organisation, Pace, Plan, Quirks, TENANT, write_all};

/// Messages between two words on progress.
const PROGRESS: u64 = 100_000;

/// How long the last messages may take to be acknowledged.
const LAST: Duration = Duration::from_secs(70);

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum To {
    /// A file, or standard output if none is named.
    File,
    /// A topic of Kafka; key = tenant and user.
    Kafka,
}

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Events to write.
    #[arg(long, default_value_t = 10_000)]
    pub events: u64,
    /// Seed; the same seed gives the same bytes.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Events a second; as fast as possible if not given.
    #[arg(long)]
    pub rate: Option<NonZeroU32>,
    /// Messages in a million that are no audit event.
    #[arg(long, default_value_t = Quirks::default().garbage)]
    pub garbage: u32,
    /// Messages in a million that come again, byte for byte.
    #[arg(long, default_value_t = Quirks::default().duplicates)]
    pub duplicates: u32,
    /// Where to.
    #[arg(long, value_enum, default_value = "file")]
    pub to: To,
    /// File to write; standard output if not given.
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// For kafka: topic to write to. It must exist.
    #[arg(long, required_if_eq("to", "kafka"))]
    pub topic: Option<String>,
    /// For kafka: some brokers, `host:port`; or a configuration file with `[kafka]`.
    #[arg(long, value_delimiter = ',')]
    pub brokers: Vec<String>,
    /// For kafka: configuration file whose `[kafka]` section is used.
    #[arg(long, short)]
    pub config: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// The output cannot be written.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let quirks = Quirks { garbage: options.garbage, duplicates: options.duplicates, ..Quirks::default() };
    let plan = Plan { quirks, ..Plan::new(options.seed, options.events) };
    match options.to {
        To::File => to_file(&plan, options),
        To::Kafka => to_kafka(&plan, options),
    }
    .context("events not written")?;
    Ok(Outcome::Done)
}

fn to_file(plan: &Plan, options: &Options) -> anyhow::Result<()> {
    let bank = Organisation::bank();
    match &options.out {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            write_all(plan, bank, options.rate, &mut out).and_then(|_| out.flush())?;
        }
        None => drop(write_all(plan, bank, options.rate, &mut std::io::stdout().lock())?),
    }
    Ok(())
}

fn to_kafka(plan: &Plan, options: &Options) -> anyhow::Result<()> {
    let topic = options.topic.as_deref().unwrap_or_default();
    let producer = Producer::connect(&connection(options)?, Haste::Gather)?;
    let (round, begun, decoder) = (Round::default(), Instant::now(), Decoder::default());
    let mut generator = Generator::new(plan.clone(), Organisation::bank());
    let mut pace = options.rate.map(Pace::new);
    let (mut message, mut messages, mut before) = (Vec::new(), 0u64, 0);
    while generator.next(&mut message).is_some() {
        let key = key(&decoder, &message);
        let outgoing = Outgoing { topic, key: key.as_deref(), payload: &message, headers: &[], timestamp: None };
        producer.offer(&outgoing, &round, 0);
        message.clear();
        messages += 1;
        let pause = pace.as_mut().map_or(Duration::ZERO, |pace| pace.pause(generator.events() - before));
        before = generator.events();
        std::thread::sleep(pause);
        if messages.is_multiple_of(PROGRESS) {
            tell(messages, begun);
            round.failed().map_or(Ok(()), Err)?;
        }
    }
    if let Err(failed) = round.wait(LAST) {
        let first = failed.first().map(|(_, error)| error.to_string()).unwrap_or_default();
        anyhow::bail!("{} of {messages} messages were not acknowledged: {first}", failed.len());
    }
    tell(messages, begun);
    Ok(())
}

fn tell(messages: u64, begun: Instant) {
    let rate = messages as f64 / begun.elapsed().as_secs_f64().max(0.001);
    let (messages, rate) = (summary::grouped(messages), summary::grouped(rate as u64));
    // standard error may be gone; the messages matter
    drop(writeln!(std::io::stderr().lock(), "{messages} messages, {rate} a second"));
}

fn connection(options: &Options) -> anyhow::Result<Connection> {
    let mut connection = match &options.config {
        Some(path) => Settings::load(path)?.kafka,
        None => Connection::default(),
    };
    if !options.brokers.is_empty() {
        connection.brokers.clone_from(&options.brokers);
    }
    anyhow::ensure!(
        !connection.brokers.is_empty(),
        "no brokers: name some with --brokers host:port, or a file with [kafka]"
    );
    Ok(connection)
}

/// Tenant and user of the first event: findings are grouped by both, so that all of a group come to one instance.
fn key(decoder: &Decoder, message: &[u8]) -> Option<Vec<u8>> {
    let mut key = None;
    decoder.decode(message, &mut |_, event| {
        if let (None, Ok(event)) = (&key, event) {
            key = Some(of_event(&event));
        }
    });
    key
}

fn of_event(event: &Event<'_>) -> Vec<u8> {
    let union_id = || event.actor.union_id.as_ref().map(|id| id.reveal().to_string());
    let user = event.actor.user_id.as_ref().map(|id| id.reveal().to_string()).or_else(union_id).unwrap_or_default();
    format!("{}/{user}", event.tenant.as_deref().unwrap_or(TENANT)).into_bytes()
}
