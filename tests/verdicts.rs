//! The rules R1–R9 and the severity: scenarios that a lawyer can read (`golden/verdicts`), and laws over arbitrary input.

mod laws;
mod memo;
mod world;

use std::collections::BTreeSet;

use harbourwatch::domain::calendar::parse_day;
use harbourwatch::domain::flow::{Case, Leg};
use harbourwatch::domain::hooks::Weight;
use harbourwatch::domain::judge::index::Index;
use harbourwatch::domain::policy::Policy;
use harbourwatch::domain::trace::{Silent, Step};
use harbourwatch::domain::verdict::{Decision, PolicyRule, Rule, Severity, Tag, Verdict};
use world::{Expect, register, scenarios};

/// A decision in the words of the scenarios.
fn told(policy: &Policy, decision: &Decision) -> Expect {
    let cites = decision.policy_rule.map(|rule| match rule {
        PolicyRule::Deny(index) => policy.deny[usize::from(index)].id.clone(),
        PolicyRule::Residency(index) => policy.residency[usize::from(index)].id.clone(),
        PolicyRule::GbaOnward => "gba_onward".to_owned(),
    });
    Expect {
        verdict: decision.verdict.name().to_owned(),
        rule: decision.rule.name().to_owned(),
        severity: decision.severity.name().to_owned(),
        safeguard: decision.safeguard.map(|id| policy.safeguard(id).id.clone()),
        failed: decision.failed.map(|condition| condition.name().to_owned()),
        cites,
        tags: decision.tags.iter().map(|tag| Tag::name(tag).to_owned()).collect(),
        possible: decision.possible.iter().map(|verdict| Verdict::name(verdict).to_owned()).collect(),
        binding: decision.binding,
    }
}

/// Policy, leg, case and expectation of every scenario.
fn all() -> impl Iterator<Item = (String, Policy, Leg, Case, Expect)> {
    let register = register();
    scenarios().into_iter().map(move |(file, scenario)| {
        let (leg, case) = register.facts(&scenario);
        let label = format!("{file}: {}", scenario.name);
        (label, register.policy(&scenario), leg, case, scenario.expect)
    })
}

