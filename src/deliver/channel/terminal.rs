//! Words for a person, to a terminal or any other writer: each finding by itself, or letters. Colours only if told; no control
//! character of a finding gets through.

use std::io::Write;

use super::{Channel, Messenger, SendError};
use crate::deliver::audience::Audience;
use crate::deliver::letter::Letter;
use crate::deliver::notice::Notice;
use crate::deliver::render::letter::{sheets, text};
use crate::deliver::render::officer::{self, Languages};
use crate::deliver::render::{Context, Format};
use crate::deliver::{Field, View};
use crate::domain::verdict::Severity;

/// Writes notices and letters as text.
pub struct Terminal<W> {
    audience: Audience,
    languages: Languages,
    colours: bool,
    format: Option<Format>,
    context: Context,
    out: W,
}

impl<W> std::fmt::Debug for Terminal<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl<W: Write + Send> Terminal<W> {
    /// A channel that writes to `out` for the privacy officer, without colours.
    pub fn new(languages: Languages, out: W) -> Self {
        let (audience, context) = (Audience::Officer, Context::default());
        Self { audience, languages, colours: false, format: None, context, out }
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

    /// The same with what is said beside a finding, and with lines for machines instead of words if a form is named.
    #[must_use]
    pub fn in_format(mut self, format: Option<Format>, context: Context) -> Self {
        (self.format, self.context) = (format, context);
        self
    }

    fn write(&mut self, text: &str, severity: Severity) -> Result<(), SendError> {
        self.print(text, severity)
            .map_err(|error| SendError::Transient(format!("cannot write to the terminal: {error}")))
    }

    fn print(&mut self, text: &str, severity: Severity) -> std::io::Result<()> {
        let (headline, rest) = text.split_once('\n').unwrap_or((text, ""));
        if self.format.is_some() {
            writeln!(self.out, "{headline}")?;
        } else if self.colours {
            writeln!(self.out, "\u{1b}[{}m{headline}\u{1b}[0m\n{rest}", colour(severity))?;
        } else {
            writeln!(self.out, "{headline}\n{rest}")?;
        }
        self.out.flush()
    }

    fn words(&self, notice: &Notice) -> String {
        match self.format {
            Some(format) => format.line(notice, &self.context).0,
            None => officer::words(&notice.view, self.languages),
        }
    }

    fn letter(&self, letter: &Letter) -> String {
        text::text(&sheets(letter, self.languages, &self.context))
    }
}

impl<W: Write + Send> Channel for Terminal<W> {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        let write = |notice: &Notice| {
            let text = self.words(notice);
            self.write(&text, severity(&notice.view))
        };
        notices.iter().map(write).collect()
    }

    fn preview(&self, notice: &Notice) -> String {
        self.words(notice)
    }
}

impl<W: Write + Send> Messenger for Terminal<W> {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn post(&mut self, letter: &Letter) -> Result<(), SendError> {
        let text = self.letter(letter);
        self.write(&text, letter.severity().unwrap_or(Severity::Info))
    }

    fn preview(&self, letter: &Letter) -> String {
        self.letter(letter)
    }
}

fn severity(view: &View) -> Severity {
    Severity::parse(view.text(Field::Severity)).unwrap_or(Severity::Critical)
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
