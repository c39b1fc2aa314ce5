//! R6–R8: the entries of the safeguard register held against one leg and one destination.
//!
//! An entry covers when every condition holds; one that names the recipient and fails is a defect; no entry covers
//! everyone (`WORLD`).

use super::bars::{admits, within};
use super::spots::Spot;
use super::{Matter, Outcome};
use crate::domain::flow::Recipient;
use crate::domain::party::{PartyId, Role, Tie};
use crate::domain::place::{Country, District, Place};
use crate::domain::policy::Policy;
use crate::domain::safeguard::{Area, Named, Safeguard, SafeguardId, SafeguardKind, Within};
use crate::domain::trace::{Step, Trace};
use crate::domain::verdict::{Condition, Rule, Tag, Tags, Verdict};

/// What an entry says of a leg that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// Every condition holds; with remarks.
    Holds(Tags),
    /// The first condition that fails, and how many had held before it.
    Fails(Condition, usize),
}

/// The entries that matter: the best that holds, else the one that came nearest.
#[derive(Clone, Copy, Debug, Default)]
struct Best {
    holds: Option<(SafeguardId, Tags)>,
    nearest: Option<(SafeguardId, Condition, usize)>,
}

/// First and last day: why an entry is not in force on `day`, if so.
pub(super) fn in_force(entry: &Safeguard, day: i32) -> Option<Condition> {
    match entry.until {
        _ if entry.suspended => Some(Condition::Suspended),
        _ if day < entry.from => Some(Condition::NotYetInForce),
        Some(until) if day >= until => Some(Condition::Expired),
        Some(_) | None => None,
    }
}

impl Policy {
    /// Whether an entry binds this exporter.
    pub(super) fn binds(&self, entry: &Safeguard, exporter: PartyId) -> bool {
        let listed = entry.exporters.contains(&exporter);
        let party = self.party(exporter);
        // The GBA Standard Contract asks where each party is registered.
        let seat = entry.kind != SafeguardKind::GbaSc || party.registered.is_some_and(Place::is_hk);
        seat && (listed || entry.exporters.is_empty() && party.tie == Tie::Own)
    }

    /// Entries that may name the recipient.
    pub(super) fn entries(&self, recipient: Option<PartyId>) -> impl Iterator<Item = SafeguardId> + '_ {
        let (listed, all) = match self.index.entries(recipient) {
            Some(lists) => (Some(lists), 0),
            None => (None, self.safeguards.len()),
        };
        let (named, unnamed) = listed.unwrap_or_default();
        let all = (0..=u16::MAX).take(all).map(SafeguardId);
        named.iter().chain(unnamed).copied().chain(all)
    }
}

