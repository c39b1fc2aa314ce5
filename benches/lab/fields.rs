//! One object as others read it, and the events that it stands for.

use std::borrow::Cow;

use harbourwatch::dingtalk::codes;
use harbourwatch::domain::event::{Act, App, Counterpart, Event, Id, Personal, Shape, Storage};

/// The fields of every shape, as far as any of them is used.
#[derive(Default)]
pub struct Fields<'a> {
    pub snake: bool,
    pub capital: bool,
    pub framed: bool,
    pub action: Option<i64>,
    pub module: Option<i64>,
    pub platform: Option<i64>,
    pub status: Option<i64>,
    pub created: Option<i64>,
    pub size: Option<i64>,
    pub biz: Option<Id<'a>>,
    pub space: Option<Id<'a>>,
    pub workspace: Option<Id<'a>>,
    pub previous: Option<Id<'a>>,
    pub receiver_id: Option<Id<'a>>,
    pub receiver_type: Option<i64>,
    pub receiver_name: Option<Cow<'a, str>>,
    pub operator_name: Option<Cow<'a, str>>,
    pub real_name: Option<Cow<'a, str>>,
    pub org: Option<Cow<'a, str>>,
    pub resource: Option<Cow<'a, str>>,
    pub extension: Option<Cow<'a, str>>,
    pub url: Option<Cow<'a, str>>,
    pub address: Option<Cow<'a, str>>,
    pub user: Ids<'a>,
    pub union: Ids<'a>,
    pub receivers: Vec<Counterpart<'a>>,
    pub members: Vec<Counterpart<'a>>,
    pub storage: Storage<'a>,
    pub tenant: Option<Cow<'a, str>>,
    pub event_type: Option<Cow<'a, str>>,
    pub sync_action: Option<Cow<'a, str>>,
    pub event_id: Option<Cow<'a, str>>,
    pub born: Option<i64>,
    pub stamp: Option<i64>,
    pub operated: Option<i64>,
    pub biz_type: Option<i64>,
    pub dentry: Option<Id<'a>>,
    pub conversation: Option<Id<'a>>,
    pub operator: Option<Id<'a>>,
    pub app_code: Option<Id<'a>>,
    pub detail: Option<Cow<'a, str>>,
    pub success: Option<bool>,
    pub files: Vec<File<'a>>,
    pub apps: Vec<App<'a>>,
}

/// One value or an array of them.
#[derive(Default)]
pub struct Ids<'a> {
    pub items: Vec<Id<'a>>,
    pub array: bool,
}

/// A file checked before it is sent.
#[derive(Clone, Default)]
pub struct File<'a> {
    pub conversation: Option<Id<'a>>,
    pub name: Option<Cow<'a, str>>,
    pub user: Option<Id<'a>>,
    pub request: Option<Id<'a>>,
}

impl<'a> Fields<'a> {
    pub fn is_row(&self) -> bool {
        self.action.is_some() && (self.biz.is_some() || self.created.is_some() || !self.user.items.is_empty())
    }

    pub fn is_push(&self) -> bool {
        self.event_type.is_some() || self.biz_type.is_some()
    }

    /// The event of a row; `tenant` is that of the envelope.
    pub fn into_row(self, tenant: Option<&Cow<'a, str>>) -> Event<'a> {
        let shape = if self.snake { Shape::LegacyRow } else { Shape::AuditRow };
        let mut event = Event::new(shape, Act::Audit(self.action.unwrap_or_default()));
        event.tenant = self.tenant.or_else(|| tenant.cloned());
        event.biz_id = self.biz;
        event.time = self.created;
        event.actor.user_id = self.user.items.into_iter().next().map(Personal::new);
        event.actor.name = self.real_name.or(self.operator_name).map(Personal::new);
        event.address = self.address.map(Personal::new);
        event.org = self.org;
        event.module = self.module;
        event.platform = self.platform;
        event.status = self.status;
        event.resource = self.resource.map(Personal::new);
        event.extension = self.extension;
        event.size = self.size.and_then(|size| u64::try_from(size).ok());
        event.space = self.space;
        event.workspace = self.workspace;
        event.previous_workspace = self.previous;
        event.url = self.url;
        event.storage = self.storage;
        event.counterparts.extend(self.receivers);
        if self.receiver_id.is_some() || self.receiver_name.is_some() {
            event.counterparts.push(Counterpart {
                id: self.receiver_id.map(Personal::new),
                name: self.receiver_name.map(Personal::new),
                kind: self.receiver_type,
                ..Counterpart::default()
            });
        }
        event.counterparts.extend(self.members);
        event
    }

    /// The events of a push event.
    pub fn into_push(self, body: Option<Self>, tenant: Option<&Cow<'a, str>>, each: &mut dyn FnMut(Event<'a>)) {
        let (head, mut body) = match body {
            Some(body) => (self, body),
            None => (Self::default(), self),
        };
        let rds = head.biz_type.is_some() || body.biz_type.is_some();
        let shape = match (rds, head.framed, body.capital) {
            (true, ..) => Shape::Rds,
            (_, true, _) => Shape::Stream,
            (_, _, true) => Shape::Http,
            (..) => Shape::Flattened,
        };
        let name = body.sync_action.take().or(head.event_type).or(body.event_type.take());
        let mut event = Event::new(shape, Act::Push(name.unwrap_or_default()));
        event.tenant = head.tenant.or(body.tenant.take()).or_else(|| tenant.cloned());
        event.event_id = head.event_id.or(body.event_id.take());
        event.biz_id = body.dentry.take();
        let told = [head.born, body.born, head.stamp, body.stamp, head.operated, body.operated];
        let numbered = match head.biz {
            Some(Id::Number(number)) if rds => Some(number as i64),
            Some(_) | None => None,
        };
        event.time = told.into_iter().flatten().next().or(numbered);
        event.extension = body.extension.take();
        event.space = body.space.take().or(body.conversation.take());
        event.workspace = body.workspace.take();
        event.detail = body.detail.take();
        event.success = head.success.or(body.success);
        if body.app_code.is_some() {
            event.app = Some(App { code: body.app_code.take(), name: None });
        }
        people(&mut body, &mut event);
        let (files, apps) = (body.files, body.apps);
        for file in &files {
            each(of_file(event.clone(), file.clone()));
        }
        for app in &apps {
            each(Event { app: Some(app.clone()), ..event.clone() });
        }
        if files.is_empty() && apps.is_empty() {
            each(event);
        }
    }
}

