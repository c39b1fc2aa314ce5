//! What is reached by network: the admin server's address, brokers with topics and grants, receivers of notices.

use std::net::{SocketAddr, TcpListener};

use super::Report;
use crate::app::health;
use crate::app::summary::grouped;
use crate::kafka::Probe;
use crate::settings::{ChannelWay, Settings, SourceSettings};
use crate::source::kafka::Options;

/// Whether a service answers there, or could listen there.
pub(super) fn admin(report: &mut Report, address: SocketAddr) {
    match health::state(address) {
        Ok((true, _)) => report.good("admin server", format!("a service answers on {address} and is ready")),
        Ok((false, said)) => {
            report.look("admin server", format!("a service answers on {address} and is not ready: {said}"));
        }
        Err(_) => match TcpListener::bind(address) {
            Ok(_) => report.good("admin server", format!("{address} is free; no service runs there")),
            Err(error) => report.wrong("admin server", format!("{address}: {error}; choose another one under [admin]")),
        },
    }
    if !address.ip().is_loopback() {
        report.look(
            "admin server",
            format!("{address} is not loopback, and has no password: let only Prometheus reach it"),
        );
    }
}

/// Topics, grants and lag, as far as they can be asked for.
pub(super) fn brokers(report: &mut Report, settings: &Settings) {
    let source = match &settings.source {
        SourceSettings::Kafka(options) => Some(&**options),
        SourceSettings::Replay(_) => None,
    };
    let written = written(settings);
    if source.is_none() && written.is_empty() {
        return;
    }
    let group = source.map_or("harbourwatch-doctor", |options| &options.group);
    let probe = match Probe::open(&settings.kafka, group) {
        Ok(probe) => probe,
        Err(error) => return report.wrong("brokers", error.to_string()),
    };
    match probe.brokers() {
        Ok(brokers) => report.good("brokers", format!("{brokers} answer to this user")),
        Err(trouble) => return report.wrong("brokers", trouble.to_string()),
    }
    source.into_iter().for_each(|options| topics(report, &probe, options));
    for topic in written {
        match probe.partitions(topic) {
            Ok(found) => {
                let said = format!("{} partitions; the right to write is not tried, for nothing is sent", found.len());
                report.good(format!("topic {topic}"), said);
            }
            Err(trouble) => report.wrong(format!("topic {topic}"), trouble.to_string()),
        }
    }
}

/// Topics that the process writes.
fn written(settings: &Settings) -> Vec<&str> {
    let mut topics: Vec<_> = settings.dead_letter_topic.as_deref().into_iter().collect();
    if let SourceSettings::Kafka(options) = &settings.source {
        topics.extend(options.verdicts.as_deref());
    }
    for channel in &settings.channels {
        if let ChannelWay::Kafka(topic) = &channel.way {
            topics.push(topic);
        }
    }
    topics
}

fn topics(report: &mut Report, probe: &Probe, options: &Options) {
    for topic in &options.topics {
        let about = format!("topic {topic}");
        if topic.starts_with('^') {
            report.good(about, "a pattern; which topics it names is seen at the start");
            continue;
        }
        let partitions = match probe.partitions(topic) {
            Ok(partitions) => partitions,
            Err(trouble) => {
                report.wrong(about, trouble.to_string());
                continue;
            }
        };
        match probe.lag(topic, &partitions) {
            Ok(lag) => {
                let said = format!("{} partitions, {} records not taken yet", partitions.len(), grouped(lag));
                report.good(about, said);
            }
            Err(trouble) => report.wrong(format!("group {}", options.group), trouble.to_string()),
        }
    }
}
