//! Where each kind of channel leads.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{self, ChannelKind, Path};
use crate::deliver::channel::http::{self, Address};
use crate::deliver::channel::tls::Trust;
use crate::deliver::channel::{mail, syslog};
use crate::deliver::render::Format;
use crate::deliver::render::splunk::Filing;
use crate::deliver::render::webhook::Data;

use super::super::check::Check;
use super::{ChannelWay, ms};

/// The way of a channel; `None` where a fault was noted.
pub(super) fn way(check: &mut Check<'_>, path: &Path, written: &config::Channel) -> Option<ChannelWay> {
    of_its_kind(check, path, written);
    let format = format(check, path, written);
    match written.kind {
        ChannelKind::Terminal => Some(ChannelWay::Terminal),
        ChannelKind::File => match written.path.clone().filter(|file| !file.as_os_str().is_empty()) {
            Some(file) => Some(ChannelWay::File(file, format?)),
            None => {
                check.fault(path.key("path"), "", "missing; name the file that the channel appends to");
                None
            }
        },
        ChannelKind::Kafka => {
            let topic = written.topic.clone().unwrap_or_default();
            super::super::kafka::topic(check, path.key("topic"), &topic);
            Some(ChannelWay::Kafka(topic))
        }
        ChannelKind::Mail => mail(check, &path.key("mail"), &written.mail.clone().unwrap_or_default())
            .map(|options| ChannelWay::Mail(Box::new(options))),
        ChannelKind::Syslog => syslog(check, &path.key("syslog"), &written.syslog.clone().unwrap_or_default(), format?),
        ChannelKind::Dingtalk
        | ChannelKind::Slack
        | ChannelKind::Teams
        | ChannelKind::Webhook
        | ChannelKind::Splunk
        | ChannelKind::Elastic
        | ChannelKind::Alertmanager => {
            let options = http(check, &path.key("http"), &written.http.clone().unwrap_or_default())?;
            by_http(check, path, written, options, format?)
        }
    }
}

/// Keys and sections that belong to another kind are faults.
fn of_its_kind(check: &mut Check<'_>, path: &Path, written: &config::Channel) {
    use ChannelKind as K;
    let by_http = [K::Dingtalk, K::Slack, K::Teams, K::Webhook, K::Splunk, K::Elastic, K::Alertmanager];
    let keys: [(&str, bool, &[ChannelKind]); 11] = [
        ("path", written.path.is_some(), &[K::File]),
        ("topic", written.topic.is_some(), &[K::Kafka]),
        ("format", written.format.is_some(), &[K::File, K::Syslog, K::Webhook]),
        ("mail", written.mail.is_some(), &[K::Mail]),
        ("http", written.http.is_some(), &by_http),
        ("dingtalk", written.dingtalk.is_some(), &[K::Dingtalk]),
        ("webhook", written.webhook.is_some(), &[K::Webhook]),
        ("syslog", written.syslog.is_some(), &[K::Syslog]),
        ("splunk", written.splunk.is_some(), &[K::Splunk]),
        ("elastic", written.elastic.is_some(), &[K::Elastic]),
        ("alertmanager", written.alertmanager.is_some(), &[K::Alertmanager]),
    ];
    for (key, given, kinds) in keys {
        if given && !kinds.contains(&written.kind) {
            let shown = match key {
                "path" => written.path.as_ref().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
                "topic" => written.topic.clone().unwrap_or_default(),
                _ => String::new(),
            };
            let names: Vec<_> = kinds.iter().map(|kind| format!("{:?}", format!("{kind:?}").to_lowercase())).collect();
            let remedy = format!("only with kind = {}; remove it, or change the kind", names.join(", "));
            check.fault(path.key(key), &shown, remedy);
        }
    }
}

fn format(check: &mut Check<'_>, path: &Path, written: &config::Channel) -> Option<Format> {
    let usual = if written.kind == ChannelKind::Syslog { Format::Cef } else { Format::Finding };
    let Some(name) = &written.format else { return Some(usual) };
    let names = Format::ALL.map(Format::name);
    let known =
        if written.kind == ChannelKind::Webhook { names.get(..2).unwrap_or_default() } else { names.as_slice() };
    let read = |name: &str| Format::parse(name).filter(|format| known.contains(&format.name()));
    check.one_of(path.key("format"), name, read, known)
}