fn people<'a>(body: &mut Fields<'a>, event: &mut Event<'a>) {
    let operated = body.operator.is_some();
    let (users, unions) = (std::mem::take(&mut body.user), std::mem::take(&mut body.union));
    let (user, users) = split(users, operated);
    let (union, unions) = split(unions, operated);
    event.actor.user_id = body.operator.take().or(user).map(Personal::new);
    event.actor.union_id = union.map(|id| Personal::new(Cow::Owned(id.to_string())));
    let outsiders = if unions.len() == users.len() { Vec::new() } else { unions };
    event.counterparts.extend(users.into_iter().chain(outsiders).map(|id| Counterpart {
        id: Some(Personal::new(id)),
        kind: codes::member_type("USER"),
        member: true,
        ..Counterpart::default()
    }));
    event.counterparts.extend(std::mem::take(&mut body.members));
}

fn split(mut ids: Ids<'_>, operated: bool) -> (Option<Id<'_>>, Vec<Id<'_>>) {
    if ids.array || operated { (None, ids.items) } else { (ids.items.pop(), Vec::new()) }
}

fn of_file<'a>(mut event: Event<'a>, file: File<'a>) -> Event<'a> {
    event.counterparts.clear();
    event.counterparts.push(Counterpart { id: file.conversation.map(Personal::new), ..Counterpart::default() });
    event.resource = file.name.map(Personal::new);
    event.biz_id = file.request;
    if file.user.is_some() {
        event.actor.user_id = file.user.map(Personal::new);
    }
    event
}

/// A number of seconds, milliseconds or microseconds since the epoch, or a text, as ms.
pub fn time_of_number(number: i64) -> Option<i64> {
    match number {
        1_000_000_000..100_000_000_000 => Some(number * 1000),
        100_000_000_000..100_000_000_000_000 => Some(number),
        100_000_000_000_000..100_000_000_000_000_000 => Some(number / 1000),
        _ => None,
    }
}

/// The same for a text.
pub fn time_of_text(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(number) => time_of_number(number),
        Err(_) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
    }
}

/// A sum over what an event says, to hold the ways against each other.
pub fn sum(event: &Event<'_>) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hash = std::hash::DefaultHasher::new();
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::len);
    (event.shape, event.time, event.module, event.size, event.status, event.platform).hash(&mut hash);
    (&event.biz_id, &event.space, &event.workspace, &event.previous_workspace).hash(&mut hash);
    (event.tenant.as_deref(), event.event_id.as_deref(), event.org.as_deref(), event.extension.as_deref())
        .hash(&mut hash);
    (event.actor.user_id.as_ref().map(Personal::reveal), event.actor.name.as_ref().map(Personal::reveal))
        .hash(&mut hash);
    (event.address.as_ref().map(Personal::reveal), event.resource.as_ref().map(Personal::reveal)).hash(&mut hash);
    (text(&event.url), text(&event.detail), event.success).hash(&mut hash);
    event.storage.region.as_deref().hash(&mut hash);
    event.storage.hosts.iter().for_each(|host| host.hash(&mut hash));
    for other in &event.counterparts {
        (other.kind, other.member, other.role).hash(&mut hash);
        (other.name.as_ref().map(Personal::reveal), other.id.as_ref().map(Personal::reveal)).hash(&mut hash);
    }
    event.app.as_ref().map(|app| (&app.code, app.name.as_deref())).hash(&mut hash);
    match &event.act {
        Act::Audit(code) => code.hash(&mut hash),
        Act::Push(name) => name.hash(&mut hash),
    }
    hash.finish()
}
