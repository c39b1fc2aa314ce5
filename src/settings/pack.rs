//! The bundled policy pack: facts of law at a date, kept apart from the rules.

use crate::domain::policy::Pack;
use crate::policy_pack::PolicyPack;

/// The pack that ships with the program. PDPO s.33 is not in operation in it.
pub fn bundled_pack() -> Pack {
    PolicyPack::bundled().expect("a test reads the bundled pack").pack
}
