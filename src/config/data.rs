//! Sections about what: data inventory, spaces.

use serde::{Deserialize, Serialize};

use super::parties::Storage;

/// `[[inventory]]`: what a class of files holds and what the people concerned were told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Item {
    /// Key for references: `"customer-list"`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Whether it is personal data: `"yes"`, `"no"`, `"unknown"`. Default `"unknown"`.
    pub personal: String,
    /// Categories: `contact`, `identity`, `biometric`, `health`, `financial`, `minors`, `employment`, `customer`, `other`.
    pub categories: Vec<String>,
    /// Estimated number of people in the data.
    pub subjects: Option<u64>,
    /// Purpose of collection (DPP3); left out: unknown. At most 64 different purposes in one configuration.
    pub purpose: Option<String>,
    /// Classes of transferees told to the people concerned (DPP1(3)); left out: unknown; `[]`: none were told.
    pub notified: Option<Vec<String>>,
    /// Received under the GBA Standard Contract, so that it may not go on outside the GBA. Default `false`.
    pub under_gba_contract: bool,
    /// Collected, held, processed or used in Hong Kong (PDPO s.33(1)(a)): `"yes"`, `"no"`, `"unknown"`. Default `"unknown"`.
    pub handled_in_hk: String,
}

impl Default for Item {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            personal: "unknown".into(),
            categories: Vec::new(),
            subjects: None,
            purpose: None,
            notified: None,
            under_gba_contract: false,
            handled_in_hk: "unknown".into(),
        }
    }
}

/// `[[spaces]]`: a space or knowledge base. What is left out is the tenant's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Space {
    /// Space id or knowledge base id, in quotes: `"24870551923"`.
    pub id: String,
    /// Name for people who read this file; not used otherwise.
    pub name: Option<String>,
    /// Tenant whose space it is, for what is said of its storage as a standing arrangement. Left out: the tenant of its
    /// `entity`, where one tenant is that entity's, else the first.
    pub tenant: Option<String>,
    /// Inventory item of its files.
    pub item: Option<String>,
    /// Entity that controls its files.
    pub entity: Option<String>,
    /// Entity or party that operates its storage.
    pub operator: Option<String>,
    /// Where it is stored.
    pub storage: Option<Storage>,
}
