//! Standing arrangements: where the configuration says that a tenant's files are kept, the listed spaces and all others.
//!
//! That data are stored outside Hong Kong is a state and no act of anybody. The arrangement is judged as one leg, data user
//! → storage, and told once a day in Hong Kong: when the first event of that day and tenant is judged. What is told depends
//! on the configuration, the tenant and the day alone. Uses nothing that an event says of its storage.

use std::borrow::Cow;
use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use super::record::{self, Context, Payload, Written};
use super::scene::Scene;
use super::view::{self, LegView};
use super::work::{FlowKey, Judged};
use super::world::World;
use crate::domain::event::{Act, Event, Id, Personal, Shape};
use crate::domain::finding::window_start;
use crate::domain::flow::{Case, FlowKind};
use crate::domain::party::TenantId;
use crate::domain::position::{Lane, Position};
use crate::domain::trace::Silent;

/// Storage that the configuration speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrangement<'w> {
    /// Whose files.
    pub tenant: TenantId,
    /// The listed space or knowledge base; `None`: every one that is not listed.
    pub space: Option<&'w Id<'w>>,
}

/// The arrangements of a tenant: its default, then its listed spaces in the order of the configuration.
pub fn arrangements(world: &World, tenant: TenantId) -> impl Iterator<Item = Arrangement<'_>> {
    let theirs = move |id: &&Id<'static>| world.estate.space(id).is_some_and(|space| space.tenant == tenant);
    let listed = world.estate.listed.iter().filter(theirs).map(move |id| Arrangement { tenant, space: Some(id) });
    std::iter::once(Arrangement { tenant, space: None }).chain(listed)
}

impl<'w> Arrangement<'w> {
    /// The arrangement under which the configuration has an event's file kept. `None`: its tenant is not configured, the
    /// file is another organisation's, the event has no time, or its space is another tenant's.
    pub(super) fn of<'a: 'w>(world: &'w World, scene: &Scene<'_, '_>, event: &'w Event<'a>) -> Option<Self> {
        let tenant = scene.watched().filter(|_| event.time.is_some() && !scene.is_foreign())?;
        let listed = |id: &'w Option<Id<'a>>| id.as_ref().and_then(|id| Some((id, world.estate.space(id)?)));
        match listed(&event.space).or_else(|| listed(&event.workspace)) {
            Some((id, space)) => (space.tenant == tenant).then_some(Self { tenant, space: Some(id) }),
            None => Some(Self { tenant, space: None }),
        }
    }

    /// Judges the arrangement for the day of `at` and shows it to `see`.
    pub fn judge<T>(self, world: &World, at: i64, see: impl FnOnce(&Sight<'_, '_>) -> T) -> T {
        // an event that nobody caused, at the beginning of the day
        let mut event = Event::new(Shape::Standing, Act::Push(Cow::Borrowed(FlowKind::StoreAtRest.name())));
        event.tenant = Some(Cow::Borrowed(&world.policy.tenant(self.tenant).id));
        event.time = Some(window_start(at, true));
        event.space = self.space.cloned();
        let exporter = Scene::new(world, &event).case(&[]).exporter;
        // the data user keeps them there
        event.actor.name = Some(Personal::new(Cow::Borrowed(&world.policy.party(exporter).name)));
        let scene = Scene::new(world, &event);
        let (leg, case) = (scene.standing_leg(), scene.case(&[]));
        let judged = Judged { leg, decision: world.policy.judge(&leg, &case, &mut Silent) };
        see(&Sight { world, scene: &scene, event: &event, case, judged })
    }

    /// What a finding of it is about.
    pub fn subject(self) -> String {
        self.space.map_or_else(|| "tenant default".to_owned(), |id| format!("space {id}"))
    }
}

/// An arrangement as judged.
pub struct Sight<'s, 'a> {
    world: &'s World,
    scene: &'s Scene<'s, 'a>,
    event: &'s Event<'a>,
    case: Case,
    /// Its one leg.
    pub judged: Judged,
}

impl Sight<'_, '_> {
    /// The leg, to be shown.
    pub fn view(&self) -> LegView<'_> {
        view::leg(self.world, self.scene, &self.judged)
    }

    /// Evidence and finding of the arrangement, if its verdict is one that is recorded.
    fn written(&self, subject: &str, occasion: &Occasion<'_>) -> Option<Written> {
        let context = Context {
            world: self.world,
            scene: self.scene,
            event: self.event,
            case: self.case,
            position: occasion.position,
            lane: occasion.lane,
            payload: &Payload::new(occasion.payload),
            unclassified: false,
            standing: Some(subject),
        };
        self.world.is_recorded(self.judged.decision.verdict).then(|| record::write(&context, &[self.judged]))
    }
}

/// The event that is the first of its tenant and day: why the arrangements are told now.
#[derive(Clone, Copy)]
pub(super) struct Occasion<'o> {
    pub(super) tenant: TenantId,
    /// Event time, ms since the epoch.
    pub(super) at: i64,
    pub(super) lane: &'o Lane,
    pub(super) position: Position,
    pub(super) payload: &'o [u8],
}

/// What is told of one arrangement.
pub(super) struct Told {
    pub(super) flow: FlowKey,
    /// `None`: the verdict is none that is recorded.
    pub(super) written: Option<Written>,
}

/// The mark that a tenant's arrangements are told by for the day that begins at `day`; it holds the policy.
pub(super) fn day_mark(world: &World, tenant: TenantId, day: i64) -> u128 {
    mark(day, &[&world.policy.tenant(tenant).id, &world.policy.digest])
}

/// Tells the arrangements of the occasion's tenant and day to `each`, those of them that are `new`. The day's mark holds
/// the policy, so that after a reload all are judged again and what has changed is told.
pub(super) fn tell(
    world: &World,
    occasion: &Occasion<'_>,
    new: &mut impl FnMut(u128) -> bool,
    each: &mut impl FnMut(Told),
) {
    let policy = &world.policy;
    let (tenant, day) = (policy.tenant(occasion.tenant).id.as_str(), window_start(occasion.at, true));
    if !new(day_mark(world, occasion.tenant, day)) {
        return;
    }
    for arrangement in arrangements(world, occasion.tenant) {
        let subject = arrangement.subject();
        arrangement.judge(world, occasion.at, |sight| {
            let LegView { destination, recipient, decision, .. } = sight.view();
            let said = [decision.verdict, decision.rule, decision.severity, decision.safeguard.unwrap_or_default()];
            let about = [tenant, &subject, destination.code(), recipient.party];
            if new(mark(day, &[about, said].concat())) {
                each(Told { flow: FlowKey::of(&sight.judged), written: sight.written(&subject, occasion) });
            }
        });
    }
}

/// Stands in the window of duplicates for what was told. It needs no secret key: of what it is made of, only the day comes
/// from outside; and fingerprints of events have one.
fn mark(day: i64, parts: &[&str]) -> u128 {
    let mut hash = SipHasher24::new_with_key(b"standing storage");
    hash.write_i64(day);
    for part in parts {
        hash.write_usize(part.len());
        hash.write(part.as_bytes());
    }
    hash.finish128().as_u128()
}
