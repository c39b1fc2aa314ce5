//! What is written of a flagged event: its evidence record, its share of findings, its verdict line.

use std::cell::OnceCell;
use std::sync::Arc;

use compact_str::{CompactString, ToCompactString, format_compact};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::batch::Batch;
use super::facts;
use super::fingerprint::{record_id, standing_id};
use super::report::{Facts, FindingDelta, Name, Record};
use super::scene::Scene;
use super::shape::{ActorView, DataView, LineView, OtherView, PolicyView, PositionView, RecordView};
use super::shown::{Done, Shown, Utc, Who};
use super::standing::Arrangement;
use super::view::{self, LegView};
use super::work::{Judged, worst};
use super::world::World;
use crate::domain::event::{Event, Id};
use crate::domain::finding::{FindingKey, window_start};
use crate::domain::flow::{Case, FlowKind, Recipient};
use crate::domain::hex::{digits, hex};
use crate::domain::party::Tri;
use crate::domain::position::{Lane, Position};
use crate::domain::verdict::Severity;

/// Version of the record's shape.
pub const SCHEMA: u8 = 1;

/// Everything about one event that is written down.
pub struct Context<'e, 'a> {
    /// The generation.
    pub world: &'e World,
    /// The event in it.
    pub scene: &'e Scene<'e, 'a>,
    /// The event.
    pub event: &'e Event<'a>,
    /// What the rules needed beside the legs.
    pub case: Case,
    /// Where it came from.
    pub position: Position,
    /// The lane's name.
    pub lane: &'e Lane,
    /// Bytes of its message.
    pub payload: &'e Payload<'e>,
    /// Its act is not in the tables.
    pub unclassified: bool,
    /// No event but a standing arrangement: what a finding of it is about.
    pub standing: Option<&'e str>,
}

/// The bytes of a message, with their digest as soon as one is asked for: all rows of a page share it.
pub struct Payload<'b> {
    bytes: &'b [u8],
    sha256: OnceCell<[u8; 64]>,
}

impl<'b> Payload<'b> {
    /// Nothing is hashed yet.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, sha256: OnceCell::new() }
    }

    /// The bytes.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    fn sha256(&self) -> &str {
        let digits = self.sha256.get_or_init(|| digits(&Sha256::digest(self.bytes)));
        // digits are ASCII
        str::from_utf8(digits).unwrap_or_default()
    }
}

/// Evidence and findings of one event.
#[derive(Clone, Debug)]
pub struct Written {
    /// The evidence.
    pub record: Record,
    /// One a leg that people are told of.
    pub findings: SmallVec<[FindingDelta; 1]>,
}

/// A finding that a leg belongs to.
struct Told {
    key: FindingKey,
    id: CompactString,
    series: CompactString,
}

/// Most events have one leg.
type PerLeg<T> = SmallVec<[T; 1]>;

/// Writes the evidence record of an event and what it adds to findings.
pub fn write(context: &Context<'_, '_>, judged: &[Judged]) -> Written {
    let (id, told) = (id(context), told(context, judged));
    let legs = leg_views(context, judged, &told);
    let lead = worst(judged).and_then(|lead| judged.iter().position(|one| std::ptr::eq(one, lead))).unwrap_or_default();
    let view = record_view(context, &id, &legs, lead);
    let mut json = Vec::with_capacity(USUAL);
    view.write(&mut json);
    let all = judged.iter().zip(&legs).zip(told);
    let findings = all.filter_map(|((one, leg), told)| Some(finding(context, one, &view, leg, told?))).collect();
    let lead = legs.get(lead);
    let record = Record {
        at: context.event.time.unwrap_or(0),
        json,
        subject: Who::of(context.event).text(),
        destination: lead.map_or("", |leg| leg.destination.code()).into(),
        kind: lead.map_or("", |leg| leg.kind),
        verdict: lead.map_or("", |leg| leg.decision.verdict),
        id,
    };
    Written { record, findings }
}

/// The record's id.
fn id(context: &Context<'_, '_>) -> CompactString {
    let (Lane { topic, partition }, Position { offset, index, .. }) = (context.lane, context.position);
    match context.standing {
        None => record_id(topic, *partition, offset, index),
        Some(subject) => standing_id(topic, *partition, offset, index, subject),
    }
}

