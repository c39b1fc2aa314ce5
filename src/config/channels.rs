//! `[[channels]]`: ways by which findings are told. What all channels have stands in the entry itself, what a kind has in a
//! section of its own. Secrets are given by reference: `"file:/path"`, `"env:NAME"` or `"cred:name"`.

mod ways;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use ways::{Alertmanager, Dingtalk, Elastic, Http, Mail, Splunk, Syslog, Webhook};

/// Kinds of channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// The terminal that the process runs in.
    #[default]
    Terminal,
    /// A file to which lines are appended.
    File,
    /// A topic of `[kafka]`.
    Kafka,
    /// Mail by SMTP.
    Mail,
    /// A custom robot in a DingTalk group.
    Dingtalk,
    /// An incoming webhook of Slack.
    Slack,
    /// A workflow webhook of Microsoft Teams.
    Teams,
    /// Any receiver of Standard Webhooks 1.0.0.
    Webhook,
    /// Syslog (RFC 5424) by TCP or TLS.
    Syslog,
    /// Splunk's HTTP Event Collector.
    Splunk,
    /// A data stream of Elasticsearch.
    Elastic,
    /// Prometheus Alertmanager.
    Alertmanager,
}

/// `[[channels]]`: a way by which findings are told.
///
/// `mail`, `dingtalk`, `slack` and `teams` tell people: letters gather findings, keep a pace and can be acknowledged. The
/// others get one notice for each finding and change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Channel {
    /// Key: `"officer"`. A channel that is renamed is a new channel.
    pub id: String,
    /// `"terminal"`, the default, `"file"`, `"kafka"`, `"mail"`, `"dingtalk"`, `"slack"`, `"teams"`, `"webhook"`, `"syslog"`,
    /// `"splunk"`, `"elastic"` or `"alertmanager"`.
    pub kind: ChannelKind,
    /// For `file`: its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// For `kafka`: the topic, which must exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Mildest severity that is told: `INFO`, `LOW`, `MEDIUM`, `HIGH`, `CRITICAL`. Default `"LOW"`.
    pub min_severity: String,
    /// Verdicts that are told: `["PROHIBITED", "UNCOVERED"]`. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<String>,
    /// Ids of the tenants whose findings are told. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// Who reads it: `"officer"` (everything) or `"soc"` (pseudonyms, networks instead of addresses). Default: `"officer"` for
    /// `terminal`, `file` and `mail`, `"soc"` for the other feeds. Chats see counts and a link, and cannot be given more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// For readers `"soc"`: name of the group of readers. Each group has pseudonyms of its own, so that two of them cannot
    /// join what they know. Default `"soc"`.
    pub readers: String,
    /// For `file`, `syslog` and `webhook`: `"finding"` (harbourwatch's own JSON), `"ocsf"` (1.8.0), and for the first two
    /// `"ecs"` or `"cef"`. Default: `"finding"`; for `syslog` `"cef"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Language of texts for people: `"both"` (default), `"en"` or `"zh"` (繁體中文).
    pub languages: String,
    /// Least time between two notices of one finding, in s, 0 to 86400; a graver severity does not wait for it. Default: 0
    /// for `terminal`, `file` and `kafka`, 60 for other feeds, 600 for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u64>,
    /// Whether it hears only of what another channel escalates to it. Default `false`.
    pub only_escalations: bool,
    /// Channel for people that hears when this one gives a message up or its receiver is gone. Default: the first mail
    /// channel, or else the first channel for people, that is not this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble_to: Option<String>,
    /// For `mail`: the server, and from whom to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
    /// For everything that goes by HTTP: where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// For `dingtalk`: how the robot is secured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dingtalk: Option<Dingtalk>,
    /// For `webhook`: the signing secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// For `syslog`: the receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syslog: Option<Syslog>,
    /// For `splunk`: token and index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub splunk: Option<Splunk>,
    /// For `elastic`: key and data stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elastic: Option<Elastic>,
    /// For `alertmanager`: token and repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alertmanager: Option<Alertmanager>,
    /// For people: when they are written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letters: Option<Letters>,
    /// For people: who is told when nobody acknowledges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
    /// For people: who carries the letters while this channel cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            id: String::new(),
            kind: ChannelKind::default(),
            path: None,
            topic: None,
            min_severity: "LOW".into(),
            verdicts: Vec::new(),
            tenants: Vec::new(),
            audience: None,
            readers: "soc".into(),
            format: None,
            languages: "both".into(),
            interval_s: None,
            only_escalations: false,
            trouble_to: None,
            mail: None,
            http: None,
            dingtalk: None,
            webhook: None,
            syslog: None,
            splunk: None,
            elastic: None,
            alertmanager: None,
            letters: None,
            escalation: None,
            fallback: None,
        }
    }
}

