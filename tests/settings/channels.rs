//! Channels of the configuration: what is refused, with what remedy, and what the example comes to.

#![allow(clippy::unwrap_used)]

use harbourwatch::deliver::Audience;
use harbourwatch::domain::verdict::Severity;
use harbourwatch::outbox::{Manner, Wait};
use harbourwatch::settings::{Channel, Settings, effective};

use super::assert_only_fault;

const CHANNELS: &str = include_str!("../../config/channels.toml");

fn example() -> Settings {
    CHANNELS.parse().unwrap_or_else(|faults| panic!("{faults}"))
}

fn channel<'a>(settings: &'a Settings, id: &str) -> &'a Channel {
    settings.channels.iter().find(|channel| channel.spec.name == id).unwrap()
}

#[test]
fn the_example_is_compiled_as_written_and_reads_back() {
    let settings = example();
    assert_eq!(settings.channels.len(), 13);
    let officer = &channel(&settings, "officer").spec;
    assert_eq!(officer.manner, Manner::Letters);
    let wait = |severity: Severity| officer.waits[severity as usize];
    assert_eq!((wait(Severity::Critical), wait(Severity::Medium)), (Wait::After(10_000), Wait::After(3_600_000)));
    assert_eq!((wait(Severity::Low), wait(Severity::Info)), (Wait::Digest, Wait::Digest));
    let escalation = officer.escalation.as_ref().unwrap();
    assert_eq!(escalation.to, "deputy");
    assert_eq!(escalation.within, [None, None, None, Some(4 * 3_600_000), Some(3_600_000)]);
    assert_eq!(officer.trouble_to.as_deref(), Some("deputy"), "its own trouble is told by another");
    assert_eq!(channel(&settings, "siem").spec.trouble_to.as_deref(), Some("officer"));
    assert_eq!(channel(&settings, "group").spec.fallback, Some(("officer".into(), 900_000)));
    let audiences = [("officer", Audience::Officer), ("group", Audience::Chat), ("siem", Audience::Soc)];
    for (id, audience) in audiences {
        assert_eq!(channel(&settings, id).audience, audience, "{id}");
    }
    let again: Settings = effective(&settings).parse().unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(again.channels, settings.channels);
}

#[test]
fn what_a_channel_cannot_do_is_a_fault_with_its_remedy() {
    let mail = "[[channels]]\nid = \"c\"\nkind = \"mail\"\n[channels.mail]\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]\n";
    let server = "server = \"smtp.example.com\"\n";
    let http = "[channels.http]\nurl = \"https://x.example.com\"\n";
    let cases = [
        (mail.to_owned(), "channels[0].mail.server", "", "name the mail server"),
        (
            format!("{mail}{server}security = \"none\"\nusername = \"u\"\npassword = \"env:PW\""),
            "channels[0].mail.security",
            "\"none\"",
            "encrypted connection only",
        ),
        (format!("{mail}{server}username = \"u\""), "channels[0].mail.password", "", "go together"),
        (format!("{mail}{server}[channels.escalation]\nto = \"c\""), "channels[0].escalation.to", "\"c\"", "itself"),
        (
            format!("{mail}{server}[channels.letters]\nquiet = \"22-8\""),
            "channels[0].letters.quiet",
            "\"22-8\"",
            "22:00",
        ),
        (
            format!("{mail}{server}[channels.letters]\ndigest_at = \"\""),
            "channels[0].letters.digest_up_to",
            "\"LOW\"",
            "no daily summary",
        ),
        (
            format!("{mail}{server}[channels.letters]\ngroup_by = [\"actor\"]"),
            "channels[0].letters.group_by[0]",
            "\"actor\"",
            "unknown field",
        ),
        (format!("[[channels]]\nid = \"c\"\nkind = \"slack\"\n{http}"), "channels[0].http.url", "", "holds a token"),
        (
            "[[channels]]\nid = \"c\"\nkind = \"webhook\"\n[channels.http]\nurl = \"http://x.example.com/s3cret\"\n\
            [channels.webhook]\nsecrets = [\"env:S\"]"
                .to_owned(),
            "channels[0].http.url",
            "\"http://x.example.com/…\"",
            "https address",
        ),
        (format!("[[channels]]\nid = \"c\"\nkind = \"webhook\"\n{http}"), "channels[0].webhook.secrets", "", "missing"),
        (format!("[[channels]]\nid = \"c\"\nkind = \"splunk\"\n{http}"), "channels[0].splunk.token", "", "missing"),
        (
            "[[channels]]\nid = \"c\"\nkind = \"syslog\"\n[channels.syslog]\naddress = \"siem\"".to_owned(),
            "channels[0].syslog.address",
            "\"siem\"",
            "host and port",
        ),
        ("[[channels]]\nid = \"c\"\n[channels.letters]".to_owned(), "channels[0].letters", "", "for people"),
        (
            "[[channels]]\nid = \"c\"\naudience = \"chat\"".to_owned(),
            "channels[0].audience",
            "\"chat\"",
            "officer, soc",
        ),
        ("[[channels]]\nid = \"c\"\ntrouble_to = \"x\"".to_owned(), "channels[0].trouble_to", "\"x\"", "not declared"),
    ];
    for (more, path, value, remedy) in cases {
        assert_only_fault(&more, path, value, remedy);
    }
}
