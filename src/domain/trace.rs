//! The judge's reasoning, step by step, for those who ask. The hot path passes [`Silent`], which costs nothing.

use super::place::Place;
use super::safeguard::SafeguardId;
use super::verdict::{Condition, Rule, Severity, Verdict};

/// One step of the reasoning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A pair of candidate places is taken up; `None` stands for a place that no rule names.
    Candidate {
        /// Where the leg would start.
        origin: Option<Place>,
        /// Where it would end.
        destination: Option<Place>,
    },
    /// A rule was tried.
    Rule {
        /// Which.
        rule: Rule,
        /// Whether it decided.
        matched: bool,
        /// Why, in words.
        why: &'static str,
    },
    /// A safeguard was held against the leg.
    Safeguard {
        /// Which.
        id: SafeguardId,
        /// The first condition that failed; `None`: all hold.
        failed: Option<Condition>,
    },
    /// What the candidate places give.
    Outcome {
        /// The verdict for these places.
        verdict: Verdict,
    },
    /// A factor of the severity.
    Severity {
        /// Severity after the factor.
        to: Severity,
        /// Why, in words.
        why: &'static str,
    },
}

/// Takes down the reasoning.
pub trait Trace {
    /// Notes a step.
    fn note(&mut self, step: Step);
}

/// Notes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Trace for Silent {
    #[inline(always)]
    fn note(&mut self, _: Step) {}
}

impl Trace for Vec<Step> {
    fn note(&mut self, step: Step) {
        self.push(step);
    }
}
