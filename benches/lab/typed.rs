//! Typed structures that borrow from the text, read by any serde reader.

use std::borrow::Cow;
use std::fmt;

use harbourwatch::dingtalk::codes;
use harbourwatch::domain::event::{App, Counterpart, Event, Id, Personal, Storage};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fields::{Fields, File, Ids, time_of_number, time_of_text};

/// A text that is borrowed where it has no escape.
#[derive(serde::Deserialize)]
pub struct Str<'a>(#[serde(borrow)] Cow<'a, str>);

/// A number, or the digits of one in quotes.
#[derive(Clone, Copy)]
pub struct Num(i64);

/// A time in any of its forms.
#[derive(Clone, Copy)]
pub struct Time(Option<i64>);

/// An identifier.
pub struct Key<'a>(Id<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Key(Id::Number(number)))
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Id::from_text(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Id::from_text(Cow::Owned(text.to_owned()))))
            }
        }
        from.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Num;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Num, E> {
                i64::try_from(number).map(Num).map_err(E::custom)
            }
            fn visit_i64<E>(self, number: i64) -> Result<Num, E> {
                Ok(Num(number))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Num, E> {
                text.parse().map(Num).map_err(E::custom)
            }
        }
        from.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Time;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Time, E> {
                Ok(Time(time_of_number(number as i64)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Time, E> {
                Ok(Time(time_of_text(text)))
            }
        }
        from.deserialize_any(Read)
    }
}

/// One identifier or a list of them.
pub struct Keys<'a>(Ids<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Keys<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Keys<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("ids")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Keys(Ids { items: vec![Id::Number(number)], array: false }))
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Keys(Ids { items: vec![Id::from_text(Cow::Borrowed(text))], array: false }))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Keys(Ids { items: vec![Id::from_text(Cow::Owned(text.to_owned()))], array: false }))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(Key(id)) = seq.next_element()? {
                    items.push(id);
                }
                Ok(Keys(Ids { items, array: true }))
            }
        }
        from.deserialize_any(Read)
    }
}

/// The body of a push event: an object, or JSON in a string.
pub enum Body<'a> {
    Object(Box<Any<'a>>),
    Text(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Body<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a body")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Body::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Body::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let object = serde::de::value::MapAccessDeserializer::new(map);
                Deserialize::deserialize(object).map(|any| Body::Object(Box::new(any)))
            }
        }
        from.deserialize_any(Read)
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Person<'a> {
    #[serde(borrow, alias = "member_name", alias = "receiverName", alias = "receiver_name")]
    #[serde(rename = "memberName")]
    name: Option<Str<'a>>,
    #[serde(borrow, rename = "memberId", alias = "receiverId")]
    id: Option<Key<'a>>,
    #[serde(rename = "memberType", alias = "member_type")]
    member_type: Option<Word>,
    #[serde(rename = "receiverType", alias = "receiver_type")]
    receiver_type: Option<Num>,
    #[serde(rename = "permissionRole", alias = "permission_role")]
    role: Option<Num>,
}

/// A code that may be a word.
struct Word(Option<i64>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Word;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a code")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Word, E> {
                Ok(Word(Some(number as i64)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.parse().ok().or_else(|| codes::member_type(text))))
            }
        }
        from.deserialize_any(Read)
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Checked<'a> {
    #[serde(borrow, rename = "openCid")]
    conversation: Option<Key<'a>>,
    #[serde(borrow, rename = "fileName")]
    name: Option<Str<'a>>,
    #[serde(borrow, rename = "userId")]
    user: Option<Key<'a>>,
    #[serde(borrow, rename = "requestId")]
    request: Option<Key<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Signed<'a> {
    #[serde(borrow)]
    resource_urls: Vec<Str<'a>>,
    #[serde(borrow)]
    region: Option<Str<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Store<'a> {
    #[serde(borrow)]
    header_signature_info: Option<Signed<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Enrichment<'a> {
    #[serde(borrow)]
    storage: Option<Store<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Headers<'a> {
    #[serde(borrow)]
    event_type: Option<Str<'a>>,
    #[serde(borrow)]
    event_id: Option<Str<'a>>,
    #[serde(borrow)]
    event_corp_id: Option<Str<'a>>,
    event_born_time: Option<Time>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Agent<'a> {
    #[serde(borrow)]
    appid: Option<Key<'a>>,
    #[serde(borrow, rename = "agentName")]
    name: Option<Str<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct AuthInfo<'a> {
    #[serde(borrow)]
    agent: Vec<Agent<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct AuthUser<'a> {
    #[serde(borrow, rename = "userId")]
    user: Option<Key<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct AuthCorp<'a> {
    #[serde(borrow)]
    corpid: Option<Str<'a>>,
}

