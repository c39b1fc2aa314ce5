//! Letters to people in every markup and language, about one finding, many, a day, trouble.

use harbourwatch::deliver::letter::{
    Arrangement, Digest, FlowSum, Held, Intake, Kind, Letter, Mishap, Reason, Remark, Shown, Sum, Trouble,
};
use harbourwatch::deliver::render::letter::{html, markdown, sheets, slack, subject, teams, text};
use harbourwatch::deliver::render::officer::Languages;
use harbourwatch::deliver::render::plain;
use harbourwatch::deliver::{Audience, View};
use harbourwatch::domain::event::Personal;
use harbourwatch::domain::verdict::{Severity, Verdict};
use harbourwatch::outbox::Finding;

use super::hostile::{corpus, everywhere};
use super::{context, key};
use crate::support::findings::{MORNING, acts, sample};
use crate::support::golden;

const NOW: i64 = MORNING + 100_000;

fn shown(finding: &Finding, audience: Audience) -> Shown {
    Shown { view: View::with_key(finding, audience, Some(&key())), new: finding.count }
}

pub(crate) fn letter(kind: Kind, audience: Audience, findings: &[Finding]) -> Letter {
    let sum = |finding: &Finding| Sum {
        severity: finding.severity,
        verdict: Verdict::parse(&finding.facts.verdict).unwrap(),
        findings: 1,
        records: finding.count,
    };
    Letter {
        id: "8d1f00c2a7b34e55c9f0".into(),
        kind,
        thread: findings.first().map_or_else(|| "digest".into(), |finding| finding.id.clone()),
        at: NOW,
        audience,
        shown: findings.iter().map(|finding| shown(finding, audience)).collect(),
        sums: findings.iter().map(sum).collect(),
        held: Vec::new(),
        troubles: Vec::new(),
        digest: None,
        moved_from: None,
    }
}

fn flagged() -> Vec<Finding> {
    let verdicts = [Verdict::Prohibited, Verdict::Uncovered, Verdict::Defect, Verdict::Undetermined];
    verdicts.into_iter().map(sample).collect()
}

/// A storm: eight findings shown, thirty in all.
fn many(audience: Audience) -> Letter {
    let mut findings = flagged();
    findings.extend(flagged());
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut letter = letter(Kind::Findings, audience, &findings);
    letter.sums = vec![
        Sum { severity: Severity::High, verdict: Verdict::Uncovered, findings: 19, records: 81_204 },
        Sum { severity: Severity::Critical, verdict: Verdict::Prohibited, findings: 11, records: 18_796 },
    ];
    letter.held = vec![
        Held { reason: Reason::Silence(4), findings: 3, records: 120 },
        Held { reason: Reason::Inhibited, findings: 2, records: 2 },
    ];
    letter
}

fn digest(audience: Audience) -> Letter {
    let flow = |kind: &str, verdict: &str, findings, records| FlowSum {
        kind: kind.into(),
        verdict: verdict.into(),
        findings,
        records,
    };
    let recipient = Personal::new("Alpha Cloud Pte Ltd".to_owned());
    let mut letter = letter(Kind::Digest, audience, &[]);
    letter.held = vec![Held { reason: Reason::Digest, findings: 41, records: 377 }];
    letter.digest = Some(Digest {
        from: NOW - 86_400_000,
        to: NOW,
        flows: vec![flow("upload", "UNCOVERED", 12, 3_204), flow("access", "UNDETERMINED", 40, 61), flow("send", "COVERED", 1, 1)],
        arrangements: vec![Arrangement { kind: "upload".into(), destination: "SG".into(), recipient, verdict: "UNCOVERED".into() }],
        expiring: vec![("alpha-cloud-rmc".into(), 20_790)],
        open: 7,
        intake: Intake { received: 1_000_000, judged: 999_000, rejected: 600, duplicate: 400, missing: 12 },
        health: vec![
            Remark::Waiting { channel: "siem".into(), messages: 64, oldest_ms: 5_400_000 },
            Remark::GivenUp { channel: "chat".into(), messages: 2 },
            Remark::Closed { channel: "hook".into() },
            Remark::StaleDatabase { days: 62 },
        ],
        checkpoint: Some("vhb.example/harbourwatch\n4711\nq0m5rQ4y6lG1m5vNn8F0l1r8b8n2m0c8mYb3mF1sY2A=\n\n— vhb.example/harbourwatch AbCdEf==\n".into()),
    });
    letter
}

