//! What the judge looks up: entries by recipient, and the places that stand for "anywhere". Made once per policy.
//!
//! Holds nothing that the policy does not say; a verdict never depends on whether the index was made.

use crate::domain::party::PartyId;
use crate::domain::place::{Country, District, GbaCity, Place};
use crate::domain::policy::Policy;
use crate::domain::safeguard::{Area, Named, Safeguard, SafeguardId, SafeguardKind};

/// Look-up tables of a policy; [`Policy::compile`] makes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    compiled: bool,
    /// Entries by the party that they name, each list ascending.
    by_party: Vec<Vec<SafeguardId>>,
    /// Entries that name no party: whoever is the exporter, or anyone.
    unnamed: Vec<SafeguardId>,
    /// Distinct places that a rule names, apart from Hong Kong and from the districts of Mainland China.
    named: Vec<Place>,
    /// Stand-ins for the districts of Mainland China: every city that a rule names, one other city of the nine if there
    /// is one left, the rest of Guangdong, the other provinces.
    districts: Vec<Place>,
    /// Whether a rule speaks of districts of Mainland China, so that a bare `CN` does not settle it.
    asks_districts: bool,
}

const REST_OF_MAINLAND: [Place; 2] =
    [Place::In(Country::CN, District::GuangdongOutsideGba), Place::In(Country::CN, District::OtherProvince)];

impl Index {
    /// Builds the tables.
    pub fn of(policy: &Policy) -> Self {
        let mut index = Self { compiled: true, by_party: vec![Vec::new(); policy.parties.len()], ..Self::default() };
        for (number, entry) in (0..=u16::MAX).zip(&policy.safeguards) {
            index.enter(SafeguardId(number), entry);
        }
        let areas: Vec<Area> = areas(policy).collect();
        index.named = named_places(&areas);
        index.districts = districts(&areas);
        index.asks_districts = asked(policy).any(is_district);
        index
    }

    /// Entries that may name `recipient` as party; the caller checks that they do. `None`: all entries are to be tried.
    pub(super) fn entries(&self, recipient: Option<PartyId>) -> Option<(&[SafeguardId], &[SafeguardId])> {
        let named = recipient.and_then(|party| self.by_party.get(usize::from(party.0)));
        self.compiled.then(|| (named.map_or(&[][..], Vec::as_slice), self.unnamed.as_slice()))
    }

    /// Distinct places that a rule names, apart from Hong Kong and Mainland China.
    pub(super) fn named(&self) -> &[Place] {
        &self.named
    }

    /// Stand-ins for the districts of Mainland China.
    pub(super) fn districts(&self) -> &[Place] {
        if self.districts.is_empty() { &UNCOMPILED } else { &self.districts }
    }

    /// Whether a place in Mainland China that is known too coarsely must be taken apart.
    pub(super) fn asks_districts(&self) -> bool {
        self.asks_districts || !self.compiled
    }

    fn enter(&mut self, id: SafeguardId, entry: &Safeguard) {
        match &entry.recipients {
            Named::Parties(parties) => {
                for party in parties {
                    let list = self.by_party.get_mut(usize::from(party.0));
                    if let Some(list) = list.filter(|list| list.last() != Some(&id)) {
                        list.push(id);
                    }
                }
            }
            Named::SameEntity | Named::Anyone => self.unnamed.push(id),
        }
    }
}

/// Without an index every district is tried.
static UNCOMPILED: [Place; 11] = {
    let mut places = [REST_OF_MAINLAND[0]; 11];
    let mut at = 0;
    while at < GbaCity::ALL.len() {
        places[at] = Place::In(Country::CN, District::Gba(GbaCity::ALL[at].0));
        at += 1;
    }
    places[10] = REST_OF_MAINLAND[1];
    places
};

/// Areas that a place is held against. Those of a GBA Standard Contract are apart: it turns on where the recipient is
/// registered, and a place that is known too coarsely does not speak against it.
fn asked(policy: &Policy) -> impl Iterator<Item = Area> + '_ {
    let entries = policy.safeguards.iter().filter(|entry| entry.kind != SafeguardKind::GbaSc);
    let deny = policy.deny.iter().filter_map(|rule| rule.area);
    let residency = policy.residency.iter().flat_map(|rule| rule.allowed.iter().copied());
    entries.flat_map(|entry| entry.areas.iter().copied()).chain(deny).chain(residency)
}

fn areas(policy: &Policy) -> impl Iterator<Item = Area> + '_ {
    let contracts = policy.safeguards.iter().filter(|entry| entry.kind == SafeguardKind::GbaSc);
    asked(policy).chain(contracts.flat_map(|entry| entry.areas.iter().copied()))
}

fn is_district(area: Area) -> bool {
    match area {
        Area::Guangdong | Area::GbaNine | Area::City(_) => true,
        Area::Everywhere | Area::Country(_) => false,
    }
}

fn named_places(areas: &[Area]) -> Vec<Place> {
    // Macao is always asked: the GBA Standard Contract leaves it open.
    let mut places = vec![Place::country(Country::MO)];
    places.extend(areas.iter().filter_map(|area| match area {
        Area::Country(country) if ![Country::HK, Country::CN].contains(country) => Some(Place::country(*country)),
        Area::Everywhere | Area::Country(_) | Area::Guangdong | Area::GbaNine | Area::City(_) => None,
    }));
    places.sort_unstable();
    places.dedup();
    places
}

fn districts(areas: &[Area]) -> Vec<Place> {
    let named = |city: &GbaCity| areas.contains(&Area::City(*city));
    let cities = GbaCity::ALL.map(|(city, ..)| city);
    let other = cities.iter().find(|city| !named(city));
    let cities = cities.iter().filter(|city| named(city)).chain(other);
    cities.map(|city| Place::In(Country::CN, District::Gba(*city))).chain(REST_OF_MAINLAND).collect()
}
