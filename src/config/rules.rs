//! Sections that the rules look at: safeguards, deny list, residency, apps.

use serde::{Deserialize, Serialize};

/// `[[safeguards]]`: an entry of the register. A list that is left out does not limit the entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Safeguard {
    /// Key, cited in verdicts: `"rmc-sg-2025"`.
    pub id: String,
    /// Type, tied to the alternatives of PDPO s.33(2): `comparable_law` (b), `written_consent` (c), `adverse_action` (d),
    /// `part8_exempt` (e), and for (f) `rmc_user`, `rmc_processor`, `other_contract`, `gba_sc`, `group_policy`,
    /// `processor_oversight`, `own_staff_remote`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Entities that it binds as exporters; default: every own entity.
    pub exporters: Vec<String>,
    /// Entities and parties that it names. `["*"]`, whoever is there, only for (b) to (e). None for `own_staff_remote`.
    pub recipients: Vec<String>,
    /// Areas that it covers.
    pub places: Vec<String>,
    /// Flow kinds: `store_at_rest`, `upload`, `access`, `send`, `share_grant`, `app_export`, `sync`.
    pub kinds: Vec<String>,
    /// Categories of personal data, as in the inventory.
    pub categories: Vec<String>,
    /// Purposes, as in the inventory.
    pub purposes: Vec<String>,
    /// Inventory items that it is limited to; required for (c) to (e), which never apply beyond their cohort or case.
    pub items: Vec<String>,
    /// First day in force.
    pub from: String,
    /// First day no longer in force; left out: open-ended.
    pub until: Option<String>,
    /// SHA-256 of the signed document, 64 hex digits.
    pub document: Option<String>,
    /// Who approved the entry.
    pub approver: Option<String>,
    /// Filing of a GBA Standard Contract: `{ day = "2026-03-10", reference = "…" }`.
    pub filing: Option<Filing>,
    /// Reference of the personal information protection impact assessment (GBA Standard Contract).
    pub pipia: Option<String>,
    /// `true`: consent withdrawn or entry suspended; it then names the recipient and covers nothing. Default `false`.
    pub suspended: bool,
}

/// Filing of a GBA Standard Contract with the Digital Policy Office or the Guangdong CAC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filing {
    /// Day of filing.
    pub day: String,
    /// Reference that the office gave.
    pub reference: String,
}

/// `[[deny]]`: a destination or recipient that the organisation rules out. The most specific place wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deny {
    /// Key, cited in verdicts: `"no-personal-cloud"`.
    pub id: String,
    /// Area; default: any.
    pub place: Option<String>,
    /// Entity or party; default: any.
    pub party: Option<String>,
    /// `true`: an exception from a wider rule. Default `false`.
    pub allow: bool,
}

/// `[[residency]]`: where data may be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Residency {
    /// Key, cited in verdicts: `"core-data-in-hk"`.
    pub id: String,
    /// Tenants that it binds; default: all.
    pub tenants: Vec<String>,
    /// Entities that it binds; default: all.
    pub entities: Vec<String>,
    /// Inventory items that it binds; default: all.
    pub items: Vec<String>,
    /// Areas where storage is allowed; at least one.
    pub allowed: Vec<String>,
}

/// `[[apps]]`: a third-party app that was reviewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct App {
    /// App code or id as DingTalk writes it, in quotes.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Entity or party that operates it.
    pub operator: String,
    /// Where it handles data; left out: unknown.
    pub place: Option<String>,
}
