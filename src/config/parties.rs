//! Sections about who: organisation, entities, parties, tenants, names, people.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `[organisation]`: the organisation as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organisation {
    /// Name for people, such as `"Victoria Harbour Bank"`.
    pub name: String,
    /// Whether files of which nobody knows if they hold personal data count as if they did. Default `true`, the cautious
    /// choice.
    pub unknown_counts_as_personal: bool,
}

impl Default for Organisation {
    fn default() -> Self {
        Self { name: String::new(), unknown_counts_as_personal: true }
    }
}

/// `[[entities]]`: a legal entity of the organisation or its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Entity {
    /// Key for references, unique among entities and parties: `"vhb"`.
    pub id: String,
    /// Name for people; a receiver or organisation of exactly this name is this entity.
    pub name: String,
    /// `"own"`: part of the organisation; `"group"`: another company of the group, so data that reach it are transferred.
    /// Default `"own"`.
    pub tie: String,
    /// `"data_user"`, `"processor"` or `"unknown"` (PDPO s.2, Schedule 1). Default `"data_user"`.
    pub role: String,
    /// Where it is registered; for an own entity its principal place of business (PDPO s.33(1)(b)): `"HK"`.
    pub registered: Option<String>,
    /// For processors: whether an agreement is on file (DPP2(3), DPP4(2)): `"yes"`, `"no"`, `"unknown"`. Default `"unknown"`.
    pub agreement: String,
    /// Class of transferee as told to the people concerned (DPP1(3)): `"group companies"`.
    pub class: Option<String>,
}

impl Default for Entity {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            tie: "own".into(),
            role: "data_user".into(),
            registered: None,
            agreement: "unknown".into(),
            class: None,
        }
    }
}

/// `[[parties]]`: a vendor or other recipient outside the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Party {
    /// Key for references, unique among entities and parties: `"qianjiang"`.
    pub id: String,
    /// Name for people; a receiver or organisation of exactly this name is this party.
    pub name: String,
    /// `"processor"`, `"data_user"` or `"unknown"`. Default `"unknown"`.
    pub role: String,
    /// Where it is registered: `"CN-ZJ"`.
    pub registered: Option<String>,
    /// For processors: whether an agreement is on file (DPP2(3), DPP4(2)): `"yes"`, `"no"`, `"unknown"`. Default `"unknown"`.
    pub agreement: String,
    /// Class of transferee as told to the people concerned (DPP1(3)): `"service providers"`.
    pub class: Option<String>,
}

impl Default for Party {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            role: "unknown".into(),
            registered: None,
            agreement: "unknown".into(),
            class: None,
        }
    }
}

/// A storage place and what proves it: `{ place = "HK", evidence = "DMS-2026-0417" }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// Where the files are stored.
    pub place: String,
    /// The paper or observation that says so; shown with every verdict that rests on it.
    pub evidence: String,
}

/// `[[tenants]]`: a DingTalk organisation under watch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// Corp id, or the name that the collector gives.
    pub id: String,
    /// Its name in DingTalk (`orgName`); default: the id. The names of its entity and members count as well. A row with any
    /// other `orgName` is about a file of another organisation, whose storage this tenant's settings do not tell.
    pub name: Option<String>,
    /// Id of the entity whose tenant it is: the data user unless a space says otherwise.
    pub entity: String,
    /// Entities with staff in the tenant, whom a document reaches that is opened to the whole organisation. Its own entity
    /// always counts.
    pub members: Vec<String>,
    /// Id of the entity or party that operates the storage.
    pub storage_operator: Option<String>,
    /// Where files are stored if nothing nearer says so. Left out: unknown, and so are many verdicts.
    pub storage: Option<Storage>,
    /// Inventory item of the spaces that are not listed.
    pub item: String,
}

/// `[[organisations]]`: names and mail domains by which an entity or party appears in events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    /// Id of the entity or party.
    pub party: String,
    /// Names, compared exactly, also inside the last parentheses of a receiver's name: `"Straits Freight"`.
    pub names: Vec<String>,
    /// Mail domains, for receivers that are given by a mail address; a domain below one of them counts:
    /// `"straits-freight.example"`. An address in place of a name never places anybody in Hong Kong.
    pub domains: Vec<String>,
    /// Where its people usually are; default: where it is registered.
    pub place: Option<String>,
}

/// `[[people]]`: a person whom events name.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// Staff id, receiver id or union id, in quotes: `"16338841"`.
    pub id: Option<String>,
    /// Name exactly as DingTalk shows it. People of one name and different organisations are told apart by id only. Beside an
    /// id that is not listed, a name never places somebody in Hong Kong.
    pub name: Option<String>,
    /// Id of the entity or party that they belong to.
    pub party: String,
    /// Where they usually are; default: where their organisation is registered.
    pub place: Option<String>,
}

/// Shows the organisation and nothing about the person.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("party", &self.party).finish_non_exhaustive()
    }
}