/// `[channels.letters]`: when people are written to. All times of day are Hong Kong's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Letters {
    /// Fields by which findings go together in one letter. Default `["rule", "destination"]`. Also possible: `tenant`,
    /// `severity`, `verdict`, `kind`, `origin`, `role`, `item`, `safeguard`, `tag`, `series`.
    pub group_by: Vec<String>,
    /// How long a new CRITICAL finding may gather, in s, 0 to 86400. Default 10.
    pub critical_wait_s: u64,
    /// The same for HIGH. Default 60.
    pub high_wait_s: u64,
    /// The same for MEDIUM. Default 3600.
    pub medium_wait_s: u64,
    /// Gravest severity that is told in the daily summary alone; `""` for none. Default `"LOW"`.
    pub digest_up_to: String,
    /// When the day is summed up: `"09:00"`, the default; `""` for never.
    pub digest_at: String,
    /// When mild findings wait: `"22:00-08:00"`, the default; `""` for never.
    pub quiet: String,
    /// Gravest severity that waits, at most `"HIGH"`. Default `"MEDIUM"`.
    pub quiet_up_to: String,
    /// Whether weekends and general holidays are quiet all day. Default `true`.
    pub quiet_days_off: bool,
    /// After how many hours findings are told again that nobody acknowledged, 1 to 720; 0 for never. Default 24.
    pub remind_h: u64,
    /// Mildest severity of which people are reminded. Default `"MEDIUM"`.
    pub remind_from: String,
    /// For how many days after a finding's last change people are reminded of it, 1 to 365. Default 7.
    pub remind_days: u64,
    /// Most letters in `pace_s`, 1 to 100; one more for what is new and CRITICAL. Default 2.
    pub pace: u64,
    /// Span of `pace`, in s, 10 to 86400. Default 300.
    pub pace_s: u64,
    /// Which findings keep milder ones quiet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inhibit: Vec<Inhibit>,
}

impl Default for Letters {
    fn default() -> Self {
        Self {
            group_by: vec!["rule".into(), "destination".into()],
            critical_wait_s: 10,
            high_wait_s: 60,
            medium_wait_s: 3_600,
            digest_up_to: "LOW".into(),
            digest_at: "09:00".into(),
            quiet: "22:00-08:00".into(),
            quiet_up_to: "MEDIUM".into(),
            quiet_days_off: true,
            remind_h: 24,
            remind_from: "MEDIUM".into(),
            remind_days: 7,
            pace: 2,
            pace_s: 300,
            inhibit: Vec::new(),
        }
    }
}

/// `[[channels.letters.inhibit]]`: while a finding meets all of `source`, those that meet all of `target` and agree with it in
/// `equal` are counted and not told. Conditions are `field=value` or `field!=value`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inhibit {
    /// What the graver finding must be: `["severity=CRITICAL"]`.
    pub source: Vec<String>,
    /// What the milder finding must be: `["severity=MEDIUM"]`.
    pub target: Vec<String>,
    /// Fields in which the two must agree: `["tenant", "destination"]`.
    pub equal: Vec<String>,
}

/// `[channels.escalation]`: who is told when nobody acknowledges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Escalation {
    /// Id of the deputy's channel, one for people.
    pub to: String,
    /// Time to acknowledge a CRITICAL finding, in min, 1 to 10080. Default 60.
    pub critical_min: u64,
    /// The same for HIGH. Default 240.
    pub high_min: u64,
}

impl Default for Escalation {
    fn default() -> Self {
        Self { to: String::new(), critical_min: 60, high_min: 240 }
    }
}

/// `[channels.fallback]`: who carries the letters while this channel cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fallback {
    /// Id of that channel, one for people.
    pub to: String,
    /// After how much failure, in min, 1 to 1440. Default 15.
    pub after_min: u64,
}

impl Default for Fallback {
    fn default() -> Self {
        Self { to: String::new(), after_min: 15 }
    }
}
