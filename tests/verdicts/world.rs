//! Reads the register and the scenarios of `golden/verdicts` into a policy, a leg and a case.

use std::path::{Path, PathBuf};

use harbourwatch::domain::calendar::parse_day;
use harbourwatch::domain::flow::{Case, FlowKind, Leg, Recipient};
use harbourwatch::domain::judge::index::Index;
use harbourwatch::domain::party::{
    Categories, Category, Item, ItemId, Party, PartyId, PurposeId, Purposes, Role, Tenant, TenantId, Tie, Tri,
};
use harbourwatch::domain::place::{
    Candidates, Confidence, Country, District, Doubt, GbaCity, Location, Method, Place, SourceId,
};
use harbourwatch::domain::policy::{Deny, Policy, Residency};
use harbourwatch::domain::safeguard::{Area, Filing, Named, Safeguard, SafeguardKind};
use harbourwatch::policy_pack::PolicyPack;
use serde::Deserialize;
use toml::value::Datetime;

const PURPOSES: [&str; 3] = ["service", "employment", "marketing"];

/// The whole register; scenarios pick from it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    party: Vec<PartyRow>,
    item: Vec<ItemRow>,
    safeguard: Vec<SafeguardRow>,
    deny: Vec<DenyRow>,
    residency: Vec<ResidencyRow>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartyRow {
    id: String,
    name: String,
    tie: String,
    role: String,
    registered: Option<String>,
    agreement: Option<String>,
    class: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemRow {
    id: String,
    name: String,
    personal: String,
    #[serde(default)]
    categories: Vec<String>,
    subjects: Option<u64>,
    purpose: Option<String>,
    notified: Option<Vec<String>>,
    #[serde(default)]
    under_gba_contract: bool,
    handled_in_hk: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum NamedRow {
    Word(String),
    Parties(Vec<String>),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SafeguardRow {
    id: String,
    kind: String,
    #[serde(default)]
    exporters: Vec<String>,
    recipients: NamedRow,
    #[serde(default)]
    areas: Vec<String>,
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    purposes: Vec<String>,
    #[serde(default)]
    items: Vec<String>,
    from: Datetime,
    until: Option<Datetime>,
    filed: Option<Datetime>,
    pipia: Option<String>,
    #[serde(default)]
    suspended: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DenyRow {
    id: String,
    area: Option<String>,
    party: Option<String>,
    #[serde(default)]
    allow: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResidencyRow {
    id: String,
    #[serde(default)]
    entities: Vec<String>,
    #[serde(default)]
    items: Vec<String>,
    allowed: Vec<String>,
}

/// A place or places in a scenario: one, several, or `"anywhere"`.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Places {
    One(String),
    Several(Vec<String>),
}

/// One scenario.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) story: String,
    day: Option<Datetime>,
    kind: String,
    #[serde(default)]
    preview: bool,
    from: Places,
    from_doubt: Option<String>,
    to: Places,
    /// How the destination was found; the operator's statement if left out.
    to_by: Option<String>,
    to_doubt: Option<String>,
    recipient: String,
    exporter: Option<String>,
    item: Option<String>,
    #[serde(default)]
    suggested: Vec<String>,
    #[serde(default)]
    in_force: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    unknown_is_not_personal: bool,
    pub(super) expect: Expect,
}

/// What a scenario must give. What is left out must be absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) verdict: String,
    pub(super) rule: String,
    pub(super) severity: String,
    pub(super) safeguard: Option<String>,
    pub(super) failed: Option<String>,
    pub(super) cites: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) possible: Vec<String>,
    #[serde(default)]
    pub(super) binding: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    case: Vec<Scenario>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verdicts")
}

/// Reads the register.
pub(super) fn register() -> Register {
    let text = std::fs::read_to_string(folder().join("register.toml")).expect("register.toml is readable");
    toml::from_str(&text).expect("register.toml is well-formed")
}

/// Reads all scenarios with the name of their file, in order of file name.
pub(super) fn scenarios() -> Vec<(String, Scenario)> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder()).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name != "register.toml"));
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let name = path.file_name().expect("file").to_string_lossy().into_owned();
        let file: File = toml::from_str(&std::fs::read_to_string(&path).expect("readable"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!file.about.is_empty(), "{name} says what it is about");
        all.extend(file.case.into_iter().map(|case| (name.clone(), case)));
    }
    all
}

fn at<T>(list: &[T], what: &str, is: impl Fn(&T) -> bool) -> u16 {
    let index = list.iter().position(is).unwrap_or_else(|| panic!("the register has no {what}"));
    u16::try_from(index).expect("small")
}

