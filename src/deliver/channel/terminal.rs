//! Words for a person, to a terminal or any other writer. Colours only if told; no control character of a finding gets
//! through.

use std::io::Write;

use super::{Channel, Message, SendError};
use crate::deliver::audience::{Audience, Field};
use crate::deliver::render::officer::{self, Languages};
use crate::domain::verdict::Severity;

/// Writes notices as text.
pub struct Terminal<W> {
    name: String,
    audience: Audience,
    languages: Languages,
    colours: bool,
    out: W,
}

impl<W> std::fmt::Debug for Terminal<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<W: Write + Send> Terminal<W> {
    /// A channel that writes to `out` for the privacy officer, without colours.
    pub fn new(name: &str, languages: Languages, out: W) -> Self {
        Self { name: name.to_owned(), audience: Audience::Officer, languages, colours: false, out }
    }

    /// The same for another audience.
    #[must_use]
    pub fn for_audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// The same with or without colours.
    #[must_use]
    pub fn with_colours(mut self, colours: bool) -> Self {
        self.colours = colours;
        self
    }

    fn write(&mut self, text: &str, colour: &str) -> std::io::Result<()> {
        let (headline, rest) = text.split_once('\n').unwrap_or((text, ""));
        if self.colours {
            writeln!(self.out, "\u{1b}[{colour}m{headline}\u{1b}[0m\n{rest}")?;
        } else {
            writeln!(self.out, "{headline}\n{rest}")?;
        }
        self.out.flush()
    }
}

impl<W: Write + Send> Channel for Terminal<W> {
    fn name(&self) -> &str {
        &self.name
    }

    fn audience(&self) -> Audience {
        self.audience
    }

    fn send(&mut self, message: &Message) -> Result<(), SendError> {
        let text = officer::words(&message.view, self.languages);
        let severity = Severity::parse(message.view.text(Field::Severity)).unwrap_or(Severity::Critical);
        self.write(&text, colour(severity))
            .map_err(|error| SendError::Transient(format!("cannot write to the terminal: {error}")))
    }
}

/// SGR parameters (ECMA-48 §8.3.117).
fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low => "36",
        Severity::Info => "2",
    }
}