impl Matter<'_> {
    /// R6–R8: COVERED, DEFECT or UNCOVERED.
    pub(super) fn covered<T: Trace>(&self, spot: Spot, trace: &mut T) -> Outcome {
        let best = self.best(spot, trace);
        let matched = best.holds.is_some();
        trace.note(Step::Rule { rule: Rule::R6, matched, why: if matched { MATCHED } else { UNMATCHED } });
        let gap = self.principles.gap();
        let outcome = match (best.holds, gap, best.nearest) {
            (Some((id, tags)), None, _) => Outcome::plain(Verdict::Covered, Rule::R7).entry(id, None).tagged(tags),
            (Some((id, tags)), Some(_), _) => Outcome::plain(Verdict::Defect, Rule::R8).entry(id, gap).tagged(tags),
            (None, _, Some((id, failed, _))) => {
                // The graver name for the same fact: nothing agreed with the recipient has room for the purpose.
                let new_purpose = failed == Condition::Purpose && gap == Some(Condition::Dpp3Purpose);
                let failed = if new_purpose { Condition::Dpp3Purpose } else { failed };
                Outcome::plain(Verdict::Defect, Rule::R8).entry(id, Some(failed))
            }
            (None, _, None) => Outcome { failed: gap, ..Outcome::plain(Verdict::Uncovered, Rule::R8) },
        };
        let covered = outcome.verdict == Verdict::Covered;
        let why = if covered { "an entry matches and no gap in the principles is known" } else { UNCOVERED };
        trace.note(Step::Rule { rule: Rule::R7, matched: covered, why });
        if !covered {
            let why = if outcome.safeguard.is_some() { DEFECTIVE } else { "no entry names this recipient or place" };
            trace.note(Step::Rule { rule: Rule::R8, matched: true, why });
        }
        outcome
    }

    fn best<T: Trace>(&self, spot: Spot, trace: &mut T) -> Best {
        let mut best = Best::default();
        let party = match self.leg.recipient {
            Recipient::Party(id) => Some(id),
            Recipient::Stranger => None,
            Recipient::Public => return best,
        };
        for id in self.policy.entries(party) {
            let entry = self.policy.safeguard(id);
            if !self.names(entry, spot) {
                continue;
            }
            let fit = self.fit(entry, spot);
            let failed = match fit {
                Fit::Holds(_) => None,
                Fit::Fails(condition, _) => Some(condition),
            };
            trace.note(Step::Safeguard { id, failed });
            self.better(&mut best, id, fit);
        }
        best
    }

    /// Keeps what is best whatever the order of the register: fewest remarks, or most conditions met; then by key.
    fn better(&self, best: &mut Best, id: SafeguardId, fit: Fit) {
        let key = |id: SafeguardId| &self.policy.safeguard(id).id;
        match fit {
            Fit::Holds(tags) => {
                let rank = |id, tags| (urgency(tags), key(id));
                if best.holds.is_none_or(|(known, remarks)| rank(id, tags) < rank(known, remarks)) {
                    best.holds = Some((id, tags));
                }
            }
            Fit::Fails(condition, met) => {
                let rank = |id, met| (usize::MAX - met, key(id));
                if best.nearest.is_none_or(|(known, _, other)| rank(id, met) < rank(known, other)) {
                    best.nearest = Some((id, condition, met));
                }
            }
        }
    }

    /// Whether the entry names this recipient or, where it names none, this place and cohort.
    fn names(&self, entry: &Safeguard, spot: Spot) -> bool {
        let itself = self.leg.recipient == Recipient::Party(self.case.exporter);
        let named = match &entry.recipients {
            Named::Parties(parties) => parties.iter().any(|party| self.leg.recipient == Recipient::Party(*party)),
            Named::SameEntity => itself,
            Named::Anyone => takes_anyone(entry.kind) && self.in_area(entry, spot) && self.in_cohort(entry),
        };
        let open = spot.place != Some(Place::World);
        match entry.kind {
            // No place has been specified in the Gazette.
            SafeguardKind::SpecifiedPlace => false,
            SafeguardKind::OwnStaffRemote => open && named && itself,
            SafeguardKind::ComparableLaw
            | SafeguardKind::WrittenConsent
            | SafeguardKind::AdverseAction
            | SafeguardKind::Part8Exempt
            | SafeguardKind::RmcUser
            | SafeguardKind::RmcProcessor
            | SafeguardKind::OtherContract
            | SafeguardKind::GbaSc
            | SafeguardKind::GroupPolicy
            | SafeguardKind::ProcessorOversight => open && named,
        }
    }

    /// All conditions in order: scope before validity, so that an expired entry that would fit is told as expired.
    fn fit(&self, entry: &Safeguard, spot: Spot) -> Fit {
        let checks = [
            (self.policy.binds(entry, self.case.exporter), Condition::Exporter),
            (self.has_role(entry), Condition::Role),
            (self.in_cohort(entry), Condition::Cohort),
            (self.is_registered(entry), Condition::Registration),
            (self.in_area(entry, spot), Condition::Place),
            (entry.kinds.is_empty() || entry.kinds.contains(&self.leg.kind), Condition::Kind),
            (self.in_categories(entry), Condition::Category),
            (self.in_purposes(entry), Condition::Purpose),
            (in_force(entry, self.day) != Some(Condition::Suspended), Condition::Suspended),
            (in_force(entry, self.day) != Some(Condition::NotYetInForce), Condition::NotYetInForce),
            (in_force(entry, self.day) != Some(Condition::Expired), Condition::Expired),
            (entry.kind != SafeguardKind::GbaSc || stated(entry.pipia.as_ref()), Condition::Pipia),
            (self.is_filed(entry) || self.may_yet_be_filed(entry), Condition::Filing),
        ];
        let failed = checks.iter().position(|(holds, _)| !holds);
        failed.map_or_else(|| Fit::Holds(self.remarks(entry)), |met| Fit::Fails(checks[met].1, met))
    }

    fn has_role(&self, entry: &Safeguard) -> bool {
        let party = match self.leg.recipient {
            Recipient::Party(id) => Some(self.policy.party(id)),
            Recipient::Stranger | Recipient::Public => None,
        };
        match entry.kind {
            SafeguardKind::RmcProcessor | SafeguardKind::ProcessorOversight => {
                party.is_some_and(|party| party.role == Role::Processor)
            }
            SafeguardKind::GroupPolicy => party.is_some_and(|party| party.tie != Tie::External),
            SafeguardKind::SpecifiedPlace
            | SafeguardKind::ComparableLaw
            | SafeguardKind::WrittenConsent
            | SafeguardKind::AdverseAction
            | SafeguardKind::Part8Exempt
            | SafeguardKind::RmcUser
            | SafeguardKind::OtherContract
            | SafeguardKind::GbaSc
            | SafeguardKind::OwnStaffRemote => true,
        }
    }

    /// Consent, adverse action and Part 8 apply to listed items only.
    fn in_cohort(&self, entry: &Safeguard) -> bool {
        let open = entry.items.is_empty() && !needs_items(entry.kind);
        open || entry.items.contains(&self.case.item)
    }

    fn is_registered(&self, entry: &Safeguard) -> bool {
        let Recipient::Party(id) = self.leg.recipient else { return entry.kind != SafeguardKind::GbaSc };
        let seat = self.policy.party(id).registered;
        entry.kind != SafeguardKind::GbaSc || matches!(seat, Some(Place::In(Country::CN, District::Gba(_))))
    }

    fn in_area(&self, entry: &Safeguard, spot: Spot) -> bool {
        match entry.kind {
            SafeguardKind::GbaSc => in_contract(entry, spot.contract),
            // A law is that of a place: an assessment of everywhere is an assessment of nowhere.
            SafeguardKind::ComparableLaw => {
                entry.areas.iter().any(|area| *area != Area::Everywhere && admits(*area, spot.entry))
            }
            SafeguardKind::SpecifiedPlace
            | SafeguardKind::WrittenConsent
            | SafeguardKind::AdverseAction
            | SafeguardKind::Part8Exempt
            | SafeguardKind::RmcUser
            | SafeguardKind::RmcProcessor
            | SafeguardKind::OtherContract
            | SafeguardKind::GroupPolicy
            | SafeguardKind::ProcessorOversight
            | SafeguardKind::OwnStaffRemote => {
                entry.areas.is_empty() || entry.areas.iter().any(|area| admits(*area, spot.entry))
            }
        }
    }

    /// Categories that are not known cannot be shown to lie within a limit.
    fn in_categories(&self, entry: &Safeguard) -> bool {
        let limited = !entry.categories.is_empty();
        !limited || !self.categories.is_empty() && self.categories.within(entry.categories)
    }

    fn in_purposes(&self, entry: &Safeguard) -> bool {
        entry.purposes.is_empty() || self.item.purpose.is_some_and(|purpose| entry.purposes.contains(purpose))
    }

    /// A filing counts from its day on.
    fn is_filed(&self, entry: &Safeguard) -> bool {
        let filed = entry.filing.as_ref().is_some_and(|filing| filing.day <= self.day);
        filed || entry.kind != SafeguardKind::GbaSc
    }

    fn may_yet_be_filed(&self, entry: &Safeguard) -> bool {
        self.day <= self.policy.pack.filing_deadline(entry.from)
    }

    fn remarks(&self, entry: &Safeguard) -> Tags {
        let left = entry.until.map(|until| i64::from(until) - i64::from(self.day));
        let expiring = left.is_some_and(|days| days <= i64::from(self.policy.pack.expiring_days));
        let tags = if expiring { Tags::default().with(Tag::Expiring) } else { Tags::default() };
        if self.is_filed(entry) { tags } else { tags.with(Tag::FilingDue) }
    }
}

