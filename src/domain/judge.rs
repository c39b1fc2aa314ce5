//! The rules R1–R9 (compliance reference §5.3).

use super::flow::{Case, Leg};
use super::policy::Policy;
use super::trace::Trace;
use super::verdict::Decision;

impl Policy {
    /// Judges one leg.
    pub fn judge<T: Trace>(&self, _leg: &Leg, _case: &Case, _trace: &mut T) -> Decision {
        todo!()
    }
}
