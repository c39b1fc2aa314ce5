//! What the rules look at: safeguards, deny list, residency, apps, and the policy built of all.

use crate::config::{self, Path};
use crate::domain::flow::FlowKind;
use crate::domain::judge::index::Index;
use crate::domain::party::{App, PartyId, Purposes, Role};
use crate::domain::place::{District, Place};
use crate::domain::policy::{Deny, Policy, Residency};
use crate::domain::safeguard::{Area, Filing, Named, Safeguard, SafeguardKind};

use super::check::Check;
use super::{bundled_pack, data, digest, parties};

/// The one place where a policy is made.
pub(super) fn policy(check: &mut Check<'_>) -> Policy {
    let pack = bundled_pack();
    let digest = digest::digest(check.config, &pack);
    let mut policy = Policy {
        pack,
        parties: parties::parties(check),
        tenants: parties::tenants(check),
        items: data::items(check),
        purposes: Vec::new(),
        safeguards: safeguards(check),
        deny: deny(check),
        residency: residency(check),
        apps: apps(check),
        unknown_counts_as_personal: check.config.organisation.unknown_counts_as_personal,
        digest,
        index: Index::default(),
    };
    policy.purposes = std::mem::take(&mut check.purposes);
    for (index, safeguard) in policy.safeguards.iter().enumerate() {
        look_again(check, &Path::element("safeguards", index), &policy, safeguard);
    }
    policy.compile()
}

fn safeguards(check: &mut Check<'_>) -> Vec<Safeguard> {
    let entries = &check.config.safeguards;
    check.register(entries.iter().enumerate().map(|(i, entry)| (Path::element("safeguards", i), &*entry.id)), "id");
    entries
        .iter()
        .enumerate()
        .filter_map(|(i, entry)| safeguard(check, &Path::element("safeguards", i), entry))
        .collect()
}

fn safeguard(check: &mut Check<'_>, path: &Path, entry: &config::Safeguard) -> Option<Safeguard> {
    let kind = kind(check, path.key("type"), &entry.kind);
    let from = check.day(path.key("from"), &entry.from);
    let until = entry.until.as_deref().and_then(|text| check.day(path.key("until"), text));
    if let (Some(from), Some(until), Some(text)) = (from, until, &entry.until)
        && from >= until
    {
        check.fault(
            path.key("until"),
            text,
            "the entry would never be in force; until is the first day after it, later than from",
        );
    }
    let compiled = Safeguard {
        id: entry.id.clone(),
        // A stand-in keeps the entry's other faults visible.
        kind: kind.unwrap_or(SafeguardKind::OtherContract),
        exporters: list(check, &path.key("exporters"), &entry.exporters, Check::entity),
        recipients: kind.map_or(Named::SameEntity, |kind| recipients(check, path, kind, entry)),
        areas: areas(check, &path.key("places"), &entry.places),
        kinds: list(check, &path.key("kinds"), &entry.kinds, flow_kind).into_iter().flatten().collect(),
        categories: data::categories(check, &path.key("categories"), &entry.categories),
        purposes: purposes(check, &path.key("purposes"), &entry.purposes),
        items: list(check, &path.key("items"), &entry.items, Check::item),
        from: from.unwrap_or_default(),
        until,
        document: entry.document.as_deref().and_then(|text| document(check, path.key("document"), text)),
        approver: entry.approver.clone(),
        filing: entry.filing.as_ref().and_then(|filing| filing_of(check, &path.key("filing"), filing)),
        pipia: entry.pipia.clone(),
        suspended: entry.suspended,
    };
    if let Some(kind) = kind {
        limits(check, path, kind, entry);
    }
    Some(compiled)
}

fn kind(check: &mut Check<'_>, path: Path, text: &str) -> Option<SafeguardKind> {
    let kind = check.one_of(path.clone(), text, SafeguardKind::parse, &SafeguardKind::ALL.map(SafeguardKind::name))?;
    if kind == SafeguardKind::SpecifiedPlace {
        check.fault(path, text, "the Gazette list of places is empty (PDPO s.33(2)(a), s.33(3)); remove the entry");
        return None;
    }
    Some(kind)
}

