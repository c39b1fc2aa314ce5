//! What people do with the evidence (acknowledge, look, erase, delete, hold, change keys) as entries of the log. Pure.
//! An entry says what was done and when; who did it and why stands in its detail, one JSON object in a frame, to which the
//! entry commits with a salt. So an entry never carries personal data, and a detail can be read by whoever opens frames.

use std::fmt;

use super::entry::{Entry, MOST_BYTES, Words, base64, escape};
use super::merkle::Hash;
use super::segment::{Month, SegmentId, commitment};
use crate::domain::hex::hex;

/// Longest detail, in bytes of JSON.
pub const MOST_DETAIL: usize = 16 << 10;

/// Most keys that one erasure names, so that its entry stays below [`super::entry::MOST_BYTES`].
pub const MOST_KEYS: usize = 100;

/// Name of a subject's key: the first 16 bytes of `SHA-256("hw1 subject key" || key)`, so that it commits to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 16]);

/// Name of a hold: eight random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HoldId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::str::FromStr for KeyId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        unhex_to(text).map(Self).ok_or(())
    }
}

impl std::str::FromStr for HoldId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        unhex_to(text).map(Self).ok_or(())
    }
}

fn unhex_to<const N: usize>(text: &str) -> Option<[u8; N]> {
    super::entry::unhex_bytes(text)?.try_into().ok()
}

/// How somebody looked at evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Records were searched.
    Query,
    /// A report was made.
    Report,
    /// Everything about one person was gathered.
    Subject,
    /// A pseudonym was resolved.
    Reveal,
}

impl Access {
    const ALL: [Self; 4] = [Self::Query, Self::Report, Self::Subject, Self::Reveal];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Report => "report",
            Self::Subject => "subject",
            Self::Reveal => "reveal",
        }
    }
}

/// What retention took away, and by which rule (`<class>:<months>`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// A segment, with every record in it.
    Segment {
        /// Which.
        segment: SegmentId,
        /// Its size.
        bytes: u64,
        /// By which rule.
        rule: String,
    },
    /// The subject keys of a month and a class: the personal fields of its records are unreadable from here on.
    Keys {
        /// Month of recording.
        month: Month,
        /// Retention class.
        class: String,
        /// How many are gone.
        count: u64,
        /// By which rule.
        rule: String,
        /// Those that a hold keeps, at most [`MOST_KEYS`].
        kept: Vec<KeyId>,
    },
    /// Full tiles and bundles that lie wholly below an entry.
    Tiles {
        /// First entry that is still there.
        minimum: u64,
        /// By which rule.
        rule: String,
    },
}

/// A change of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Frames from here on are encrypted to these: SHA-256 over the recipients, sorted, each with a line end.
    Recipients {
        /// Digest of the list.
        digest: Hash,
    },
    /// The checkpoint of this batch is the last that is signed by `from`.
    Signer {
        /// Verifier key so far.
        from: String,
        /// Verifier key from the next checkpoint on.
        to: String,
        /// Of the detail: who ordered it and why.
        commitment: Hash,
    },
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// `A <at> <commitment>`: somebody took note of a finding or decided about it.
    Acknowledged {
        /// Of the detail.
        commitment: Hash,
    },
    /// `Q <at> query|report|subject|reveal <commitment>`: somebody looked at evidence.
    Accessed {
        /// How.
        access: Access,
        /// Of the detail.
        commitment: Hash,
    },
    /// `E <at> <commitment> <key>[,<key>]…|-`: the keys of a subject are gone, and with them the personal fields that they sealed.
    Erased {
        /// Of the detail.
        commitment: Hash,
        /// The keys, at most [`MOST_KEYS`].
        keys: Vec<KeyId>,
    },
    /// `D <at> segment <segment> <bytes> <rule>`, `D <at> keys <month> <class> <count> <rule>
    /// <kept>[,<kept>]…|-`, `D <at> tiles <minimum> <rule>`.
    Deleted(Deletion),
    /// `H <at> add|release <hold> <commitment>`: something must be kept whatever retention says, or no longer.
    Held {
        /// Which hold.
        hold: HoldId,
        /// Whether it ends here.
        release: bool,
        /// Of the detail.
        commitment: Hash,
    },
    /// `Y <at> recipients <sha256>`, `Y <at> signer <vkey> <next vkey> <commitment>`.
    Rotated(Rotation),
}

impl Deed {
    /// The commitment to the detail, where the deed has one.
    pub fn commitment(&self) -> Option<Hash> {
        match self {
            Self::Acknowledged { commitment }
            | Self::Accessed { commitment, .. }
            | Self::Erased { commitment, .. }
            | Self::Held { commitment, .. }
            | Self::Rotated(Rotation::Signer { commitment, .. }) => Some(*commitment),
            Self::Deleted(_) | Self::Rotated(Rotation::Recipients { .. }) => None,
        }
    }

