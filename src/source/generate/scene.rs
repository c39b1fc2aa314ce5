//! One act of one person: who, where from, on what, to whom. Made up field by field; written elsewhere.

use super::Quirks;
use super::acts::{self, Act, On, To};
use super::addresses::Address;
use super::holdings::{self, Evidence, Space, Spot};
use super::organisation::{Organisation, Person};
use super::receivers::{self, Receiver};
use super::rng::Rng;

/// Act 5 shares by a link; what is shared so is nearly always meant for everybody.
const LINKS_OF_BROCHURES: u32 = 970_000;

/// Names that the configuration holds against what the inventory says, in a million.
const TELLING_NAMES: u32 = 300;
const TELLING: [&str; 3] = ["aml-watch list #.xlsx", "保單批核記錄_#.docx", "体检预约_#.xlsx"];

/// An act, as a row will tell it.
pub(super) struct Scene<'o> {
    pub(super) person: &'o Person,
    pub(super) address: Address,
    pub(super) act: (i64, &'static str),
    pub(super) on: On,
    pub(super) module: (i64, &'static str),
    pub(super) platform: (i64, &'static str),
    pub(super) space: &'static Space,
    /// Number of the space, if it is one of many.
    pub(super) shard: u64,
    pub(super) file: String,
    pub(super) number: u32,
    pub(super) size: i64,
    pub(super) created: i64,
    pub(super) modified: i64,
    pub(super) receivers: Receivers<'o>,
    pub(super) evidence: Option<Evidence>,
}

/// Whom a row names, and in which of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receivers<'o> {
    None,
    /// `receiverName` and its like.
    One(Receiver<'o>),
    /// `docReceiverList`.
    List([Receiver<'o>; 2], usize),
    /// `docMemberList`, with a role.
    Members([Receiver<'o>; 2], usize, u8),
}

/// Makes up an act at a time.
pub(super) fn compose<'o>(organisation: &'o Organisation, quirks: &Quirks, at: i64, rng: &mut Rng) -> Scene<'o> {
    let group = organisation.group(at, rng);
    let act = group.acts.pick(rng);
    let space = space(act, group.spaces.pick(rng), rng);
    let receivers = receivers(organisation, act, space, rng);
    let number = 1 + rng.below(9999);
    let address = group.desks.pick(rng).draw(rng);
    let created = at - if rng.chance(quirks.late) { i64::from(rng.below(40 * 60_000)) } else { 0 };
    let unknown = rng.chance(quirks.unknown_acts);
    Scene {
        person: organisation.person(group, rng),
        address: if rng.chance(quirks.addresses) { address.spoilt(rng) } else { address },
        act: if unknown { *rng.pick(&acts::UNKNOWN) } else { (i64::from(act.code), act.view) },
        on: act.on,
        module: module(&receivers, rng),
        platform: *acts::PLATFORMS_OF_STAFF.pick(rng),
        space,
        shard: u64::from(rng.below(180)),
        file: file(act, space, number, rng),
        number,
        size: i64::from(1 + rng.below(4_000)) * i64::from(1 + rng.below(4_000)) + 200,
        created,
        modified: created + if rng.chance(50_000) { i64::from(rng.below(900)) } else { 0 },
        receivers,
        evidence: rng.chance(quirks.enriched).then(|| *space.evidence.pick(rng)),
    }
}

fn space(act: &Act, usual: &'static Space, rng: &mut Rng) -> &'static Space {
    match (act.on, act.to) {
        (On::Wiki, _) => &holdings::HANDBOOK,
        (_, To::World) if rng.chance(LINKS_OF_BROCHURES) => &holdings::BROCHURES,
        _ => usual,
    }
}

fn receivers<'o>(organisation: &'o Organisation, act: &Act, space: &'static Space, rng: &mut Rng) -> Receivers<'o> {
    let draw = |rng: &mut Rng| receivers::draw(organisation, space, rng);
    match act.to {
        To::Nobody | To::World => Receivers::None,
        To::Container => match rng.below(100) {
            0..20 => Receivers::One(Receiver { id: None, name: space.name, kind: 2 }),
            20..24 => Receivers::One(draw(rng)),
            _ => Receivers::None,
        },
        To::Receiver => Receivers::One(draw(rng)),
        To::Receivers => Receivers::List([draw(rng), draw(rng)], 1 + rng.below(2) as usize),
        To::Members => {
            let role = *rng.pick(&[1, 1, 2, 2, 4, 3, 0]);
            Receivers::Members([draw(rng), draw(rng)], 1 + rng.below(2) as usize, role)
        }
    }
}

fn module(receivers: &Receivers<'_>, rng: &mut Rng) -> (i64, &'static str) {
    match receivers {
        Receivers::One(Receiver { kind: 0, .. }) => acts::CHAT,
        Receivers::One(Receiver { kind: 1, .. }) => acts::GROUP,
        Receivers::One(_) | Receivers::None | Receivers::List(..) | Receivers::Members(..) => {
            *acts::MODULES_OF_FILES.pick(rng)
        }
    }
}

fn file(act: &Act, space: &Space, number: u32, rng: &mut Rng) -> String {
    let pattern = if rng.chance(TELLING_NAMES) { rng.pick(&TELLING) } else { rng.pick(space.files) };
    let name = pattern.replacen('#', &number.to_string(), 1);
    match act.on {
        On::File => name,
        On::Document | On::Wiki => match name.rsplit_once('.') {
            Some((stem, _)) => format!("{stem}.adoc"),
            None => name,
        },
    }
}

impl Scene<'_> {
    /// Number of the space in rows; 0 in a knowledge base.
    pub(super) fn space_id(&self) -> u64 {
        match self.space.id {
            Spot::Space(id) => id,
            Spot::Unlisted(first) => first + self.shard,
            Spot::Wiki(_) => 0,
        }
    }
}
