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
            let failed = class == Class::HandOver && event.success == Some(false);
            match (class == Class::TeamChange, failed) {
                (true, _) => codes::team_change(event.detail.as_deref()?),
                (false, true) => Some(Class::Nothing),
                (false, false) => Some(class),
            }
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
            Class::Store => self.store(false),
            Class::StoreOrSend => self.store(self.event.module.is_some_and(|at| codes::CHAT_MODULES.contains(&at))),
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

    /// What is stored in a chat is sent to its receivers, or to somebody unnamed. Elsewhere it is sent to whoever is named
    /// as a receiver, but not to the drive or document that it is stored in.
    fn store(&mut self, chat: bool) {
        self.leg(FlowKind::Upload, End::Actor, End::Storage);
        let stored = self.count;
        for counterpart in self.event.counterparts.iter().filter(|other| !other.member && (chat || !is_place(other))) {
            self.leg(FlowKind::Send, End::Storage, end(counterpart));
        }
        if chat && self.count == stored {
            self.leg(FlowKind::Send, End::Storage, End::Unknown);
        }
    }

    /// A leg to everyone who is named; to an unknown end if nobody is. Of an act on one of the two lists, a drive or
    /// document in the other is what is shared, and no receiver; but descriptions of the lists have been mixed up, so
    /// that it counts if it stands alone. A role of 0 takes a permission away and moves nothing.
    fn reach(&mut self, kind: FlowKind, member: bool) {
        let named = &self.event.counterparts;
        let Some(first) = named.iter().find(|other| other.member == member).or(named.first()) else {
            return self.leg(kind, End::Storage, End::Unknown);
        };
        for counterpart in named.iter().filter(|other| other.member == first.member || !is_place(other)) {
            if counterpart.role != Some(0) {
                self.leg(kind, End::Storage, end(counterpart));
            }
        }
    }
}

fn is_place(counterpart: &Counterpart<'_>) -> bool {
    !counterpart.member && counterpart.kind.is_some_and(|kind| codes::PLACES.contains(&kind))
}

/// Departments are part of the tenant's own organisation; everyone else is whoever the directory says.
fn end<'e, 'a>(counterpart: &'e Counterpart<'a>) -> End<'e, 'a> {
    if counterpart.member && counterpart.kind == Some(0) { End::Organisation } else { End::Counterpart(counterpart) }
}
