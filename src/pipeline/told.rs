//! What stream users are told of every judged event: one compact line, with no word about a person. Written only where the
//! configuration asks for it; kept by the recorder until it is sent.

use super::fingerprint::record_id;
use super::json;
use super::record::Context;
use super::work::{Judged, worst};
use crate::domain::position::Lane;

/// Version of the line's shape.
const SCHEMA: u8 = 1;

/// Lines of one worker's slice, in input order, each with the event that it is about.
#[derive(Debug, Default)]
pub struct Drafts {
    bytes: Vec<u8>,
    ends: Vec<Draft>,
}

#[derive(Clone, Copy, Debug)]
struct Draft {
    message: u32,
    index: u32,
    /// End of its line.
    end: usize,
}

impl Drafts {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Whether nothing is told, as where nobody asked for it.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Writes the line of an event.
    pub(super) fn write(&mut self, message: u32, context: &Context<'_, '_>, judged: &[Judged]) {
        let Lane { topic, partition } = context.lane;
        let at = context.position;
        let id = record_id(topic, *partition, at.offset, at.index);
        let lead = worst(judged);
        let leg = lead.map(|lead| lead.leg);
        let line = Line {
            id: &id,
            schema: SCHEMA,
            topic,
            partition: *partition,
            offset: at.offset,
            index: at.index,
            time: context.event.time,
            tenant: &context.world.policy.tenant(context.case.tenant).id,
            kind: leg.map(|leg| leg.kind.name()),
            origin: leg.map(|leg| leg.origin.label()),
            destination: leg.map(|leg| leg.destination.label()),
            verdict: lead.map(|lead| lead.decision.verdict.name()),
            rule: lead.map(|lead| lead.decision.rule.name()),
            severity: lead.map(|lead| lead.decision.severity.name()),
            recorded: judged.iter().any(|one| context.world.is_recorded(one.decision.verdict)),
        };
        line.write(&mut self.bytes);
        self.ends.push(Draft { message, index: at.index, end: self.bytes.len() });
    }

    /// The line of an event, which comes at or after the draft `from`; and where the next one is to be looked for.
    pub(super) fn find(&self, from: usize, message: u32, index: u32) -> Option<(&[u8], usize)> {
        let found = self.ends.get(from..)?.iter().position(|draft| (draft.message, draft.index) == (message, index))?;
        let at = from + found;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].end);
        Some((&self.bytes[start..self.ends[at].end], at + 1))
    }
}

/// What a line says, in this order.
struct Line<'a> {
    id: &'a str,
    schema: u8,
    topic: &'a str,
    partition: i32,
    offset: u64,
    index: u32,
    time: Option<i64>,
    tenant: &'a str,
    kind: Option<&'static str>,
    origin: Option<[u8; 2]>,
    destination: Option<[u8; 2]>,
    verdict: Option<&'static str>,
    rule: Option<&'static str>,
    severity: Option<&'static str>,
    recorded: bool,
}

impl Line<'_> {
    /// The bytes that serde would write. By hand since there is one of every event: it takes a third of the time.
    fn write(&self, out: &mut Vec<u8>) {
        json::word(out, b"{\"id\":", self.id);
        json::number(out, b",\"schema\":", self.schema);
        json::text(out, b",\"topic\":", self.topic);
        json::number(out, b",\"partition\":", self.partition);
        json::number(out, b",\"offset\":", self.offset);
        json::number(out, b",\"index\":", self.index);
        json::number_or_null(out, b",\"time\":", self.time);
        json::text(out, b",\"tenant\":", self.tenant);
        json::word_or_null(out, b",\"kind\":", self.kind);
        json::word_or_null(out, b",\"origin\":", self.origin.as_ref());
        json::word_or_null(out, b",\"destination\":", self.destination.as_ref());
        json::word_or_null(out, b",\"verdict\":", self.verdict);
        json::word_or_null(out, b",\"rule\":", self.rule);
        json::word_or_null(out, b",\"severity\":", self.severity);
        json::flag(out, b",\"recorded\":", self.recorded);
        out.push(b'}');
    }
}

/// Lines of one lane of a batch, in order of offsets, as they are kept: offset, length, bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Which lane; an index into the coverage of the report.
    pub lane: usize,
    /// The lines, framed.
    pub lines: Vec<u8>,
}