/// Every shape in one structure.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Any<'a> {
    action: Option<Num>,
    #[serde(alias = "operate_module")]
    operate_module: Option<Num>,
    platform: Option<Num>,
    status: Option<Num>,
    gmt_create: Option<Time>,
    #[serde(rename = "gmt_create")]
    gmt_create_: Option<Time>,
    #[serde(alias = "resource_size")]
    resource_size: Option<Num>,
    #[serde(borrow, alias = "biz_id", alias = "BizId")]
    biz_id: Option<Key<'a>>,
    #[serde(borrow, alias = "target_space_id", alias = "spaceId")]
    target_space_id: Option<Key<'a>>,
    #[serde(borrow, alias = "work_space_id", alias = "teamId")]
    work_space_id: Option<Key<'a>>,
    #[serde(borrow, alias = "prev_work_space_id")]
    prev_work_space_id: Option<Key<'a>>,
    #[serde(borrow)]
    receiver_id: Option<Key<'a>>,
    #[serde(alias = "receiver_type")]
    receiver_type: Option<Num>,
    #[serde(borrow, alias = "receiver_name")]
    receiver_name: Option<Str<'a>>,
    #[serde(borrow, alias = "operator_name")]
    operator_name: Option<Str<'a>>,
    #[serde(borrow, alias = "real_name")]
    real_name: Option<Str<'a>>,
    #[serde(borrow, alias = "org_name")]
    org_name: Option<Str<'a>>,
    #[serde(borrow)]
    resource: Option<Str<'a>>,
    #[serde(borrow, alias = "resource_extension", alias = "extension")]
    resource_extension: Option<Str<'a>>,
    #[serde(borrow, alias = "doc_pc_url")]
    doc_pc_url: Option<Str<'a>>,
    #[serde(borrow, alias = "ip_address")]
    ip_address: Option<Str<'a>>,
    #[serde(borrow, alias = "userid")]
    user_id: Option<Keys<'a>>,
    #[serde(borrow)]
    union_id: Option<Keys<'a>>,
    #[serde(borrow, alias = "doc_receiver_list")]
    doc_receiver_list: Vec<Person<'a>>,
    #[serde(borrow, alias = "doc_member_info_list")]
    doc_member_list: Vec<Person<'a>>,
    #[serde(borrow)]
    member: Option<Person<'a>>,
    #[serde(borrow, rename = "_enrichment")]
    enrichment: Option<Enrichment<'a>>,
    #[serde(borrow, alias = "EventType")]
    event_type: Option<Str<'a>>,
    #[serde(borrow)]
    sync_action: Option<Str<'a>>,
    #[serde(borrow)]
    event_id: Option<Str<'a>>,
    #[serde(borrow, alias = "eventCorpId", alias = "CorpId", alias = "corp_id")]
    corp_id: Option<Str<'a>>,
    event_born_time: Option<Time>,
    #[serde(rename = "EventTime")]
    event_time: Option<Time>,
    time_stamp: Option<Time>,
    operate_time: Option<Time>,
    #[serde(rename = "biz_type")]
    biz_type: Option<Num>,
    #[serde(borrow)]
    dentry_id: Option<Key<'a>>,
    #[serde(borrow)]
    open_conversation_id: Option<Key<'a>>,
    #[serde(borrow)]
    operator: Option<Key<'a>>,
    #[serde(borrow)]
    cool_app_code: Option<Key<'a>>,
    #[serde(borrow, rename = "type")]
    detail: Option<Str<'a>>,
    success: Option<bool>,
    #[serde(borrow)]
    file_records: Vec<Checked<'a>>,
    #[serde(borrow)]
    auth_info: Option<AuthInfo<'a>>,
    #[serde(borrow)]
    auth_user_info: Option<AuthUser<'a>>,
    #[serde(borrow)]
    auth_corp_info: Option<AuthCorp<'a>>,
    #[serde(borrow)]
    headers: Option<Headers<'a>>,
    #[serde(borrow, alias = "biz_data")]
    data: Option<Body<'a>>,
    #[serde(borrow)]
    payload: Option<Box<Any<'a>>>,
    #[serde(borrow)]
    result: Option<Box<Any<'a>>>,
    #[serde(borrow)]
    list: Option<Vec<Any<'a>>>,
    #[serde(rename = "errcode")]
    _errcode: Option<IgnoredAny>,
}

impl<'a> From<Person<'a>> for Counterpart<'a> {
    fn from(person: Person<'a>) -> Self {
        let member = person.receiver_type.is_none();
        let kind = person.receiver_type.map(|kind| kind.0).or(person.member_type.and_then(|word| word.0));
        let role = person.role.map(|role| role.0);
        Self {
            id: person.id.map(|id| Personal::new(id.0)),
            name: text(person.name).map(Personal::new),
            kind,
            member,
            role,
        }
    }
}