#[test]
fn every_scenario_gives_its_verdict() {
    let mut faults = Vec::new();
    for (label, policy, leg, case, expect) in all() {
        let got = told(&policy, &policy.judge(&leg, &case, &mut Silent));
        if got != expect {
            faults.push(format!("{label}\n  want {expect:?}\n  got  {got:?}"));
        }
    }
    assert!(faults.is_empty(), "{} scenarios differ\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn scenarios_have_a_story_and_a_name_of_their_own() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 150, "{}", scenarios.len());
    let names: BTreeSet<_> = scenarios.iter().map(|(_, scenario)| scenario.name.as_str()).collect();
    assert_eq!(names.len(), scenarios.len());
    assert!(scenarios.iter().all(|(_, scenario)| !scenario.story.is_empty()));
}

#[test]
fn scenarios_reach_every_verdict_and_every_condition() {
    let seen: BTreeSet<String> = scenarios()
        .into_iter()
        .flat_map(|(_, scenario)| [Some(scenario.expect.verdict), scenario.expect.failed].into_iter().flatten())
        .collect();
    for verdict in Verdict::ALL {
        assert!(seen.contains(verdict.name()), "{}", verdict.name());
    }
    for condition in [
        "suspended",
        "not_yet_in_force",
        "expired",
        "place",
        "kind",
        "category",
        "purpose",
        "cohort",
        "role",
        "exporter",
        "registration",
        "pipia",
        "filing",
        "dpp3_purpose",
        "dpp1_class",
        "dpp2_processor",
    ] {
        assert!(seen.contains(condition), "{condition}");
    }
}

#[test]
fn the_reasoning_ends_in_the_decision() {
    for (label, policy, leg, case, _) in all() {
        let mut steps: Vec<Step> = Vec::new();
        let decision = policy.judge(&leg, &case, &mut steps);
        assert_eq!(decision, policy.judge(&leg, &case, &mut Silent), "{label}");
        assert_eq!(rules(&steps).first(), Some(&Rule::R1), "{label}");
        let outcomes: BTreeSet<Verdict> = steps.iter().filter_map(outcome).collect();
        let expected = match (decision.verdict == Verdict::OutOfScope, decision.possible.is_empty()) {
            (true, _) => BTreeSet::new(),
            (false, true) => BTreeSet::from([decision.verdict]),
            (false, false) => decision.possible.iter().collect(),
        };
        assert_eq!(outcomes, expected, "{label}");
        let last = steps.iter().rev().find_map(severity);
        assert_eq!(last, Some(decision.severity), "{label}");
    }
}

fn outcome(step: &Step) -> Option<Verdict> {
    if let Step::Outcome { verdict } = step { Some(*verdict) } else { None }
}

fn severity(step: &Step) -> Option<Severity> {
    if let Step::Severity { to, .. } = step { Some(*to) } else { None }
}

fn rules(steps: &[Step]) -> Vec<Rule> {
    let rule = |step: &Step| if let Step::Rule { rule, .. } = step { Some(*rule) } else { None };
    steps.iter().filter_map(rule).collect()
}

#[test]
fn rules_are_tried_in_order_for_each_pair_of_places() {
    for (label, policy, leg, case, _) in all() {
        let mut steps: Vec<Step> = Vec::new();
        policy.judge(&leg, &case, &mut steps);
        for pair in steps.split(|step| matches!(step, Step::Candidate { .. })).skip(1) {
            let end = pair.iter().position(|step| matches!(step, Step::Outcome { .. })).expect("an outcome");
            let tried = rules(&pair[..end]);
            assert!(tried.windows(2).all(|two| two[0] < two[1]), "{label}: {tried:?}");
            assert_eq!(tried.first(), Some(&Rule::R2), "{label}");
        }
    }
}

#[test]
fn a_policy_without_index_gives_the_same_verdicts() {
    for (label, policy, leg, case, _) in all() {
        let bare = Policy { index: Index::default(), ..policy.clone() };
        let (with, without) = (policy.judge(&leg, &case, &mut Silent), bare.judge(&leg, &case, &mut Silent));
        assert_eq!((with.verdict, with.rule), (without.verdict, without.rule), "{label}");
    }
}

#[test]
fn hooks_never_call_section_33_binding_while_it_is_not_in_operation() {
    for (label, policy, leg, case, _) in all() {
        let decision = policy.judge(&leg, &case, &mut Silent);
        let hooks = policy.hooks(&decision, leg.recipient);
        let leaves = decision.verdict < Verdict::Inbound;
        assert_eq!(!hooks.is_empty(), leaves, "{label}");
        for hook in hooks {
            assert!(!hook.provision.starts_with("s.33") || hook.weight == Weight::Guidance, "{label}");
            assert!(!hook.en.is_empty() && !hook.zh.is_empty(), "{label}");
        }
    }
}

#[test]
fn a_failed_principle_has_its_hook() {
    let mut met = 0;
    for (label, policy, leg, case, _) in all() {
        let decision = policy.judge(&leg, &case, &mut Silent);
        let principle = decision.failed.filter(|condition| condition.name().starts_with("dpp2"));
        if let (Some(condition), Verdict::Uncovered) = (principle, decision.verdict) {
            let hooks = policy.hooks(&decision, leg.recipient);
            assert!(hooks.iter().any(|hook| hook.condition == Some(condition)), "{label}");
            met += 1;
        }
    }
    assert!(met > 2);
}

#[test]
fn an_entry_is_in_force_from_midnight_to_midnight_in_hong_kong() {
    let (_, mut policy, leg, case, _) = all().find(|(label, ..)| label.contains("vector 4")).expect("vector 4");
    let midnight = |day: &str| i64::from(parse_day(day).expect("a day")) * 86_400_000 - 8 * 3_600_000;
    policy.safeguards[0].from = parse_day("2026-11-23").expect("a day");
    policy.safeguards[0].until = parse_day("2027-06-01");
    for (at, verdict, failed) in [
        (midnight("2026-11-23") - 1, Verdict::Defect, Some("not_yet_in_force")),
        (midnight("2026-11-23"), Verdict::Covered, None),
        (midnight("2027-06-01") - 1, Verdict::Covered, None),
        (midnight("2027-06-01"), Verdict::Defect, Some("expired")),
    ] {
        let decision = policy.judge(&leg, &Case { at, ..case }, &mut Silent);
        assert_eq!((decision.verdict, decision.failed.map(|condition| condition.name())), (verdict, failed), "{at}");
    }
}

#[test]
fn once_section_33_is_in_operation_its_hook_binds() {
    let (_, mut policy, leg, case, _) = all().find(|(label, ..)| label.contains("vector 11")).expect("vector 11");
    policy.pack.s33_in_force = true;
    let decision = policy.judge(&leg, &case, &mut Silent);
    let hooks = policy.hooks(&decision, leg.recipient);
    let s33 = hooks.iter().find(|hook| hook.provision.starts_with("s.33")).expect("a hook");
    assert_eq!((s33.weight, decision.severity), (Weight::Binding, Severity::Medium));
    assert!(!s33.en.contains("Not in operation"));
}
