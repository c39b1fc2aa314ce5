//! When people are written to, and who is told when they do not answer.

use crate::config::{self, Path};
use crate::deliver::{Inhibition, Pace, Quiet};
use crate::domain::verdict::Severity;
use crate::outbox::silence::is_field;
use crate::outbox::{ChannelSpec, Escalation, Matcher, Wait};

use super::super::check::Check;
use super::{LetterSettings, is_for_people, ms, people};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Completes what a channel for people owes and when. `None` where a fault was noted.
pub(super) fn complete(
    check: &mut Check<'_>,
    path: &Path,
    written: &config::Channel,
    spec: &mut ChannelSpec,
) -> Option<()> {
    let letters = written.letters.clone().unwrap_or_default();
    let section = path.key("letters");
    spec.waits = waits(check, &section, &letters)?;
    check.range(section.key("remind_h"), letters.remind_h, 0, 720);
    check.range(section.key("remind_days"), letters.remind_days, 1, 365);
    let names = Severity::ALL.map(Severity::name);
    let from = check.one_of(section.key("remind_from"), &letters.remind_from, Severity::parse, &names);
    spec.repeat = (letters.remind_h > 0).then(|| ms(letters.remind_h, HOUR_MS));
    (spec.repeat_from, spec.repeat_for) = (from?, ms(letters.remind_days, DAY_MS));
    if let Some(next) = &written.escalation {
        let section = path.key("escalation");
        check.range(section.key("critical_min"), next.critical_min, 1, 10_080);
        check.range(section.key("high_min"), next.high_min, 1, 10_080);
        let to = people(check, section.key("to"), &next.to, &written.id)?;
        let mut within = [None; 5];
        for (severity, minutes) in [(Severity::Critical, next.critical_min), (Severity::High, next.high_min)] {
            if let Some(slot) = within.get_mut(severity as usize) {
                *slot = Some(ms(minutes, MINUTE_MS));
            }
        }
        spec.escalation = Some(Escalation { to, within });
    }
    if let Some(fallback) = &written.fallback {
        let section = path.key("fallback");
        check.range(section.key("after_min"), fallback.after_min, 1, 1_440);
        let to = people(check, section.key("to"), &fallback.to, &written.id)?;
        spec.fallback = Some((to, ms(fallback.after_min, MINUTE_MS)));
    }
    Some(())
}

fn waits(check: &mut Check<'_>, section: &Path, letters: &config::Letters) -> Option<[Wait; 5]> {
    let names = Severity::ALL.map(Severity::name);
    let in_digest = match letters.digest_up_to.as_str() {
        "" => None,
        name => Some(check.one_of(section.key("digest_up_to"), name, Severity::parse, &names)?),
    };
    if in_digest.is_some() && letters.digest_at.is_empty() {
        let remedy =
            "there is no daily summary that could tell them; write digest_up_to = \"\" or give digest_at a time";
        check.fault(section.key("digest_up_to"), &letters.digest_up_to, remedy);
    }
    if in_digest >= Some(Severity::High) {
        check.fault(
            section.key("digest_up_to"),
            &letters.digest_up_to,
            "at most MEDIUM; what is graver cannot wait a day",
        );
    }
    let given = [
        (Severity::Critical, "critical_wait_s", letters.critical_wait_s),
        (Severity::High, "high_wait_s", letters.high_wait_s),
        (Severity::Medium, "medium_wait_s", letters.medium_wait_s),
    ];
    let mut waits = [Wait::After(ms(letters.medium_wait_s, 1_000)); 5];
    for (severity, key, seconds) in given {
        check.range(section.key(key), seconds, 0, 86_400);
        if let Some(wait) = waits.get_mut(severity as usize) {
            *wait = Wait::After(ms(seconds, 1_000));
        }
    }
    for severity in Severity::ALL.into_iter().filter(|severity| Some(*severity) <= in_digest) {
        if let Some(wait) = waits.get_mut(severity as usize) {
            *wait = Wait::Digest;
        }
    }
    Some(waits)
}

