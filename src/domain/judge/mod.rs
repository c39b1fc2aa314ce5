//! The rules R1–R9: one leg, one case, one policy in; one decision out.
//!
//! Pure and deterministic; with [`Silent`](super::trace::Silent) nothing is allocated. The judge never picks the likeliest
//! place: it decides every pair of candidate places, and where they disagree the verdict is UNDETERMINED (R9) with what is
//! possible. DOMESTIC needs every candidate to be Hong Kong.
//!
//! # Readings
//!
//! Where the rules leave room, the cautious reading was taken. For review by counsel:
//!
//! - **R1**. An inventory item that is said to hold no personal data is out of scope only while the file's name suggests
//!   none. Out of scope also means out of the organisation's own deny list and residency rules.
//! - **R2**. An exporter whose registered place is not known, and an item of which it is not known whether it is handled in
//!   Hong Kong, count as connected with Hong Kong (PDPO s.33(1)).
//! - **R3, R4** come before R5: what ends in Hong Kong is never barred. Whoever receives it in Hong Kong makes no
//!   difference, except for the tag on data received under the GBA Standard Contract, which any recipient but the exporter
//!   itself earns.
//! - **Places**. A single place under a doubt, or with no weight, is no better than "anywhere"; several places count as
//!   candidates where sources conflict, and under any other doubt are no better either. "Anywhere" is judged for
//!   Hong Kong, every place that a rule names, Macao, the districts of Mainland China and one place that no rule names. A
//!   public link ends in `WORLD`, whatever the leg says. Mainland China without district is taken apart where a rule asks.
//! - **R5**. The most specific place wins; an exception must be narrower in place or party and wider in neither, so an
//!   exception for a place does not release a party that is denied by name. Between equals the bar wins. All residency
//!   rules that bind must allow the place. The bar on handing on looks at the place alone, not at where the recipient is
//!   registered; Macao is left open (R9), as the contract does not mention it.
//! - **R6, unknown recipients**. Somebody whom the directory does not know outside Hong Kong is UNCOVERED, unless an entry
//!   for anyone in that place (comparable law, consent, adverse action, Part 8) matches. The other types are arrangements
//!   with somebody and never match "anyone".
//! - **R6, city by network address**. It creates no match: an entry limited to the nine cities or to one of them gives
//!   UNDETERMINED. For the GBA Standard Contract another city of Guangdong by address settles nothing (R9); a city that the
//!   operator, a host name or a region states is a contradiction and fails the place. Nor does such a city lift a bar of R5
//!   that another place in Guangdong would be under (R9), except that an address in the nine cities of a party registered
//!   in the nine cities is taken to be there. A province by address is relied on.
//! - **R6, GBA Standard Contract**. The exporter must be registered in Hong Kong, the recipient in one of the nine cities;
//!   an individual is entered as a party registered where the individual is located. Because the contract turns on
//!   registration, Mainland China or Guangdong without more contradicts nothing and is COVERED; a place of which not even
//!   the country is known is left open (R9). Staff of the recipient in Macao or abroad fail the place.
//! - **R6, unknown facts**. An entry that limits categories or purposes does not cover an item that states none.
//!   `comparable_law` needs named places. `group_policy` needs a company of the group, `processor_oversight` a processor.
//! - **R6, filing**. A filing counts from its day on; judged for an earlier day, the contract is unfiled.
//! - **R7, principles**. A processor needs an agreement on file, or a contract or recorded oversight in force that is not
//!   limited to other inventory items: unknown counts as none. A contract limited in place, kind or category still is an
//!   agreement; rules of the group alone are none. A gap in DPP3 is recorded when everything agreed with the recipient is
//!   limited to other purposes than that of collection. A gap in DPP1(3) is a defect but does not raise the severity.
//! - **R8**. An entry that names the recipient for another exporter, cohort or case is a defect. An entry for anyone names
//!   only its own places and cohort; elsewhere the leg is UNCOVERED.
//! - **R9**. The reported safeguard, condition and rule are those of the gravest possibility; tags are those of all.

mod bars;
mod entries;
pub mod index;
mod memo;
mod principles;
mod spots;

use super::calendar::day_of;
use super::flow::{Case, Leg, Recipient};
use super::party::{Categories, Item, Party, Tri};
use super::place::{Country, Place};
use super::policy::Policy;
use super::safeguard::SafeguardId;
use super::severity::grade;
use super::trace::{Step, Trace};
use super::verdict::{Condition, Decision, PolicyRule, Rule, Severity, Tag, Tags, Verdict, Verdicts};
pub use memo::Memo;
pub use principles::Principles;
use spots::Spot;

impl Policy {
    /// Judges one leg.
    pub fn judge<T: Trace>(&self, leg: &Leg, case: &Case, trace: &mut T) -> Decision {
        let matter = Matter::new(self, leg, case);
        let summary = match matter.out_of_scope(trace) {
            Some(outcome) => Summary::default().and(self, outcome),
            None => matter.weigh(trace),
        };
        let decision = summary.decision(trace);
        Decision { severity: grade(self, leg, case, &decision, trace), ..decision }
    }