fn mail(check: &mut Check<'_>, path: &Path, written: &config::Mail) -> Option<mail::Options> {
    if written.server.is_empty() {
        check.fault(path.key("server"), "", "missing; name the mail server: \"smtp.example.com\"");
    }
    let read = |name: &str| match name {
        "starttls" => Some((mail::Security::StartTls, 587)),
        "tls" => Some((mail::Security::Tls, 465)),
        "none" => Some((mail::Security::None, 25)),
        _ => None,
    };
    let security = check.one_of(path.key("security"), &written.security, read, &["starttls", "tls", "none"]);
    if written.username.is_some() != written.password.is_some() {
        let missing = if written.username.is_some() { "password" } else { "username" };
        check.fault(path.key(missing), "", "missing; user and password go together");
    }
    if written.username.is_some() && written.security == "none" {
        let remedy =
            "a password goes over an encrypted connection only; write \"starttls\" or \"tls\", or remove username";
        check.fault(path.key("security"), &written.security, remedy);
    }
    if written.to.is_empty() {
        check.fault(path.key("to"), "", "missing; name at least one recipient: [\"dpo@example.com\"]");
    }
    let address = |check: &mut Check<'_>, path: Path, text: &str| {
        // the address is one of a person and is not shown
        let parsed = text.parse::<lettre::message::Mailbox>().ok();
        if parsed.is_none() {
            check.fault(path, "", "no mail address; write \"dpo@example.com\" or \"Name <dpo@example.com>\"");
        }
        parsed
    };
    let from = address(check, path.key("from"), &written.from);
    let to: Vec<_> =
        written.to.iter().enumerate().filter_map(|(i, to)| address(check, path.key("to").index(i), to)).collect();
    let (security, usual_port) = security?;
    Some(mail::Options {
        server: written.server.clone(),
        port: written.port.unwrap_or(usual_port),
        security,
        trust: Trust { ca: written.ca.clone(), identity: None },
        credentials: written.username.clone().zip(written.password.clone()),
        from: from?,
        to,
    })
}

fn syslog(check: &mut Check<'_>, path: &Path, written: &config::Syslog, format: Format) -> Option<ChannelWay> {
    let read = |text: &str| {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then_some((host.to_owned(), port.parse::<u16>().ok()?))
    };
    let remedy = "write host and port: \"siem.example.com:6514\"";
    let address = check.word(path.key("address"), &written.address, read, remedy);
    if written.plaintext {
        if written.ca.is_some() || written.cert.is_some() || written.key.is_some() {
            check.fault(
                path.key("plaintext"),
                "",
                "certificates are of no use without encryption; remove one or the other",
            );
        }
        check.warn(&path.key("plaintext"), "notices go over the network in clear");
    }
    let trust = trust(check, path, &written.ca, &written.cert, &written.key);
    let (host, port) = address?;
    let tls = (!written.plaintext).then_some(trust);
    Some(ChannelWay::Syslog(syslog::Options { host, port, tls }, format))
}

fn trust(
    check: &mut Check<'_>,
    path: &Path,
    ca: &Option<PathBuf>,
    cert: &Option<PathBuf>,
    key: &Option<PathBuf>,
) -> Trust {
    if cert.is_some() != key.is_some() {
        let missing = if cert.is_some() { "key" } else { "cert" };
        check.fault(path.key(missing), "", "missing; a client certificate and its key go together");
    }
    Trust { ca: ca.clone(), identity: cert.clone().zip(key.clone()) }
}

