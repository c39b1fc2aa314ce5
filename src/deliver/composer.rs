//! Decides what waits, what is held back and what becomes a letter, so that a person is told in time and not flooded:
//! findings of one kind go together, a crowd of them goes in one letter, letters keep a pace, mild ones wait for the morning
//! or the daily summary, silenced ones are only counted. Nothing that is held back is lost: the next letter counts it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::calendar::{Quiet, last_minute};
use crate::domain::verdict::{Severity, Verdict};
use crate::outbox::{
    Body, ChannelSpec, Decision, Digest, Draft, Filed, Finding, Kind, Matcher, OutboxError, Queue, Reason, Remark,
    SLOT_MS, Silence, Snapshot, Sum, Waiting, Why, silence,
};

/// Findings looked at for one letter; what is beyond goes into the next.
const MOST: usize = 10_000;

/// Findings told in a letter by name; all are in its figures.
const SHOWN: usize = 35;

/// Groups from which everything that waits goes into one letter.
const CROWD: usize = 3;

/// Findings that may inhibit others, at most.
const SOURCES: usize = 1_000;

/// How long a graver finding inhibits milder ones after its last change, in ms.
const INHIBITS_MS: i64 = 24 * 3_600_000;

/// After so many ms what is held back is counted in a letter of its own.
const HELD_MS: i64 = 24 * 3_600_000;

/// New arrangements listed in a summary.
const ARRANGEMENTS: usize = 50;

/// From so many ms a channel's oldest message is worth a remark.
const LATE_MS: i64 = 15 * 60_000;

/// A rule by which graver findings keep milder ones quiet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inhibition {
    /// What the graver finding must be.
    pub source: Vec<Matcher>,
    /// What the milder finding must be.
    pub target: Vec<Matcher>,
    /// Fields in which the two must agree.
    pub equal: Vec<String>,
}

/// At most so many letters within so many ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Letters.
    pub most: u64,
    /// Span, in ms.
    pub within: i64,
}

/// What a daily summary says beside the outbox's own figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Briefing {
    /// Safeguards that end within 30 days: key and last day.
    pub expiring: Vec<(String, i32)>,
    /// Age of the geolocation database in days, if it is stale.
    pub stale_days: Option<i64>,
    /// The evidence log's signed checkpoint.
    pub checkpoint: Option<String>,
}

/// Gives the briefing of a moment (ms since the epoch).
pub type Brief = Arc<dyn Fn(i64) -> Briefing + Send + Sync>;

/// How a channel's letters are composed.
#[derive(Clone)]
pub struct Rules {
    /// Fields by which findings go together.
    pub group_by: Vec<String>,
    /// When mild findings wait.
    pub quiet: Option<Quiet>,
    /// Which findings keep others quiet.
    pub inhibitions: Vec<Inhibition>,
    /// How many letters at most.
    pub pace: Pace,
    /// Minute of the day in Hong Kong when the day is summed up.
    pub digest: Option<i64>,
    /// What the summary says of the rest of the process.
    pub brief: Brief,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("group_by", &self.group_by).field("pace", &self.pace).finish_non_exhaustive()
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            group_by: vec!["rule".into(), "destination".into()],
            quiet: None,
            inhibitions: Vec::new(),
            pace: Pace { most: 2, within: 5 * 60_000 },
            digest: None,
            brief: Arc::new(|_| Briefing::default()),
        }
    }
}

/// What becomes of a finding that waits.
enum Fate {
    Tell,
    Hold(Reason),
    Defer(i64),
}

/// Composes one channel's letters.
#[derive(Debug)]
pub struct Composer {
    rules: Rules,
}

