//! The fields that are read, under every spelling that occurs, as one table.
//!
//! A key is compared without underscores and without regard to ASCII case, so that `userId`, `userid`, `user_id` and
//! `UserId` are one field: DingTalk's APIs, its push events and the tables of collectors spell it in all these ways. Two
//! spellings in one object are therefore the same field given twice.

/// How the value of a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    Flag,
    Time,
    Size,
    Id,
    Text,
    Ids,
    Address,
    Parties,
    Storage,
    Files,
    Apps,
    /// An object some of whose fields belong to the one around it.
    Inner,
    /// May hold the event: an object, an array or JSON in a string.
    Carrier,
}

macro_rules! fields {
    ($($field:ident $kind:ident $name:literal [$($key:literal),+];)+) => {
        /// A field by its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Field {
            $($field,)+
        }

        impl Field {
            pub(super) const TABLE: &[(Self, Kind, &'static str, &[&'static str])] =
                &[$((Self::$field, Kind::$kind, $name, &[$($key),+]),)+];
        }
    };
}

fields! {
    Action Code "action" ["action"];
    Module Code "operateModule" ["operatemodule"];
    Platform Code "platform" ["platform"];
    Status Code "status" ["status"];
    ReceiverType Code "receiverType" ["receivertype"];
    BizType Code "biz_type" ["biztype"];
    Error Code "errcode" ["errcode"];
    Success Flag "success" ["success"];
    Created Time "gmtCreate" ["gmtcreate"];
    Born Time "eventBornTime" ["eventborntime", "eventtime"];
    Stamp Time "timeStamp" ["timestamp"];
    Operated Time "operateTime" ["operatetime"];
    Size Size "resourceSize" ["resourcesize"];
    Biz Id "bizId" ["bizid"];
    Dentry Id "dentryId" ["dentryid"];
    Space Id "targetSpaceId" ["targetspaceid", "spaceid"];
    Workspace Id "workSpaceId" ["workspaceid", "teamid"];
    Previous Id "prevWorkSpaceId" ["prevworkspaceid"];
    ReceiverId Id "receiverId" ["receiverid"];
    Operator Id "operator" ["operator"];
    Conversation Id "openConversationId" ["openconversationid"];
    AppCode Id "coolAppCode" ["coolappcode"];
    AppId Id "appid" ["appid", "microappid"];
    OperatorName Text "operatorName" ["operatorname"];
    RealName Text "realName" ["realname"];
    OrgName Text "orgName" ["orgname"];
    Resource Text "resource" ["resource"];
    Extension Text "resourceExtension" ["resourceextension", "extension"];
    Url Text "docPcUrl" ["docpcurl"];
    ReceiverName Text "receiverName" ["receivername"];
    EventType Text "eventType" ["eventtype"];
    SyncAction Text "syncAction" ["syncaction"];
    EventId Text "eventId" ["eventid"];
    Corp Text "corpId" ["corpid", "eventcorpid"];
    Tenant Text "tenant" ["tenant", "tenantid"];
    OperatorUnion Text "operatorUnionId" ["operatorunionid"];
    AppName Text "agentName" ["agentname", "appname"];
    Type Text "type" ["type"];
    User Ids "userId" ["userid"];
    Union Ids "unionId" ["unionid"];
    Address Address "ipAddress" ["ipaddress"];
    Receivers Parties "docReceiverList" ["docreceiverlist", "docreceiverinfolist"];
    Members Parties "docMemberList" ["docmemberlist", "docmemberinfolist", "member"];
    Enrichment Storage "_enrichment" ["enrichment"];
    Files Files "fileRecords" ["filerecords"];
    Apps Apps "authInfo" ["authinfo"];
    Headers Inner "headers" ["headers"];
    AuthUser Inner "authUserInfo" ["authuserinfo"];
    AuthCorp Inner "authCorpInfo" ["authcorpinfo"];
    Data Carrier "data" ["data"];
    BizData Carrier "biz_data" ["bizdata"];
    Page Carrier "list" ["list", "items", "rows", "records", "events", "logs", "messages"];
    Payload Carrier "payload" ["payload", "event", "message", "body", "record", "value", "row", "after", "detail",
        "details", "result", "log", "content", "source", "raw", "original", "document"];
}

impl Field {
    pub(super) const COUNT: usize = Self::TABLE.len();

    pub(super) const fn kind(self) -> Kind {
        Self::TABLE[self as usize].1
    }

