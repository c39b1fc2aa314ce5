//! How long records are kept, by class. Pure.

/// Why a record is kept, and so for how long. The names are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Leaves Hong Kong, or may, and nothing on record covers it.
    Transfer,
    /// Leaves Hong Kong under a safeguard.
    Covered,
    /// Comes in, stays, or is out of scope.
    Inside,
    /// What people did with the evidence.
    Conduct,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::Transfer, Self::Covered, Self::Inside, Self::Conduct];

    /// Class of a record by the name of its verdict. A name that is not known is kept as long as any.
    pub fn of(verdict: &str) -> Self {
        match verdict {
            "COVERED" => Self::Covered,
            "INBOUND" | "DOMESTIC" | "NO_HK_NEXUS" | "OUT_OF_SCOPE" => Self::Inside,
            _ => Self::Transfer,
        }
    }

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Covered => "covered",
            Self::Inside => "inside",
            Self::Conduct => "conduct",
        }
    }

    /// The class of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}