/// Whether an entry of this type may name "whoever is there".
fn may_name_anyone(kind: SafeguardKind) -> bool {
    kind == SafeguardKind::ComparableLaw || is_bound_to_items(kind)
}

/// Types that apply to a listed cohort or case only (PDPO s.33(2)(c), (d), (e)).
fn is_bound_to_items(kind: SafeguardKind) -> bool {
    matches!(kind, SafeguardKind::WrittenConsent | SafeguardKind::AdverseAction | SafeguardKind::Part8Exempt)
}

fn recipients(check: &mut Check<'_>, path: &Path, kind: SafeguardKind, entry: &config::Safeguard) -> Named {
    let path = path.key("recipients");
    let names = &entry.recipients;
    if kind == SafeguardKind::OwnStaffRemote {
        if let Some(first) = names.first() {
            check.fault(
                path,
                first,
                "own_staff_remote is for the exporter's own staff and names nobody; remove recipients",
            );
        }
        return Named::SameEntity;
    }
    if names.is_empty() {
        let remedy = "missing; name entities or parties; [\"*\"], whoever is there, is for comparable_law, written_consent, \
                      adverse_action and part8_exempt";
        check.fault(path, "", remedy);
        return Named::SameEntity;
    }
    if !names.iter().any(|name| name == "*") {
        return Named::Parties(list(check, &path, names, Check::party));
    }
    if names.len() > 1 {
        check.fault(path, "*", "\"*\" already means everybody there; leave it alone in the list or remove it");
    } else if !may_name_anyone(kind) {
        check.fault(path, "*", format!("{} binds those who signed; name them", kind.name()));
    }
    Named::Anyone
}

/// What a type asks for beyond its recipients.
fn limits(check: &mut Check<'_>, path: &Path, kind: SafeguardKind, entry: &config::Safeguard) {
    if kind == SafeguardKind::ComparableLaw && entry.places.is_empty() {
        check.fault(path.key("places"), "", "missing; an assessment of a law is about a place, name it");
    }
    if kind == SafeguardKind::ComparableLaw
        && let Some(index) = entry.places.iter().position(|place| place == "*")
    {
        check.fault(path.key("places").index(index), "*", "an assessment of a law is about a place, name it");
    }
    if is_bound_to_items(kind) && entry.items.is_empty() {
        let remedy =
            format!("missing; {} holds for a listed cohort or case only, name its inventory items", kind.name());
        check.fault(path.key("items"), "", remedy);
    }
    if entry.document.is_none() {
        check.warn(path, "no document; without the SHA-256 of the signed paper nobody can show that it existed");
    }
}

/// What is allowed and yet will end as DEFECT.
fn look_again(check: &mut Check<'_>, path: &Path, policy: &Policy, safeguard: &Safeguard) {
    let named: &[PartyId] = match &safeguard.recipients {
        Named::Parties(parties) => parties,
        Named::SameEntity | Named::Anyone => &[],
    };
    // The list is as long as the configuration's own: every id was looked up, unknown ones are faults.
    for (index, party) in named.iter().filter_map(|id| policy.parties.get(usize::from(id.0))).enumerate() {
        let path = path.key("recipients").index(index);
        let in_gba = matches!(party.registered, Some(Place::In(_, District::Gba(_))));
        if safeguard.kind == SafeguardKind::GbaSc && !in_gba {
            check.warn(
                &path,
                format!("{} is not registered in one of the nine GBA cities, so gba_sc covers nothing", party.id),
            );
        }
        if safeguard.kind == SafeguardKind::RmcProcessor && party.role != Role::Processor {
            check.warn(&path, format!("the role of {} is not processor, so rmc_processor covers nothing", party.id));
        }
    }
    if safeguard.kind == SafeguardKind::GbaSc && safeguard.pipia.is_none() {
        check.warn(path, "no impact assessment (pipia), so gba_sc covers nothing");
    }
    if safeguard.kind == SafeguardKind::GbaSc && safeguard.filing.is_none() {
        check.warn(path, "not filed; from ten Hong Kong working days after it takes effect gba_sc covers nothing");
    }
}