/// Appends one line about the event, with its line end.
pub fn verdict_line(context: &Context<'_, '_>, judged: &[Judged], out: &mut Vec<u8>) {
    let legs = leg_views(context, judged, &told(context, judged));
    let lead = worst(judged).and_then(|lead| judged.iter().position(|one| std::ptr::eq(one, lead)));
    let decision = lead.map(|lead| &legs[lead].decision);
    let line = LineView {
        position: position(context.lane, context.position),
        outcome: if context.unclassified { "unclassified" } else { "judged" },
        time: context.event.time,
        verdict: decision.map(|decision| decision.verdict),
        severity: decision.map(|decision| decision.severity),
        rule: decision.map(|decision| decision.rule),
        finding: lead.and_then(|lead| legs[lead].finding.as_deref()),
        legs: &legs,
    };
    line.write(out);
    out.push(b'\n');
}

/// One line about an event that was not judged: `duplicate`, or `rejected` with the reason.
pub fn other_line(lane: &Lane, at: Position, outcome: &str, reason: Option<&str>, out: &mut Vec<u8>) {
    OtherView { position: position(lane, at), outcome, reason }.write(out);
    out.push(b'\n');
}

/// The finding that each leg belongs to, if any.
fn told(context: &Context<'_, '_>, judged: &[Judged]) -> PerLeg<Option<Told>> {
    let of = |key: FindingKey| {
        let (id, series) = key.ids();
        Told { key, id, series }
    };
    judged.iter().map(|one| finding_key(context, one).map(of)).collect()
}

fn leg_views<'w>(context: &Context<'w, '_>, judged: &[Judged], told: &[Option<Told>]) -> PerLeg<LegView<'w>> {
    let show = |(one, told): (&Judged, &Option<Told>)| LegView {
        finding: told.as_ref().map(|told| told.id.clone()),
        ..view::leg(context.world, context.scene, one)
    };
    judged.iter().zip(told).map(show).collect()
}

fn record_view<'a>(context: &'a Context<'a, '_>, id: &'a str, legs: &'a [LegView<'a>], lead: usize) -> RecordView<'a> {
    let (event, policy) = (context.event, &context.world.policy);
    let decision = legs.get(lead).map(|leg| &leg.decision);
    RecordView {
        id,
        schema: SCHEMA,
        position: position(context.lane, context.position),
        message_sha256: context.payload.sha256(),
        shape: event.shape.name(),
        act: Shown(Done(&event.act)),
        event_id: event.event_id.as_deref(),
        file_id: event.biz_id.as_ref().map(Shown),
        time: event.time,
        time_utc: event.time.map(|time| Shown(Utc(time))),
        tenant: &policy.tenant(context.case.tenant).id,
        actor: actor(context),
        data: data(context),
        verdict: decision.map(|decision| decision.verdict),
        rule: decision.map(|decision| decision.rule),
        severity: decision.map(|decision| decision.severity),
        legs,
        policy: PolicyView { pack: &policy.pack.id, sha256: &policy.digest, s33_in_force: policy.pack.s33_in_force },
        geo_sha256: context.world.geo.digest(),
    }
}

fn actor<'a>(context: &'a Context<'a, '_>) -> ActorView<'a> {
    let event = context.event;
    let party = match context.scene.actor_party() {
        Recipient::Party(id) => context.world.policy.party(id).id.as_str(),
        Recipient::Stranger | Recipient::Public => "",
    };
    ActorView {
        id: Shown(Who::of(event)),
        name: event.actor.name.as_ref().map_or("", |name| name.reveal()),
        address: event.address.as_ref().map_or("", |address| address.reveal()),
        party,
        platform: event.platform,
        module: event.module,
    }
}

fn data<'a>(context: &'a Context<'a, '_>) -> DataView<'a> {
    let (event, policy) = (context.event, &context.world.policy);
    let item = policy.item(context.case.item);
    DataView {
        resource: event.resource.as_ref().map_or("", |name| name.reveal()),
        extension: event.extension.as_deref().unwrap_or_default(),
        size: event.size,
        space: space(event).map(Shown),
        item: &item.id,
        personal: match item.personal {
            Tri::Yes => "yes",
            Tri::No => "no",
            Tri::Unknown => "unknown",
        },
        categories: item.categories,
        suggested: context.case.suggested,
        subjects: item.subjects,
        purpose: item.purpose.map(|purpose| policy.purposes[usize::from(purpose.0)].as_str()),
    }
}