fn http(check: &mut Check<'_>, path: &Path, written: &config::Http) -> Option<http::Options> {
    check.range(path.key("timeout_s"), written.timeout_s, 1, 300);
    if let Some(proxy) = &written.proxy
        && http::host(proxy).is_none()
    {
        // a proxy's address may hold a password
        check.fault(path.key("proxy"), "", "no address; write \"http://proxy.example.com:3128\"");
    }
    let address = match (&written.url, &written.url_from) {
        (Some(url), None) => plain_address(check, path, url, written.allow_plaintext),
        (None, Some(reference)) => Some(Address::Secret(reference.clone())),
        (Some(_), Some(_)) => {
            check.fault(path.key("url_from"), "", "url is there too; remove one of them");
            None
        }
        (None, None) => {
            let remedy = "missing; write the address, or url_from = \"file:/path\" where it holds a token";
            check.fault(path.key("url"), "", remedy);
            None
        }
    };
    let trust = trust(check, path, &written.ca, &written.cert, &written.key);
    Some(http::Options {
        address: address?,
        trust,
        proxy: written.proxy.clone(),
        timeout: Duration::from_secs(written.timeout_s),
        allow_local: written.allow_local,
        allow_plaintext: written.allow_plaintext,
    })
}

fn plain_address(check: &mut Check<'_>, path: &Path, url: &str, plaintext: bool) -> Option<Address> {
    let is_fit = http::host(url).is_some() && (plaintext || url.trim().starts_with("https://"));
    if !is_fit {
        // what follows the host may be a secret, in the wrong place
        let remedy = "no https address; write \"https://host/path\" (or set allow_plaintext for http)";
        check.fault(path.key("url"), &http::shown(url), remedy);
        return None;
    }
    Some(Address::Plain(url.trim().to_owned()))
}

fn by_http(
    check: &mut Check<'_>,
    path: &Path,
    written: &config::Channel,
    options: http::Options,
    format: Format,
) -> Option<ChannelWay> {
    let has_token = matches!(options.address, Address::Secret(_));
    let chat = |check: &mut Check<'_>, way: ChannelWay| {
        if !has_token {
            check.fault(
                path.key("http").key("url"),
                "",
                "this address holds a token; write url_from = \"file:/path\" instead",
            );
        }
        Some(way)
    };
    match written.kind {
        ChannelKind::Dingtalk => {
            let robot = written.dingtalk.clone().unwrap_or_default();
            chat(check, ChannelWay::Dingtalk(options, robot.secret, robot.keyword))
        }
        ChannelKind::Slack => chat(check, ChannelWay::Slack(options)),
        ChannelKind::Teams => chat(check, ChannelWay::Teams(options)),
        ChannelKind::Webhook => {
            let secrets = written.webhook.clone().unwrap_or_default().secrets;
            if secrets.is_empty() {
                check.fault(path.key("webhook").key("secrets"), "", "missing; name at least one signing secret");
            }
            let data = if format == Format::Ocsf { Data::Ocsf } else { Data::Finding };
            Some(ChannelWay::Webhook(options, secrets, data))
        }
        ChannelKind::Splunk => {
            let config::Splunk { token, index, sourcetype } = written.splunk.clone().unwrap_or_default();
            if token.is_none() {
                check.fault(
                    path.key("splunk").key("token"),
                    "",
                    "missing; write \"file:/path\", \"env:NAME\" or \"cred:name\"",
                );
            }
            Some(ChannelWay::Splunk(options, token?, Filing { index, sourcetype }))
        }
        ChannelKind::Elastic => {
            let config::Elastic { api_key, stream } = written.elastic.clone().unwrap_or_default();
            let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
            if stream.is_empty() || !stream.bytes().all(is_name) {
                check.fault(
                    path.key("elastic").key("stream"),
                    &stream,
                    "write a name of lower-case letters, digits, \".\", \"_\", \"-\"",
                );
            }
            Some(ChannelWay::Elastic(options, api_key, stream))
        }
        ChannelKind::Alertmanager => {
            let config::Alertmanager { token, repeat_s, hours } = written.alertmanager.clone().unwrap_or_default();
            check.range(path.key("alertmanager").key("repeat_s"), repeat_s, 10, 3_600);
            check.range(path.key("alertmanager").key("hours"), hours, 1, 720);
            Some(ChannelWay::Alertmanager(options, token, ms(repeat_s, 1_000)))
        }
        ChannelKind::Terminal | ChannelKind::File | ChannelKind::Kafka | ChannelKind::Mail | ChannelKind::Syslog => {
            None
        }
    }
}
