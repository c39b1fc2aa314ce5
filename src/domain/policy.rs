//! The compiled policy: everything that the rules may look at, whole and unchanging. A reload makes a new one.

use super::judge::index::Index;
use super::party::{App, AppId, Contact, Item, ItemId, Party, PartyId, Tenant, TenantId};
use super::place::Place;
use super::safeguard::{Area, Safeguard, SafeguardId};

/// Facts of law in force at a date. Kept apart from the code so that a change of law is a change of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Name and date of the pack, such as `hk-2026-11-23`.
    pub id: String,
    /// Whether PDPO s.33 is in operation. `false` in every pack so far.
    pub s33_in_force: bool,
    /// Working days after effect within which a GBA Standard Contract is filed.
    pub gba_filing_days: u16,
    /// Days before the end of a safeguard when it is called expiring.
    pub expiring_days: u16,
    /// Data subjects from which a flow is bulk.
    pub bulk_subjects: u64,
    /// Objects in an hour from which a flow is bulk.
    pub bulk_objects: u64,
    /// Hong Kong general holidays, days since the epoch, ascending (General Holidays Ordinance, Cap. 149).
    pub holidays: Vec<i32>,
    /// Last day that the holiday table speaks of.
    pub holidays_until: i32,
}

/// A rule of the organisation's deny list. Where several match, the most specific place wins; `allow` makes exceptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deny {
    /// Key in the configuration; cited in the verdict.
    pub id: String,
    /// Destination; `None`: any.
    pub area: Option<Area>,
    /// Recipient; `None`: any.
    pub party: Option<PartyId>,
    /// An exception from a wider rule rather than a bar.
    pub allow: bool,
}

/// Allowed storage places. A storage leg to another place is a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residency {
    /// Key in the configuration; cited in the verdict.
    pub id: String,
    /// Tenants it binds; empty: all.
    pub tenants: Vec<TenantId>,
    /// Data users it binds; empty: all.
    pub entities: Vec<PartyId>,
    /// Inventory items it binds; empty: all.
    pub items: Vec<ItemId>,
    /// Where the data may be stored.
    pub allowed: Vec<Area>,
}

/// Everything that the rules may look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Facts of law.
    pub pack: Pack,
    /// Parties; [`PartyId`] is the index.
    pub parties: Vec<Party>,
    /// Tenants; [`TenantId`] is the index. The first is the default for events without tenant.
    pub tenants: Vec<Tenant>,
    /// Inventory; [`ItemId`] is the index.
    pub items: Vec<Item>,
    /// Names of purposes; the index is the `PurposeId`.
    pub purposes: Vec<String>,
    /// Safeguard register; [`SafeguardId`] is the index.
    pub safeguards: Vec<Safeguard>,
    /// Deny list.
    pub deny: Vec<Deny>,
    /// Residency rules.
    pub residency: Vec<Residency>,
    /// Reviewed apps; [`AppId`] is the index.
    pub apps: Vec<App>,
    /// Whether data of unknown nature counts as personal (the default, and the cautious choice).
    pub unknown_counts_as_personal: bool,
    /// SHA-256 over pack and register as configured, lower-case hex; part of the evidence.
    pub digest: String,
    /// What the judge looks up, made by [`Policy::compile`]. `Index::default()` until then: verdicts are the same but
    /// slower, and what is listed as possible for a place that nothing is known of is incomplete.
    pub index: Index,
}

impl Policy {
    /// Fills the index. To be called last, when everything else is in place.
    #[must_use]
    pub fn compile(mut self) -> Self {
        self.index = Index::of(&self);
        self
    }

    /// A party by its index.
    pub fn party(&self, id: PartyId) -> &Party {
        &self.parties[usize::from(id.0)]
    }

    /// A tenant by its index.
    pub fn tenant(&self, id: TenantId) -> &Tenant {
        &self.tenants[usize::from(id.0)]
    }

    /// An inventory item by its index.
    pub fn item(&self, id: ItemId) -> &Item {
        &self.items[usize::from(id.0)]
    }

    /// A safeguard by its index.
    pub fn safeguard(&self, id: SafeguardId) -> &Safeguard {
        &self.safeguards[usize::from(id.0)]
    }

    /// An app by its index.
    pub fn app(&self, id: AppId) -> &App {
        &self.apps[usize::from(id.0)]
    }

    /// Where a contact is: as the directory says, else where their organisation is registered.
    pub fn place_of(&self, contact: &Contact) -> Option<Place> {
        contact.place.or(self.party(contact.party).registered)
    }
}