impl Composer {
    /// A composer by these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules }
    }

    /// Turns what is due into letters for `carrier`, which is the channel itself unless it is closed.
    ///
    /// # Errors
    /// The state database refuses; nothing has changed then.
    pub fn compose(
        &self,
        queue: &mut Queue,
        spec: &ChannelSpec,
        specs: &[ChannelSpec],
        carrier: &str,
        now: i64,
    ) -> Result<Filed, OutboxError> {
        let mut decision = Decision::default();
        decision.letters.extend(self.digest(queue, spec, specs, now)?);
        let room = self.room(queue, spec, now)?;
        if room > 0 {
            let ready = self.sift(queue, spec, &mut decision, now)?;
            let letters = self.letters(spec, ready, room, now);
            if letters.is_empty() && decision.letters.is_empty() {
                let kind = queue.calls_for(&spec.name, now.saturating_sub(HELD_MS), now)?;
                decision.letters.extend(kind.map(|kind| empty(kind, now)));
            }
            decision.letters.extend(letters);
        }
        if decision == Decision::default() {
            return Ok(Filed::default());
        }
        queue.carry_out(&spec.name, carrier, decision, now)
    }

    /// How many letters the pace leaves room for. What is critical and new has room for one more.
    fn room(&self, queue: &Queue, spec: &ChannelSpec, now: i64) -> Result<u64, OutboxError> {
        let written = queue.letters_since(&spec.name, now.saturating_sub(self.rules.pace.within))?;
        let urgent = written == self.rules.pace.most && queue.is_due(&spec.name, Severity::Critical, now)?;
        Ok(self.rules.pace.most.saturating_sub(written).max(u64::from(urgent)))
    }

    /// What may be told now; what is held back or must wait goes into the decision.
    fn sift(
        &self,
        queue: &Queue,
        spec: &ChannelSpec,
        decision: &mut Decision,
        now: i64,
    ) -> Result<Vec<Waiting>, OutboxError> {
        let waiting = queue.waiting(&spec.name, now, MOST)?;
        if waiting.is_empty() {
            return Ok(waiting);
        }
        let silences = queue.silences(now)?;
        let sources = match self.rules.inhibitions.as_slice() {
            [] => Vec::new(),
            _ => queue.recent(now.saturating_sub(INHIBITS_MS), Severity::Info, SOURCES)?,
        };
        let mut ready = Vec::new();
        for one in waiting {
            match self.fate(&one, &silences, &sources, now) {
                Fate::Tell => ready.push(one),
                // what is not due yet may be due when the silence is over
                Fate::Hold(reason) if one.due => decision.hold.push((one.finding.id, one.finding.revision, reason)),
                Fate::Defer(until) if one.due => decision.defer.push((one.finding.id, until)),
                Fate::Hold(_) | Fate::Defer(_) => {}
            }
        }
        Ok(ready)
    }

    fn fate(&self, one: &Waiting, silences: &[Silence], sources: &[Finding], now: i64) -> Fate {
        if let Some(silence) = silences.iter().find(|silence| silence.covers(&one.finding, now)) {
            return Fate::Hold(Reason::Silence(silence.id));
        }
        if self.is_inhibited(&one.finding, sources) {
            return Fate::Hold(Reason::Inhibited);
        }
        let quiet = self.rules.quiet.as_ref().filter(|quiet| one.finding.severity <= quiet.up_to);
        quiet.and_then(|quiet| quiet.until(now)).map_or(Fate::Tell, Fate::Defer)
    }

    fn is_inhibited(&self, target: &Finding, sources: &[Finding]) -> bool {
        let agree = |field: &String, source: &Finding| silence::values(field, source) == silence::values(field, target);
        let all = |matchers: &[Matcher], finding: &Finding| matchers.iter().all(|matcher| matcher.matches(finding));
        self.rules.inhibitions.iter().filter(|rule| all(&rule.target, target)).any(|rule| {
            let keeps_quiet = |source: &&Finding| {
                source.id != target.id
                    && all(&rule.source, source)
                    && rule.equal.iter().all(|field| agree(field, source))
            };
            sources.iter().any(|source| keeps_quiet(&source))
        })
    }

    /// One letter for each group that is due, or one for all that waits if the groups are a crowd or more than there is
    /// room for.
    fn letters(&self, spec: &ChannelSpec, ready: Vec<Waiting>, room: u64, now: i64) -> Vec<Draft> {
        let mut groups: BTreeMap<String, Vec<Waiting>> = BTreeMap::new();
        for one in ready {
            groups.entry(self.group(&one.finding)).or_default().push(one);
        }
        let due = groups.values().filter(|group| group.iter().any(|one| one.due)).count();
        if due == 0 {
            return Vec::new();
        }
        if groups.len() >= CROWD || due as u64 > room {
            let mut all: Vec<Waiting> = groups.into_values().flatten().collect();
            all.sort_by(|a, b| {
                let grave = |one: &Waiting| (one.finding.severity, one.finding.count);
                grave(b).cmp(&grave(a)).then_with(|| a.finding.id.cmp(&b.finding.id))
            });
            return vec![draft(&format!("all-{}", spec.name), &all, now)];
        }
        let is_due = |group: &&Vec<Waiting>| group.iter().any(|one| one.due);
        groups.iter().filter(|(_, group)| is_due(group)).map(|(key, group)| draft(key, group, now)).collect()
    }

    fn group(&self, finding: &Finding) -> String {
        let values = self.rules.group_by.iter().map(|field| silence::values(field, finding).join(","));
        values.collect::<Vec<_>>().join("\u{1f}")
    }

    fn digest(
        &self,
        queue: &Queue,
        spec: &ChannelSpec,
        specs: &[ChannelSpec],
        now: i64,
    ) -> Result<Option<Draft>, OutboxError> {
        let Some(minute) = self.rules.digest else { return Ok(None) };
        let to = last_minute(now, minute);
        let Some(from) = queue.digested_to(&spec.name)? else {
            queue.begin_digests(&spec.name, now.div_euclid(SLOT_MS) * SLOT_MS)?;
            return Ok(None);
        };
        if from >= to {
            return Ok(None);
        }
        let briefing = (self.rules.brief)(now);
        let mut digest: Digest = queue.digest(from, to, ARRANGEMENTS)?;
        digest.health = health(queue, specs, &briefing, now)?;
        (digest.expiring, digest.checkpoint) = (briefing.expiring, briefing.checkpoint);
        let mut draft = empty(Kind::Digest, now);
        draft.body.thread = format!("digest-{}", spec.name);
        draft.body.digest = Some(digest);
        draft.digested_to = Some(to);
        Ok(Some(draft))
    }
}