/// Adds the lines that follow to those known.
pub(super) fn join(known: &mut Vec<Told>, later: Told) {
    match known.iter_mut().find(|one| one.lane == later.lane) {
        Some(one) => one.lines.extend_from_slice(&later.lines),
        None => known.push(later),
    }
}

/// Appends a line to those of a lane.
pub fn frame(lines: &mut Vec<u8>, offset: u64, line: &[u8]) {
    // no line is near 4 GiB: its strings are names of topics, tenants and closed sets
    let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
    lines.extend_from_slice(&offset.to_be_bytes());
    lines.extend_from_slice(&length.to_be_bytes());
    lines.extend_from_slice(line);
}

/// The lines of a lane with their offsets. Ends early where the bytes are not what [`frame`] wrote.
pub fn frames(mut lines: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let (offset, rest) = lines.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (line, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        lines = rest;
        Some((u64::from_be_bytes(*offset), line))
    })
}

/// The record id of a line, which is its key in a topic.
pub fn id(line: &[u8]) -> &[u8] {
    let after = line.strip_prefix(b"{\"id\":\"").unwrap_or_default();
    let end = after.iter().position(|byte| *byte == b'"').unwrap_or_default();
    &after[..end]
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    /// The line as serde writes it.
    #[derive(Serialize)]
    struct Oracle<'a> {
        id: &'a str,
        schema: u8,
        topic: &'a str,
        partition: i32,
        offset: u64,
        index: u32,
        time: Option<i64>,
        tenant: &'a str,
        kind: Option<&'static str>,
        origin: Option<String>,
        destination: Option<String>,
        verdict: Option<&'static str>,
        rule: Option<&'static str>,
        severity: Option<&'static str>,
        recorded: bool,
    }

    fn by_serde(line: &Line<'_>) -> String {
        let Line { id, schema, topic, partition, offset, index, time, tenant, kind, verdict, .. } = *line;
        let Line { origin, destination, rule, severity, recorded, .. } = *line;
        let [origin, destination] =
            [origin, destination].map(|code| code.map(|code| String::from_utf8(code.to_vec()).unwrap()));
        let place = Oracle {
            id,
            schema,
            topic,
            partition,
            offset,
            index,
            time,
            tenant,
            kind,
            origin,
            destination,
            verdict,
            rule,
            severity,
            recorded,
        };
        serde_json::to_string(&place).unwrap()
    }

    #[test]
    fn a_line_is_what_serde_would_write() {
        let bare = Line {
            id: "0f6c",
            schema: 1,
            topic: "audit",
            partition: 0,
            offset: 0,
            index: 0,
            time: None,
            tenant: "",
            kind: None,
            origin: None,
            destination: None,
            verdict: None,
            rule: None,
            severity: None,
            recorded: false,
        };
        let full = Line {
            topic: "a \"topic\" \\ \u{7f}\n香港@2",
            partition: i32::MIN,
            offset: u64::MAX,
            index: u32::MAX,
            time: Some(i64::MIN),
            tenant: "ding\t\u{1}",
            kind: Some("send"),
            origin: Some(*b"HK"),
            destination: Some(*b"ZZ"),
            verdict: Some("UNCOVERED"),
            rule: Some("R6"),
            severity: Some("HIGH"),
            recorded: true,
            ..bare
        };
        for line in [bare, full] {
            let mut written = Vec::new();
            line.write(&mut written);
            assert_eq!(String::from_utf8(written).unwrap(), by_serde(&line));
        }
    }

    #[test]
    fn lines_come_back_as_they_were_kept_and_damage_ends_them() {
        let mut kept = Vec::new();
        frame(&mut kept, 7, b"{\"id\":\"ab\",\"schema\":1}");
        frame(&mut kept, 9, b"");
        let back: Vec<_> = frames(&kept).collect();
        assert_eq!(back, [(7, b"{\"id\":\"ab\",\"schema\":1}".as_slice()), (9, b"".as_slice())]);
        assert_eq!(id(back[0].1), b"ab");
        assert_eq!(id(b"other"), b"");
        kept.truncate(kept.len() - 1);
        assert_eq!(frames(&kept).count(), 1);
    }
}
