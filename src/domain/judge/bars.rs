//! R5: what the organisation or a contract bars. Hong Kong law names no forbidden country, so each bar cites its rule.

use super::Matter;
use super::spots::Spot;
use crate::domain::flow::{FlowKind, Recipient};
use crate::domain::place::{Country, District, Place};
use crate::domain::policy::{Deny, Residency};
use crate::domain::safeguard::{Area, Within};
use crate::domain::trace::{Step, Trace};
use crate::domain::verdict::PolicyRule;

/// What bars a leg: deny list before contract before residency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bars {
    /// The rule to cite.
    pub(super) rule: Option<PolicyRule>,
    /// Stored outside the places that the residency policy allows, whether or not that is what is cited.
    pub(super) residency: bool,
}

impl Matter<'_> {
    /// Tries all bars.
    pub(super) fn bars<T: Trace>(&self, spot: Spot, trace: &mut T) -> Bars {
        let denied = self.denied(spot.place, trace).map(PolicyRule::Deny);
        let onward = self.onward(spot).then_some(PolicyRule::GbaOnward);
        let misplaced = self.misplaced(spot.place).map(PolicyRule::Residency);
        for rule in onward.into_iter().chain(misplaced) {
            trace.note(Step::Policy { rule, bars: true });
        }
        Bars { rule: denied.or(onward).or(misplaced), residency: misplaced.is_some() }
    }

    /// The most specific deny rule without an exception; among equals the one whose key comes first.
    fn denied<T: Trace>(&self, place: Option<Place>, trace: &mut T) -> Option<u16> {
        let mut held: Option<(u16, &Deny)> = None;
        for (number, rule) in (0..=u16::MAX).zip(&self.policy.deny) {
            if rule.allow || !self.concerns(rule, place) {
                continue;
            }
            let bars = !self.excepted(rule, place);
            trace.note(Step::Policy { rule: PolicyRule::Deny(number), bars });
            if bars && held.is_none_or(|(_, known)| outranks(rule, known)) {
                held = Some((number, rule));
            }
        }
        held.map(|(number, _)| number)
    }

    /// An exception must be narrower in place or in party and wider in neither.
    fn excepted(&self, bar: &Deny, place: Option<Place>) -> bool {
        self.policy.deny.iter().any(|rule| {
            let (own, other) = (rank(rule), rank(bar));
            rule.allow && own != other && own.0 >= other.0 && own.1 >= other.1 && self.concerns(rule, place)
        })
    }

    fn concerns(&self, rule: &Deny, place: Option<Place>) -> bool {
        let here = rule.area.map_or(Within::Yes, |area| within(area, place));
        let there = match here {
            Within::Yes => true,
            Within::No => false,
            Within::Perhaps => !rule.allow,
        };
        there && rule.party.is_none_or(|party| self.leg.recipient == Recipient::Party(party))
    }

    /// Data received under the GBA Standard Contract may not go on outside Hong Kong and the nine cities.
    fn onward(&self, spot: Spot) -> bool {
        let inside = match spot.place {
            Some(Place::In(Country::HK, _) | Place::In(Country::CN, District::Gba(_))) => true,
            Some(Place::In(Country::MO, _)) => !spot.macao_barred,
            Some(Place::In(..) | Place::World) | None => false,
        };
        self.item.under_gba_contract && !inside
    }

    fn misplaced(&self, place: Option<Place>) -> Option<u16> {
        let stored = match self.leg.kind {
            FlowKind::StoreAtRest | FlowKind::Upload | FlowKind::Sync => true,
            FlowKind::Access | FlowKind::Send | FlowKind::ShareGrant | FlowKind::AppExport => false,
        };
        let rules = (0..=u16::MAX).zip(&self.policy.residency).filter(|(_, rule)| stored && self.bound(rule));
        let broken = rules.filter(|(_, rule)| !rule.allowed.iter().any(|area| admits(*area, place)));
        broken.min_by(|(_, a), (_, b)| a.id.cmp(&b.id)).map(|(number, _)| number)
    }

    fn bound(&self, rule: &Residency) -> bool {
        let tenant = rule.tenants.is_empty() || rule.tenants.contains(&self.case.tenant);
        let entity = rule.entities.is_empty() || rule.entities.contains(&self.case.exporter);
        let item = rule.items.is_empty() || rule.items.contains(&self.case.item);
        tenant && entity && item
    }
}

fn outranks(rule: &Deny, known: &Deny) -> bool {
    let (own, other) = (rank(rule), rank(known));
    own > other || own == other && rule.id < known.id
}

/// How specific: place first, then party.
fn rank(rule: &Deny) -> (u8, bool) {
    let place = match rule.area {
        None | Some(Area::Everywhere) => 0,
        Some(Area::Country(_)) => 1,
        Some(Area::Guangdong) => 2,
        Some(Area::GbaNine) => 3,
        Some(Area::City(_)) => 4,
    };
    (place, rule.party.is_some())
}

/// Whether a place, or one that no rule names, lies in an area.
pub(super) fn within(area: Area, place: Option<Place>) -> Within {
    match place {
        Some(place) => area.contains(place),
        None if area == Area::Everywhere => Within::Yes,
        None => Within::No,
    }
}

/// Whether an area admits a place for certain. The whole world is no place to store at or to cover.
pub(super) fn admits(area: Area, place: Option<Place>) -> bool {
    place != Some(Place::World) && within(area, place) == Within::Yes
}
