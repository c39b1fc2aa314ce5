//! The judge's steps as lines for people.

use crate::domain::party::Tri;
use crate::domain::place::Place;
use crate::domain::trace::Step;
use crate::domain::verdict::Rule;
use crate::pipeline::view::policy_rule;
use crate::pipeline::world::World;

/// One step as a line; steps inside a pair of candidate places are indented.
pub fn line(world: &World, step: &Step) -> String {
    match step {
        Step::Principle { condition, answer } => {
            let answer = match answer {
                Tri::Yes => "no gap on record",
                Tri::No => "a GAP on record",
                Tri::Unknown => "not known (listed, decides nothing)",
            };
            format!("principle {}: {answer}", condition.name())
        }
        Step::Candidate { origin, destination, supposing } => {
            let supposed = if supposing.is_empty() { String::new() } else { format!(" ({supposing})") };
            format!("from {} to {}{supposed}:", place(*origin), place(*destination))
        }
        Step::Rule { rule, matched, why } => {
            // these two are not about one pair of places
            let indent = if matches!(rule, Rule::R1 | Rule::R9) { "" } else { "  " };
            format!("{indent}{} {}: {why}", rule.name(), if *matched { "applies" } else { "does not apply" })
        }
        Step::Policy { rule, bars } => {
            format!(
                "  own rule {}: {}",
                policy_rule(world, *rule),
                if *bars { "bars it" } else { "makes an exception" }
            )
        }
        Step::Safeguard { id, failed: Some(condition) } => {
            format!("  safeguard {}: condition {} fails", world.policy.safeguard(*id).id, condition.name())
        }
        Step::Safeguard { id, failed: None } => {
            format!("  safeguard {}: every condition holds", world.policy.safeguard(*id).id)
        }
        Step::Outcome { verdict } => format!("  gives {}", verdict.name()),
        Step::Severity { to, why } => format!("severity {}: {why}", to.name()),
    }
}

fn place(place: Option<Place>) -> String {
    place.map_or_else(|| "a place that no rule names".to_owned(), |place| place.to_string())
}
