//! Channels: who is told what, when, and by which way.

mod letters;
mod ways;

use std::collections::HashMap;

use crate::config::{self, ChannelKind, Path};
use crate::deliver::channel::{http, mail, syslog};
use crate::deliver::render::Format;
use crate::deliver::render::officer::Languages;
use crate::deliver::render::splunk::Filing;
use crate::deliver::render::webhook::Data;
use crate::deliver::{Audience, Inhibition, Pace, Quiet, Rules};
use crate::domain::verdict::{Severity, Verdict};
use crate::outbox::{ChannelSpec, Manner};
use crate::secret::SecretRef;

use super::check::Check;
use super::running::plain;

/// A way to tell people or machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// What it tells, and when.
    pub spec: ChannelSpec,
    /// Which way.
    pub way: ChannelWay,
    /// Who reads it.
    pub audience: Audience,
    /// For readers who see pseudonyms: the group that they belong to.
    pub readers: String,
    /// Language of texts for people.
    pub languages: Languages,
    /// For people: how letters are composed.
    pub letters: LetterSettings,
}

impl Channel {
    /// A channel by which the privacy officer gets harbourwatch's own lines in a file.
    pub fn to_file(id: &str, path: std::path::PathBuf, minimum: Severity) -> Self {
        Self {
            spec: ChannelSpec::new(id, minimum),
            way: ChannelWay::File(path, Format::Finding),
            audience: Audience::Officer,
            readers: String::new(),
            languages: Languages::Both,
            letters: LetterSettings::default(),
        }
    }
}

/// Where a channel leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelWay {
    /// The terminal that the process runs in.
    Terminal,
    /// A file to which lines of a form are appended.
    File(std::path::PathBuf, Format),
    /// A topic of Kafka.
    Kafka(String),
    /// Mail.
    Mail(Box<mail::Options>),
    /// A robot in a DingTalk group: address, signing secret, keyword.
    Dingtalk(http::Options, Option<SecretRef>, Option<String>),
    /// Slack.
    Slack(http::Options),
    /// Teams.
    Teams(http::Options),
    /// Standard Webhooks: address, signing secrets, what is told.
    Webhook(http::Options, Vec<SecretRef>, Data),
    /// Syslog.
    Syslog(syslog::Options, Format),
    /// Splunk: address, token, where events are filed.
    Splunk(http::Options, SecretRef, Filing),
    /// Elasticsearch: address, key, data stream.
    Elastic(http::Options, Option<SecretRef>, String),
    /// Alertmanager: address, token, repetition in ms.
    Alertmanager(http::Options, Option<SecretRef>, i64),
}

/// How a channel's letters are composed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterSettings {
    /// Fields by which findings go together.
    pub group_by: Vec<String>,
    /// When mild findings wait.
    pub quiet: Option<Quiet>,
    /// Which findings keep others quiet.
    pub inhibitions: Vec<Inhibition>,
    /// How many letters at most.
    pub pace: Pace,
    /// Minute of the day in Hong Kong when the day is summed up.
    pub digest: Option<i64>,
}

impl Default for LetterSettings {
    fn default() -> Self {
        let Rules { group_by, quiet, inhibitions, pace, digest, .. } = Rules::default();
        Self { group_by, quiet, inhibitions, pace, digest }
    }
}

/// Whether a channel of this kind writes letters.
fn is_for_people(kind: ChannelKind) -> bool {
    match kind {
        ChannelKind::Mail | ChannelKind::Dingtalk | ChannelKind::Slack | ChannelKind::Teams => true,
        ChannelKind::Terminal
        | ChannelKind::File
        | ChannelKind::Kafka
        | ChannelKind::Webhook
        | ChannelKind::Syslog
        | ChannelKind::Splunk
        | ChannelKind::Elastic
        | ChannelKind::Alertmanager => false,
    }
}

/// Least time between two notices of a finding where the file says none, in s.
fn usual_interval(kind: ChannelKind) -> u64 {
    match kind {
        ChannelKind::Terminal | ChannelKind::File | ChannelKind::Kafka => 0,
        ChannelKind::Webhook
        | ChannelKind::Syslog
        | ChannelKind::Splunk
        | ChannelKind::Elastic
        | ChannelKind::Alertmanager => 60,
        ChannelKind::Mail | ChannelKind::Dingtalk | ChannelKind::Slack | ChannelKind::Teams => 600,
    }
}

/// All channels. One that has a fault is left out; a fault was noted then.
pub(super) fn channels(check: &mut Check<'_>) -> Vec<Channel> {
    let channels = &check.config.channels;
    check.register(channels.iter().enumerate().map(|(i, channel)| (Path::element("channels", i), &*channel.id)), "id");
    if channels.is_empty() {
        check.warn(&Path::section("channels"), "none; findings are kept and nobody is told");
    }
    let mut files = HashMap::new();
    let mut found = Vec::new();
    for (index, written) in channels.iter().enumerate() {
        let path = Path::element("channels", index);
        let channel = channel(check, &path, written);
        if let Some(ChannelWay::File(file, _)) = channel.as_ref().map(|channel| &channel.way)
            && let Some(first) = files.insert(plain(file), index)
        {
            let remedy = format!("channels[{first}] already writes this file; name another");
            check.fault(path.key("path"), &file.to_string_lossy(), remedy);
        }
        found.extend(channel);
    }
    found
}

