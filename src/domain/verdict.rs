//! Verdicts, the rules that give them, severity.
//!
//! The wording is modest on purpose: a verdict says what the recorded facts and the organisation's own register show. It
//! is not a finding of law.

use super::bits::members;
use super::safeguard::SafeguardId;

/// What is decided about a leg, gravest first: an event takes the first of its legs in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Verdict {
    /// On the organisation's deny list, or barred by a contract.
    Prohibited,
    /// Leaves Hong Kong and no recorded safeguard names it.
    Uncovered,
    /// A safeguard names it but a condition fails.
    Defect,
    /// A decisive place or recipient is not known well enough, and it matters.
    Undetermined,
    /// Leaves Hong Kong and a safeguard covers it.
    Covered,
    /// Comes into Hong Kong.
    Inbound,
    /// Stays in Hong Kong.
    Domestic,
    /// No connection with Hong Kong in the sense of s.33(1).
    NoHkNexus,
    /// No personal data.
    OutOfScope,
}

impl Verdict {
    /// All nine, gravest first.
    pub const ALL: [Self; 9] = [
        Self::Prohibited,
        Self::Uncovered,
        Self::Defect,
        Self::Undetermined,
        Self::Covered,
        Self::Inbound,
        Self::Domestic,
        Self::NoHkNexus,
        Self::OutOfScope,
    ];

    /// Stable upper-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prohibited => "PROHIBITED",
            Self::Uncovered => "UNCOVERED",
            Self::Defect => "DEFECT",
            Self::Undetermined => "UNDETERMINED",
            Self::Covered => "COVERED",
            Self::Inbound => "INBOUND",
            Self::Domestic => "DOMESTIC",
            Self::NoHkNexus => "NO_HK_NEXUS",
            Self::OutOfScope => "OUT_OF_SCOPE",
        }
    }

    /// Reads a [`Verdict::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

impl Verdict {
    /// Whether data leave Hong Kong by it, or move outside it under the control of a Hong Kong data user; or may do so.
    pub fn leaves(self) -> bool {
        match self {
            Self::Prohibited | Self::Uncovered | Self::Defect | Self::Undetermined | Self::Covered => true,
            Self::Inbound | Self::Domestic | Self::NoHkNexus | Self::OutOfScope => false,
        }
    }
}

/// A set of verdicts: what is possible when a leg is undetermined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Verdicts(u16);

impl Verdicts {
    /// The set and one more.
    #[must_use]
    pub const fn with(self, verdict: Verdict) -> Self {
        Self(self.0 | 1 << verdict as u8)
    }

    /// Whether the set holds it.
    pub const fn contains(self, verdict: Verdict) -> bool {
        self.0 & 1 << verdict as u8 != 0
    }

    /// Members, gravest first.
    pub fn iter(self) -> impl Iterator<Item = Verdict> {
        members(self.0, &Verdict::ALL)
    }

    /// How many.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Rule {
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
}

impl Rule {
    /// Stable name, `R1` … `R9`.
    pub fn name(self) -> &'static str {
        match self {
            Self::R1 => "R1",
            Self::R2 => "R2",
            Self::R3 => "R3",
            Self::R4 => "R4",
            Self::R5 => "R5",
            Self::R6 => "R6",
            Self::R7 => "R7",
            Self::R8 => "R8",
            Self::R9 => "R9",
        }
    }
}

/// How grave, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// All, mildest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Stable upper-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// Reads a [`Severity::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }

    /// One step graver, at most critical.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::Info => Self::Low,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }

    /// One step milder, at least informational.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Info | Self::Low => Self::Info,
            Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }
}

/// Remarks that a decision carries beside its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tag {
    /// Leaves Hong Kong.
    Outbound,
    /// Moves between places outside Hong Kong under the control of a Hong Kong data user.
    ForeignHkControlled,
    /// Comes from Mainland China: the CAC counts remote access from outside as export (PIPL).
    CnExport,
    /// A GBA Standard Contract is in force but not yet filed; the ten working days still run.
    FilingDue,
    /// The covering safeguard ends within 30 days.
    Expiring,
    /// Handed on in Hong Kong although received under the GBA Standard Contract: extra contract conditions.
    GbaHandOn,
    /// Stored outside the places that the residency policy allows.
    Residency,
    /// The action code or event type is not in the tables.
    Unclassified,
}

