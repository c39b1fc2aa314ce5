//! Laws over arbitrary registers, legs and cases.

use std::sync::LazyLock;

use harbourwatch::domain::flow::{Case, FlowKind, Leg, Recipient};
use harbourwatch::domain::judge::index::Index;
use harbourwatch::domain::party::{Categories, Category, ItemId, PartyId, TenantId};
use harbourwatch::domain::place::{Candidates, Confidence, Location, Method, Place, SourceId};
use harbourwatch::domain::policy::Policy;
use harbourwatch::domain::trace::{Silent, Step};
use harbourwatch::domain::verdict::{Decision, Severity, Tag, Verdict, Verdicts};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::told;
use super::world::{place, register};

pub(super) static WHOLE: LazyLock<Policy> = LazyLock::new(|| register().everything());

const PLACES: [&str; 13] = [
    "HK",
    "MO",
    "TW",
    "SG",
    "JP",
    "TH",
    "CN",
    "CN-GD",
    "CN-GD-Shenzhen",
    "CN-GD-Guangzhou",
    "CN-GD-Zhaoqing",
    "CN-GD-other",
    "CN-other",
];

/// A policy with an arbitrary part of the register.
pub(super) fn policies() -> impl Strategy<Value = Policy> {
    let whole = &*WHOLE;
    let safeguards = subsequence(whole.safeguards.clone(), 0..=6);
    let deny = subsequence(whole.deny.clone(), 0..=4);
    let residency = subsequence(whole.residency.clone(), 0..=2);
    (safeguards, deny, residency, any::<bool>()).prop_map(|(safeguards, deny, residency, unknown)| {
        let mut policy = Policy { safeguards, deny, residency, index: Index::default(), ..WHOLE.clone() };
        policy.unknown_counts_as_personal = unknown;
        policy.compile()
    })
}

fn location(places: &[Place], method: Method) -> Location {
    let candidates = match places.split_first() {
        None => Candidates::Anywhere,
        Some((first, rest)) => rest.iter().copied().fold(Candidates::one(*first), Candidates::with),
    };
    Location { candidates, method, confidence: Confidence::High, doubt: None, source: SourceId::NONE }
}

fn some_places(least: usize) -> impl Strategy<Value = Vec<Place>> {
    vec(select(&PLACES[..]).prop_map(place), least..=3)
}

fn methods() -> impl Strategy<Value = Method> {
    select(vec![Method::Ip, Method::Site])
}

fn recipients() -> impl Strategy<Value = Recipient> {
    let parties = u16::try_from(WHOLE.parties.len()).expect("small");
    prop_oneof![
        8 => (0..parties).prop_map(|id| Recipient::Party(PartyId(id))),
        1 => Just(Recipient::Stranger),
        1 => Just(Recipient::Public),
    ]
}

/// A leg with the places that its ends may be at.
pub(super) fn legs() -> impl Strategy<Value = (Leg, Vec<Place>, Vec<Place>)> {
    legs_with(0)
}

/// The same with at least so many places at each end; none is "anywhere".
fn legs_with(least: usize) -> impl Strategy<Value = (Leg, Vec<Place>, Vec<Place>)> {
    let kinds = select(&FlowKind::ALL[..]);
    (kinds, any::<bool>(), some_places(least), some_places(least), methods(), recipients()).prop_map(
        |(kind, preview, from, to, method, recipient)| {
            let (origin, destination) = (location(&from, Method::Site), location(&to, method));
            (Leg { kind, preview, origin, destination, recipient }, from, to)
        },
    )
}

pub(super) fn cases() -> impl Strategy<Value = Case> {
    let items = u16::try_from(WHOLE.items.len()).expect("small");
    // Around the days that the register speaks of, and any instant at all.
    let near = 1_767_196_800_000_i64..1_798_732_800_000;
    let at = prop_oneof![9 => near, 1 => any::<i64>()];
    let suggested = prop_oneof![3 => Just(Categories::NONE), 1 => select(&Category::ALL[..]).prop_map(|c| Categories::NONE.with(c))];
    (select(vec![0_u16, 0, 0, 1, 2, 3]), 0..items, suggested, at).prop_map(|(exporter, item, suggested, at)| Case {
        tenant: TenantId(0),
        exporter: PartyId(exporter),
        item: ItemId(item),
        suggested,
        at,
    })
}

fn possible(decision: &Decision) -> Verdicts {
    let undetermined = decision.verdict == Verdict::Undetermined;
    if undetermined { decision.possible } else { Verdicts::default().with(decision.verdict) }
}

fn judge(policy: &Policy, leg: &Leg, case: &Case) -> Decision {
    policy.judge(leg, case, &mut Silent)
}

