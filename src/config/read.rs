//! Text → [`Config`], with all faults of shape at once.
//!
//! serde stops at the first fault. So the document is parsed into a tree that keeps its spans; the value at fault is found by
//! its span, noted, cut out, and the rest is tried again. What is left always has the shape of a configuration, and the
//! settings check the rest of it in the same run.

use std::collections::HashMap;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::fault::{Fault, Path};
use crate::secret::INLINE;

/// After so many faults of shape the reader gives up: the file is something else.
pub const MOST_SHAPE_FAULTS: usize = 100;

/// What was read: the usable rest, and what was wrong.
#[derive(Debug)]
pub struct Read<T> {
    /// The document without the values at fault; `None` if it is no TOML or has too many faults.
    pub document: Option<T>,
    /// Faults of syntax, unknown keys, wrong types.
    pub faults: Vec<Fault>,
    /// Lines by path, to place the faults that later checks find.
    pub lines: Lines,
}

/// Where each key path is in the file.
#[derive(Debug, Default)]
pub struct Lines(HashMap<String, usize>);

impl Lines {
    /// The line of a path, or of the nearest path above it.
    pub fn of(&self, path: &Path) -> Option<usize> {
        let mut text = path.as_str();
        loop {
            if let Some(line) = self.0.get(text) {
                return Some(*line);
            }
            text = text.rfind(['.', '[']).and_then(|at| text.get(..at))?;
        }
    }
}

/// Reads a document of shape `T`, all of whose keys have defaults.
pub fn read<T: DeserializeOwned>(text: &str) -> Read<T> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let faults = errors.iter().take(MOST_SHAPE_FAULTS).map(|error| syntax(text, error)).collect();
        return Read { document: None, faults, lines: Lines::default() };
    }
    let mut lines = Lines::default();
    note_lines(tree.get_ref(), &Path::default(), &line_starts(text), &mut lines.0);
    let mut faults = Vec::new();
    let document = prune(text, tree, &mut faults);
    Read { document, faults, lines }
}

fn prune<T: DeserializeOwned>(text: &str, mut tree: Spanned<DeTable<'_>>, faults: &mut Vec<Fault>) -> Option<T> {
    while faults.len() < MOST_SHAPE_FAULTS {
        let error = match T::deserialize(Deserializer::from(tree.clone())) {
            Ok(document) => return Some(document),
            Err(error) => error,
        };
        let found = error.span().and_then(|span| cut(tree.get_mut(), &span, &Path::default()));
        let Some(Found { path, value }) = found else {
            faults.push(syntax(text, &error));
            return None;
        };
        faults.push(shape(text, &error, path, value));
    }
    None
}

struct Found {
    path: Path,
    value: Range<usize>,
}

/// Cuts out what has this span as key or value; in an array, the key that holds the array. Children come first: a
/// table may share the span of its only child.
fn cut(table: &mut DeTable<'_>, span: &Range<usize>, above: &Path) -> Option<Found> {
    let mut doomed = None;
    for (key, value) in table.iter_mut() {
        let path = above.key(key.get_ref());
        let found = match cut_inside(value, span, &path) {
            Inside::Done(found) => return Some(found),
            Inside::Holds(found) => Some(found),
            Inside::Nothing if key.span() == *span || value.span() == *span => {
                Some(Found { path, value: value.span() })
            }
            Inside::Nothing => None,
        };
        if let Some(found) = found {
            doomed = Some((key.get_ref().to_string(), found));
            break;
        }
    }
    let (key, found) = doomed?;
    table.remove(key.as_str());
    Some(found)
}

enum Inside {
    /// Found below and cut out.
    Done(Found),
    /// An element of this array is at fault.
    Holds(Found),
    Nothing,
}

fn cut_inside(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>, path: &Path) -> Inside {
    match value.get_mut() {
        DeValue::Table(table) => cut(table, span, path).map_or(Inside::Nothing, Inside::Done),
        DeValue::Array(array) => {
            for (index, element) in array.iter_mut().enumerate() {
                let path = path.index(index);
                match cut_inside(element, span, &path) {
                    Inside::Nothing if element.span() == *span => {
                        return Inside::Holds(Found { path, value: element.span() });
                    }
                    Inside::Nothing => {}
                    found @ (Inside::Done(_) | Inside::Holds(_)) => return found,
                }
            }
            Inside::Nothing
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            Inside::Nothing
        }
    }
}

/// Nothing of the text is shown: a broken line may hold anything.
fn syntax(text: &str, error: &Error) -> Fault {
    let line = error.span().map(|span| line_at(&line_starts(text), span.start));
    Fault { line, ..Fault::new(Path::default(), "", format!("not valid TOML: {}", first_line(error.message()))) }
}