fn trouble(audience: Audience) -> Letter {
    let mut letter = letter(Kind::Trouble, audience, &[]);
    letter.troubles = vec![Trouble {
        channel: "siem".into(),
        mishap: Mishap::GivenUp,
        messages: 12,
        since: NOW - 3_600_000,
        why: "siem.vhb.example:6514: connection refused".into(),
    }];
    letter
}

fn all(audience: Audience) -> Vec<(&'static str, Letter)> {
    let one = flagged().remove(1);
    let mut moved = letter(Kind::Escalation, audience, std::slice::from_ref(&one));
    moved.moved_from = Some("chat".into());
    vec![
        ("one", letter(Kind::Findings, audience, std::slice::from_ref(&one))),
        ("reminder", letter(Kind::Reminder, audience, std::slice::from_ref(&one))),
        ("escalation", moved),
        ("many", many(audience)),
        ("digest", digest(audience)),
        ("trouble", trouble(audience)),
        ("test", letter(Kind::Test, audience, &[])),
    ]
}

#[test]
fn the_letters_are_these() {
    for (name, letter) in all(Audience::Officer) {
        let sheets = sheets(&letter, Languages::Both, &context());
        let subject = subject(&letter, Languages::Both, &context());
        golden(&format!("letters/{name}.txt"), &format!("Subject: {subject}\n\n{}", text::text(&sheets)));
        golden(&format!("letters/{name}.html"), &html::document(&sheets));
    }
    for (name, letter) in all(Audience::Chat) {
        let sheets = sheets(&letter, Languages::Both, &context());
        let (title, text) = markdown::message(&sheets, 18_000);
        golden(&format!("letters/{name}.chat.md"), &format!("{title}\n\n{text}\n"));
        let pretty = |value| format!("{}\n", serde_json::to_string_pretty(&value).unwrap());
        golden(&format!("letters/{name}.slack.json"), &pretty(slack::message(&sheets)));
        golden(&format!("letters/{name}.teams.json"), &pretty(teams::message(&sheets)));
    }
}

#[test]
fn severity_and_the_request_come_first() {
    for (name, letter) in all(Audience::Officer).into_iter().filter(|(_, letter)| !letter.shown.is_empty()) {
        for languages in [Languages::English, Languages::Chinese] {
            let sheets = sheets(&letter, languages, &context());
            let text = text::text(&sheets);
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines[0].starts_with('[') && lines[1].starts_with("> "), "{name}: {lines:?}");
            let html = html::document(&sheets);
            let at = |what: &str| html.rfind(what).unwrap_or_else(|| panic!("{name} has no {what}"));
            assert!(html.find("class=\"pill\"").unwrap() < html.find("<h1").unwrap());
            assert!(html.find("<h1").unwrap() < html.find("class=\"asks\"").unwrap());
            assert!(html.find("class=\"asks\"").unwrap() < at("<th"));
        }
    }
}

/// The points that an officer needs, in one letter about one finding (both languages).
#[test]
fn one_letter_says_all_that_is_needed() {
    let letter = letter(Kind::Findings, Audience::Officer, &[sample(Verdict::Uncovered)]);
    let text = text::text(&sheets(&letter, Languages::Both, &context()));
    let needed = [
        "Possible transfer of personal data outside Hong Kong",
        "Chan Siu Ming",
        "payroll-2026.xlsx",
        "HKT",
        "UTC",
        "Hong Kong (HK)",
        "Singapore (SG)",
        "medium confidence",
        "IP address",
        "Alpha Cloud Pte Ltd",
        "data processor",
        "financial data",
        "about 1,200 people",
        "no processor agreement is on file",
        "DPP4(2)",
        "s.33 PDPO is not in operation",
        "HIGH for the verdict UNCOVERED",
        "Find out whether an agreement",
        "Acknowledge within 4 hours",
        "the law sets none",
        "harbourwatch verify",
        "not proof of physical presence",
        "harbourwatch ack 3f2a9c0d11e84b7a96c5d204",
        "個人資料可能被轉移至香港以外的地方",
        "第33條尚未實施",
        "請於本通知發出後 4 小時內確認",
    ];
    let missing: Vec<_> = needed.into_iter().filter(|words| !text.contains(words)).collect();
    assert!(missing.is_empty(), "{missing:?} in\n{text}");
}

#[test]
fn the_wording_is_modest() {
    for audience in Audience::ALL {
        for (name, letter) in all(audience) {
            let text = text::text(&sheets(&letter, Languages::Both, &context()));
            let lower = text.to_lowercase();
            for word in ["violat", "illegal", "unlawful", "breach", "leak", "違反", "違法", "非法", "洩"] {
                assert!(!lower.contains(word), "{name} says {word}");
            }
        }
    }
}

