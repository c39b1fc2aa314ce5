//! The safeguard register: what can cover a leg.

use super::flow::FlowKind;
use super::party::{Categories, ItemId, PartyId, Purposes};
use super::place::{Country, District, GbaCity, Place};

/// Index of a [`Safeguard`] in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafeguardId(pub u16);

/// Types of safeguard, tied to the alternatives of PDPO s.33(2). Section 33 is not in operation; it is followed as
/// recommended practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SafeguardKind {
    /// s.33(2)(a): place specified in the Gazette. The list is empty, so this type matches nothing.
    SpecifiedPlace,
    /// s.33(2)(b): own written assessment that a substantially similar law is in force.
    ComparableLaw,
    /// s.33(2)(c): written consent of a cohort.
    WrittenConsent,
    /// s.33(2)(d): to avoid adverse action; per case.
    AdverseAction,
    /// s.33(2)(e): exempt under Part 8; per case.
    Part8Exempt,
    /// s.33(2)(f): Recommended Model Contractual Clauses, data user to data user.
    RmcUser,
    /// s.33(2)(f): Recommended Model Contractual Clauses, data user to processor.
    RmcProcessor,
    /// s.33(2)(f): another contract.
    OtherContract,
    /// s.33(2)(f): GBA Standard Contract (Mainland, Hong Kong).
    GbaSc,
    /// s.33(2)(f): binding policy of the group.
    GroupPolicy,
    /// s.33(2)(f): "other means" of processor oversight (DPP2(3), DPP4(2)).
    ProcessorOversight,
    /// s.33(2)(f): rules for own staff who work outside Hong Kong.
    OwnStaffRemote,
}

impl SafeguardKind {
    /// All types, in declaration order.
    pub const ALL: [Self; 12] = [
        Self::SpecifiedPlace,
        Self::ComparableLaw,
        Self::WrittenConsent,
        Self::AdverseAction,
        Self::Part8Exempt,
        Self::RmcUser,
        Self::RmcProcessor,
        Self::OtherContract,
        Self::GbaSc,
        Self::GroupPolicy,
        Self::ProcessorOversight,
        Self::OwnStaffRemote,
    ];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SpecifiedPlace => "specified_place",
            Self::ComparableLaw => "comparable_law",
            Self::WrittenConsent => "written_consent",
            Self::AdverseAction => "adverse_action",
            Self::Part8Exempt => "part8_exempt",
            Self::RmcUser => "rmc_user",
            Self::RmcProcessor => "rmc_processor",
            Self::OtherContract => "other_contract",
            Self::GbaSc => "gba_sc",
            Self::GroupPolicy => "group_policy",
            Self::ProcessorOversight => "processor_oversight",
            Self::OwnStaffRemote => "own_staff_remote",
        }
    }

    /// Reads a [`SafeguardKind::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A pattern over places, from wide to narrow. `WORLD` matches none but [`Area::Everywhere`] in a deny list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// `*`: any country or territory.
    Everywhere,
    /// `SG`.
    Country(Country),
    /// `CN-GD`: Guangdong.
    Guangdong,
    /// `CN-GBA`: the nine Mainland cities of the Greater Bay Area.
    GbaNine,
    /// `CN-GD-Shenzhen`: one of the nine.
    City(GbaCity),
}

/// Whether a place lies in an area, where the place may be known too coarsely to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Within {
    Yes,
    No,
    /// The place is known only to a level above the area, as `CN` against `CN-GBA`.
    Perhaps,
}

impl Area {
    /// Reads `*`, `SG`, `CN-GD`, `CN-GBA`, `CN-GD-Shenzhen`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "*" => Some(Self::Everywhere),
            "CN-GD" => Some(Self::Guangdong),
            "CN-GBA" => Some(Self::GbaNine),
            _ => match text.strip_prefix("CN-GD-") {
                Some(city) => GbaCity::parse(city).map(Self::City),
                None => Country::parse(text).map(Self::Country),
            },
        }
    }

    /// Whether `place` lies in the area.
    pub fn contains(self, place: Place) -> Within {
        let Place::In(country, district) = place else {
            return if self == Self::Everywhere { Within::Yes } else { Within::No };
        };
        match self {
            Self::Everywhere => Within::Yes,
            Self::Country(own) if own == country => Within::Yes,
            Self::Country(_) => Within::No,
            Self::Guangdong | Self::GbaNine | Self::City(_) if country != Country::CN => Within::No,
            Self::Guangdong => in_guangdong(district),
            Self::GbaNine => match district {
                District::Gba(_) => Within::Yes,
                District::Unstated | District::Guangdong => Within::Perhaps,
                District::GuangdongOutsideGba | District::OtherProvince => Within::No,
            },
            Self::City(own) => match district {
                District::Gba(city) if city == own => Within::Yes,
                District::Unstated | District::Guangdong => Within::Perhaps,
                District::Gba(_) | District::GuangdongOutsideGba | District::OtherProvince => Within::No,
            },
        }
    }
}

fn in_guangdong(district: District) -> Within {
    match district {
        District::Guangdong | District::Gba(_) | District::GuangdongOutsideGba => Within::Yes,
        District::Unstated => Within::Perhaps,
        District::OtherProvince => Within::No,
    }
}

/// Whom a safeguard names as recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// These parties.
    Parties(Vec<PartyId>),
    /// Whoever is the exporter itself (`own_staff_remote`).
    SameEntity,
    /// Any recipient of the listed places (`comparable_law`, consent of a cohort).
    Anyone,
}

/// Filing of a GBA Standard Contract with the Digital Policy Office or the Guangdong CAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    /// Day of filing, in days since the epoch (Hong Kong calendar).
    pub day: i32,
    /// Filing reference.
    pub reference: String,
}

/// An entry of the register. Empty sets of kinds, categories or purposes mean "not limited".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safeguard {
    /// Key in the configuration.
    pub id: String,
    /// Its type.
    pub kind: SafeguardKind,
    /// Exporters it binds; empty: every own entity.
    pub exporters: Vec<PartyId>,
    /// Recipients it names.
    pub recipients: Named,
    /// Places it covers; empty: not limited.
    pub areas: Vec<Area>,
    /// Flow kinds it covers; empty: not limited.
    pub kinds: Vec<FlowKind>,
    /// Data categories it covers; empty: not limited.
    pub categories: Categories,
    /// Purposes it covers; empty: not limited.
    pub purposes: Purposes,
    /// Inventory items it is limited to (cohort or case); empty: not limited. Consent, adverse action and Part 8 entries
    /// apply to listed items only.
    pub items: Vec<ItemId>,
    /// First day in force, in days since the epoch (Hong Kong calendar).
    pub from: i32,
    /// First day no longer in force; `None`: open-ended.
    pub until: Option<i32>,
    /// SHA-256 of the signed document, lower-case hex.
    pub document: Option<String>,
    /// Who approved the entry.
    pub approver: Option<String>,
    /// Filing of a GBA Standard Contract.
    pub filing: Option<Filing>,
    /// Reference of the personal information protection impact assessment (GBA Standard Contract).
    pub pipia: Option<String>,
    /// Set when consent was withdrawn or the entry was suspended: it then names the recipient but covers nothing.
    pub suspended: bool,
}
