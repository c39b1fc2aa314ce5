//! An audit event as decoded: borrowed from the batch, allocating only where the source text had an escape.
//!
//! The event says what DingTalk said and nothing more: no place, no leg, no judgement.

mod id;
mod owned;

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;

pub use id::Id;

/// Text borrowed from the batch; owned only when the source had an escape sequence.
pub type Text<'a> = Cow<'a, str>;

/// A value about a person. It cannot be printed by accident; whoever may see it says so with [`Personal::reveal`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Wraps a value about a person.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. Only evidence records and audience renderers have a reason to call this.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

/// Which of DingTalk's shapes the event came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// File operation record, camelCase.
    AuditRow,
    /// The same from the legacy API, snake_case.
    LegacyRow,
    /// Stream frame, `data` as a string.
    Stream,
    /// Flattened event of a collector on the SDK.
    Flattened,
    /// Decrypted HTTP callback.
    Http,
    /// SyncHTTP / RDS row.
    Rds,
    /// None of them: a standing arrangement, which the configuration tells and no event.
    Standing,
}

impl Shape {
    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuditRow => "audit_row",
            Self::LegacyRow => "legacy_row",
            Self::Stream => "stream",
            Self::Flattened => "flattened",
            Self::Http => "http",
            Self::Rds => "rds",
            Self::Standing => "standing",
        }
    }
}

/// What was done, as DingTalk names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<'a> {
    /// `action` code of a file operation record.
    Audit(i64),
    /// Event type of a push event.
    Push(Text<'a>),
}

/// Who acted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor<'a> {
    /// Staff id inside the tenant.
    pub user_id: Option<Personal<Id<'a>>>,
    /// Union id, where a push event has no staff id.
    pub union_id: Option<Personal<Text<'a>>>,
    /// Real name, else nickname.
    pub name: Option<Personal<Text<'a>>>,
}

/// A receiver, collaborator or added member that the event names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counterpart<'a> {
    /// Id of whatever kind; the kind is not documented for receivers.
    pub id: Option<Personal<Id<'a>>>,
    /// Name of the person, group, drive or document.
    pub name: Option<Personal<Text<'a>>>,
    /// Receiver code 0–3 or member code 0–3, by [`Counterpart::member`].
    pub kind: Option<i64>,
    /// `true`: from a member list (kind 0 department, 1 group, 2 user, 3 organisation); `false`: a receiver
    /// (kind 0 one-to-one chat, 1 group chat, 2 drive, 3 document).
    pub member: bool,
    /// `permissionRole` of a member: 0 none, 1 view and download, 2 edit, 3 manager, 4 view only.
    pub role: Option<i64>,
}

/// Hosts of a storage, in order, each once. The first two need no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts<'a> {
    first: [Option<Text<'a>>; 2],
    more: Vec<Text<'a>>,
}

impl<'a> Hosts<'a> {
    /// No host.
    pub const NONE: Self = Self { first: [None, None], more: Vec::new() };

    /// One host.
    #[inline(always)]
    pub fn of(host: Text<'a>) -> Self {
        Self { first: [Some(host), None], more: Vec::new() }
    }

    /// Adds a host, if it is not there yet.
    pub fn add(&mut self, host: Text<'a>) {
        if self.is_empty() {
            self.first[0] = Some(host);
            return;
        }
        if self.iter().any(|known| *known == host) {
            return;
        }
        match self.first.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(host),
            None => self.more.push(host),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Text<'a>> {
        self.first.iter().flatten().chain(&self.more)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first[0].is_none()
    }
}

// By hand, also below: the derived one calls, and what it gives back is copied right after it was written.
impl Default for Hosts<'_> {
    #[inline]
    fn default() -> Self {
        Self::NONE
    }
}

impl<'a> FromIterator<Text<'a>> for Hosts<'a> {
    fn from_iter<I: IntoIterator<Item = Text<'a>>>(hosts: I) -> Self {
        let mut all = Self::default();
        hosts.into_iter().for_each(|host| all.add(host));
        all
    }
}