fn channel(check: &mut Check<'_>, path: &Path, written: &config::Channel) -> Option<Channel> {
    let spec = spec(check, path, written);
    let audience = audience(check, path, written);
    let languages = languages(check, path, &written.languages);
    let way = ways::way(check, path, written);
    let letters = letters::settings(check, path, written);
    if written.readers.is_empty() || !written.readers.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        check.fault(path.key("readers"), &written.readers, "write one word of letters and digits: \"soc\"");
    }
    let (spec, readers) = (spec?, written.readers.clone());
    Some(Channel { spec, way: way?, audience: audience?, readers, languages: languages?, letters: letters? })
}

fn spec(check: &mut Check<'_>, path: &Path, written: &config::Channel) -> Option<ChannelSpec> {
    let names = Severity::ALL.map(Severity::name);
    let minimum = check.one_of(path.key("min_severity"), &written.min_severity, Severity::parse, &names);
    let mut spec = ChannelSpec::new(&written.id, minimum?);
    let verdicts = Verdict::ALL.map(Verdict::name);
    for (index, name) in written.verdicts.iter().enumerate() {
        spec.verdicts.extend(check.one_of(path.key("verdicts").index(index), name, Verdict::parse, &verdicts));
    }
    for (index, id) in written.tenants.iter().enumerate() {
        check.tenant(path.key("tenants").index(index), id);
        spec.tenants.push(id.clone());
    }
    let interval = written.interval_s.unwrap_or_else(|| usual_interval(written.kind));
    check.range(path.key("interval_s"), interval, 0, 86_400);
    spec.interval = ms(interval, 1_000);
    spec.only_escalations = written.only_escalations;
    if written.kind == ChannelKind::Alertmanager {
        let repeat = written.alertmanager.clone().unwrap_or_default();
        (spec.repeat, spec.repeat_for) = (Some(ms(repeat.repeat_s, 1_000)), ms(repeat.hours, 3_600_000));
    }
    if is_for_people(written.kind) {
        spec.manner = Manner::Letters;
        letters::complete(check, path, written, &mut spec)?;
    }
    spec.trouble_to = trouble_to(check, path, written);
    Some(spec)
}

/// Numbers of a configuration are bounded, so none is lost.
fn ms(number: u64, unit: i64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(unit)
}

/// The channel for people that hears of this one's trouble.
fn trouble_to(check: &mut Check<'_>, path: &Path, written: &config::Channel) -> Option<String> {
    if let Some(to) = &written.trouble_to {
        return people(check, path.key("trouble_to"), to, &written.id);
    }
    let mut others = check.config.channels.iter().filter(|other| other.id != written.id && is_for_people(other.kind));
    let mail = others.clone().find(|other| other.kind == ChannelKind::Mail);
    mail.or_else(|| others.next()).map(|other| other.id.clone())
}

/// Another channel, which must be one for people.
fn people(check: &mut Check<'_>, path: Path, to: &str, own: &str) -> Option<String> {
    let known = check.config.channels.iter().find(|other| other.id == to);
    let remedy = match known {
        Some(_) if to == own => "this is the channel itself; name another",
        Some(other) if is_for_people(other.kind) => return Some(to.to_owned()),
        Some(_) => "this channel tells machines; name one of kind mail, dingtalk, slack or teams",
        None => "not declared; name the id of another of [[channels]]",
    };
    check.fault(path, to, remedy);
    None
}

fn audience(check: &mut Check<'_>, path: &Path, written: &config::Channel) -> Option<Audience> {
    let usual = match written.kind {
        ChannelKind::Terminal | ChannelKind::File | ChannelKind::Mail => Audience::Officer,
        ChannelKind::Kafka
        | ChannelKind::Webhook
        | ChannelKind::Syslog
        | ChannelKind::Splunk
        | ChannelKind::Elastic
        | ChannelKind::Alertmanager => Audience::Soc,
        ChannelKind::Dingtalk | ChannelKind::Slack | ChannelKind::Teams => Audience::Chat,
    };
    let Some(name) = &written.audience else { return Some(usual) };
    if usual == Audience::Chat {
        check.fault(path.key("audience"), name, "a chat sees counts and a link only; remove it");
        return None;
    }
    let read = |name: &str| Audience::parse(name).filter(|audience| *audience != Audience::Chat);
    let audience = check.one_of(path.key("audience"), name, read, &["officer", "soc"])?;
    if audience == Audience::Officer && usual == Audience::Soc {
        check.warn(&path.key("audience"), "names, files and addresses of people leave by this feed as they are");
    }
    Some(audience)
}

fn languages(check: &mut Check<'_>, path: &Path, name: &str) -> Option<Languages> {
    let read = |name: &str| match name {
        "both" => Some(Languages::Both),
        "en" => Some(Languages::English),
        "zh" => Some(Languages::Chinese),
        _ => None,
    };
    check.one_of(path.key("languages"), name, read, &["both", "en", "zh"])
}
