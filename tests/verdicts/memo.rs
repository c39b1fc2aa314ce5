//! The memo says what the rules say: whatever it was asked before, on whatever day.

use harbourwatch::domain::calendar::day_of;
use harbourwatch::domain::flow::{Case, Leg};
use harbourwatch::domain::judge::Memo;
use harbourwatch::domain::place::{Confidence, Doubt, Location, Method, SourceId};
use harbourwatch::domain::policy::Policy;
use harbourwatch::domain::trace::Silent;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;

use super::laws::{WHOLE, cases, legs, policies};

const DAY: i64 = 86_400_000;

/// Days about which a verdict may change: a safeguard begins, ends or is about to, is filed or was to be.
fn turns(policy: &Policy) -> Vec<i32> {
    let pack = &policy.pack;
    let mut days: Vec<i32> = policy
        .safeguards
        .iter()
        .flat_map(|entry| {
            let until = entry.until.into_iter().flat_map(|day| [day, day.saturating_sub(pack.expiring_days.into())]);
            let filed = entry.filing.iter().map(|filing| filing.day);
            until.chain(filed).chain([entry.from, pack.filing_deadline(entry.from)]).collect::<Vec<_>>()
        })
        .collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// The same place on other grounds.
fn grounds() -> impl Strategy<Value = (Method, Confidence, Option<Doubt>, SourceId)> {
    let methods = select(vec![Method::Ip, Method::Site, Method::Host, Method::Region, Method::Directory, Method::None]);
    let weights = select(vec![Confidence::None, Confidence::Low, Confidence::Medium, Confidence::High]);
    let doubts = select(vec![None, None, None, Some(Doubt::Missing), Some(Doubt::Conflict), Some(Doubt::Opaque)]);
    (methods, weights, doubts, (0..9_u16).prop_map(SourceId))
}

fn located() -> impl Strategy<Value = Leg> {
    let other =
        |place: Location, (method, confidence, doubt, source)| Location { method, confidence, doubt, source, ..place };
    (legs(), grounds(), grounds(), any::<bool>()).prop_map(move |((leg, ..), from, to, as_it_is)| {
        let (origin, destination) = (other(leg.origin, from), other(leg.destination, to));
        if as_it_is { leg } else { Leg { origin, destination, ..leg } }
    })
}

/// A question: which leg, which case, and the instant: about a day that matters, or as the case has it.
type Question = (Index, Index, Option<(Index, i64, bool)>);

fn questions() -> impl Strategy<Value = Vec<Question>> {
    let instants = prop::option::weighted(0.8, (any::<Index>(), -1..=1_i64, any::<bool>()));
    vec((any::<Index>(), any::<Index>(), instants), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_memo_says_what_the_rules_say(
        policies in vec(policies(), 1..3),
        legs in vec(located(), 1..5),
        known in vec(cases(), 1..4),
        asked in questions(),
    ) {
        let mut memo = Memo::default();
        for (number, policy) in (1..).zip(&policies) {
            memo.enter(number);
            let turns = turns(policy);
            for (leg, case, instant) in &asked {
                let (leg, mut case) = (leg.get(&legs), *case.get(&known));
                if let (Some((turn, by, late)), false) = (instant, turns.is_empty()) {
                    // the last or the first millisecond of the day, in Hong Kong
                    let day = i64::from(*turn.get(&turns)) + by;
                    case.at = day * DAY - 8 * 3_600_000 + if *late { DAY - 1 } else { 0 };
                }
                // asked twice: once of the rules, once of the memo
                for _ in 0..2 {
                    prop_assert_eq!(memo.judge(policy, leg, &case), policy.judge(leg, &case, &mut Silent));
                }
            }
        }
    }
}

/// On each side of every turn, on one memo, a leg that the safeguard is about.
#[test]
fn a_decision_ends_with_the_day_on_which_it_changes() {
    let (policy, mut memo) = (&*WHOLE, Memo::default());
    memo.enter(1);
    let mut changes = 0;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (legs(), cases());
    for _ in 0..200 {
        let ((leg, ..), case) = strategy.new_tree(&mut runner).expect("a leg").current();
        let mut before = None;
        for day in turns(policy).into_iter().flat_map(|day| [day - 1, day, day + 1]) {
            let case = Case { at: i64::from(day) * DAY, ..case };
            assert_eq!(day_of(case.at), day);
            let decision = memo.judge(policy, &leg, &case);
            assert_eq!(decision, policy.judge(&leg, &case, &mut Silent), "{leg:?} {case:?}");
            changes += usize::from(before.is_some_and(|before| before != decision));
            before = Some(decision);
        }
    }
    assert!(changes > 20, "{changes} changes of decision: too few to mean anything");
}
