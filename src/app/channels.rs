//! Channels: from settings to ways out, couriers at work, and what a daily summary says of the rest of the process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;

use crate::deliver::channel::{
    Alertmanager, Chat, Elastic, File, Kafka, Mail, Robot, Service, Splunk, Syslog, Terminal, Webhook,
};
use crate::deliver::composer::{Brief, Briefing};
use crate::deliver::keyring::Keyring;
use crate::deliver::render::Context;
use crate::deliver::{Audience, Courier, Rules, Running, Way};
use crate::domain::calendar::day_of;
use crate::domain::finding::DAY_MS;
use crate::kafka::{Haste, Producer};
use crate::metrics::Metrics;
use crate::outbox::{ChannelSpec, Queue};
use crate::pipeline::world::World;
use crate::recorder::Folders;
use crate::settings::{Channel, ChannelWay, LetterSettings, Settings};

/// Safeguards that end within so many days are told in the daily summary.
const EXPIRING_DAYS: i32 = 30;

/// Where a channel for the terminal writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Standard output.
    Out,
    /// Standard error, where standard output belongs to something else.
    Err,
}

/// What the outbox needs to know of the channels.
pub fn specs(settings: &Settings) -> Vec<ChannelSpec> {
    settings.channels.iter().map(|channel| channel.spec.clone()).collect()
}

/// What renderers say beside a finding.
pub fn context(settings: &Settings) -> Context {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    Context { log: settings.evidence.origin.clone(), host, link: settings.finding_link.clone() }
}

/// The way of a channel. Nothing is connected to yet, but brokers.
///
/// # Errors
/// The brokers cannot be used as configured.
pub fn way(settings: &Settings, channel: &Channel, screen: Screen) -> anyhow::Result<Way> {
    let (audience, languages, context) = (channel.audience, channel.languages, context(settings));
    Ok(match channel.way.clone() {
        ChannelWay::Terminal => terminal(channel, screen, context),
        ChannelWay::File(path, format) => feed(File::new(audience, path).in_format(format, context)),
        ChannelWay::Kafka(topic) => {
            let producer = Producer::connect(&settings.kafka, Haste::AtOnce)
                .with_context(|| format!("channel {}", channel.spec.name))?;
            feed(Kafka::new(audience, &topic, context, producer))
        }
        ChannelWay::Mail(options) => Way::People(Box::new(Mail::new(audience, *options, languages, context))),
        ChannelWay::Dingtalk(http, secret, keyword) => {
            Way::People(Box::new(Robot::new(http, secret, keyword, languages, context)))
        }
        ChannelWay::Slack(http) => Way::People(Box::new(Chat::new(Service::Slack, http, languages, context))),
        ChannelWay::Teams(http) => Way::People(Box::new(Chat::new(Service::Teams, http, languages, context))),
        ChannelWay::Webhook(http, secrets, data) => feed(Webhook::new(audience, http, secrets, data, context)),
        ChannelWay::Syslog(options, format) => feed(Syslog::new(audience, options, format, context)),
        ChannelWay::Splunk(http, token, filing) => feed(Splunk::new(audience, http, token, filing, context)),
        ChannelWay::Elastic(http, key, stream) => feed(Elastic::new(audience, http, key, &stream, context)),
        ChannelWay::Alertmanager(http, token, repeat_ms) => {
            feed(Alertmanager::new(audience, http, token, repeat_ms, context))
        }
    })
}

fn feed(channel: impl crate::deliver::Channel + 'static) -> Way {
    Way::Feed(Box::new(channel))
}

fn terminal(channel: &Channel, screen: Screen, context: Context) -> Way {
    let (audience, languages) = (channel.audience, channel.languages);
    match screen {
        Screen::Out => {
            feed(Terminal::new(languages, std::io::stdout()).for_audience(audience).in_format(None, context))
        }
        Screen::Err => {
            feed(Terminal::new(languages, std::io::stderr()).for_audience(audience).in_format(None, context))
        }
    }
}

