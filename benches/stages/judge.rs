//! Legs → decisions, with and without the memo, and with ever more safeguards.

use harbourwatch::domain::flow::{Case, Leg};
use harbourwatch::domain::judge::Memo;
use harbourwatch::domain::policy::Policy;
use harbourwatch::domain::trace::Silent;

use crate::lab::legs;
use crate::lab::ruler::{Table, Variant, keep, rounds, variant};

type Legs = [(Leg, Case)];

pub fn tables() -> Vec<Table> {
    let world = crate::lab::bank();
    let legs = legs::of_days(&world, 100_000);
    vec![
        table("judge: legs of the example bank", &legs, &mut [rules(&world.policy, &legs), memo(&world.policy, &legs)]),
        safeguards(&world.policy, &legs),
    ]
}

fn rules<'v>(policy: &'v Policy, legs: &'v Legs) -> Variant<'v> {
    variant("rules for each leg", || {
        legs.iter().for_each(|(leg, case)| keep(policy.judge(leg, case, &mut Silent)));
    })
}

fn memo<'v>(policy: &'v Policy, legs: &'v Legs) -> Variant<'v> {
    let mut memo = Memo::default();
    memo.enter(1);
    for (leg, case) in legs {
        assert_eq!(memo.judge(policy, leg, case), policy.judge(leg, case, &mut Silent));
    }
    variant("memo", move || legs.iter().for_each(|(leg, case)| keep(memo.judge(policy, leg, case))))
}

/// The register again and again, each entry under a name of its own, until there are so many.
pub fn with_safeguards(policy: &Policy, count: usize) -> Policy {
    let mut safeguards = policy.safeguards.clone();
    for number in 0.. {
        if safeguards.len() >= count {
            break;
        }
        let mut entry = policy.safeguards[number % policy.safeguards.len()].clone();
        entry.id = format!("{}-{number}", entry.id);
        safeguards.push(entry);
    }
    safeguards.truncate(count);
    Policy { safeguards, ..policy.clone() }.compile()
}

fn safeguards(policy: &Policy, legs: &Legs) -> Table {
    let legs = &legs[..legs.len().min(20_000)];
    let policies = [10, 100, 1_000, 10_000].map(|count| (count, with_safeguards(policy, count)));
    let mut variants: Vec<Variant<'_>> = Vec::new();
    for (count, policy) in &policies {
        let (_, pass) = memo(policy, legs);
        variants.push((format!("memo, {count} safeguards"), pass));
    }
    for (count, policy) in &policies[..3] {
        let (_, pass) = rules(policy, legs);
        variants.push((format!("rules for each leg, {count} safeguards"), pass));
    }
    table("judge: by the number of safeguards", legs, &mut variants)
}

fn table(title: &str, legs: &Legs, variants: &mut [Variant<'_>]) -> Table {
    let rows = rounds(variants, 7);
    Table {
        title: format!("{title}, {} legs", legs.len()),
        unit: "leg",
        count: legs.len() as f64,
        bytes: 0.0,
        against: vec![0],
        rows,
    }
}