fn tri(text: Option<&str>) -> Tri {
    match text {
        Some("yes") => Tri::Yes,
        Some("no") => Tri::No,
        Some("unknown") | None => Tri::Unknown,
        Some(other) => panic!("{other} is neither yes, no nor unknown"),
    }
}

/// Reads `HK`, `CN`, `CN-GD`, `CN-GD-Shenzhen`, `CN-GD-other`, `CN-other`, `WORLD`.
pub(super) fn place(text: &str) -> Place {
    let mainland = |district| Place::In(Country::CN, district);
    match text {
        "WORLD" => Place::World,
        "CN-GD" => mainland(District::Guangdong),
        "CN-GD-other" => mainland(District::GuangdongOutsideGba),
        "CN-other" => mainland(District::OtherProvince),
        _ => match text.strip_prefix("CN-GD-") {
            Some(city) => mainland(District::Gba(GbaCity::parse(city).expect("one of the nine"))),
            None => Place::country(Country::parse(text).unwrap_or_else(|| panic!("no place: {text}"))),
        },
    }
}

fn area(text: &String) -> Area {
    Area::parse(text).unwrap_or_else(|| panic!("no area: {text}"))
}

fn day(date: Datetime) -> i32 {
    parse_day(&date.to_string()).expect("a date")
}

fn categories(names: &[String]) -> Categories {
    let parse = |name: &String| Category::parse(name).unwrap_or_else(|| panic!("no category: {name}"));
    names.iter().map(parse).fold(Categories::NONE, Categories::with)
}

fn purpose(name: &String) -> PurposeId {
    PurposeId(u8::try_from(at(&PURPOSES, name, |purpose| purpose == name)).expect("small"))
}

impl Register {
    fn party(&self, id: &str) -> PartyId {
        PartyId(at(&self.party, id, |row| row.id == id))
    }

    fn item(&self, id: &str) -> ItemId {
        ItemId(at(&self.item, id, |row| row.id == id))
    }

    fn parties(&self, ids: &[String]) -> Vec<PartyId> {
        ids.iter().map(|id| self.party(id)).collect()
    }

    fn items(&self, ids: &[String]) -> Vec<ItemId> {
        ids.iter().map(|id| self.item(id)).collect()
    }

    /// The policy of a scenario, compiled.
    pub(super) fn policy(&self, scenario: &Scenario) -> Policy {
        let picked = |id: &String| self.safeguard.iter().find(|row| row.id == *id).unwrap_or_else(|| panic!("no {id}"));
        let chosen = |id: &String| scenario.rules.contains(id);
        for rule in &scenario.rules {
            let known = self.deny.iter().any(|row| row.id == *rule) || self.residency.iter().any(|row| row.id == *rule);
            assert!(known, "{}: the register has no rule {rule}", scenario.name);
        }
        self.policy_of(
            scenario.in_force.iter().map(|id| self.entry(picked(id))).collect(),
            self.deny.iter().filter(|row| chosen(&row.id)).map(|row| self.deny(row)).collect(),
            self.residency.iter().filter(|row| chosen(&row.id)).map(|row| self.residency(row)).collect(),
            !scenario.unknown_is_not_personal,
        )
    }

    /// A policy with everything that the register has, compiled.
    pub(super) fn everything(&self) -> Policy {
        self.policy_of(
            self.safeguard.iter().map(|row| self.entry(row)).collect(),
            self.deny.iter().map(|row| self.deny(row)).collect(),
            self.residency.iter().map(|row| self.residency(row)).collect(),
            true,
        )
    }

    fn policy_of(
        &self,
        safeguards: Vec<Safeguard>,
        deny: Vec<Deny>,
        residency: Vec<Residency>,
        unknown_counts_as_personal: bool,
    ) -> Policy {
        let tenant = Tenant {
            id: "tenant".to_owned(),
            name: "tenant".to_owned(),
            entity: self.party("harbour"),
            members: Vec::new(),
            storage_operator: None,
            storage: None,
            item: self.item("unsorted"),
        };
        Policy {
            pack: PolicyPack::bundled().expect("bundled").pack,
            parties: self.party.iter().map(party).collect(),
            tenants: vec![tenant],
            items: self.item.iter().map(item).collect(),
            purposes: PURPOSES.map(str::to_owned).to_vec(),
            safeguards,
            deny,
            residency,
            apps: Vec::new(),
            unknown_counts_as_personal,
            digest: String::new(),
            index: Index::default(),
        }
        .compile()
    }

