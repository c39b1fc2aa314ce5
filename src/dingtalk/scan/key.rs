//! What a key means, told at once for the spellings that occur, and by the table of fields for any other.
//!
//! The spellings are listed, not what they mean: that is asked of the tables that every reader of the decoder uses, once,
//! when the table here is made. A spelling that is not listed is not an unknown key, only a slower one.

use std::sync::LazyLock;

use super::super::field::{Field, Name};
use super::super::part::{Part, Party};
use super::super::storage;

/// What a key means in each kind of object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    /// In a row, a push event, an envelope.
    pub(super) field: Option<Field>,
    /// In an object about a storage.
    pub(super) claim: storage::Key,
    /// In an entry of a list of receivers or members.
    pub(super) part: Option<u8>,
    /// Has an underscore inside, as the legacy API writes.
    pub(super) snake: bool,
    /// Begins with a capital, as the HTTP callback writes.
    pub(super) capital: bool,
    /// The entry says by this name that it is a member.
    pub(super) member: bool,
    /// The entry says by this name that it is a receiver.
    pub(super) receiver: bool,
}

impl Key {
    /// The meaning of any key.
    pub(super) fn of(key: &str) -> Self {
        let name = Name::of(key);
        Self {
            field: Field::of(&name),
            claim: storage::key(&name),
            part: Party::field(&name).map(|field| field as u8),
            snake: name.snake,
            capital: name.capital,
            member: name.as_bytes().starts_with(b"member"),
            receiver: name.as_bytes().starts_with(b"receiver"),
        }
    }
}

/// A key as a few numbers: its length, its first 16 bytes, its last eight. Longer keys than 24 bytes have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest {
    head: u64,
    middle: u64,
    tail: u64,
    len: u64,
}

/// Longest key that a [`Digest`] tells from all others.
const LONGEST: usize = 24;

/// Masks for the first bytes of a word.
const FIRST: [u64; 9] =
    [0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff, 0xff_ffff_ffff, 0xffff_ffff_ffff, 0xff_ffff_ffff_ffff, u64::MAX];

impl Digest {
    /// Of the key that lies between `from` and `to` in a text. `None`: too long, or too near to an end of the text.
    #[inline(always)]
    pub(super) fn at(text: &[u8], from: usize, to: usize) -> Option<Self> {
        let word = |at: usize| text.get(at..at + 8)?.first_chunk().copied().map(u64::from_le_bytes);
        let len = to.wrapping_sub(from);
        let (head, middle, tail) = (word(from)?, word(from + 8)?, word(to.checked_sub(8)?)?);
        match len {
            0..=8 => Some(Self { head: head & FIRST[len], middle: 0, tail: 0, len: len as u64 }),
            9..=16 => Some(Self { head, middle: 0, tail, len: len as u64 }),
            17..=LONGEST => Some(Self { head, middle, tail, len: len as u64 }),
            _ => None,
        }
    }

    fn of(key: &str) -> Option<Self> {
        let mut text = [0; 64];
        text.get_mut(16..16 + key.len())?.copy_from_slice(key.as_bytes());
        Self::at(&text, 16, 16 + key.len())
    }

    #[inline(always)]
    fn slot(self, seed: u64) -> usize {
        let mixed = (self.head ^ self.middle.rotate_left(13) ^ self.tail.rotate_left(29) ^ self.len).wrapping_mul(seed);
        (mixed >> (64 - SLOT_BITS)) as usize
    }
}

/// Seeds that are tried before a spelling is left out.
const MOST_SEEDS: usize = 1000;

const SLOT_BITS: u32 = 12;
const SLOTS: usize = 1 << SLOT_BITS;

/// The listed spellings, each in a slot of its own.
pub(super) struct Keys {
    seed: u64,
    /// Number in `rows` and one, or 0.
    slots: [u8; SLOTS],
    rows: Vec<(Digest, Key)>,
}

