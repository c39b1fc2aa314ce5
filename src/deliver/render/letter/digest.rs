//! The daily summary: what was recorded, what is new, what ends soon, how the monitor is, and the checkpoint to keep.

use super::super::phrases as words;
use super::super::phrases::letter as phrases;
use super::super::plain::plain;
use super::{Item, Part, Writer, grouped};
use crate::deliver::Audience;
use crate::deliver::letter::{Arrangement, Digest, FlowSum, Intake, Remark};
use crate::domain::finding::DAY_MS;

impl Writer<'_> {
    pub(super) fn digest(&self, digest: &Digest) -> Vec<Part> {
        let mut parts = vec![self.flows(&digest.flows)];
        let lines = |heading, lines: Vec<String>| {
            let lines = if lines.is_empty() { vec![self.say(phrases::NONE)] } else { lines };
            Part::Lines { heading: self.say(heading), lines: lines.into_iter().map(Item::from).collect() }
        };
        let arrangements = digest.arrangements.iter().map(|one| self.arrangement(one)).collect();
        parts.push(lines(phrases::ARRANGEMENTS, arrangements));
        let expiring = digest.expiring.iter().map(|(safeguard, day)| plain(safeguard) + self.colon() + &date(*day));
        parts.push(lines(phrases::EXPIRING, expiring.collect()));
        let mut health = vec![self.fill(phrases::OPEN, &[&grouped(digest.open)])];
        health.extend(self.intake(&digest.intake));
        health.extend(digest.health.iter().map(|remark| self.remark(remark)));
        parts.push(lines(phrases::HEALTH, health));
        if let Some(checkpoint) = &digest.checkpoint {
            parts.push(Part::Verbatim { heading: self.say(phrases::CHECKPOINT), text: checkpoint.clone() });
        }
        parts
    }

    fn flows(&self, flows: &[FlowSum]) -> Part {
        let row = |sum: &FlowSum| {
            let kind = words::kind(&sum.kind, false).map_or_else(|| plain(&sum.kind), |kind| self.say(kind));
            vec![kind, plain(&sum.verdict), grouped(sum.findings), grouped(sum.records)]
        };
        let head = [phrases::KIND, phrases::VERDICT, phrases::FINDINGS, phrases::ALL_RECORDS];
        Part::Table {
            heading: self.say(phrases::FLOWS),
            head: head.map(|name| self.say(name)).into(),
            rows: flows.iter().map(row).collect(),
        }
    }

    fn arrangement(&self, one: &Arrangement) -> String {
        let kind = words::kind(&one.kind, false).map_or_else(|| plain(&one.kind), |kind| self.say(kind));
        let place = plain(&words::place(&one.destination, self.language));
        let name = plain(one.recipient.reveal());
        let recipient = (self.letter.audience == Audience::Officer && !name.is_empty()).then_some(name);
        let parts = [Some(kind), Some(place), recipient, Some(plain(&one.verdict))];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    fn intake(&self, intake: &Intake) -> Vec<String> {
        let figures = [intake.received, intake.judged, intake.rejected, intake.duplicate].map(grouped);
        let [received, judged, rejected, duplicate] = figures.each_ref().map(String::as_str);
        let all = self.fill(phrases::INTAKE, &[received, judged, rejected, duplicate]);
        let missing = (intake.missing > 0).then(|| self.fill(phrases::MISSING, &[&grouped(intake.missing)]));
        [all].into_iter().chain(missing).collect()
    }

    fn remark(&self, remark: &Remark) -> String {
        match remark {
            Remark::Waiting { channel, messages, oldest_ms } => {
                self.fill(phrases::WAITING, &[channel, &grouped(*messages), &(oldest_ms / 60_000).to_string()])
            }
            Remark::GivenUp { channel, messages } => self.fill(phrases::GIVEN_UP, &[channel, &grouped(*messages)]),
            Remark::Closed { channel } => self.fill(phrases::CLOSED, &[channel]),
            Remark::StaleDatabase { days } => self.fill(phrases::STALE, &[&days.to_string()]),
        }
    }
}

/// A day since the epoch as a date.
fn date(day: i32) -> String {
    let utc = super::super::utc(i64::from(day).saturating_mul(DAY_MS));
    utc.get(..10).unwrap_or_default().to_owned()
}
