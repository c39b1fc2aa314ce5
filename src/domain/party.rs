//! Who and what: parties (own entities, group companies, vendors), tenants, the data inventory, apps.

use super::bits::members;
use super::place::{Confidence, Location, Method, Place, SourceId};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u16);
    };
}

index!(
    /// Index of a [`Party`] in the policy.
    PartyId
);
index!(
    /// Index of a [`Tenant`] in the policy.
    TenantId
);
index!(
    /// Index of an [`Item`] in the policy.
    ItemId
);
index!(
    /// Index of an [`App`] in the policy.
    AppId
);

/// Yes, no, or not known; an unknown is listed, never assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Tri {
    Yes,
    No,
    Unknown,
}

/// How a party stands to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Decides on the data itself (PDPO s.2 "data user").
    DataUser,
    /// Handles data for another (PDPO Sch.1 "data processor").
    Processor,
    /// Not stated.
    Unknown,
}

/// How a party stands to the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tie {
    /// An entity of the organisation itself.
    Own,
    /// Another company of the group: a separate legal person, so data that reach it are transferred.
    Group,
    /// Outside the group.
    External,
}

/// A legal person that sends or receives data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Key in the configuration.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// How it stands to the data.
    pub role: Role,
    /// How it stands to the organisation.
    pub tie: Tie,
    /// Where it is registered (for an own entity: its principal place of business).
    pub registered: Option<Place>,
    /// Whether a processor agreement is on file (DPP2(3), DPP4(2)); only asked for processors.
    pub agreement: Tri,
    /// Class of transferee as told to data subjects (DPP1(3)), such as `group companies`.
    pub class: Option<String>,
}

/// A DingTalk organisation under watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Corp id, or the name that the collector gives.
    pub id: String,
    /// Name, as DingTalk writes it into rows (`orgName`); the id if none is given.
    pub name: String,
    /// The entity whose tenant it is; the data user unless a space says otherwise.
    pub entity: PartyId,
    /// Entities with staff in the tenant: whom a document reaches that is opened to the whole organisation.
    pub members: Vec<PartyId>,
    /// Who operates the storage (DingTalk's operator, or a cloud).
    pub storage_operator: Option<PartyId>,
    /// Where the tenant's files are stored if nothing nearer says so, with the evidence reference.
    pub storage: Option<(Place, String)>,
    /// Inventory item of spaces that are not listed.
    pub item: ItemId,
}

impl Tenant {
    /// The tenant's storage setting as a location.
    pub fn location(&self) -> Option<Location> {
        let (place, _) = self.storage.as_ref()?;
        Some(Location::at(*place, Method::Tenant, Confidence::Medium, SourceId::NONE))
    }
}

/// Categories of personal data, a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Category {
    /// Names and ways to reach a person.
    Contact,
    /// HKID, passport and other identity documents.
    Identity,
    /// Fingerprint, face, voice.
    Biometric,
    /// Medical data.
    Health,
    /// Accounts, credit, income, payroll.
    Financial,
    /// Data of children.
    Minors,
    /// Personnel files.
    Employment,
    /// Customer dealings.
    Customer,
    /// Any other.
    Other,
}

impl Category {
    /// All categories, in declaration order.
    pub const ALL: [Self; 9] = [
        Self::Contact,
        Self::Identity,
        Self::Biometric,
        Self::Health,
        Self::Financial,
        Self::Minors,
        Self::Employment,
        Self::Customer,
        Self::Other,
    ];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Identity => "identity",
            Self::Biometric => "biometric",
            Self::Health => "health",
            Self::Financial => "financial",
            Self::Minors => "minors",
            Self::Employment => "employment",
            Self::Customer => "customer",
            Self::Other => "other",
        }
    }

    /// Reads a [`Category::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }
}

/// A set of [`Category`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Categories(u16);

impl Categories {
    /// No category.
    pub const NONE: Self = Self(0);
    /// Those that raise the severity.
    pub const SENSITIVE: Self = Self::NONE
        .with(Category::Identity)
        .with(Category::Biometric)
        .with(Category::Health)
        .with(Category::Financial)
        .with(Category::Minors);

    /// One bit for each category.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set and one more.
    #[must_use]
    pub const fn with(self, category: Category) -> Self {
        Self(self.0 | 1 << category as u8)
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether every member of `self` is in `other`.
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Members in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Category> {
        members(self.0, &Category::ALL)
    }
}

/// An entry of the data inventory: what a space or a class of files holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Key in the configuration.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Whether it is personal data; unknown counts as yes unless the policy says otherwise.
    pub personal: Tri,
    /// What kinds of personal data.
    pub categories: Categories,
    /// Estimated number of data subjects.
    pub subjects: Option<u64>,
    /// Purpose that the data were collected for (DPP3); `None` is unknown.
    pub purpose: Option<PurposeId>,
    /// Classes of transferees told to the data subjects (DPP1(3)); `None` is unknown.
    pub notified: Option<Vec<String>>,
    /// Received under the GBA Standard Contract: no onward transfer outside the GBA.
    pub under_gba_contract: bool,
    /// Collected, held, processed or used in Hong Kong (PDPO s.33(1)(a)), whoever controls it.
    pub handled_in_hk: Tri,
}

/// Index of a purpose; at most [`Purposes::MOST`] distinct ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PurposeId(pub u8);

/// A set of purposes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Purposes(pub u64);

impl Purposes {
    /// Bound on distinct purposes in one configuration.
    pub const MOST: usize = 64;

    /// The set and one more; an index out of bounds changes nothing.
    #[must_use]
    pub const fn with(self, purpose: PurposeId) -> Self {
        Self(self.0 | Self::bit(purpose))
    }

    /// Whether the purpose is in the set.
    pub const fn contains(self, purpose: PurposeId) -> bool {
        self.0 & Self::bit(purpose) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn bit(purpose: PurposeId) -> u64 {
        match 1_u64.checked_shl(purpose.0 as u32) {
            Some(bit) => bit,
            None => 0,
        }
    }
}

/// A third-party app that was reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// App code or id as DingTalk writes it.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Who operates it.
    pub operator: PartyId,
    /// Where it handles data.
    pub place: Option<Place>,
}

/// A person or organisation that the operator's directory knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Whom they belong to.
    pub party: PartyId,
    /// Where they usually are; the party's registered place if not stated.
    pub place: Option<Place>,
}