/// The keys of the pseudonyms that a channel's readers see; `None` for readers who see none.
///
/// # Errors
/// The secret that they are derived from is not to be had.
pub fn keyring(settings: &Settings, channel: &Channel, state: &Path) -> anyhow::Result<Option<Arc<Keyring>>> {
    if channel.audience != Audience::Soc {
        return Ok(None);
    }
    ring(settings, &channel.readers, state).map(Some)
}

/// The keys of a group of readers.
///
/// # Errors
/// The secret that they are derived from is not to be had.
pub fn ring(settings: &Settings, readers: &str, state: &Path) -> anyhow::Result<Arc<Keyring>> {
    let ring = match &settings.pseudonym_secret {
        Some(reference) => {
            let secret = reference.resolve().context("outbox.pseudonym_secret")?;
            Keyring::of_secret(readers, secret.reveal().as_bytes())
        }
        None => Keyring::in_file(readers, &ring_file(state, readers)),
    };
    Ok(Arc::new(ring))
}

/// Where the drawn keys of a group of readers are kept.
pub fn ring_file(state: &Path, readers: &str) -> PathBuf {
    state.join(format!("pseudonyms-{readers}.keys"))
}

/// Couriers for all channels, at work; with `checkpoints` the feeds of a SOC also get the log's signed checkpoint.
///
/// # Errors
/// A way, a key or a thread is not to be had.
pub fn couriers(
    settings: &Settings,
    folders: &Folders,
    screen: Screen,
    world: &Arc<ArcSwap<World>>,
    metrics: &Arc<Metrics>,
    checkpoints: bool,
) -> anyhow::Result<Vec<Running>> {
    let specs: Arc<[ChannelSpec]> = specs(settings).into();
    let brief = brief(settings, folders, world);
    let mut rings: BTreeMap<&str, Arc<Keyring>> = BTreeMap::new();
    let mut running = Vec::new();
    for channel in &settings.channels {
        let queue = Queue::open(&folders.state.join("state.db"))?;
        let way = way(settings, channel, screen)?;
        let mut courier = Courier::new(queue, channel.spec.clone(), way, Arc::clone(metrics))
            .among(&specs)
            .by_rules(rules(&channel.letters, &brief));
        if channel.audience == Audience::Soc {
            let ring = match rings.get(channel.readers.as_str()) {
                Some(ring) => Arc::clone(ring),
                None => ring(settings, &channel.readers, &folders.state)?,
            };
            rings.insert(&channel.readers, Arc::clone(&ring));
            courier = courier.with_keys(ring);
            if checkpoints {
                let path = folders.evidence.join("checkpoint");
                courier = courier.with_checkpoints(Arc::new(move || std::fs::read_to_string(&path).ok()));
            }
        }
        running.push(courier.spawn()?);
    }
    Ok(running)
}

fn rules(letters: &LetterSettings, brief: &Brief) -> Rules {
    let LetterSettings { group_by, quiet, inhibitions, pace, digest } = letters.clone();
    Rules { group_by, quiet, inhibitions, pace, digest, brief: Arc::clone(brief) }
}

/// What a daily summary says beside the outbox's own figures. Reads the checkpoint when it is asked.
fn brief(settings: &Settings, folders: &Folders, world: &Arc<ArcSwap<World>>) -> Brief {
    let (world, checkpoint) = (Arc::clone(world), folders.evidence.join("checkpoint"));
    let max_age = i64::from(settings.database_max_age_days);
    Arc::new(move |now| {
        let world = world.load();
        let today = day_of(now);
        let ends = |until: i32| (today..=today.saturating_add(EXPIRING_DAYS)).contains(&until.saturating_sub(1));
        let register = world.policy.safeguards.iter();
        // `until` is the first day without it, people are told the last day with it
        let mut expiring: Vec<_> = register
            .filter_map(|safeguard| Some((safeguard.id.clone(), safeguard.until?)))
            .filter(|(_, until)| ends(*until))
            .map(|(id, until)| (id, until.saturating_sub(1)))
            .collect();
        expiring.sort_by_key(|(_, last)| *last);
        let age = world.geo.built().map(|built| now.saturating_sub(built) / DAY_MS);
        let stale_days = age.filter(|days| *days > max_age);
        Briefing { expiring, stale_days, checkpoint: std::fs::read_to_string(&checkpoint).ok() }
    })
}