/// The finding that a leg belongs to; legs of no concern (severity INFO) belong to none.
fn finding_key(context: &Context<'_, '_>, judged: &Judged) -> Option<FindingKey> {
    let Judged { leg, decision } = judged;
    if decision.severity == Severity::Info || !context.world.is_recorded(decision.verdict) {
        return None;
    }
    let event = context.event;
    let standing = leg.kind.is_standing();
    let arranged = context.standing.map(CompactString::from).or_else(|| arranged(context, judged));
    let kind = if arranged.is_some() { FlowKind::StoreAtRest } else { leg.kind };
    let subject = match arranged {
        Some(subject) => subject,
        None if standing => space(event).map_or_else(|| "space ".into(), |id| format_compact!("space {id}")),
        None => Who::of(event).text(),
    };
    Some(FindingKey {
        tenant: context.world.policy.tenant(context.case.tenant).id.as_str().into(),
        subject: if context.unclassified { Done(&event.act).to_compact_string() } else { subject },
        destination: CompactString::from_utf8_lossy(&leg.destination.label()),
        kind: kind.name(),
        recipient: view::recipient_key(context.world, leg.recipient).into(),
        rule: decision.rule.name(),
        verdict: decision.verdict.name(),
        window: window_start(event.time.unwrap_or(0), standing || context.unclassified),
    })
}

/// An upload into storage whose standing arrangement is judged the same, and no milder, is part of what is told of that
/// arrangement. Gives what the arrangement's finding is about.
fn arranged(context: &Context<'_, '_>, judged: &Judged) -> Option<CompactString> {
    let of = |one: &Judged| (one.decision.verdict, one.decision.rule, one.leg.recipient, one.leg.destination.label());
    let Context { world, scene, event, .. } = context;
    let arrangement = Some(judged).filter(|judged| judged.leg.kind == FlowKind::Upload);
    let arrangement = arrangement.and_then(|_| Arrangement::of(world, scene, event))?;
    let same = arrangement.judge(world, event.time?, |sight| {
        of(&sight.judged) == of(judged) && sight.judged.decision.severity >= judged.decision.severity
    });
    same.then(|| arrangement.subject().into())
}

/// `record`, `leg`: the event and the leg as shown.
fn finding(
    context: &Context<'_, '_>,
    judged: &Judged,
    record: &RecordView<'_>,
    leg: &LegView<'_>,
    Told { key, id, series }: Told,
) -> FindingDelta {
    let at = context.event.time.unwrap_or(0);
    FindingDelta {
        id,
        series,
        key,
        severity: judged.decision.severity,
        count: 1,
        bytes: context.event.size.unwrap_or(0),
        first: at,
        last: at,
        facts: Arc::new(Facts { gap: gap(context, judged), ..facts::of(record, leg) }),
    }
}

/// The gravest gap on record in a principle, where one can matter.
fn gap(context: &Context<'_, '_>, judged: &Judged) -> Option<Name> {
    let gap = context.world.policy.principles(judged.leg.recipient, &context.case).gap();
    gap.filter(|_| judged.decision.verdict.leaves()).map(|condition| condition.name().into())
}

fn position(lane: &Lane, at: Position) -> PositionView<'_> {
    PositionView { topic: &lane.topic, partition: lane.partition, offset: at.offset, index: at.index }
}

fn space<'e>(event: &'e Event<'_>) -> Option<&'e Id<'e>> {
    event.space.as_ref().or(event.workspace.as_ref())
}

/// Bytes that most records take; room for them is made once.
const USUAL: usize = 2048;

/// First 16 hex digits of the SHA-256 of a message, to tell whether a file is still the same at the next start.
pub fn short_digest(batch: &Batch, message: &super::batch::Message) -> String {
    hex(&Sha256::digest(batch.payload(message))[..8])
}
