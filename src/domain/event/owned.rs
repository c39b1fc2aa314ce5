//! Copies of what an event says that outlive the batch, for what is out of a text that had to be unescaped first.

use std::borrow::Cow;

use super::{Act, Actor, App, Counterpart, Event, Id, Personal, Storage, Text};

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