fn shape(text: &str, error: &Error, path: Path, value: Range<usize>) -> Fault {
    let line = error.span().map(|span| line_at(&line_starts(text), span.start));
    // Names of people and refused secrets are not repeated.
    let hidden = path.is_within(&Path::section("people")) || error.message().contains(INLINE);
    let shown = if hidden { "" } else { text.get(value).unwrap_or_default() };
    Fault { line, ..Fault::new(path, shown, remedy(error.message())) }
}

/// serde's text holds the value; only what it expected is kept.
fn remedy(message: &str) -> String {
    if message.contains(INLINE) {
        return INLINE.to_owned();
    }
    let expected = first_line(message).rsplit_once("expected ").map_or("a value that fits", |(_, expected)| expected);
    if message.starts_with("unknown field") {
        let known = expected.trim_start_matches("one of ").replace('`', "");
        return format!("unknown key; remove it or write one of: {known}");
    }
    match expected {
        "a string" | "string" => "write a text in quotes".to_owned(),
        "usize" | "u64" | "u32" => "write a whole number from 0".to_owned(),
        "a sequence" => "write a list: [\"…\"]; for a section, double brackets: [[…]]".to_owned(),
        "a boolean" => "write true or false".to_owned(),
        _ if expected.starts_with("struct ") => "write a table of keys".to_owned(),
        _ => format!("write {}", expected.replace('`', "")),
    }
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

fn note_lines(table: &DeTable<'_>, above: &Path, starts: &[usize], lines: &mut HashMap<String, usize>) {
    for (key, value) in table {
        let path = above.key(key.get_ref());
        lines.insert(path.as_str().to_owned(), line_at(starts, key.span().start));
        note_below(value, &path, starts, lines);
    }
}

fn note_below(value: &Spanned<DeValue<'_>>, path: &Path, starts: &[usize], lines: &mut HashMap<String, usize>) {
    if let Some(table) = value.get_ref().as_table() {
        note_lines(table, path, starts, lines);
    }
    for (index, element) in value.get_ref().as_array().into_iter().flatten().enumerate() {
        let path = path.index(index);
        lines.insert(path.as_str().to_owned(), line_at(starts, element.span().start));
        note_below(element, &path, starts, lines);
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// Line, from 1, of a byte offset.
fn line_at(starts: &[usize], offset: usize) -> usize {
    starts.partition_point(|start| *start <= offset).max(1)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::SecretRef;
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Robot {
        token: Option<SecretRef>,
        retries: u32,
        names: Vec<String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Document {
        robots: Vec<Robot>,
        robot: Robot,
    }

    fn faults(text: &str) -> Vec<String> {
        read::<Document>(text).faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_all_reported_with_their_lines() {
        let text = "[[robots]]\nretries = \"x\"\n[[robots]]\nretires = 1\nnames = [\"a\", 3]\n[robot]\nretries = -1\n[extra]\n";
        assert_eq!(
            faults(text),
            [
                "line 8: extra = [extra]: unknown key; remove it or write one of: robots or robot",
                "line 7: robot.retries = -1: write a whole number from 0",
                "line 2: robots[0].retries = \"x\": write a whole number from 0",
                "line 5: robots[1].names[1] = 3: write a text in quotes",
                "line 4: robots[1].retires = 1: unknown key; remove it or write one of: token, retries, names",
            ]
        );
    }

    #[test]
    fn what_is_right_survives_the_faults_beside_it() {
        let read = read::<Document>("[robot]\nretries = 3\nbogus = 1\n");
        assert_eq!(read.document.unwrap().robot.retries, 3);
        assert_eq!(read.faults.len(), 1);
    }

    #[test]
    fn inline_secret_is_not_shown() {
        let shown = faults("[robot]\ntoken = \"hunter2\"\n").join("\n");
        assert!(shown.contains("robot.token") && shown.contains("by reference only"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn every_syntax_fault_has_its_line_and_none_of_the_text() {
        let shown = faults("a = hunter2\n[b\nc = 1\nd = = 2\n");
        assert!(shown.len() >= 2, "{shown:?}");
        assert!(shown.iter().all(|fault| fault.starts_with("line ") && !fault.contains("hunter2")), "{shown:?}");
    }

    #[test]
    fn lines_fall_back_to_the_nearest_path_above() {
        let read = read::<Document>("\n[[robots]]\nretries = 1\n");
        let robot = Path::element("robots", 0);
        assert_eq!(read.lines.of(&robot.key("retries")), Some(3));
        assert_eq!(read.lines.of(&robot.key("names").index(4)), Some(2));
        assert_eq!(read.lines.of(&Path::section("absent")), None);
    }
}