/// How letters are composed. Sections that a channel for machines has no use for are faults.
pub(super) fn settings(check: &mut Check<'_>, path: &Path, written: &config::Channel) -> Option<LetterSettings> {
    if !is_for_people(written.kind) {
        let useless = [
            ("letters", written.letters.is_some()),
            ("escalation", written.escalation.is_some()),
            ("fallback", written.fallback.is_some()),
            ("only_escalations", written.only_escalations),
        ];
        for (key, _) in useless.into_iter().filter(|(_, given)| *given) {
            check.fault(
                path.key(key),
                "",
                "only channels for people (mail, dingtalk, slack, teams) have this; remove it",
            );
        }
    }
    let letters = written.letters.clone().unwrap_or_default();
    let section = path.key("letters");
    check.range(section.key("pace"), letters.pace, 1, 100);
    check.range(section.key("pace_s"), letters.pace_s, 10, 86_400);
    for (index, field) in letters.group_by.iter().enumerate() {
        known_field(check, section.key("group_by").index(index), field);
    }
    let digest = match letters.digest_at.as_str() {
        "" => None,
        time => Some(check.word(section.key("digest_at"), time, minute, "write a time of day: \"09:00\"")?),
    };
    Some(LetterSettings {
        group_by: letters.group_by.clone(),
        quiet: quiet(check, &section, &letters)?,
        inhibitions: inhibitions(check, &section, &letters),
        pace: Pace { most: letters.pace, within: ms(letters.pace_s, 1_000) },
        digest,
    })
}

/// `None` where a fault was noted.
fn quiet(check: &mut Check<'_>, section: &Path, letters: &config::Letters) -> Option<Option<Quiet>> {
    if letters.quiet.is_empty() && !letters.quiet_days_off {
        return Some(None);
    }
    let span = |text: &str| {
        let (from, until) = text.split_once('-')?;
        Some((minute(from)?, minute(until)?))
    };
    let (from, until) = match letters.quiet.as_str() {
        // no hour of a working day
        "" => (0, 0),
        text => check.word(section.key("quiet"), text, span, "write two times of day: \"22:00-08:00\"")?,
    };
    let read = |name: &str| Severity::parse(name).filter(|severity| *severity < Severity::Critical);
    let names = ["INFO", "LOW", "MEDIUM", "HIGH"];
    let up_to = check.one_of(section.key("quiet_up_to"), &letters.quiet_up_to, read, &names)?;
    let holidays = super::super::bundled_pack().holidays;
    Some(Some(Quiet { from, until, days_off: letters.quiet_days_off, holidays, up_to }))
}

/// Minutes after midnight of `hh:mm`.
fn minute(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then(|| i64::from(hours) * 60 + i64::from(minutes))
}

fn inhibitions(check: &mut Check<'_>, section: &Path, letters: &config::Letters) -> Vec<Inhibition> {
    let mut found = Vec::new();
    for (index, rule) in letters.inhibit.iter().enumerate() {
        let path = section.key("inhibit").index(index);
        let source = matchers(check, &path.key("source"), &rule.source);
        let target = matchers(check, &path.key("target"), &rule.target);
        for (index, field) in rule.equal.iter().enumerate() {
            known_field(check, path.key("equal").index(index), field);
        }
        found.push(Inhibition { source, target, equal: rule.equal.clone() });
    }
    found
}

fn matchers(check: &mut Check<'_>, path: &Path, conditions: &[String]) -> Vec<Matcher> {
    if conditions.is_empty() {
        check.fault(path.clone(), "", "missing; name at least one condition: [\"severity=CRITICAL\"]");
    }
    let mut found = Vec::new();
    for (index, text) in conditions.iter().enumerate() {
        match Matcher::parse(text) {
            Ok(matcher) => found.push(matcher),
            Err(remedy) => check.fault(path.index(index), text, remedy),
        }
    }
    found
}

fn known_field(check: &mut Check<'_>, path: Path, name: &str) {
    if !is_field(name) {
        check.fault(
            path,
            name,
            "unknown field; one of tenant, severity, verdict, rule, kind, origin, destination, role, item",
        );
    }
}
