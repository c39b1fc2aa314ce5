//! What all checks share: the register of ids, references, and the list of faults so far.

use std::collections::HashMap;
use std::fmt::Display;

use crate::config::{Config, Fault, Path, Storage};
use crate::domain::party::{ItemId, PartyId, PurposeId, Purposes, TenantId, Tri};
use crate::domain::place::Place;
use crate::domain::safeguard::Area;

use super::words;

/// Longest list of known ids that a remedy shows.
const SHOWN_IDS: usize = 12;

pub(super) struct Check<'c> {
    pub(super) config: &'c Config,
    pub(super) purposes: Vec<String>,
    parties: HashMap<&'c str, u16>,
    tenants: HashMap<&'c str, u16>,
    items: HashMap<&'c str, u16>,
    faults: Vec<Fault>,
    warnings: Vec<String>,
}

impl<'c> Check<'c> {
    /// Registers the ids that others refer to.
    pub(super) fn new(config: &'c Config) -> Self {
        let mut check = Self {
            config,
            purposes: Vec::new(),
            parties: HashMap::new(),
            tenants: HashMap::new(),
            items: HashMap::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        let entities =
            config.entities.iter().enumerate().map(|(i, entity)| (Path::element("entities", i), &*entity.id));
        let parties = config.parties.iter().enumerate().map(|(i, party)| (Path::element("parties", i), &*party.id));
        check.parties = check.register(entities.chain(parties), "id");
        let tenants = config.tenants.iter().enumerate().map(|(i, tenant)| (Path::element("tenants", i), &*tenant.id));
        check.tenants = check.register(tenants, "id");
        let items = config.inventory.iter().enumerate().map(|(i, item)| (Path::element("inventory", i), &*item.id));
        check.items = check.register(items, "id");
        check
    }

    pub(super) fn finish(self) -> (Vec<Fault>, Vec<String>) {
        (self.faults, self.warnings)
    }

    pub(super) fn fault(&mut self, path: Path, value: &str, remedy: impl Into<String>) {
        let shown = if value.is_empty() { String::new() } else { format!("{value:?}") };
        self.faults.push(Fault::new(path, &shown, remedy));
    }

    pub(super) fn warn(&mut self, path: &Path, what: impl Display) {
        self.warnings.push(format!("{path}: {what}"));
    }

    /// Checks that ids are there and unique, and numbers them in order.
    pub(super) fn register(&mut self, ids: impl Iterator<Item = (Path, &'c str)>, key: &str) -> HashMap<&'c str, u16> {
        let mut seen: HashMap<&'c str, (u16, Path)> = HashMap::new();
        for (index, (element, id)) in ids.enumerate() {
            let path = element.key(key);
            let Ok(number) = u16::try_from(index) else {
                self.fault(path, id, "at most 65536 entries of this kind; remove some");
                break;
            };
            if id.trim().is_empty() {
                self.fault(path, id, format!("missing; every entry needs its own {key}"));
            } else if let Some((_, first)) = seen.get(id) {
                let remedy = format!("already used by {first}; change this {key}");
                self.fault(path, id, remedy);
            } else {
                seen.insert(id, (number, element));
            }
        }
        seen.into_iter().map(|(id, (number, _))| (id, number)).collect()
    }

    /// An entity or party.
    pub(super) fn party(&mut self, path: Path, id: &str) -> PartyId {
        let known = self.parties.get(id).copied();
        PartyId(self.found(known, path, id, "[[entities]] or [[parties]]", |check| &check.parties))
    }

    /// An entity: one of the organisation or its group.
    pub(super) fn entity(&mut self, path: Path, id: &str) -> PartyId {
        let party = self.party(path.clone(), id);
        let known = self.parties.contains_key(id);
        if known && usize::from(party.0) >= self.config.entities.len() {
            self.fault(path, id, "this is a party; name one of [[entities]] here");
        }
        party
    }

    /// The id of an entity or party, for people.
    pub(super) fn party_key(&self, party: PartyId) -> &'c str {
        let index = usize::from(party.0);
        let entities = &self.config.entities;
        match entities.get(index) {
            Some(entity) => &entity.id,
            None => self.config.parties.get(index.saturating_sub(entities.len())).map_or("", |party| &party.id),
        }
    }

    pub(super) fn tenant(&mut self, path: Path, id: &str) -> TenantId {
        let known = self.tenants.get(id).copied();
        TenantId(self.found(known, path, id, "[[tenants]]", |check| &check.tenants))
    }

    pub(super) fn item(&mut self, path: Path, id: &str) -> ItemId {
        let known = self.items.get(id).copied();
        ItemId(self.found(known, path, id, "[[inventory]]", |check| &check.items))
    }

    fn found(
        &mut self,
        known: Option<u16>,
        path: Path,
        id: &str,
        section: &str,
        ids: impl Fn(&Self) -> &HashMap<&'c str, u16>,
    ) -> u16 {
        if known.is_none() {
            let known = listing(ids(self));
            let remedy = if id.is_empty() {
                format!("missing; name one declared under {section}: {known}")
            } else {
                format!("not declared; declare it under {section} or name one of: {known}")
            };
            self.fault(path, id, remedy);
        }
        known.unwrap_or_default()
    }

    pub(super) fn place(&mut self, path: Path, text: &str) -> Option<Place> {
        self.word(path, text, words::place, words::PLACE_REMEDY)
    }

    pub(super) fn area(&mut self, path: Path, text: &str) -> Option<Area> {
        self.word(path, text, words::area, words::AREA_REMEDY)
    }

    pub(super) fn day(&mut self, path: Path, text: &str) -> Option<i32> {
        self.word(path, text, words::day, words::DAY_REMEDY)
    }

    pub(super) fn tri(&mut self, path: Path, text: &str) -> Tri {
        self.one_of(path, text, words::tri, &words::TRI).unwrap_or(Tri::Unknown)
    }

    /// A word of a closed list.
    pub(super) fn one_of<T>(
        &mut self,
        path: Path,
        text: &str,
        parse: impl Fn(&str) -> Option<T>,
        names: &[&str],
    ) -> Option<T> {
        self.word(path, text, parse, &format!("write one of: {}", names.join(", ")))
    }

    pub(super) fn word<T>(
        &mut self,
        path: Path,
        text: &str,
        parse: impl Fn(&str) -> Option<T>,
        remedy: &str,
    ) -> Option<T> {
        let read = parse(text);
        if read.is_none() {
            self.fault(path, text, remedy);
        }
        read
    }

    /// A place of storage and what proves it.
    pub(super) fn storage(&mut self, path: &Path, storage: &Storage) -> Option<(Place, String)> {
        if storage.evidence.trim().is_empty() {
            let remedy =
                "say what proves the place (contract, schedule, observation), or leave storage out: then it is unknown";
            self.fault(path.key("evidence"), "", remedy);
        }
        let place = self.place(path.key("place"), &storage.place)?;
        Some((place, storage.evidence.clone()))
    }

    /// A purpose; new ones are numbered in order of first mention.
    pub(super) fn purpose(&mut self, path: Path, name: &str) -> Option<PurposeId> {
        if name.trim().is_empty() {
            self.fault(path, name, "name the purpose, or leave the key out");
            return None;
        }
        let known = self.purposes.iter().position(|known| known == name);
        if known.is_none() && self.purposes.len() == Purposes::MOST {
            let remedy = format!("at most {} different purposes; use one that is there", Purposes::MOST);
            self.fault(path, name, remedy);
            return None;
        }
        let index = known.unwrap_or_else(|| {
            self.purposes.push(name.to_owned());
            self.purposes.len() - 1
        });
        u8::try_from(index).ok().map(PurposeId)
    }

    /// A number within bounds.
    pub(super) fn range(&mut self, path: Path, value: u64, least: u64, most: u64) {
        if value < least || value > most {
            self.fault(path, "", format!("{value} is out of bounds; write a number from {least} to {most}"));
        }
    }
}

fn listing(ids: &HashMap<&str, u16>) -> String {
    let mut ids: Vec<_> = ids.iter().map(|(id, number)| (*number, *id)).collect();
    ids.sort_unstable();
    let more = if ids.len() > SHOWN_IDS { ", …" } else { "" };
    let names: Vec<_> = ids.into_iter().take(SHOWN_IDS).map(|(_, id)| id).collect();
    if names.is_empty() { "(none yet)".to_owned() } else { names.join(", ") + more }
}
