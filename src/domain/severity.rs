//! How grave a decision is: a base by verdict, raised by what makes harm likelier, lowered where nothing was kept.
//!
//! # Readings
//! - *External recipient* is an outside party that decides on the data itself, a stranger, or the public. A processor acts
//!   for the data user; that nothing binds it raises the base already.
//! - *Own staff, preview only* is one factor: both must hold. It never lowers a finding to INFO.
//! - Factors are added up first and cut off at the end, so a mild factor does not take from what is beyond CRITICAL.
//! - Where a leg is undetermined and yet nothing that is possible leaves Hong Kong (the origin of something that comes to rest
//!   here is not known), no factor counts: all of them weigh the harm of leaving.
//! - The bulk of objects in an hour is known to the tally, not here.

use super::flow::{Case, Leg, Recipient};
use super::party::{Categories, Role, Tie};
use super::policy::Policy;
use super::trace::{Step, Trace};
use super::verdict::{Decision, Severity, Tag, Verdict};

/// Grades a decision; its own `severity` is not looked at.
pub(super) fn grade<T: Trace>(policy: &Policy, leg: &Leg, case: &Case, decision: &Decision, trace: &mut T) -> Severity {
    let (base, why) = base(decision);
    let cap = if decision.verdict == Verdict::Undetermined { Severity::High } else { Severity::Critical };
    trace.note(Step::Severity { to: base, why });
    let stays = decision.verdict == Verdict::Undetermined && !decision.possible.iter().any(Verdict::leaves);
    if base == Severity::Info || stays {
        return base;
    }
    let mut points = base as i8;
    for (applies, by, why) in factors(policy, leg, case, decision) {
        if applies {
            points += by;
            trace.note(Step::Severity { to: level(points, cap), why });
        }
    }
    level(points, cap)
}

fn base(decision: &Decision) -> (Severity, &'static str) {
    let pressing = decision.tags.contains(Tag::FilingDue) || decision.tags.contains(Tag::Expiring);
    match decision.verdict {
        Verdict::Prohibited => (Severity::High, "barred by the organisation or by a contract"),
        Verdict::Uncovered | Verdict::Defect if decision.binding => {
            (Severity::High, "a gap on record in a principle that binds today: DPP2(3), DPP3 or DPP4(2)")
        }
        Verdict::Uncovered | Verdict::Defect => (Severity::Medium, "no safeguard on record covers the flow"),
        Verdict::Undetermined => (Severity::Low, "the places known do not settle it"),
        Verdict::Covered if pressing => (Severity::Low, "covered, but the safeguard is to be filed or ends soon"),
        Verdict::Covered => (Severity::Info, "covered"),
        Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => {
            (Severity::Info, "does not leave Hong Kong, or out of scope")
        }
    }
}

fn factors(policy: &Policy, leg: &Leg, case: &Case, decision: &Decision) -> [(bool, i8, &'static str); 5] {
    let grave = decision.possible.contains(Verdict::Prohibited) || decision.binding;
    let sensitive = !policy.categories(case).intersection(Categories::SENSITIVE).is_empty();
    let subjects = policy.item(case.item).subjects.unwrap_or(0);
    let own = leg.recipient == Recipient::Party(case.exporter);
    [
        (decision.verdict == Verdict::Undetermined && grave, 1, "the gravest possibility is barred or binds today"),
        (sensitive, 1, "sensitive categories"),
        (subjects >= policy.pack.bulk_subjects, 1, "many data subjects"),
        (is_external(policy, leg.recipient), 1, "external or public recipient"),
        (own && leg.preview, -1, "own staff, preview only"),
    ]
}

fn is_external(policy: &Policy, recipient: Recipient) -> bool {
    match recipient {
        Recipient::Stranger | Recipient::Public => true,
        Recipient::Party(id) => {
            let party = policy.party(id);
            party.tie == Tie::External && party.role != Role::Processor
        }
    }
}

/// A finding stays one: no factor makes it informational.
fn level(points: i8, cap: Severity) -> Severity {
    let at = usize::try_from(points).unwrap_or(0).clamp(Severity::Low as usize, cap as usize);
    Severity::ALL[at]
}
