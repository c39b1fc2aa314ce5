//! The judge's reasoning, step by step, for those who ask. The hot path passes [`Silent`], which costs nothing.
//!
//! Steps come in the order in which the judge took them: R1 and the data protection principles once, then each pair of
//! candidate places with the rules R2–R8, then R9, then the severity. Words are for people and claim no more than the
//! recorded facts show.

use super::party::Tri;
use super::place::Place;
use super::safeguard::SafeguardId;
use super::verdict::{Condition, PolicyRule, Rule, Severity, Verdict};

/// One step of the reasoning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A data protection principle was held against item and recipient. `No` is a gap; `Unknown` is listed and decides
    /// nothing.
    Principle {
        /// The condition that a `No` stands for.
        condition: Condition,
        /// Whether it is met.
        answer: Tri,
    },
    /// A pair of candidate places is taken up; `None` stands for a place that no rule names.
    Candidate {
        /// Where the leg would start.
        origin: Option<Place>,
        /// Where it would end.
        destination: Option<Place>,
        /// What else is supposed for this pair, in words; empty as a rule.
        supposing: &'static str,
    },
    /// A rule was tried.
    Rule {
        /// Which.
        rule: Rule,
        /// Whether it decided (R6: whether an entry matches).
        matched: bool,
        /// Why, in words.
        why: &'static str,
    },
    /// A rule of the organisation (deny list, residency) or a contract bar applies to the place or the recipient.
    Policy {
        /// Which.
        rule: PolicyRule,
        /// Whether it bars the leg; `false`: a narrower rule makes an exception.
        bars: bool,
    },
    /// A safeguard that names this recipient or place was held against the leg.
    Safeguard {
        /// Which.
        id: SafeguardId,
        /// The first condition that failed; `None`: all hold.
        failed: Option<Condition>,
    },
    /// What the pair of candidate places gives.
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
