//! Says at the start which channels lead outside Hong Kong: what is told there is itself a flow of data, which the register
//! should know. Names are looked up beside the start, which waits for nobody.

use std::net::ToSocketAddrs as _;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::deliver::channel::http;
use crate::domain::place::{Doubt, Location};
use crate::pipeline::world::World;
use crate::settings::{Channel, ChannelWay, Settings};

/// What is known of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lies {
    /// In Hong Kong, or within the operator's own network.
    Here,
    /// There.
    Outside(String),
    /// Nobody knows.
    Unknown,
}

/// Warns of channels whose endpoint lies outside Hong Kong, or nobody knows where.
///
/// # Errors
/// The system refuses the thread.
pub fn warn(settings: &Settings, world: &Arc<ArcSwap<World>>) -> std::io::Result<()> {
    let found = settings.channels.iter().flat_map(|channel| {
        let id = channel.spec.name.clone();
        endpoints(settings, channel).into_iter().map(move |(host, port)| (id.clone(), host, port))
    });
    let found: Vec<_> = found.collect();
    let world = Arc::clone(world);
    let look = move || {
        for (channel, host, port) in found {
            match lies(&world.load(), &host, port) {
                Lies::Here => {}
                Lies::Outside(place) => tracing::warn!(
                    channel,
                    host,
                    place,
                    "the channel's endpoint lies outside Hong Kong; what it is told leaves Hong Kong"
                ),
                Lies::Unknown => tracing::warn!(
                    channel,
                    host,
                    "nobody knows where the channel's endpoint lies; what it is told may leave Hong Kong"
                ),
            }
        }
    };
    std::thread::Builder::new().name("endpoints".to_owned()).spawn(look)?;
    Ok(())
}

/// Hosts and ports that a channel connects to.
fn endpoints(settings: &Settings, channel: &Channel) -> Vec<(String, u16)> {
    match &channel.way {
        ChannelWay::Terminal | ChannelWay::File(..) => Vec::new(),
        ChannelWay::Kafka(_) => {
            let split = |broker: &String| {
                let (host, port) = broker.rsplit_once(':')?;
                Some((host.to_owned(), port.parse().ok()?))
            };
            settings.kafka.brokers.iter().filter_map(split).collect()
        }
        ChannelWay::Mail(options) => vec![(options.server.clone(), options.port)],
        ChannelWay::Syslog(options, _) => vec![(options.host.clone(), options.port)],
        ChannelWay::Dingtalk(options, ..)
        | ChannelWay::Slack(options)
        | ChannelWay::Teams(options)
        | ChannelWay::Webhook(options, ..)
        | ChannelWay::Splunk(options, ..)
        | ChannelWay::Elastic(options, ..)
        | ChannelWay::Alertmanager(options, ..) => {
            // an address by reference that cannot be read now will be a failure of the channel itself
            options.address.url().ok().and_then(|url| http::host(&url)).into_iter().collect()
        }
    }
}

fn lies(world: &World, host: &str, port: u16) -> Lies {
    let by_name = world.geo.host(host).filter(|location| location.candidates.iter().next().is_some());
    if let Some(location) = by_name {
        return of(&location);
    }
    let Ok(addresses) = (host, port).to_socket_addrs() else { return Lies::Unknown };
    let mut all: Vec<Lies> = addresses.map(|address| of(&world.geo.ip(address.ip()))).collect();
    // one that leads outside says more than one that nobody knows
    all.sort_by_key(|lies| match lies {
        Lies::Outside(_) => 0,
        Lies::Unknown => 1,
        Lies::Here => 2,
    });
    all.into_iter().next().unwrap_or(Lies::Unknown)
}

fn of(location: &Location) -> Lies {
    if location.doubt == Some(Doubt::Private) {
        return Lies::Here;
    }
    match location.candidates.iter().find(|place| !place.is_hk()) {
        Some(place) => Lies::Outside(place.code().to_owned()),
        None if location.candidates.iter().next().is_some() => Lies::Here,
        None => Lies::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::wire;

    #[test]
    fn a_channel_that_leads_outside_is_known_by_name_or_address() {
        let settings: Settings = crate::settings::EXAMPLE_BANK.parse().unwrap();
        let world = wire::world(&settings).unwrap();
        let lies = |host| lies(&world, host, 443);
        assert_eq!(lies("127.0.0.1"), Lies::Here);
        assert_eq!(lies("10.1.2.3"), Lies::Here);
        assert_eq!(lies("oss-ap-southeast-1.aliyuncs.com"), Lies::Outside("SG".into()));
        assert_eq!(lies("no-such-host.invalid"), Lies::Unknown);
    }
}