fn health(queue: &Queue, specs: &[ChannelSpec], briefing: &Briefing, now: i64) -> Result<Vec<Remark>, OutboxError> {
    let mut remarks = Vec::new();
    for spec in specs {
        let backlog = queue.backlog(&spec.name, now)?;
        let channel = || spec.name.clone();
        let oldest_ms = backlog.oldest.map_or(0, |oldest| now.saturating_sub(oldest));
        if backlog.due > 0 && oldest_ms >= LATE_MS {
            remarks.push(Remark::Waiting { channel: channel(), messages: backlog.due, oldest_ms });
        }
        if backlog.dead > 0 {
            remarks.push(Remark::GivenUp { channel: channel(), messages: backlog.dead });
        }
        if backlog.closed.is_some() {
            remarks.push(Remark::Closed { channel: channel() });
        }
    }
    remarks.extend(briefing.stale_days.map(|days| Remark::StaleDatabase { days }));
    Ok(remarks)
}

fn empty(kind: Kind, now: i64) -> Draft {
    let body = Body { thread: kind.name().to_owned(), at: now, ..Body::default() };
    Draft { kind, items: Vec::new(), body, digested_to: None }
}

/// What a letter about one finding says, as if the channel had never heard of it.
pub fn alone(finding: &Finding, at: i64) -> Body {
    let waiting = Waiting { finding: finding.clone(), due: true, why: Why::Change, new: finding.count };
    draft(&finding.id, &[waiting], at).body
}

/// A letter about findings that come gravest first.
fn draft(group: &str, waiting: &[Waiting], now: i64) -> Draft {
    let kind = if waiting.iter().all(|one| one.why == Why::Repeat) {
        Kind::Reminder
    } else if waiting.iter().any(|one| one.why == Why::Escalation) {
        Kind::Escalation
    } else {
        Kind::Findings
    };
    let thread = match waiting {
        [one] => one.finding.id.clone(),
        _ => group.to_owned(),
    };
    let snapshot = |one: &Waiting| Snapshot { finding: one.finding.clone(), new: one.new };
    let item = |one: &Waiting| (one.finding.id.clone(), one.finding.revision, one.finding.count, one.finding.severity);
    let shown = waiting.iter().take(SHOWN).map(snapshot).collect();
    let body = Body { thread, at: now, shown, sums: sums(waiting), ..Body::default() };
    Draft { kind, items: waiting.iter().map(item).collect(), body, digested_to: None }
}

fn sums(waiting: &[Waiting]) -> Vec<Sum> {
    let mut sums: BTreeMap<(Severity, Verdict), (u64, u64)> = BTreeMap::new();
    for one in waiting {
        // Names are our own; one that a later version wrote is treated with the greater care.
        let verdict = Verdict::parse(&one.finding.facts.verdict).unwrap_or(Verdict::Undetermined);
        let (findings, records) = sums.entry((one.finding.severity, verdict)).or_default();
        *findings += 1;
        *records = u64::saturating_add(*records, one.new);
    }
    let sum = |((severity, verdict), (findings, records))| Sum { severity, verdict, findings, records };
    sums.into_iter().rev().map(sum).collect()
}