fn text(text: Option<Str<'_>>) -> Option<Cow<'_, str>> {
    text.map(|text| text.0).filter(|text| !text.is_empty())
}

fn number(number: Option<Num>) -> Option<i64> {
    number.map(|number| number.0)
}

fn time(time: Option<Time>) -> Option<i64> {
    time.and_then(|time| time.0)
}

fn key(key: Option<Key<'_>>) -> Option<Id<'_>> {
    key.map(|key| key.0)
}

impl<'a> Any<'a> {
    fn fields(self) -> Fields<'a> {
        let head = self.headers.unwrap_or_default();
        let (framed, born) = (head.event_type.is_some(), time(self.event_born_time));
        let capital = self.event_time.is_some();
        let signed = self.enrichment.and_then(|it| it.storage).and_then(|it| it.header_signature_info);
        let signed = signed.unwrap_or_default();
        let hosts = signed.resource_urls.into_iter().map(|url| url.0).collect();
        let files = self.file_records.into_iter().map(|file| File {
            conversation: key(file.conversation),
            name: text(file.name),
            user: key(file.user),
            request: key(file.request),
        });
        let apps = self.auth_info.unwrap_or_default().agent.into_iter();
        let apps = apps.map(|app| App { code: key(app.appid), name: text(app.name) });
        let tenant = text(self.corp_id).or_else(|| text(head.event_corp_id));
        let members = self.doc_member_list.into_iter().chain(self.member);
        Fields {
            snake: self.gmt_create_.is_some(),
            capital,
            framed,
            action: number(self.action),
            module: number(self.operate_module),
            platform: number(self.platform),
            status: number(self.status),
            created: time(self.gmt_create).or(time(self.gmt_create_)),
            size: number(self.resource_size),
            biz: key(self.biz_id),
            space: key(self.target_space_id),
            workspace: key(self.work_space_id),
            previous: key(self.prev_work_space_id),
            receiver_id: key(self.receiver_id),
            receiver_type: number(self.receiver_type),
            receiver_name: text(self.receiver_name),
            operator_name: text(self.operator_name),
            real_name: text(self.real_name),
            org: text(self.org_name),
            resource: text(self.resource),
            extension: text(self.resource_extension),
            url: text(self.doc_pc_url),
            address: text(self.ip_address),
            user: self.user_id.map(|ids| ids.0).unwrap_or_default(),
            union: self.union_id.map(|ids| ids.0).unwrap_or_default(),
            receivers: self.doc_receiver_list.into_iter().map(Counterpart::from).collect(),
            members: members.map(|person| Counterpart { member: true, ..Counterpart::from(person) }).collect(),
            storage: Storage { region: text(signed.region), hosts, bucket: None },
            tenant: tenant.or_else(|| text(self.auth_corp_info.and_then(|corp| corp.corpid))),
            event_type: text(self.event_type).or_else(|| text(head.event_type)),
            sync_action: text(self.sync_action),
            event_id: text(self.event_id).or_else(|| text(head.event_id)),
            born: born.or(time(head.event_born_time)).or(time(self.event_time)),
            stamp: time(self.time_stamp),
            operated: time(self.operate_time),
            biz_type: number(self.biz_type),
            dentry: key(self.dentry_id),
            conversation: key(self.open_conversation_id),
            operator: key(self.operator).or_else(|| key(self.auth_user_info.and_then(|user| user.user))),
            app_code: key(self.cool_app_code),
            detail: text(self.detail),
            success: self.success,
            files: files.collect(),
            apps: apps.collect(),
        }
    }

    /// Gives the events; `read` reads JSON that stands in a string. What cannot be read counts as rejected.
    pub fn events(
        mut self,
        tenant: Option<&Cow<'a, str>>,
        read: &impl Fn(&str, &mut dyn FnMut(Any<'_>)),
        each: &mut impl FnMut(Option<Event<'_>>),
    ) {
        if let Some(rows) = self.list.take() {
            let outer = self.corp_id.as_ref().map(|corp| corp.0.clone());
            return rows.into_iter().for_each(|row| row.events(outer.as_ref().or(tenant), read, each));
        }
        if let Some(inner) = self.payload.take().or(self.result.take()) {
            let outer = self.corp_id.as_ref().map(|corp| corp.0.clone());
            return inner.events(outer.as_ref().or(tenant), read, each);
        }
        let body = self.data.take();
        let fields = self.fields();
        match body {
            _ if fields.is_row() => each(Some(fields.into_row(tenant))),
            _ if !fields.is_push() => each(None),
            None => fields.into_push(None, tenant, &mut |event| each(Some(event))),
            Some(Body::Object(body)) => {
                fields.into_push(Some(body.fields()), tenant, &mut |event| each(Some(event)));
            }
            Some(Body::Text(text)) => {
                let mut head = Some(fields);
                read(&text, &mut |body| {
                    let Some(head) = head.take() else { return };
                    shorten(head, tenant).into_push(Some(body.fields()), None, &mut |event| each(Some(event)));
                });
            }
        }
    }
}

/// The head's own lifetime is longer than that of the text that was unescaped.
fn shorten<'b, 'a: 'b>(mut head: Fields<'a>, tenant: Option<&Cow<'a, str>>) -> Fields<'b> {
    head.tenant = head.tenant.or_else(|| tenant.cloned());
    head
}
