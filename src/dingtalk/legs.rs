//! What an act moves: from whom to whom, by the tables of [`super::codes`]. Where the ends are is not asked here.
//!
//! Where an act certainly reaches somebody whom the event does not name, the end is [`End::Unknown`]: a leg whose end is
//! unknown is judged as undetermined, a leg that is left out would be judged as nothing.

use super::codes::{self, Class};
use crate::domain::event::{Act, App, Counterpart, Event};
use crate::domain::flow::FlowKind;

/// What an event moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Movement {
    /// At least one leg was given.
    Legs,
    /// The act is known and moves nothing.
    Nothing,
    /// The action code or event type is in no table.
    Unclassified,
}

/// One end of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'e, 'a> {
    /// Who acted, at their network address.
    Actor,
    /// Where the file is stored.
    Storage,
    /// Where it was stored before.
    PreviousStorage,
    /// A receiver or member that the event names. A drive or document that receives a copy is one too: whose it is and
    /// where it is stored, only the operator's directory can say.
    Counterpart(&'e Counterpart<'a>),
    /// Everyone in the tenant.
    Organisation,
    /// The operator of a third-party app.
    App(&'e App<'a>),
    /// Everyone.
    World,
    /// Somebody whom the event does not name.
    Unknown,
}

/// One leg, before its ends are located.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'e, 'a> {
    /// What kind of movement.
    pub kind: FlowKind,
    /// Only looked at on a screen.
    pub preview: bool,
    /// Where it starts.
    pub origin: End<'e, 'a>,
    /// Where it ends.
    pub destination: End<'e, 'a>,
}

/// Gives the legs of an event. Allocates nothing.
pub fn plan<'e, 'a>(event: &'e Event<'a>, each: &mut impl FnMut(Plan<'e, 'a>)) -> Movement {
    let Some(class) = class(event) else { return Movement::Unclassified };
    let mut legs = Legs { event, each, count: 0 };
    legs.of(class);
    if legs.count == 0 { Movement::Nothing } else { Movement::Legs }
}

/// The class of an event's act; `None` if it is in no table.
fn class(event: &Event<'_>) -> Option<Class> {
    match &event.act {
        Act::Audit(code) => codes::by_action(*code).map(|row| row.class),
        Act::Push(name) => {
            let class = codes::push(name)?.class;
            if class == Class::TeamChange { codes::team_change(event.detail.as_deref()?) } else { Some(class) }
        }
    }
}

struct Legs<'o, 'e, 'a, F> {
    event: &'e Event<'a>,
    each: &'o mut F,
    count: u32,
}

impl<'e, 'a, F: FnMut(Plan<'e, 'a>)> Legs<'_, 'e, 'a, F> {
    fn of(&mut self, class: Class) {
        match class {
            Class::Store => self.leg(FlowKind::Upload, End::Actor, End::Storage),
            Class::StoreOrSend => self.store_or_send(),
            Class::Receive => self.access(false),
            Class::Preview => self.access(true),
            Class::Send => self.reach(FlowKind::Send, false),
            Class::Share => self.reach(FlowKind::ShareGrant, false),
            Class::Publish => self.leg(FlowKind::ShareGrant, End::Storage, End::World),
            Class::Relocate => self.leg(FlowKind::Sync, End::PreviousStorage, End::Storage),
            Class::Members => self.reach(FlowKind::ShareGrant, true),
            Class::OpenToOrganisation => self.leg(FlowKind::ShareGrant, End::Storage, End::Organisation),
            Class::ConnectApp => {
                let app = self.event.app.as_ref().map_or(End::Unknown, End::App);
                self.leg(FlowKind::AppExport, End::Storage, app);
            }
            Class::HandOver => self.leg(FlowKind::ShareGrant, End::Storage, End::Unknown),
            Class::TeamChange | Class::Nothing => {}
        }
    }

    fn leg(&mut self, kind: FlowKind, origin: End<'e, 'a>, destination: End<'e, 'a>) {
        self.give(Plan { kind, preview: false, origin, destination });
    }

    fn give(&mut self, plan: Plan<'e, 'a>) {
        self.count += 1;
        (self.each)(plan);
    }

    fn access(&mut self, preview: bool) {
        self.give(Plan { kind: FlowKind::Access, preview, origin: End::Storage, destination: End::Actor });
    }

    /// An upload in a chat is also sent to the receiver, if one is named.
    fn store_or_send(&mut self) {
        self.leg(FlowKind::Upload, End::Actor, End::Storage);
        let chat = self.event.module.is_some_and(|module| codes::CHAT_MODULES.contains(&module));
        if chat && self.event.counterparts.iter().any(|counterpart| !counterpart.member) {
            self.reach(FlowKind::Send, false);
        }
    }

    /// A leg to each member or each receiver; to the other list if this one is missing, since descriptions of the two
    /// have been mixed up; to an unknown end if both are. A role of 0 takes a permission away and moves nothing.
    fn reach(&mut self, kind: FlowKind, member: bool) {
        let named = &self.event.counterparts;
        let Some(first) = named.iter().find(|other| other.member == member).or(named.first()) else {
            return self.leg(kind, End::Storage, End::Unknown);
        };
        for counterpart in named.iter().filter(|other| other.member == first.member) {
            if counterpart.role != Some(0) {
                self.leg(kind, End::Storage, end(counterpart));
            }
        }
    }
}

/// Departments are part of the tenant's own organisation; everyone else is whoever the directory says.
fn end<'e, 'a>(counterpart: &'e Counterpart<'a>) -> End<'e, 'a> {
    if counterpart.member && counterpart.kind == Some(0) { End::Organisation } else { End::Counterpart(counterpart) }
}