    fn entry(&self, row: &SafeguardRow) -> Safeguard {
        let recipients = match &row.recipients {
            NamedRow::Word(word) if word == "anyone" => Named::Anyone,
            NamedRow::Word(word) if word == "same_entity" => Named::SameEntity,
            NamedRow::Word(word) => panic!("recipients: {word}"),
            NamedRow::Parties(ids) => Named::Parties(self.parties(ids)),
        };
        Safeguard {
            id: row.id.clone(),
            kind: SafeguardKind::parse(&row.kind).unwrap_or_else(|| panic!("no type: {}", row.kind)),
            exporters: self.parties(&row.exporters),
            recipients,
            areas: row.areas.iter().map(area).collect(),
            kinds: row.kinds.iter().map(|kind| FlowKind::parse(kind).expect("a flow kind")).collect(),
            categories: categories(&row.categories),
            purposes: row.purposes.iter().map(purpose).fold(Purposes::default(), Purposes::with),
            items: self.items(&row.items),
            from: day(row.from),
            until: row.until.map(day),
            document: None,
            approver: None,
            filing: row.filed.map(|filed| Filing { day: day(filed), reference: "F-1".to_owned() }),
            pipia: row.pipia.clone(),
            suspended: row.suspended,
        }
    }

    fn deny(&self, row: &DenyRow) -> Deny {
        let party = row.party.as_ref().map(|id| self.party(id));
        Deny { id: row.id.clone(), area: row.area.as_ref().map(area), party, allow: row.allow }
    }

    fn residency(&self, row: &ResidencyRow) -> Residency {
        Residency {
            id: row.id.clone(),
            tenants: Vec::new(),
            entities: self.parties(&row.entities),
            items: self.items(&row.items),
            allowed: row.allowed.iter().map(area).collect(),
        }
    }

    /// The leg and the case of a scenario.
    pub(super) fn facts(&self, scenario: &Scenario) -> (Leg, Case) {
        let recipient = match scenario.recipient.as_str() {
            "stranger" => Recipient::Stranger,
            "public" => Recipient::Public,
            id => Recipient::Party(self.party(id)),
        };
        let leg = Leg {
            kind: FlowKind::parse(&scenario.kind).expect("a flow kind"),
            preview: scenario.preview,
            origin: location(&scenario.from, None, scenario.from_doubt.as_deref()),
            destination: location(&scenario.to, scenario.to_by.as_deref(), scenario.to_doubt.as_deref()),
            recipient,
        };
        let noon = scenario.day.map_or(parse_day("2026-11-23").expect("a day"), day);
        let case = Case {
            tenant: TenantId(0),
            exporter: self.party(scenario.exporter.as_deref().unwrap_or("harbour")),
            item: self.item(scenario.item.as_deref().unwrap_or("customers")),
            suggested: categories(&scenario.suggested),
            at: i64::from(noon) * 86_400_000 + 4 * 3_600_000,
        };
        (leg, case)
    }
}

fn party(row: &PartyRow) -> Party {
    Party {
        id: row.id.clone(),
        name: row.name.clone(),
        role: match row.role.as_str() {
            "data_user" => Role::DataUser,
            "processor" => Role::Processor,
            "unknown" => Role::Unknown,
            other => panic!("no role: {other}"),
        },
        tie: match row.tie.as_str() {
            "own" => Tie::Own,
            "group" => Tie::Group,
            "external" => Tie::External,
            other => panic!("no tie: {other}"),
        },
        registered: row.registered.as_deref().map(place),
        agreement: tri(row.agreement.as_deref()),
        class: row.class.clone(),
    }
}

fn item(row: &ItemRow) -> Item {
    Item {
        id: row.id.clone(),
        name: row.name.clone(),
        personal: tri(Some(&row.personal)),
        categories: categories(&row.categories),
        subjects: row.subjects,
        purpose: row.purpose.as_ref().map(purpose),
        notified: row.notified.clone(),
        under_gba_contract: row.under_gba_contract,
        handled_in_hk: tri(row.handled_in_hk.as_deref()),
    }
}

fn location(places: &Places, by: Option<&str>, doubt: Option<&str>) -> Location {
    let candidates = match places {
        Places::One(word) if word == "anywhere" => Candidates::Anywhere,
        Places::One(one) => Candidates::one(place(one)),
        Places::Several(several) => {
            let mut all = several.iter().map(|text| place(text));
            let first = Candidates::one(all.next().expect("at least one place"));
            all.fold(first, Candidates::with)
        }
    };
    let method = match by {
        Some("address") => Method::Ip,
        Some(other) => panic!("found by {other}?"),
        None => Method::Site,
    };
    let doubt = doubt.map(|doubt| match doubt {
        "opaque" => Doubt::Opaque,
        "conflict" => Doubt::Conflict,
        "private" => Doubt::Private,
        "missing" => Doubt::Missing,
        other => panic!("doubt: {other}"),
    });
    let confidence = if doubt.is_some() { Confidence::Low } else { Confidence::High };
    Location { candidates, method, confidence, doubt, source: SourceId::NONE }
}
