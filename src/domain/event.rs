//! An audit event as decoded: borrowed from the batch, allocating only where the source text had an escape.
//!
//! The event says what DingTalk said and nothing more: no place, no leg, no judgement.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

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

/// An identifier that DingTalk writes now as a number, now as a string. Digits without a leading zero that fit 64 bits are
/// a number either way, so `"24870551923"` equals `24870551923`; anything else is text.
#[derive(Clone, Debug)]
pub enum Id<'a> {
    /// Fits 64 bits and has no leading zero.
    Number(u64),
    /// Everything else.
    Text(Text<'a>),
}

impl<'a> Id<'a> {
    /// Canonical form of a text.
    #[inline]
    pub fn from_text(text: Text<'a>) -> Self {
        if !text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            return Self::Text(text);
        }
        match canonical_number(&text) {
            Some(number) => Self::Number(number),
            None => Self::Text(text),
        }
    }

    /// A copy that outlives the batch.
    pub fn into_owned(self) -> Id<'static> {
        match self {
            Self::Number(number) => Id::Number(number),
            Self::Text(text) => Id::Text(Cow::Owned(text.into_owned())),
        }
    }
}

fn canonical_number(text: &str) -> Option<u64> {
    let digit = |byte: u8| Some(u64::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < 10);
    match text.as_bytes() {
        [b'0'] => Some(0),
        digits @ [b'1'..=b'9', ..] if digits.len() < 8 => {
            digits.iter().try_fold(0, |number, byte| Some(number * 10 + digit(*byte)?))
        }
        // 19 digits fit whatever they are
        digits @ [b'1'..=b'9', ..] if digits.len() < 20 => in_eights(digits),
        [b'1'..=b'9', ..] if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// Powers of ten by the number of digits.
const TENS: [u64; 8] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The number that eight digits or more make, eight at a time.
fn in_eights(digits: &[u8]) -> Option<u64> {
    let (words, rest) = digits.as_chunks::<8>();
    let whole = words.iter().try_fold(0, |number, word| Some(number * 100_000_000 + eight(*word)?))?;
    if rest.is_empty() {
        return Some(whole);
    }
    // the rest with digits before it that were read already, which must not count again
    let mut last = *digits.last_chunk::<8>()?;
    last[..8 - rest.len()].fill(b'0');
    Some(whole * TENS[rest.len()] + eight(last)?)
}

/// The number that eight digits make.
fn eight(digits: [u8; 8]) -> Option<u64> {
    let values = u64::from_le_bytes(digits) ^ 0x3030_3030_3030_3030;
    // a byte above 9 gets its high bit set
    if (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

impl PartialEq for Id<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Number(_), Self::Text(_)) | (Self::Text(_), Self::Number(_)) => false,
        }
    }
}

impl Eq for Id<'_> {}

impl Hash for Id<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Number(number) => (0u8, number).hash(state),
            Self::Text(text) => (1u8, text.as_ref()).hash(state),
        }
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts<'a> {
    first: [Option<Text<'a>>; 2],
    more: Vec<Text<'a>>,
}

impl<'a> Hosts<'a> {
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

impl<'a> FromIterator<Text<'a>> for Hosts<'a> {
    fn from_iter<I: IntoIterator<Item = Text<'a>>>(hosts: I) -> Self {
        let mut all = Self::default();
        hosts.into_iter().for_each(|host| all.add(host));
        all
    }
}

/// What the collector learnt about where the file is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage<'a> {
    /// DingTalk's region enum, or a cloud region id.
    pub region: Option<Text<'a>>,
    /// Resource URLs, endpoints and hosts, the preferred one first. Each is a statement of its own.
    pub hosts: Hosts<'a>,
    /// Bucket name, where given apart from the host.
    pub bucket: Option<Text<'a>>,
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

/// A copy of a text that outlives the batch.
fn own<'b>(text: Text<'_>) -> Text<'b> {
    Cow::Owned(text.into_owned())
}

fn own_personal<'b>(text: Personal<Text<'_>>) -> Personal<Text<'b>> {
    Personal(own(text.0))
}

fn own_id<'b>(id: Personal<Id<'_>>) -> Personal<Id<'b>> {
    Personal(id.0.into_owned())
}

impl Actor<'_> {
    /// A copy that outlives the batch.
    pub fn into_owned<'b>(self) -> Actor<'b> {
        Actor {
            user_id: self.user_id.map(own_id),
            union_id: self.union_id.map(own_personal),
            name: self.name.map(own_personal),
        }
    }
}

impl Counterpart<'_> {
    /// A copy that outlives the batch.
    pub fn into_owned<'b>(self) -> Counterpart<'b> {
        Counterpart {
            id: self.id.map(own_id),
            name: self.name.map(own_personal),
            kind: self.kind,
            member: self.member,
            role: self.role,
        }
    }
}

impl Storage<'_> {
    /// A copy that outlives the batch.
    pub fn into_owned<'b>(self) -> Storage<'b> {
        let hosts = self.hosts.first.into_iter().flatten().chain(self.hosts.more).map(own).collect();
        Storage { region: self.region.map(own), hosts, bucket: self.bucket.map(own) }
    }
}

impl App<'_> {
    /// A copy that outlives the batch.
    pub fn into_owned<'b>(self) -> App<'b> {
        App { code: self.code.map(Id::into_owned), name: self.name.map(own) }
    }
}

impl Act<'_> {
    /// A copy that outlives the batch.
    pub fn into_owned<'b>(self) -> Act<'b> {
        match self {
            Self::Audit(code) => Act::Audit(code),
            Self::Push(name) => Act::Push(own(name)),
        }
    }
}

impl Event<'_> {
    /// A copy that outlives the batch, for events out of a text that had to be unescaped first.
    pub fn into_owned<'b>(self) -> Event<'b> {
        Event {
            shape: self.shape,
            act: self.act.into_owned(),
            tenant: self.tenant.map(own),
            event_id: self.event_id.map(own),
            biz_id: self.biz_id.map(Id::into_owned),
            time: self.time,
            actor: self.actor.into_owned(),
            address: self.address.map(own_personal),
            org: self.org.map(own),
            module: self.module,
            platform: self.platform,
            status: self.status,
            resource: self.resource.map(own_personal),
            extension: self.extension.map(own),
            size: self.size,
            space: self.space.map(Id::into_owned),
            workspace: self.workspace.map(Id::into_owned),
            previous_workspace: self.previous_workspace.map(Id::into_owned),
            url: self.url.map(own),
            counterparts: self.counterparts.into_iter().map(Counterpart::into_owned).collect(),
            storage: self.storage.into_owned(),
            app: self.app.map(App::into_owned),
            detail: self.detail.map(own),
            success: self.success,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length, and every byte at every place: the digits are those that the standard parser reads.
    #[test]
    fn a_text_is_a_number_only_where_the_number_is_written_so() {
        let agree = |text: &str| {
            let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
            assert_eq!(canonical_number(text), number, "{text}");
        };
        for text in ["", "0", "00", "01", "+1", "-1", "1 ", "18446744073709551615", "18446744073709551616", "１２"] {
            agree(text);
        }
        for len in 1..22 {
            for start in ["1234567890123456789012", "9999999999999999999999", "1000000000000000000000"] {
                let digits = &start.as_bytes()[..len];
                for (place, byte) in (0..len).flat_map(|place| (0..=127).map(move |byte| (place, byte))) {
                    let mut text = digits.to_vec();
                    text[place] = byte;
                    agree(&String::from_utf8(text).unwrap());
                }
            }
        }
    }
}