impl Keys {
    /// The table; made at the first call.
    pub(super) fn table() -> &'static Self {
        static TABLE: LazyLock<Keys> = LazyLock::new(|| Keys::of(SPELLINGS));
        &TABLE
    }

    /// The table of some spellings, at most 255. One that finds no slot of its own is left out: it is only slower.
    fn of(spellings: &str) -> Self {
        let mut rows: Vec<(Digest, Key)> = Vec::new();
        for key in spellings.split_ascii_whitespace() {
            match Digest::of(key) {
                Some(digest) if rows.iter().all(|(known, _)| *known != digest) => rows.push((digest, Key::of(key))),
                Some(_) | None => {}
            }
        }
        let mut table = Self { seed: 0, slots: [0; SLOTS], rows };
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..MOST_SEEDS {
            if table.place(seed) == table.rows.len() {
                break;
            }
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f) | 1;
        }
        table
    }

    /// Gives each row its slot, the first that comes; returns how many have one.
    fn place(&mut self, seed: u64) -> usize {
        self.seed = seed;
        self.slots = [0; SLOTS];
        let mut placed = 0;
        for (number, (digest, _)) in (1..=u8::MAX).zip(&self.rows) {
            let slot = &mut self.slots[digest.slot(seed)];
            if *slot == 0 {
                *slot = number;
                placed += 1;
            }
        }
        placed
    }

    /// The meaning of a listed spelling.
    #[inline(always)]
    pub(super) fn find(&self, digest: Digest) -> Option<&Key> {
        let number = usize::from(self.slots[digest.slot(self.seed)]);
        let (known, key) = self.rows.get(number.wrapping_sub(1))?;
        (*known == digest).then_some(key)
    }
}

/// Keys of rows in both casings, of push events, of envelopes and of what collectors add; with those that are passed over.
const SPELLINGS: &str = "
    action actionView bizId docMemberList docReceiverList gmtCreate gmtModified ipAddress operateModule operateModuleView
    operatorName orgName platform platformView realName receiverName receiverType receiverTypeView receiverId resource
    resourceExtension resourceSize status targetSpaceId userId workSpaceId workSpaceName prevWorkSpaceId docPcUrl
    docMobileUrl
    memberName memberType memberTypeView memberId permissionRole permissionRoleView
    action_view biz_id doc_member_info_list doc_receiver_list gmt_create gmt_modified ip_address operate_module
    operate_module_view operator_name org_name platform_view real_name receiver_name receiver_type receiver_type_view
    resource_extension resource_size target_space_id userid work_space_id work_space_name doc_pc_url
    member_name member_type member_type_view permission_role
    _enrichment storage api partitionType storageDriver protocol headerSignatureInfo resourceUrls internalResourceUrls
    expirationSeconds region headers bucket bucketName endpoint endPoint internalEndPoint host oss stsUploadInfo
    specVersion type data topic messageId contentType time eventType eventId eventCorpId eventBornTime eventUnifiedAppId
    appId connectionId EventType EventTime CorpId BizId corp_id biz_type biz_data subscribe_id syncAction
    spaceId dentryId eventScope eventScopeId extension unionId openConversationId openConversationCorpId operator
    timeStamp operateTime coolAppCode fileRecords openCid fileName ossKey requestId teamId roleCode member
    corpId tenant tenantId collectedAt payload message event body record list items hasMore nextToken totalCount
    errcode errmsg success result request_id requestId
    topicName partition offset timestamp key id name version source
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_spelling_means_what_the_tables_say() {
        let keys = Keys::table();
        for spelling in SPELLINGS.split_ascii_whitespace() {
            let digest = Digest::of(spelling).unwrap();
            assert_eq!(keys.find(digest), Some(&Key::of(spelling)), "{spelling}");
        }
        for spelling in ["", "a", "actio", "actions", "Action", "operateModuleViem", "operateXoduleView", "键"] {
            assert_eq!(keys.find(Digest::of(spelling).unwrap()), None, "{spelling}");
        }
        assert_eq!(Digest::of("aVeryLongKeyThatNobodyUses"), None);
    }

    #[test]
    fn the_table_is_made_whatever_the_spellings_are() {
        // same length, same first and last eight bytes
        let keys = Keys::of("operateXXXXModule operateYYYYModule action");
        for spelling in ["operateXXXXModule", "operateYYYYModule", "action"] {
            assert_eq!(keys.find(Digest::of(spelling).unwrap()), Some(&Key::of(spelling)), "{spelling}");
        }
        let many: Vec<String> = (0..400).map(|number| format!("key{number}")).collect();
        let keys = Keys::of(&many.join(" "));
        let found = many.iter().filter(|key| keys.find(Digest::of(key).unwrap()).is_some()).count();
        assert!(found <= 255, "{found}");
    }

    #[test]
    fn a_key_is_the_same_wherever_it_stands() {
        let text = br#"xxxxxxxxxxxxxxx{"ipAddress":"1.2.3.4","ip_address":1}xxxxxxxxxxxxxxxxxxxxxxx"#;
        let find = |from: usize, to: usize| Digest::at(text, from, to).and_then(|digest| Keys::table().find(digest));
        assert_eq!(find(17, 26), Some(&Key::of("ipAddress")));
        assert_eq!(find(39, 49), Some(&Key::of("ip_address")));
        assert_eq!(Digest::at(text, text.len() - 9, text.len()), None, "too near to the end");
    }
}