    /// Categories of a case: those of the inventory and those that the file's name suggests.
    pub fn categories(&self, case: &Case) -> Categories {
        self.item(case.item).categories.union(case.suggested)
    }
}

/// The leg and everything about it that does not depend on the places.
struct Matter<'p> {
    policy: &'p Policy,
    leg: &'p Leg,
    case: &'p Case,
    item: &'p Item,
    exporter: &'p Party,
    categories: Categories,
    principles: Principles,
    day: i32,
}

/// What one pair of candidate places gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcome {
    verdict: Verdict,
    rule: Rule,
    safeguard: Option<SafeguardId>,
    failed: Option<Condition>,
    policy_rule: Option<PolicyRule>,
    tags: Tags,
    binding: bool,
}

impl Outcome {
    fn plain(verdict: Verdict, rule: Rule) -> Self {
        let (safeguard, failed, policy_rule) = (None, None, None);
        Self { verdict, rule, safeguard, failed, policy_rule, tags: Tags::default(), binding: false }
    }

    fn entry(self, safeguard: SafeguardId, failed: Option<Condition>) -> Self {
        Self { safeguard: Some(safeguard), failed, ..self }
    }

    fn tagged(self, tags: Tags) -> Self {
        Self { tags: self.tags.union(tags), ..self }
    }
}

impl<'p> Matter<'p> {
    fn new(policy: &'p Policy, leg: &'p Leg, case: &'p Case) -> Self {
        Self {
            policy,
            leg,
            case,
            item: policy.item(case.item),
            exporter: policy.party(case.exporter),
            categories: policy.categories(case),
            principles: policy.principles(leg.recipient, case),
            day: day_of(case.at),
        }
    }

    /// R1.
    fn out_of_scope<T: Trace>(&self, trace: &mut T) -> Option<Outcome> {
        let named = !self.case.suggested.is_empty();
        let (matched, why) = match self.item.personal {
            Tri::Yes => (false, "the inventory says that these are personal data"),
            Tri::No | Tri::Unknown if named => (false, "the file's name suggests personal data"),
            Tri::No => (true, "the inventory says that these are no personal data"),
            Tri::Unknown if self.policy.unknown_counts_as_personal => (false, "not known; counts as personal data"),
            Tri::Unknown => (true, "not known; by policy this does not count as personal data"),
        };
        trace.note(Step::Rule { rule: Rule::R1, matched, why });
        matched.then(|| Outcome::plain(Verdict::OutOfScope, Rule::R1))
    }

    /// Decides every pair of candidate places.
    fn weigh<T: Trace>(&self, trace: &mut T) -> Summary {
        self.principles.trace(trace);
        let mut summary = Summary::default();
        self.each_origin(&mut |origin| {
            self.each_spot(&mut |spot| {
                let outcome = self.decide(origin, spot, trace);
                summary = summary.and(self.policy, outcome);
            });
        });
        summary
    }

    /// R2–R8 for one pair of places.
    fn decide<T: Trace>(&self, origin: Option<Place>, spot: Spot, trace: &mut T) -> Outcome {
        let Spot { place: destination, supposing, .. } = spot;
        trace.note(Step::Candidate { origin, destination, supposing });
        let outcome = self
            .no_nexus(origin, destination, trace)
            .or_else(|| self.ends_in_hk(origin, destination, trace))
            .unwrap_or_else(|| self.leaves(origin, spot, trace));
        trace.note(Step::Outcome { verdict: outcome.verdict });
        outcome
    }

    /// R2, s.33(1).
    fn no_nexus<T: Trace>(&self, origin: Option<Place>, end: Option<Place>, trace: &mut T) -> Option<Outcome> {
        let touches = is_hk(origin) || is_hk(end);
        let handled = self.item.handled_in_hk;
        let (matched, why) = match (self.exporter.registered, handled) {
            _ if touches => (false, "the data start or end in Hong Kong"),
            (Some(place), _) if place.is_hk() => (false, "the data user's principal place of business is Hong Kong"),
            (_, Tri::Yes) => (false, "the data are collected, held, processed or used in Hong Kong"),
            (None | Some(Place::World), _) => (false, "the data user's principal place of business is not known"),
            (Some(_), Tri::Unknown) => (false, "not known whether the data are handled in Hong Kong"),
            (Some(_), Tri::No) => (true, "neither the data user nor the data are connected with Hong Kong"),
        };
        trace.note(Step::Rule { rule: Rule::R2, matched, why });
        matched.then(|| Outcome::plain(Verdict::NoHkNexus, Rule::R2))
    }