fn document(check: &mut Check<'_>, path: Path, text: &str) -> Option<String> {
    let hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let read = |text: &str| hex.then(|| text.to_ascii_lowercase());
    check.word(path, text, read, "write the SHA-256 of the signed document: 64 hex digits, as sha256sum prints them")
}

fn filing_of(check: &mut Check<'_>, path: &Path, filing: &config::Filing) -> Option<Filing> {
    if filing.reference.trim().is_empty() {
        check.fault(
            path.key("reference"),
            "",
            "missing; write the reference that the office gave, or leave filing out",
        );
    }
    let day = check.day(path.key("day"), &filing.day)?;
    Some(Filing { day, reference: filing.reference.clone() })
}

fn flow_kind(check: &mut Check<'_>, path: Path, name: &str) -> Option<FlowKind> {
    check.one_of(path, name, FlowKind::parse, &FlowKind::ALL.map(FlowKind::name))
}

fn purposes(check: &mut Check<'_>, path: &Path, names: &[String]) -> Purposes {
    let numbers = list(check, path, names, |check, path, name| check.purpose(path, name));
    numbers.into_iter().flatten().fold(Purposes::default(), Purposes::with)
}

fn areas(check: &mut Check<'_>, path: &Path, texts: &[String]) -> Vec<Area> {
    list(check, path, texts, |check, path, text| check.area(path, text)).into_iter().flatten().collect()
}

fn list<'c, T>(
    check: &mut Check<'c>,
    path: &Path,
    texts: &[String],
    read: impl Fn(&mut Check<'c>, Path, &str) -> T,
) -> Vec<T> {
    texts.iter().enumerate().map(|(index, text)| read(check, path.index(index), text)).collect()
}

fn deny(check: &mut Check<'_>) -> Vec<Deny> {
    let rules = &check.config.deny;
    check.register(rules.iter().enumerate().map(|(i, rule)| (Path::element("deny", i), &*rule.id)), "id");
    let mut found = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let path = Path::element("deny", index);
        if rule.place.is_none() && rule.party.is_none() {
            check.fault(path.clone(), "", "the rule says nothing; write a place, a party or both");
        }
        found.push(Deny {
            id: rule.id.clone(),
            area: rule.place.as_deref().and_then(|text| check.area(path.key("place"), text)),
            party: rule.party.as_deref().map(|id| check.party(path.key("party"), id)),
            allow: rule.allow,
        });
    }
    found
}

fn residency(check: &mut Check<'_>) -> Vec<Residency> {
    let rules = &check.config.residency;
    check.register(rules.iter().enumerate().map(|(i, rule)| (Path::element("residency", i), &*rule.id)), "id");
    let mut found = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let path = Path::element("residency", index);
        if rule.allowed.is_empty() {
            check.fault(path.key("allowed"), "", "missing; name at least one area where the data may be stored");
        }
        found.push(Residency {
            id: rule.id.clone(),
            tenants: list(check, &path.key("tenants"), &rule.tenants, Check::tenant),
            entities: list(check, &path.key("entities"), &rule.entities, Check::entity),
            items: list(check, &path.key("items"), &rule.items, Check::item),
            allowed: areas(check, &path.key("allowed"), &rule.allowed),
        });
    }
    found
}

fn apps(check: &mut Check<'_>) -> Vec<App> {
    let apps = &check.config.apps;
    check.register(apps.iter().enumerate().map(|(i, app)| (Path::element("apps", i), &*app.code)), "code");
    let mut found = Vec::new();
    for (index, app) in apps.iter().enumerate() {
        let path = Path::element("apps", index);
        found.push(App {
            code: app.code.clone(),
            name: if app.name.is_empty() { app.code.clone() } else { app.name.clone() },
            operator: check.party(path.key("operator"), &app.operator),
            place: app.place.as_deref().and_then(|text| check.place(path.key("place"), text)),
        });
    }
    found
}
