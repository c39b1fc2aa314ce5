//! The data protection principles that bind today, whatever the state of s.33: purpose (DPP3), classes of transferees told
//! to the data subjects (DPP1(3)), means over a processor (DPP2(3), DPP4(2)).
//!
//! Only what the register shows. A `No` is a gap on record, an `Unknown` decides nothing.

use super::entries::in_force;
use crate::domain::calendar::day_of;
use crate::domain::flow::{Case, Recipient};
use crate::domain::party::{Item, Party, PartyId, PurposeId, Role, Tri};
use crate::domain::policy::Policy;
use crate::domain::safeguard::{Named, Safeguard, SafeguardKind};
use crate::domain::trace::{Step, Trace};
use crate::domain::verdict::Condition;

/// How a transfer stands to the principles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Principles {
    /// DPP3: `No` when everything agreed with the recipient that is in force is limited to purposes other than that of
    /// collection; whoever keeps to it uses the data for a new purpose.
    pub purpose: Tri,
    /// DPP1(3): `No` when the recipient's class is not among those told to the data subjects.
    pub class: Tri,
    /// DPP2(3), DPP4(2): `No` when the recipient is a processor and neither an agreement nor a safeguard in force that
    /// amounts to one is on file.
    pub processor: Tri,
}

impl Principles {
    /// Each with the condition that a `No` stands for, gravest first.
    pub fn list(self) -> [(Condition, Tri); 3] {
        [
            (Condition::Dpp3Purpose, self.purpose),
            (Condition::Dpp2Processor, self.processor),
            (Condition::Dpp1Class, self.class),
        ]
    }

    /// The gravest known gap.
    pub fn gap(self) -> Option<Condition> {
        self.list().into_iter().find(|(_, answer)| *answer == Tri::No).map(|(condition, _)| condition)
    }

    /// Whether a known gap is in DPP2(3), DPP3 or DPP4.
    pub fn binding(self) -> bool {
        self.gap().is_some_and(Condition::is_binding)
    }

    pub(super) fn trace<T: Trace>(self, trace: &mut T) {
        for (condition, answer) in self.list() {
            trace.note(Step::Principle { condition, answer });
        }
    }
}

impl Policy {
    /// Holds a transfer against the principles.
    pub fn principles(&self, recipient: Recipient, case: &Case) -> Principles {
        let item = self.item(case.item);
        match recipient {
            Recipient::Party(id) => Principles {
                purpose: self.purpose(id, item, case),
                class: class(id, self.party(id), item, case),
                processor: self.processor(id, case),
            },
            Recipient::Stranger | Recipient::Public => {
                Principles { purpose: Tri::Unknown, class: told(None, item), processor: Tri::Unknown }
            }
        }
    }

    fn purpose(&self, recipient: PartyId, item: &Item, case: &Case) -> Tri {
        let Some(purpose) = item.purpose else { return Tri::Unknown };
        let mut agreed = self.agreed(recipient, case).peekable();
        let none = agreed.peek().is_none();
        if none || agreed.any(|entry| allows(entry, purpose)) { Tri::Yes } else { Tri::No }
    }

    fn processor(&self, recipient: PartyId, case: &Case) -> Tri {
        let party = self.party(recipient);
        match party.role {
            Role::DataUser => Tri::Yes,
            Role::Unknown => Tri::Unknown,
            Role::Processor if party.agreement == Tri::Yes || recipient == case.exporter => Tri::Yes,
            Role::Processor if self.agreed(recipient, case).any(|entry| is_agreement(entry.kind)) => Tri::Yes,
            Role::Processor => Tri::No,
        }
    }

    /// Entries in force that name the recipient as party, bind the exporter and are not limited to other items.
    fn agreed(&self, recipient: PartyId, case: &Case) -> impl Iterator<Item = &Safeguard> {
        let day = day_of(case.at);
        let (exporter, item) = (case.exporter, case.item);
        self.entries(Some(recipient)).map(|id| self.safeguard(id)).filter(move |entry| {
            let named = match &entry.recipients {
                Named::Parties(parties) => parties.contains(&recipient),
                Named::SameEntity | Named::Anyone => false,
            };
            let about = entry.items.is_empty() || entry.items.contains(&item);
            named && about && in_force(entry, day).is_none() && self.binds(entry, exporter)
        })
    }
}

fn allows(entry: &Safeguard, purpose: PurposeId) -> bool {
    entry.purposes.is_empty() || entry.purposes.contains(purpose)
}

/// What reaches the exporter's own staff reaches no transferee.
fn class(recipient: PartyId, party: &Party, item: &Item, case: &Case) -> Tri {
    if recipient == case.exporter { Tri::Yes } else { told(party.class.as_ref(), item) }
}

fn told(class: Option<&String>, item: &Item) -> Tri {
    match (class, &item.notified) {
        (_, Some(told)) if told.is_empty() => Tri::No,
        (Some(class), Some(told)) if told.contains(class) => Tri::Yes,
        (Some(_), Some(_)) => Tri::No,
        (None, _) | (_, None) => Tri::Unknown,
    }
}

/// Contract or other means over a processor (DPP2(3), DPP4(2)).
fn is_agreement(kind: SafeguardKind) -> bool {
    match kind {
        SafeguardKind::RmcUser
        | SafeguardKind::RmcProcessor
        | SafeguardKind::OtherContract
        | SafeguardKind::GbaSc
        | SafeguardKind::ProcessorOversight => true,
        SafeguardKind::SpecifiedPlace
        | SafeguardKind::ComparableLaw
        | SafeguardKind::WrittenConsent
        | SafeguardKind::AdverseAction
        | SafeguardKind::Part8Exempt
        | SafeguardKind::GroupPolicy
        | SafeguardKind::OwnStaffRemote => false,
    }
}
