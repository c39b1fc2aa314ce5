//! The forms in which a feed can write a notice as text.

use super::{Context, cef, ecs, finding, ocsf};
use crate::deliver::Notice;

/// A form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// harbourwatch's own JSON.
    #[default]
    Finding,
    /// OCSF 1.8.0 JSON.
    Ocsf,
    /// Elastic Common Schema JSON.
    Ecs,
    /// ArcSight Common Event Format.
    Cef,
}

impl Format {
    /// All.
    pub const ALL: [Self; 4] = [Self::Finding, Self::Ocsf, Self::Ecs, Self::Cef];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Ocsf => "ocsf",
            Self::Ecs => "ecs",
            Self::Cef => "cef",
        }
    }

    /// Reads a [`Format::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// One notice on one line without line end, and how many values had to be cut.
    pub fn line(self, notice: &Notice, context: &Context) -> (String, u32) {
        let cut = notice.view.cut();
        match self {
            Self::Finding => (finding::json_line(&notice.id, &notice.view), cut),
            Self::Ocsf => (ocsf::event(notice, context), cut),
            Self::Ecs => (ecs::document(notice, context), cut),
            Self::Cef => {
                let line = cef::line(notice, context);
                (line.text, line.cut)
            }
        }
    }
}