/// What a decision says, with keys in place of indexes.
fn words(policy: &Policy, decision: &Decision) -> impl PartialEq + std::fmt::Debug {
    told(policy, decision)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_places_and_of_the_register_changes_nothing(
        policy in policies(), (leg, from, to) in legs(), case in cases()
    ) {
        let mut turned = policy.clone();
        turned.safeguards.reverse();
        turned.deny.reverse();
        turned.residency.reverse();
        let turned = turned.compile();
        let reversed = |places: &[Place]| places.iter().rev().copied().collect::<Vec<_>>();
        let origin = location(&reversed(&from), Method::Site);
        let destination = location(&reversed(&to), leg.destination.method);
        let other = Leg { origin, destination, ..leg };
        let (one, two) = (judge(&policy, &leg, &case), judge(&turned, &other, &case));
        prop_assert!(words(&policy, &one) == words(&turned, &two), "{:?} {:?}", one, two);
    }

    #[test]
    fn several_places_claim_what_all_claim_or_nothing(policy in policies(), (leg, from, to) in legs_with(1), case in cases()) {
        let together = judge(&policy, &leg, &case);
        let mut union = Verdicts::default();
        let mut gravest = Severity::Info;
        for start in &from {
            for end in &to {
                let origin = location(&[*start], Method::Site);
                let destination = location(&[*end], leg.destination.method);
                let alone = judge(&policy, &Leg { origin, destination, ..leg }, &case);
                union = possible(&alone).iter().fold(union, Verdicts::with);
                gravest = gravest.max(alone.severity);
            }
        }
        prop_assert_eq!(possible(&together), union);
        if union.len() == 1 {
            prop_assert!(union.contains(together.verdict));
            prop_assert!(together.severity >= gravest);
        }
    }

    #[test]
    fn anywhere_includes_every_place(policy in policies(), (leg, _, _) in legs(), case in cases()) {
        let open = judge(&policy, &Leg { destination: location(&[], Method::Site), ..leg }, &case);
        for end in PLACES {
            let destination = location(&[place(end)], Method::Site);
            let alone = judge(&policy, &Leg { destination, ..leg }, &case);
            for verdict in possible(&alone).iter() {
                prop_assert!(possible(&open).contains(verdict), "{}: {:?} not in {:?}", end, alone, open);
            }
        }
        let free = judge(&policy, &Leg { origin: location(&[], Method::Site), ..leg }, &case);
        for start in PLACES {
            let alone = judge(&policy, &Leg { origin: location(&[place(start)], Method::Site), ..leg }, &case);
            for verdict in possible(&alone).iter() {
                prop_assert!(possible(&free).contains(verdict), "{}: {:?} not in {:?}", start, alone, free);
            }
        }
    }

    #[test]
    fn domestic_means_that_every_possible_place_is_hong_kong(policy in policies(), (leg, from, to) in legs(), case in cases()) {
        let decision = judge(&policy, &leg, &case);
        let in_hk = |places: &[Place]| !places.is_empty() && places.iter().all(|place| place.is_hk());
        let at_home = in_hk(&from) && in_hk(&to) && leg.recipient != Recipient::Public;
        if decision.verdict == Verdict::Domestic {
            prop_assert!(at_home);
        } else if decision.verdict != Verdict::OutOfScope {
            prop_assert!(!at_home);
        }
        if decision.verdict == Verdict::Inbound {
            prop_assert!(in_hk(&to) && !from.iter().any(|place| place.is_hk()));
        }
    }

    #[test]
    fn a_place_under_doubt_is_no_better_than_none(policy in policies(), (leg, _, _) in legs(), case in cases()) {
        let doubt = Some(harbourwatch::domain::place::Doubt::Opaque);
        let open = Location { doubt, ..location(&[], leg.destination.method) };
        for end in PLACES {
            let shady = Location { doubt, ..location(&[place(end)], leg.destination.method) };
            let one = judge(&policy, &Leg { destination: shady, ..leg }, &case);
            prop_assert_eq!(one, judge(&policy, &Leg { destination: open, ..leg }, &case));
        }
    }

    #[test]
    fn the_listener_and_the_index_change_nothing(policy in policies(), (leg, _, _) in legs(), case in cases()) {
        let quiet = judge(&policy, &leg, &case);
        let mut steps: Vec<Step> = Vec::new();
        prop_assert_eq!(quiet, policy.judge(&leg, &case, &mut steps));
        let bare = Policy { index: Index::default(), ..policy };
        let slow = judge(&bare, &leg, &case);
        prop_assert_eq!((quiet.verdict, quiet.rule), (slow.verdict, slow.rule));
    }

    #[test]
    fn a_decision_is_consistent(policy in policies(), (leg, _, _) in legs(), case in cases()) {
        let decision = judge(&policy, &leg, &case);
        let told = decision.severity > Severity::Info;
        let pressing = decision.tags.contains(Tag::FilingDue) || decision.tags.contains(Tag::Expiring);
        match decision.verdict {
            Verdict::Prohibited => prop_assert!(decision.policy_rule.is_some() && told),
            Verdict::Uncovered => prop_assert!(decision.safeguard.is_none() && told),
            Verdict::Defect => prop_assert!(decision.safeguard.is_some() && decision.failed.is_some() && told),
            Verdict::Undetermined => {
                prop_assert!(decision.possible.len() > 1 && told && decision.severity <= Severity::High);
            }
            Verdict::Covered => {
                prop_assert!(decision.safeguard.is_some() && decision.failed.is_none() && !decision.binding);
                prop_assert_eq!(told, pressing);
            }
            Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => prop_assert!(!told),
        }
        prop_assert_eq!(decision.possible.is_empty(), decision.verdict != Verdict::Undetermined);
    }

    #[test]
    fn one_more_safeguard_never_turns_a_flow_into_one_that_stays_home(
        policy in policies(), (leg, _, _) in legs(), case in cases(), extra in 0..30_usize
    ) {
        let before = judge(&policy, &leg, &case);
        let mut more = policy;
        more.safeguards.push(WHOLE.safeguards[extra].clone());
        let after = judge(&more.compile(), &leg, &case);
        let leaves = |decision: &Decision| decision.verdict < Verdict::Inbound;
        prop_assert_eq!(leaves(&before), leaves(&after));
        // What covered before still covers.
        if before.verdict == Verdict::Covered {
            prop_assert!(after.verdict == Verdict::Covered, "{:?} {:?}", before, after);
        }
    }
}