    /// Writes the entry's words behind `hw1 `.
    pub(super) fn write(&self, at: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledged { commitment } => write!(f, "A {at} {}", base64(commitment)),
            Self::Accessed { access, commitment } => write!(f, "Q {at} {} {}", access.name(), base64(commitment)),
            Self::Erased { commitment, keys } => {
                write!(f, "E {at} {} {}", base64(commitment), list(keys))
            }
            Self::Deleted(Deletion::Segment { segment, bytes, rule }) => {
                write!(f, "D {at} segment {segment} {bytes} {}", escape(rule))
            }
            Self::Deleted(Deletion::Keys { month, class, count, rule, kept }) => {
                write!(f, "D {at} keys {month} {} {count} {} {}", escape(class), escape(rule), list(kept))
            }
            Self::Deleted(Deletion::Tiles { minimum, rule }) => write!(f, "D {at} tiles {minimum} {}", escape(rule)),
            Self::Held { hold, release, commitment } => {
                write!(f, "H {at} {} {hold} {}", if *release { "release" } else { "add" }, base64(commitment))
            }
            Self::Rotated(Rotation::Recipients { digest }) => write!(f, "Y {at} recipients {}", hex(digest)),
            Self::Rotated(Rotation::Signer { from, to, commitment }) => {
                write!(f, "Y {at} signer {} {} {}", escape(from), escape(to), base64(commitment))
            }
        }
    }

    /// Reads the words behind the letter; whoever calls holds the result against its one spelling.
    pub(super) fn read(letter: &str, words: &mut Words<'_>) -> Option<(i64, Self)> {
        let at = words.number()?;
        let deed = match letter {
            "A" => Self::Acknowledged { commitment: words.base64()? },
            "Q" => {
                let name = words.next()?;
                let access = Access::ALL.into_iter().find(|access| access.name() == name)?;
                Self::Accessed { access, commitment: words.base64()? }
            }
            "E" => Self::Erased { commitment: words.base64()?, keys: read_keys(words.next()?)? },
            "D" => Self::Deleted(Deletion::read(words)?),
            "H" => {
                let release = words.next()? == "release";
                Self::Held { release, hold: words.number()?, commitment: words.base64()? }
            }
            "Y" => Self::Rotated(match words.next()? {
                "recipients" => Rotation::Recipients { digest: words.hex()? },
                "signer" => Rotation::Signer { from: words.text()?, to: words.text()?, commitment: words.base64()? },
                _ => return None,
            }),
            _ => return None,
        };
        Some((at, deed))
    }
}

fn list(keys: &[KeyId]) -> String {
    let keys: Vec<String> = keys.iter().map(KeyId::to_string).collect();
    if keys.is_empty() { "-".to_owned() } else { keys.join(",") }
}

fn read_keys(text: &str) -> Option<Vec<KeyId>> {
    if text == "-" {
        return Some(Vec::new());
    }
    let keys: Vec<KeyId> = text.split(',').map(|key| key.parse().ok()).collect::<Option<_>>()?;
    (keys.len() <= MOST_KEYS).then_some(keys)
}

impl Deletion {
    fn read(words: &mut Words<'_>) -> Option<Self> {
        Some(match words.next()? {
            "segment" => Self::Segment { segment: words.number()?, bytes: words.number()?, rule: words.text()? },
            "keys" => Self::Keys {
                month: words.number()?,
                class: words.text()?,
                count: words.number()?,
                rule: words.text()?,
                kept: read_keys(words.next()?)?,
            },
            "tiles" => Self::Tiles { minimum: words.number()?, rule: words.text()? },
            _ => return None,
        })
    }
}

/// A deed with its detail, ready to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    deed: Deed,
    detail: Option<Detail>,
}

/// What a deed's entry commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct Detail {
    /// 16 random bytes.
    pub salt: [u8; 16],
    /// One line of JSON, an object.
    pub text: String,
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Detail")
    }
}

impl Filing {
    /// A deed that needs no detail; `None` if its entry would be too long.
    pub fn plain(deed: Deed) -> Option<Self> {
        Self::rejoin(deed, None)
    }

    /// A deed whose commitment is that of `detail`; `None` if the detail is no line of JSON of at most [`MOST_DETAIL`] bytes
    /// that stands for an object, or the entry would be too long.
    pub fn with(detail: Detail, deed: impl FnOnce(Hash) -> Deed) -> Option<Self> {
        Self::rejoin(deed(detail.commitment()), Some(detail))
    }

    /// Puts a deed and its detail together again; `None` if they do not belong together.
    pub(super) fn rejoin(deed: Deed, detail: Option<Detail>) -> Option<Self> {
        let filing = Self { deed, detail };
        filing.is_sound().then_some(filing)
    }

    fn is_sound(&self) -> bool {
        let object = |text: &str| text.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let fits = |detail: &Detail| {
            let text = detail.text.as_str();
            text.len() <= MOST_DETAIL && !text.contains('\n') && text.trim_end() == text && object(text)
        };
        // a deed that the writer would refuse must not get as far as the writer
        let entry = Entry::Deed { at: i64::MIN, deed: self.deed.clone() }.to_string();
        self.deed.commitment() == self.detail.as_ref().map(Detail::commitment)
            && self.detail.as_ref().is_none_or(fits)
            && entry.len() <= MOST_BYTES
    }

    /// What was done.
    pub fn deed(&self) -> &Deed {
        &self.deed
    }

    /// Who and why, where the deed has a detail.
    pub fn detail(&self) -> Option<&Detail> {
        self.detail.as_ref()
    }
}

impl Detail {
    /// The commitment to it.
    pub fn commitment(&self) -> Hash {
        commitment(&self.salt, self.text.as_bytes())
    }
}
