//! The other forms of a feed, as they are and with every audience.

use harbourwatch::deliver::render::{Format, alertmanager, cloudevents, elastic, splunk, syslog, webhook};
use harbourwatch::deliver::{Audience, Notice, Step};
use harbourwatch::domain::verdict::{Severity, Verdict};
use serde_json::Value;

use super::{context, notice};
use crate::support::findings::{MORNING, finding};
use crate::support::golden;

const NOW: i64 = MORNING + 100_000;

fn soc() -> Notice {
    notice(&finding(Verdict::Uncovered), Audience::Soc)
}

#[test]
fn the_forms_are_these() {
    for audience in Audience::ALL {
        let notice = notice(&finding(Verdict::Uncovered), audience);
        for format in [Format::Finding, Format::Ecs] {
            let (line, cut) = format.line(&notice, &context());
            assert_eq!(cut, 0);
            golden(&format!("feeds/{}.{}.json", audience.name(), format.name()), &format!("{line}\n"));
        }
    }
    let filing = splunk::Filing { index: Some("privacy".into()), sourcetype: "harbourwatch:ocsf".into() };
    golden("feeds/splunk.json", &format!("{}\n", splunk::envelope(&soc(), &context(), &filing)));
    golden("feeds/elastic.ndjson", &elastic::lines(&soc(), &context()));
    let bodies = [webhook::Data::Finding, webhook::Data::Ocsf].map(|data| webhook::body(&soc(), &context(), data));
    golden("feeds/webhook.ndjson", &format!("{}\n{}\n", bodies[0], bodies[1]));
    golden("feeds/alertmanager.json", &alertmanager::alerts(&[alertmanager::alert(&soc(), &context(), NOW, 60_000)]));
    let frame = syslog::frame(Severity::High, NOW, "3f2a.2", "CEF:0|…", &context());
    golden("feeds/syslog.txt", &String::from_utf8(frame).unwrap());
    let event = cloudevents::event(&soc(), &context());
    let headers: Vec<String> = event.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    golden("feeds/cloudevents.txt", &format!("key: {}\n{}", event.key, headers.concat()));
}

#[test]
fn every_form_says_the_same_at_every_try() {
    for format in Format::ALL {
        assert_eq!(format.line(&soc(), &context()), format.line(&soc(), &context()));
    }
}

#[test]
fn an_alert_fires_until_somebody_takes_it_in_hand() {
    let alert = |step| {
        let notice = Notice { step, ..soc() };
        serde_json::from_str::<Value>(&alertmanager::alert(&notice, &context(), NOW, 60_000)).unwrap()
    };
    let ends = |alert: &Value| alert["endsAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert_eq!(ends(&alert(Step::Created)), NOW + 240_000);
    assert_eq!(ends(&alert(Step::Repeated)), NOW + 240_000);
    assert_eq!(ends(&alert(Step::Acknowledged)), NOW);
    assert_eq!(alert(Step::Created)["labels"], alert(Step::Acknowledged)["labels"], "labels tell alerts apart");
}

#[test]
fn a_test_says_so_in_every_form() {
    let test = Notice { test: true, ..soc() };
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Finding) {
        assert!(format.line(&test, &context()).0.contains("TEST, no finding"), "{format:?}");
    }
    assert!(webhook::body(&test, &context(), webhook::Data::Finding).contains("harbourwatch.test"));
    assert!(alertmanager::alert(&test, &context(), NOW, 1).contains("\"test\":\"true\""));
}

#[test]
fn a_feed_for_the_soc_is_thin_enough_for_its_receivers() {
    assert!(webhook::body(&soc(), &context(), webhook::Data::Ocsf).len() < 20_000, "Standard Webhooks: under 20 kB");
    let frame = syslog::frame(Severity::High, NOW, &soc().id, &Format::Cef.line(&soc(), &context()).0, &context());
    assert!(frame.len() <= 2_048, "{} bytes: RFC 5425 receivers must take 2,048", frame.len());
}