/// What the collector learnt about where the file is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage<'a> {
    /// DingTalk's region enum, or a cloud region id.
    pub region: Option<Text<'a>>,
    /// Resource URLs, endpoints and hosts, the preferred one first. Each is a statement of its own.
    pub hosts: Hosts<'a>,
    /// Bucket name, where given apart from the host.
    pub bucket: Option<Text<'a>>,
}

impl Default for Storage<'_> {
    #[inline]
    fn default() -> Self {
        Self { region: None, hosts: Hosts::NONE, bucket: None }
    }
}

impl Storage<'_> {
    /// Whether no field is given.
    pub fn is_empty(&self) -> bool {
        self.region.is_none() && self.hosts.is_empty() && self.bucket.is_none()
    }

    /// Whether nothing is claimed: no field, or the region enum's UNKNOWN alone.
    pub fn is_silent(&self) -> bool {
        let region = self.region.as_deref().unwrap_or("UNKNOWN");
        region == "UNKNOWN" && self.hosts.is_empty() && self.bucket.is_none()
    }
}

/// A third-party app that the event shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct App<'a> {
    /// App code or id.
    pub code: Option<Id<'a>>,
    /// Its display name.
    pub name: Option<Text<'a>>,
}

/// Receivers and members that fit an event without allocating.
pub const COUNTERPARTS_INLINE: usize = 4;

/// One audit event. Absent, null and empty fields are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Shape it came in.
    pub shape: Shape,
    /// What was done.
    pub act: Act<'a>,
    /// Tenant (corp id), from the event or the collector's envelope.
    pub tenant: Option<Text<'a>>,
    /// Id of a push event; audit rows have none.
    pub event_id: Option<Text<'a>>,
    /// File id of an audit row. Not an event id: one file yields many rows.
    pub biz_id: Option<Id<'a>>,
    /// When it happened, in ms since the epoch (UTC).
    pub time: Option<i64>,
    /// Who did it.
    pub actor: Actor<'a>,
    /// Address field exactly as given, quirks and all.
    pub address: Option<Personal<Text<'a>>>,
    /// Organisation that owns the file.
    pub org: Option<Text<'a>>,
    /// `operateModule` code.
    pub module: Option<i64>,
    /// `platform` code: 0 iOS, 1 Android, 2 Web, 11 Windows, 12 Mac.
    pub platform: Option<i64>,
    /// Record status: 0 normal, 1 deleted.
    pub status: Option<i64>,
    /// File name.
    pub resource: Option<Personal<Text<'a>>>,
    /// File type; advisory.
    pub extension: Option<Text<'a>>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Space that holds the file.
    pub space: Option<Id<'a>>,
    /// Knowledge base that holds the file.
    pub workspace: Option<Id<'a>>,
    /// Knowledge base that the file was moved from.
    pub previous_workspace: Option<Id<'a>>,
    /// Document address, whose host may name a region.
    pub url: Option<Text<'a>>,
    /// Receivers, then members.
    pub counterparts: SmallVec<[Counterpart<'a>; COUNTERPARTS_INLINE]>,
    /// Where the file is stored, as far as a collector looked it up.
    pub storage: Storage<'a>,
    /// The app that a push event shows.
    pub app: Option<App<'a>>,
    /// Sub-type inside a push event, such as `TEAM_ADD_MEMBER`.
    pub detail: Option<Text<'a>>,
    /// Whether a push event says that its act succeeded.
    pub success: Option<bool>,
}

impl<'a> Event<'a> {
    /// Whether its lists need no memory of their own. Texts may.
    #[inline]
    pub fn is_inline(&self) -> bool {
        !self.counterparts.spilled() && self.storage.hosts.more.capacity() == 0
    }

    /// An event with nothing but its shape and act.
    pub fn new(shape: Shape, act: Act<'a>) -> Self {
        Self {
            shape,
            act,
            tenant: None,
            event_id: None,
            biz_id: None,
            time: None,
            actor: Actor::default(),
            address: None,
            org: None,
            module: None,
            platform: None,
            status: None,
            resource: None,
            extension: None,
            size: None,
            space: None,
            workspace: None,
            previous_workspace: None,
            url: None,
            counterparts: SmallVec::new(),
            storage: Storage::default(),
            app: None,
            detail: None,
            success: None,
        }
    }
}