impl Tag {
    /// All tags, in declaration order.
    pub const ALL: [Self; 8] = [
        Self::Outbound,
        Self::ForeignHkControlled,
        Self::CnExport,
        Self::FilingDue,
        Self::Expiring,
        Self::GbaHandOn,
        Self::Residency,
        Self::Unclassified,
    ];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::ForeignHkControlled => "foreign_hk_controlled",
            Self::CnExport => "cn_export",
            Self::FilingDue => "filing_due",
            Self::Expiring => "expiring",
            Self::GbaHandOn => "gba_hand_on",
            Self::Residency => "residency",
            Self::Unclassified => "unclassified",
        }
    }
}

/// A set of tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tags(u16);

impl Tags {
    /// The set and one more.
    #[must_use]
    pub const fn with(self, tag: Tag) -> Self {
        Self(self.0 | 1 << tag as u8)
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the set holds it.
    pub const fn contains(self, tag: Tag) -> bool {
        self.0 & 1 << tag as u8 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Members in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Tag> {
        members(self.0, &Tag::ALL)
    }
}

/// Why a safeguard that names the recipient does not cover the leg; the condition that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    /// Withdrawn or suspended.
    Suspended,
    /// Not yet in force.
    NotYetInForce,
    /// Expired.
    Expired,
    /// Place outside the entry's scope.
    Place,
    /// Flow kind outside.
    Kind,
    /// Data category outside (or none known while the entry limits them).
    Category,
    /// Purpose outside (or not known while the entry limits it).
    Purpose,
    /// Inventory item outside the entry's cohort or case.
    Cohort,
    /// `rmc_processor` and `processor_oversight` need a recipient whose role is processor, `group_policy` one of the group.
    Role,
    /// Exporter not bound by the entry, or (GBA Standard Contract) not registered in Hong Kong.
    Exporter,
    /// GBA Standard Contract: recipient not registered in one of the nine cities.
    Registration,
    /// GBA Standard Contract: impact assessment missing.
    Pipia,
    /// GBA Standard Contract: not filed within ten Hong Kong working days.
    Filing,
    /// DPP3: what the register has agreed with the recipient leaves no room for the purpose of collection.
    Dpp3Purpose,
    /// DPP1(3): class of transferee not told to the data subjects.
    Dpp1Class,
    /// DPP2(3)/DPP4(2): processor without agreement on file.
    Dpp2Processor,
}

impl Condition {
    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::NotYetInForce => "not_yet_in_force",
            Self::Expired => "expired",
            Self::Place => "place",
            Self::Kind => "kind",
            Self::Category => "category",
            Self::Purpose => "purpose",
            Self::Cohort => "cohort",
            Self::Role => "role",
            Self::Exporter => "exporter",
            Self::Registration => "registration",
            Self::Pipia => "pipia",
            Self::Filing => "filing",
            Self::Dpp3Purpose => "dpp3_purpose",
            Self::Dpp1Class => "dpp1_class",
            Self::Dpp2Processor => "dpp2_processor",
        }
    }

    /// Whether the condition rests on a provision that binds today (DPP2(3), DPP3, DPP4), whatever the state of s.33.
    pub fn is_binding(self) -> bool {
        matches!(self, Self::Dpp3Purpose | Self::Dpp2Processor)
    }
}

/// What was decided about a leg, and on what ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule that gave it.
    pub rule: Rule,
    /// How grave.
    pub severity: Severity,
    /// The safeguard that covers the leg, or that names it while a condition fails. For UNDETERMINED this, `failed` and
    /// `policy_rule` are those of the gravest possibility.
    pub safeguard: Option<SafeguardId>,
    /// The condition that failed; for UNCOVERED the known gap in the data protection principles, if any.
    pub failed: Option<Condition>,
    /// Index of the deny or residency rule of the policy that applied.
    pub policy_rule: Option<PolicyRule>,
    /// For UNDETERMINED: what the possible places would give.
    pub possible: Verdicts,
    /// Remarks.
    pub tags: Tags,
    /// Whether a provision that binds today fails (DPP2(3), DPP3, DPP4).
    pub binding: bool,
}

/// The organisation's own rule behind a PROHIBITED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyRule {
    /// Index in the deny list.
    Deny(u16),
    /// Index in the residency rules.
    Residency(u16),
    /// Data received under the GBA Standard Contract may not go on outside the GBA.
    GbaOnward,
}
