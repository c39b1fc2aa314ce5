//! Entities, parties, tenants.

use crate::config::{self, Path};
use crate::domain::party::{Party, Role, Tenant, Tie};
use crate::domain::place::Place;

use super::check::Check;
use super::words;

/// Entities, then parties: a `PartyId` is the index.
pub(super) fn parties(check: &mut Check<'_>) -> Vec<Party> {
    let config = check.config;
    let mut all = Vec::with_capacity(config.entities.len() + config.parties.len());
    for (index, entity) in config.entities.iter().enumerate() {
        all.push(entity_of(check, &Path::element("entities", index), entity));
    }
    for (index, party) in config.parties.iter().enumerate() {
        all.push(party_of(check, &Path::element("parties", index), party));
    }
    if !all.iter().any(|party| party.tie == Tie::Own) {
        let remedy = "declare at least one [[entities]] with tie = \"own\": the data user whose data are watched";
        check.fault(Path::section("entities"), "", remedy);
    }
    all
}

fn entity_of(check: &mut Check<'_>, path: &Path, entity: &config::Entity) -> Party {
    let tie = check.one_of(path.key("tie"), &entity.tie, words::tie, &words::TIES).unwrap_or(Tie::Own);
    if tie == Tie::Own && entity.registered.is_none() {
        let remedy = "missing; write its principal place of business, such as \"HK\" (PDPO s.33(1)(b))";
        check.fault(path.key("registered"), "", remedy);
    }
    let as_party = config::Party {
        id: entity.id.clone(),
        name: entity.name.clone(),
        role: entity.role.clone(),
        registered: entity.registered.clone(),
        agreement: entity.agreement.clone(),
        class: entity.class.clone(),
    };
    Party { tie, ..party_of(check, path, &as_party) }
}

fn party_of(check: &mut Check<'_>, path: &Path, party: &config::Party) -> Party {
    if party.name.trim().is_empty() {
        check.fault(path.key("name"), "", "missing; give it a name for people");
    }
    let role = check.one_of(path.key("role"), &party.role, words::role, &words::ROLES).unwrap_or(Role::Unknown);
    Party {
        id: party.id.clone(),
        name: party.name.clone(),
        role,
        tie: Tie::External,
        registered: party.registered.as_deref().and_then(|text| check.place(path.key("registered"), text)),
        agreement: check.tri(path.key("agreement"), &party.agreement),
        class: party.class.clone(),
    }
}

pub(super) fn tenants(check: &mut Check<'_>) -> Vec<Tenant> {
    let tenants = &check.config.tenants;
    if tenants.is_empty() {
        check.fault(
            Path::section("tenants"),
            "",
            "declare the DingTalk organisation that is watched: [[tenants]] with its corp id",
        );
    }
    let each = tenants.iter().enumerate();
    each.map(|(index, tenant)| tenant_of(check, &Path::element("tenants", index), tenant)).collect()
}

fn tenant_of(check: &mut Check<'_>, path: &Path, tenant: &config::Tenant) -> Tenant {
    let entity = check.entity(path.key("entity"), &tenant.entity);
    let mut members = vec![entity];
    for (index, id) in tenant.members.iter().enumerate() {
        let member = check.entity(path.key("members").index(index), id);
        if !members.contains(&member) {
            members.push(member);
        }
    }
    let operator = tenant.storage_operator.as_deref();
    Tenant {
        id: tenant.id.clone(),
        name: tenant.name.clone().unwrap_or_else(|| tenant.id.clone()),
        entity,
        members,
        storage_operator: operator.map(|id| check.party(path.key("storage_operator"), id)),
        storage: tenant_storage(check, path, tenant),
        item: check.item(path.key("item"), &tenant.item),
    }
}

fn tenant_storage(check: &mut Check<'_>, path: &Path, tenant: &config::Tenant) -> Option<(Place, String)> {
    let Some(storage) = &tenant.storage else {
        check
            .warn(path, "no storage place; flows to and from storage that nothing nearer locates will be UNDETERMINED");
        return None;
    };
    let path = path.key("storage");
    let found = check.storage(&path, storage);
    if found.as_ref().is_some_and(|(place, _)| !place.is_hk()) {
        check.warn(
            &path,
            format!("storage in {}, outside Hong Kong, is itself judged as a standing flow", storage.place),
        );
    }
    found
}
