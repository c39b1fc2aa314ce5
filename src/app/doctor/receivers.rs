//! Channels as far as they can be tried without a message: their secrets are there, their receivers answer, are whom their names
//! say, and (mail) take the password.

use std::path::Path;
use std::time::Duration;

use super::Report;
use crate::app::channels::context;
use crate::deliver::channel::http::{self, Options};
use crate::deliver::channel::{Mail, dial};
use crate::secret::SecretRef;
use crate::settings::{Channel, ChannelWay, Settings};

/// Longest wait for a receiver.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at each channel; asks nobody outside this machine if `offline`.
pub(super) fn channels(report: &mut Report, settings: &Settings, offline: bool) {
    if settings.channels.is_empty() {
        report.look("channels", "none: nobody is told of findings; name one under [[channels]]");
    }
    for channel in &settings.channels {
        let about = format!("channel {}", channel.spec.name);
        let lacking = secrets(&channel.way).into_iter().find_map(|secret| secret.resolve().err());
        if let Some(error) = lacking {
            report.wrong(about, format!("{error}; without it nothing can be sent"));
        } else if let Some(folder) = absent_folder(&channel.way) {
            report.look(about, format!("{} is not there yet", folder.display()));
        } else if offline {
            report.good(about, "configured, its secrets are there; nobody was asked");
        } else {
            ask(report, about, settings, channel);
        }
    }
}

fn ask(report: &mut Report, about: String, settings: &Settings, channel: &Channel) {
    let asked = match &channel.way {
        ChannelWay::Terminal | ChannelWay::File(..) => {
            report.good(about, "needs no receiver");
            return;
        }
        ChannelWay::Kafka(topic) => {
            report.good(about, format!("see topic {topic}"));
            return;
        }
        ChannelWay::Mail(options) => {
            let mail = Mail::new(channel.audience, (**options).clone(), channel.languages, context(settings));
            mail.greet().map(|()| "the server greets").map_err(|error| error.to_string())
        }
        ChannelWay::Syslog(options, _) => {
            let asked = dial::try_out(&options.host, options.port, options.tls.as_ref(), PATIENCE);
            asked.map(|()| answers(options.tls.is_some())).map_err(|why| format!("syslog {options}: {why}"))
        }
        ChannelWay::Dingtalk(options, ..)
        | ChannelWay::Slack(options)
        | ChannelWay::Teams(options)
        | ChannelWay::Webhook(options, ..)
        | ChannelWay::Splunk(options, ..)
        | ChannelWay::Elastic(options, ..)
        | ChannelWay::Alertmanager(options, ..) => by_http(options),
    };
    let name = &channel.spec.name;
    match asked {
        Ok(said) => report.good(about, format!("{said}; no message was sent: harbourwatch notify test {name}")),
        Err(why) => report.wrong(about, format!("{why}; what is owed waits until it answers")),
    }
}

fn answers(encrypted: bool) -> &'static str {
    if encrypted { "the receiver answers and is whom its name says" } else { "the receiver answers" }
}

/// Of the address no more than scheme and host is told.
fn by_http(options: &Options) -> Result<&'static str, String> {
    if let Some(proxy) = &options.proxy {
        let (host, port) = http::host(proxy).ok_or("the proxy is no address")?;
        let tried = dial::try_out(&host, port, None, PATIENCE).map_err(|why| format!("proxy {host}:{port}: {why}"));
        return tried.map(|()| "the proxy answers; whether the receiver does is not seen from here");
    }
    let url = options.address.url().map_err(|error| error.to_string())?;
    let shown = http::shown(&url);
    let (host, port) = http::host(&url).ok_or("the address is no URL of HTTP")?;
    let encrypted = url.starts_with("https:");
    let tried = dial::try_out(&host, port, encrypted.then_some(&options.trust), PATIENCE);
    tried.map(|()| answers(encrypted)).map_err(|why| format!("{shown}: {why}"))
}

/// What the channel needs to have read before it can send.
fn secrets(way: &ChannelWay) -> Vec<&SecretRef> {
    match way {
        ChannelWay::Terminal | ChannelWay::File(..) | ChannelWay::Kafka(_) | ChannelWay::Syslog(..) => Vec::new(),
        ChannelWay::Mail(options) => options.credentials.iter().map(|(_, password)| password).collect(),
        ChannelWay::Slack(options) | ChannelWay::Teams(options) => options.address.secret().into_iter().collect(),
        ChannelWay::Webhook(options, secrets, _) => options.address.secret().into_iter().chain(secrets).collect(),
        ChannelWay::Splunk(options, token, _) => options.address.secret().into_iter().chain([token]).collect(),
        ChannelWay::Dingtalk(options, secret, _) | ChannelWay::Elastic(options, secret, _) => {
            options.address.secret().into_iter().chain(secret).collect()
        }
        ChannelWay::Alertmanager(options, token, _) => options.address.secret().into_iter().chain(token).collect(),
    }
}

fn absent_folder(way: &ChannelWay) -> Option<&Path> {
    let ChannelWay::File(path, _) = way else { return None };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    (!folder.is_dir()).then_some(folder)
}