const MATCHED: &str = "an entry of the register matches in every condition";
const UNMATCHED: &str = "no entry of the register matches in every condition";
const UNCOVERED: &str = "no entry matches, or a gap in the principles is known";
const DEFECTIVE: &str = "an entry names this recipient or place, but a condition fails";

/// The GBA Standard Contract is contradicted by a place outside Guangdong, or in Guangdong outside the nine cities, or
/// outside the entry's own areas; a place that is known too coarsely contradicts nothing.
fn in_contract(entry: &Safeguard, place: Option<Place>) -> bool {
    let inside = place.is_some_and(|place| Area::GbaNine.contains(place) != Within::No);
    let listed = entry.areas.is_empty() || entry.areas.iter().any(|area| within(*area, place) != Within::No);
    inside && listed
}

/// Types that may name "anyone": the others are an arrangement with somebody.
fn takes_anyone(kind: SafeguardKind) -> bool {
    kind == SafeguardKind::ComparableLaw || needs_items(kind)
}

fn needs_items(kind: SafeguardKind) -> bool {
    matches!(kind, SafeguardKind::WrittenConsent | SafeguardKind::AdverseAction | SafeguardKind::Part8Exempt)
}

fn stated(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

/// How pressing the remarks are: an unfiled contract before one that ends soon.
fn urgency(tags: Tags) -> u8 {
    u8::from(tags.contains(Tag::FilingDue)) * 2 + u8::from(tags.contains(Tag::Expiring))
}
