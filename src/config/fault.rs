//! Faults of a configuration: where, what, and what to do about it.

use std::error::Error;
use std::fmt;

/// A key path such as `safeguards[2].recipients[0]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(String);

impl Path {
    /// The path of a section.
    pub fn section(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The path of element `index` of an array of sections.
    pub fn element(name: &str, index: usize) -> Self {
        Self(format!("{name}[{index}]"))
    }

    /// A key below. Keys that are not bare (TOML 1.1 "Keys") are quoted.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let name = if bare { name.to_owned() } else { format!("{name:?}") };
        if self.0.is_empty() { Self(name) } else { Self(format!("{}.{name}", self.0)) }
    }

    /// An element below.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Longest value that a fault shows, in characters.
const LONGEST_VALUE: usize = 60;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: a key path; empty for a fault of the whole file.
    pub path: Path,
    /// Line of the file, from 1, where known.
    pub line: Option<usize>,
    /// The value at fault as the file has it; empty if nothing is there or it must not be shown.
    pub value: String,
    /// What to do.
    pub remedy: String,
}

impl Fault {
    /// A fault at a path. Of a long value only the beginning is kept.
    pub fn new(path: Path, value: &str, remedy: impl Into<String>) -> Self {
        Self { path, line: None, value: short(value), remedy: remedy.into() }
    }
}

fn short(value: &str) -> String {
    let mut shown: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_VALUE).collect();
    if value.chars().nth(LONGEST_VALUE).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.as_str().is_empty() {
            write!(f, "{}", self.path)?;
            if !self.value.is_empty() {
                write!(f, " = {}", self.value)?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.remedy)
    }
}

/// All that is wrong, in the order of the file's sections; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "fault" } else { "faults" };
        write!(f, "{} {plural} in the configuration", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl Error for Faults {}