    /// DingTalk's own spelling, for people.
    pub(super) const fn name(self) -> &'static str {
        Self::TABLE[self as usize].2
    }

    /// A field of two words or more that file operation records have in both casings.
    pub(super) fn is_of_row(self) -> bool {
        matches!(self, Self::Biz | Self::Created | Self::Address | Self::Module | Self::Size | Self::Space)
            || matches!(self, Self::OperatorName | Self::RealName | Self::OrgName | Self::ReceiverName)
    }

    pub(super) fn of(name: &Name) -> Option<Self> {
        let mut slot = hash(name.as_bytes()) % SLOTS;
        while let Some((key, field)) = INDEX[slot] {
            if key.as_bytes() == name.as_bytes() {
                return Some(field);
            }
            slot = (slot + 1) % SLOTS;
        }
        None
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(u64);

impl Fields {
    pub(super) const fn of(fields: &[Field]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < fields.len() {
            set |= 1 << fields[at] as u8;
            at += 1;
        }
        Self(set)
    }

    #[inline]
    pub(super) const fn add(&mut self, field: Field) {
        self.0 |= 1 << field as u8;
    }

    #[inline]
    pub(super) const fn has(self, field: Field) -> bool {
        self.0 & 1 << field as u8 != 0
    }

    #[inline]
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[inline]
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline]
    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[inline]
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The first in table order.
    pub(super) fn first(self) -> Option<Field> {
        Field::TABLE.get(self.0.trailing_zeros() as usize).map(|row| row.0)
    }
}

const _: () = assert!(Field::COUNT <= 64, "a set of fields is a u64");

/// A key as it is compared: ASCII lower case, no underscore.
pub(super) struct Name {
    bytes: [u8; Self::MOST],
    len: usize,
    /// Has an underscore inside, as the legacy API writes.
    pub(super) snake: bool,
    /// Begins with a capital, as the HTTP callback writes.
    pub(super) capital: bool,
}

impl Name {
    /// Longer keys are none of ours.
    const MOST: usize = 32;

    pub(super) fn of(key: &str) -> Self {
        let capital = key.as_bytes().first().is_some_and(u8::is_ascii_uppercase);
        let mut name = Self { bytes: [0; Self::MOST], len: 0, snake: false, capital };
        for &byte in key.as_bytes() {
            if byte == b'_' {
                name.snake |= name.len > 0;
            } else if let Some(slot) = name.bytes.get_mut(name.len) {
                *slot = byte.to_ascii_lowercase();
                name.len += 1;
            } else {
                return Self { len: 0, ..name };
            }
        }
        name
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

const SLOTS: usize = 512;

/// Open addressing over the table above, worked out by the compiler.
static INDEX: [Option<(&str, Field)>; SLOTS] = index();

const fn index() -> [Option<(&'static str, Field)>; SLOTS] {
    let mut slots = [None; SLOTS];
    let mut row = 0;
    while row < Field::TABLE.len() {
        let (field, _, _, keys) = Field::TABLE[row];
        let mut key = 0;
        while key < keys.len() {
            let mut slot = hash(keys[key].as_bytes()) % SLOTS;
            while slots[slot].is_some() {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = Some((keys[key], field));
            key += 1;
        }
        row += 1;
    }
    slots
}

/// FNV-1a.
const fn hash(bytes: &[u8]) -> usize {
    let (mut hash, mut at) = (0x811c_9dc5_u32, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ hash >> 15) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_found_and_is_in_compared_form() {
        for (field, _, name, keys) in Field::TABLE {
            for key in *keys {
                assert_eq!(Name::of(key).as_bytes(), key.as_bytes());
                assert_eq!(Field::of(&Name::of(key)), Some(*field), "{key}");
            }
            assert_eq!(Field::of(&Name::of(name)), Some(*field), "{name}");
        }
    }

    #[test]
    fn spellings_of_one_field_meet_and_strangers_do_not() {
        for key in ["userId", "userid", "user_id", "UserId", "USER_ID"] {
            assert_eq!(Field::of(&Name::of(key)), Some(Field::User), "{key}");
        }
        for key in
            ["", "_", "user", "userIdd", "ipAddresss", "键", "a-very-long-key-that-is-longer-than-any-of-the-table"]
        {
            assert_eq!(Field::of(&Name::of(key)), None, "{key}");
        }
    }
}
