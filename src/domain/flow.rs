//! Legs: the movements that one event stands for. Each leg is judged alone; the event takes the worst.

use super::party::{ItemId, PartyId, TenantId};
use super::place::Location;

/// Kinds of flow (compliance reference §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FlowKind {
    /// Standing storage of a tenant, bucket or space: data user → storage.
    StoreAtRest,
    /// Upload, create, save: actor → storage.
    Upload,
    /// Download, preview, export: storage → actor.
    Access,
    /// Message, mail, file pushed: storage → receiver.
    Send,
    /// Permission, link, member added: storage → grantee.
    ShareGrant,
    /// Third-party app: storage → app operator.
    AppExport,
    /// Sync client, backup, replication: storage → replica.
    Sync,
}

impl FlowKind {
    /// All kinds, in declaration order.
    pub const ALL: [Self; 7] =
        [Self::StoreAtRest, Self::Upload, Self::Access, Self::Send, Self::ShareGrant, Self::AppExport, Self::Sync];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::StoreAtRest => "store_at_rest",
            Self::Upload => "upload",
            Self::Access => "access",
            Self::Send => "send",
            Self::ShareGrant => "share_grant",
            Self::AppExport => "app_export",
            Self::Sync => "sync",
        }
    }

    /// Whether a finding of this kind stands for an arrangement (one a space and day) rather than for an act of a person.
    pub fn is_standing(self) -> bool {
        match self {
            Self::StoreAtRest | Self::Upload | Self::Sync => true,
            Self::Access | Self::Send | Self::ShareGrant | Self::AppExport => false,
        }
    }

    /// Reads a [`FlowKind::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who receives the data of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recipient {
    /// An entity of the configuration: own company, group company, vendor, storage operator.
    Party(PartyId),
    /// Somebody whom the configuration does not know.
    Stranger,
    /// Everyone, as behind a public link.
    Public,
}

/// One movement of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leg {
    /// What kind of movement.
    pub kind: FlowKind,
    /// Only looked at on a screen, nothing kept.
    pub preview: bool,
    /// Where it starts.
    pub origin: Location,
    /// Where it ends.
    pub destination: Location,
    /// Who receives it.
    pub recipient: Recipient,
}

/// What the rules need beside the leg: whose data, what data, when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    /// The tenant whose event it is.
    pub tenant: TenantId,
    /// The data user that controls the data.
    pub exporter: PartyId,
    /// The inventory item that the data belong to.
    pub item: ItemId,
    /// Categories that the file's name suggests beyond those of the inventory.
    pub suggested: super::party::Categories,
    /// When it happened, in ms since the epoch.
    pub at: i64,
}
