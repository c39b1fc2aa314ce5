//! Section about keeping evidence.

use serde::{Deserialize, Serialize};

/// `[retention]`: for how many months after that of its recording each class of evidence is kept. A record loses its personal
/// fields when its class is over, and goes when its segment does; a hold overrides all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// PROHIBITED, UNCOVERED, DEFECT, UNDETERMINED, 1 to 600. Default 72: the period for civil claims (Cap. 347 s.4).
    pub transfer_months: u16,
    /// COVERED, 1 to 600. Default 36: the longest that rules on cross-border contracts ask for their assessments.
    pub covered_months: u16,
    /// INBOUND, DOMESTIC, NO_HK_NEXUS, OUT_OF_SCOPE, 1 to 600. Default 6: no longer than needed (DPP2(2)).
    pub inside_months: u16,
    /// What people did with the evidence, 1 to 600. Default 72: as long as what it is about.
    pub conduct_months: u16,
    /// Whether the running service deletes what is due and not held, once a day. Default false: a deletion cannot be undone,
    /// and a clock that is years ahead makes everything due. The service then shows and says what is due, and somebody runs
    /// `harbourwatch retention apply`: not to keep longer than needed is a duty (section 26, DPP2(2)).
    pub automatic: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self { transfer_months: 72, covered_months: 36, inside_months: 6, conduct_months: 72, automatic: false }
    }
}