    /// R3 and R4.
    fn ends_in_hk<T: Trace>(&self, origin: Option<Place>, end: Option<Place>, trace: &mut T) -> Option<Outcome> {
        let (starts, ends) = (is_hk(origin), is_hk(end));
        let (domestic, inbound) = (starts && ends, !starts && ends);
        let why = if domestic { "starts and ends in Hong Kong" } else { "does not both start and end in Hong Kong" };
        trace.note(Step::Rule { rule: Rule::R3, matched: domestic, why });
        if domestic {
            return Some(Outcome::plain(Verdict::Domestic, Rule::R3).tagged(self.hand_on()));
        }
        let why = if inbound { "comes into Hong Kong" } else { "does not end in Hong Kong" };
        trace.note(Step::Rule { rule: Rule::R4, matched: inbound, why });
        let mainland = matches!(origin, Some(Place::In(Country::CN, _)));
        let tags = if mainland { Tags::default().with(Tag::CnExport) } else { Tags::default() };
        inbound.then(|| Outcome::plain(Verdict::Inbound, Rule::R4).tagged(tags))
    }

    fn hand_on(&self) -> Tags {
        let itself = self.leg.recipient == Recipient::Party(self.case.exporter);
        let tagged = self.item.under_gba_contract && !itself;
        if tagged { Tags::default().with(Tag::GbaHandOn) } else { Tags::default() }
    }

    /// R5–R8: the data leave Hong Kong, or move outside it under the control of a Hong Kong data user. Both alike.
    fn leaves<T: Trace>(&self, origin: Option<Place>, spot: Spot, trace: &mut T) -> Outcome {
        let label = if is_hk(origin) { Tag::Outbound } else { Tag::ForeignHkControlled };
        let bars = self.bars(spot, trace);
        let why = match bars.rule {
            Some(PolicyRule::Deny(_)) => "on the organisation's deny list",
            Some(PolicyRule::Residency(_)) => "stored outside the places that the organisation allows",
            Some(PolicyRule::GbaOnward) => "received under the GBA Standard Contract and handed on outside the GBA",
            None => "no bar of the organisation or of a contract applies",
        };
        trace.note(Step::Rule { rule: Rule::R5, matched: bars.rule.is_some(), why });
        let outcome = match bars.rule {
            None => self.covered(spot, trace),
            policy_rule => Outcome { policy_rule, ..Outcome::plain(Verdict::Prohibited, Rule::R5) },
        };
        let residency = if bars.residency { Tags::default().with(Tag::Residency) } else { Tags::default() };
        let outcome = outcome.tagged(residency.with(label));
        Outcome { binding: self.principles.binding(), ..outcome }
    }
}

fn is_hk(place: Option<Place>) -> bool {
    place.is_some_and(Place::is_hk)
}

/// What the pairs judged so far give together. The order in which they come changes nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Summary {
    gravest: Option<Outcome>,
    possible: Verdicts,
    tags: Tags,
    binding: bool,
}

impl Summary {
    fn and(self, policy: &Policy, outcome: Outcome) -> Self {
        let graver = self.gravest.is_none_or(|known| gravity(policy, &outcome) < gravity(policy, &known));
        Self {
            gravest: if graver { Some(outcome) } else { self.gravest },
            possible: self.possible.with(outcome.verdict),
            tags: self.tags.union(outcome.tags),
            binding: self.binding || outcome.binding,
        }
    }

    /// R9. The severity is still to be graded.
    fn decision<T: Trace>(self, trace: &mut T) -> Decision {
        // Every location gives at least one place, so there is always an outcome; were there none, nothing would be known.
        let gravest = self.gravest.unwrap_or(Outcome::plain(Verdict::Undetermined, Rule::R9));
        let agreed = self.possible.len() == 1;
        let why = if agreed {
            "all possible places give the same verdict"
        } else {
            "possible places give different verdicts"
        };
        trace.note(Step::Rule { rule: Rule::R9, matched: !agreed, why });
        Decision {
            verdict: if agreed { gravest.verdict } else { Verdict::Undetermined },
            rule: if agreed { gravest.rule } else { Rule::R9 },
            severity: Severity::Info,
            safeguard: gravest.safeguard,
            failed: gravest.failed,
            policy_rule: gravest.policy_rule,
            possible: if agreed { Verdicts::default() } else { self.possible },
            tags: self.tags,
            binding: self.binding,
        }
    }
}

/// Sorts outcomes, gravest first, with ties settled by keys of the configuration and never by order.
fn gravity<'p>(policy: &'p Policy, outcome: &Outcome) -> impl Ord + 'p {
    let cited = match outcome.policy_rule {
        Some(PolicyRule::Deny(number)) => (0, policy.deny.get(usize::from(number)).map_or("", |rule| &rule.id)),
        Some(PolicyRule::GbaOnward) => (1, ""),
        Some(PolicyRule::Residency(number)) => {
            (2, policy.residency.get(usize::from(number)).map_or("", |rule| &rule.id))
        }
        None => (3, ""),
    };
    let remarked = [Tag::FilingDue, Tag::Expiring].map(|tag| !outcome.tags.contains(tag));
    let entry = outcome.safeguard.map(|id| policy.safeguard(id).id.as_str());
    (outcome.verdict, !outcome.binding, remarked, outcome.failed, cited, entry)
}
