//! The operator's maps: spaces, people, names and mail domains.

use std::collections::{HashMap, HashSet};

use crate::config::{self, Path};
use crate::domain::estate::{Estate, Space};
use crate::domain::event::Id;
use crate::domain::map::Map;
use crate::domain::party::{Contact, PartyId, TenantId};
use crate::domain::policy::Policy;

use super::check::Check;
use super::words;

pub(super) fn estate(check: &mut Check<'_>, policy: &Policy) -> Estate {
    let (spaces, listed) = spaces(check, policy);
    let mut estate = Estate { spaces, listed, ..Estate::default() };
    organisations(check, &mut estate);
    people(check, policy, &mut estate);
    estate
}

/// Spaces by id, and their ids in order.
fn spaces(check: &mut Check<'_>, policy: &Policy) -> (Map<Id<'static>, Space>, Vec<Id<'static>>) {
    let (mut found, mut listed) = (Map::default(), Vec::new());
    let mut seen = HashMap::new();
    for (index, space) in check.config.spaces.iter().enumerate() {
        let path = Path::element("spaces", index);
        let compiled = space_of(check, policy, &path, space);
        if space.id.trim().is_empty() {
            check.fault(path.key("id"), "", "missing; write the space's id in quotes");
        } else if let Some(first) = seen.insert(space.id.as_str(), index) {
            check.fault(path.key("id"), &space.id, format!("already used by spaces[{first}]; remove one"));
        }
        listed.push(id(&space.id));
        found.insert(id(&space.id), compiled);
    }
    (found, listed)
}

/// As the entry says; else the tenant of its entity, where one tenant is that entity's; else the first.
fn tenant_of(
    check: &mut Check<'_>,
    policy: &Policy,
    path: &Path,
    space: &config::Space,
    entity: Option<PartyId>,
) -> TenantId {
    if let Some(id) = &space.tenant {
        return check.tenant(path.key("tenant"), id);
    }
    let numbered = (0..=u16::MAX).map(TenantId).zip(&policy.tenants);
    let mut theirs = numbered.filter(|(_, tenant)| Some(tenant.entity) == entity).map(|(id, _)| id);
    match (theirs.next(), theirs.next()) {
        (Some(only), None) => only,
        (None | Some(_), _) => TenantId(0),
    }
}

fn space_of(check: &mut Check<'_>, policy: &Policy, path: &Path, space: &config::Space) -> Space {
    let entity = space.entity.as_deref().map(|entity| check.entity(path.key("entity"), entity));
    Space {
        tenant: tenant_of(check, policy, path, space, entity),
        entity,
        item: space.item.as_deref().map(|item| check.item(path.key("item"), item)),
        operator: space.operator.as_deref().map(|operator| check.party(path.key("operator"), operator)),
        storage: space.storage.as_ref().and_then(|storage| check.storage(&path.key("storage"), storage)),
    }
}

fn id(text: &str) -> Id<'static> {
    Id::from_text(text.to_owned().into())
}

fn organisations(check: &mut Check<'_>, estate: &mut Estate) {
    let config = check.config;
    let entities = config.entities.iter().enumerate().map(|(i, entity)| (Path::element("entities", i), &entity.name));
    let parties = config.parties.iter().enumerate().map(|(i, party)| (Path::element("parties", i), &party.name));
    for (party, (path, name)) in (0..=u16::MAX).zip(entities.chain(parties)) {
        if !name.trim().is_empty() {
            let contact = Contact { party: PartyId(party), place: None };
            claim(check, path.key("name"), name, name.clone(), &contact, &mut estate.names);
        }
    }
    for (index, names) in config.organisations.iter().enumerate() {
        organisation(check, &Path::element("organisations", index), names, estate);
    }
}

fn organisation(check: &mut Check<'_>, path: &Path, names: &config::Names, estate: &mut Estate) {
    let party = check.party(path.key("party"), &names.party);
    let place = names.place.as_deref().and_then(|text| check.place(path.key("place"), text));
    let contact = Contact { party, place };
    for (index, name) in names.names.iter().enumerate() {
        let path = path.key("names").index(index);
        if name.trim().is_empty() {
            check.fault(path, "", "an empty name names nobody; remove it");
        } else {
            claim(check, path, name, name.clone(), &contact, &mut estate.names);
        }
    }
    let remedy = "write a mail domain without @ or wildcard: \"vhb.example\" (xn--… for other scripts)";
    for (index, text) in names.domains.iter().enumerate() {
        let path = path.key("domains").index(index);
        let domain =
            check.word(path.clone(), text, |text| words::domain(text).filter(|name| name.contains('.')), remedy);
        if let Some(domain) = domain {
            claim(check, path, text, domain, &contact, &mut estate.domains);
        }
    }
}

/// A name or domain stands for one party.
fn claim(
    check: &mut Check<'_>,
    path: Path,
    text: &str,
    key: String,
    contact: &Contact,
    map: &mut Map<String, Contact>,
) {
    match map.get(&key).filter(|known| known.party != contact.party) {
        Some(other) => {
            let remedy = format!("already stands for {:?}; remove one", check.party_key(other.party));
            check.fault(path, text, remedy);
        }
        None => {
            map.insert(key, contact.clone());
        }
    }
}

/// People by id, and by name where the name says one organisation and place. A name that does not is used for nobody: a
/// wrong place would be worse than none.
fn people(check: &mut Check<'_>, policy: &Policy, estate: &mut Estate) {
    let mut ids = HashMap::new();
    let mut ambiguous = HashSet::new();
    for (index, person) in check.config.people.iter().enumerate() {
        let path = Path::element("people", index);
        let contact = contact_of(check, &path, person);
        if let Some(text) = filled(person.id.as_deref()) {
            // The value is left out: ids of people are personal data.
            if let Some(first) = ids.insert(id(text), index) {
                check.fault(path.key("id"), "", format!("the same id as people[{first}]; remove one"));
            }
            estate.people.insert(id(text), contact.clone());
        }
        if let Some(name) = filled(person.name.as_deref()) {
            let same =
                |known: &Contact| known.party == contact.party && policy.place_of(known) == policy.place_of(&contact);
            if !estate.names.get(name).is_none_or(same) && ambiguous.insert(name) {
                check.warn(
                    &path.key("name"),
                    "the name also stands for another organisation or place, so it decides nothing alone",
                );
            }
            estate.names.entry(name.to_owned()).or_insert(contact);
        }
    }
    estate.names.retain(|name, _| !ambiguous.contains(name.as_str()));
}

fn contact_of(check: &mut Check<'_>, path: &Path, person: &config::Person) -> Contact {
    if filled(person.id.as_deref()).or(filled(person.name.as_deref())).is_none() {
        check.fault(path.clone(), "", "a person without id and name is never met; write at least one");
    }
    Contact {
        party: check.party(path.key("party"), &person.party),
        place: person.place.as_deref().and_then(|text| check.place(path.key("place"), text)),
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}