#[test]
fn a_chat_sees_counts_and_ids_alone() {
    let mut canary = everywhere("CANARY");
    canary.facts.verdict = "UNCOVERED".into();
    for kind in [Kind::Findings, Kind::Reminder, Kind::Escalation] {
        let sheets =
            sheets(&letter(kind, Audience::Chat, &[canary.clone(), canary.clone()]), Languages::Both, &context());
        let (title, text) = markdown::message(&sheets, 18_000);
        for said in [title, text, slack::message(&sheets).to_string(), teams::message(&sheets).to_string()] {
            assert!(!said.contains("CANARY"), "{said}");
        }
    }
    let all = all(Audience::Chat);
    for (name, letter) in &all {
        let text = text::text(&sheets(letter, Languages::Both, &context()));
        assert!(!text.contains("Alpha Cloud"), "{name}");
    }
    let text = text::text(&sheets(&all[3].1, Languages::English, &context()));
    assert!(
        text.contains("30 findings")
            && text.contains("100,000 new records")
            && text.contains("HIGH | UNCOVERED | 19 | 81,204"),
        "{text}"
    );
    assert!(text.contains(&canary.id) && !text.contains("Alpha Cloud") && !text.contains("SG"), "{text}");
}

/// Tags of HTML that a letter is made of; anything else came from outside.
const TAGS: [&str; 21] = [
    "!doctype", "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "th", "h1", "h2", "p",
    "span", "ul", "li", "pre", "a", "tbody",
];

#[test]
fn hostile_values_are_text_in_every_letter() {
    for hostile in corpus() {
        for audience in Audience::ALL {
            let finding = everywhere(&hostile);
            let letter = letter(Kind::Findings, audience, &vec![finding; 8]);
            let sheets = sheets(&letter, Languages::Both, &context());
            let name = plain::plain(&hostile);
            let text = text::text(&sheets);
            assert_eq!(text.chars().find(|char| acts(*char) && *char != '\n'), None, "{name}");
            assert!(text.len() < 400_000, "{name}: {} bytes", text.len());
            check_html(&html::document(&sheets), &name);
            let (title, markdown) = markdown::message(&sheets, 18_000);
            assert!(markdown.len() <= 18_000 && !title.contains('\n'), "{name}: {} bytes", markdown.len());
            assert_eq!(markdown.chars().find(|char| acts(*char) && *char != '\n'), None, "{name}");
            assert!(
                !markdown.contains('@')
                    && !markdown
                        .replace("\\]", "")
                        .replace("](https://monitor.vhb.example/findings/", "")
                        .contains("](")
                    && !markdown.contains("<img"),
                "{name}"
            );
            check_slack(&slack::message(&sheets), &name);
            check_teams(&teams::message(&sheets), &name);
            let subject = subject(&letter, Languages::Both, &context());
            assert!(!subject.contains(['\r', '\n']) && subject.len() < 400, "{name}: {subject}");
        }
    }
}

fn check_html(html: &str, name: &str) {
    for tag in html.split('<').skip(1) {
        let word: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|char| char.is_ascii_alphanumeric() || *char == '!')
            .collect();
        assert!(TAGS.contains(&word.to_ascii_lowercase().as_str()), "{name} makes <{word}>");
    }
    let hrefs: Vec<&str> = html.split("href=\"").skip(1).collect();
    assert!(hrefs.iter().all(|href| href.starts_with("https://monitor.vhb.example/findings/")), "{name}");
    for outside in ["src=", "url(", "@import", "<link", "onerror=\"", "javascript:alert(1)\""] {
        assert!(
            !html.contains(outside) || (outside == "src=" && html.contains("&lt;img src=")),
            "{name} has {outside}"
        );
    }
}

fn check_slack(message: &serde_json::Value, name: &str) {
    let blocks = message["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50, "{name}");
    for block in blocks {
        let texts = block["elements"].as_array().cloned().unwrap_or_else(|| vec![block["text"].clone()]);
        for text in texts.iter().filter(|text| text.is_object()) {
            assert_eq!(text["type"], "plain_text", "{name}");
            let length = text["text"].as_str().unwrap().chars().count();
            assert!((1..=3_000).contains(&length), "{name}: {length}");
        }
    }
    assert!(!message["text"].as_str().unwrap().contains(['<', '>']), "{name}");
}

fn check_teams(message: &serde_json::Value, name: &str) {
    assert!(message.to_string().len() < 28_000, "{name}");
    let body = message["attachments"][0]["content"]["body"].as_array().unwrap();
    assert!(body.iter().all(|block| block["type"] == "RichTextBlock"), "{name}: no block that knows markup");
}
