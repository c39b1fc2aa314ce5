//! Replay: NDJSON files, plain or packed (gzip, Zstandard), and streams such as standard input.
//!
//! One line is one message. Its offset is its zero-based number in the file, and every line counts. A blank line (nothing
//! but spaces, tabs or a CR) is no message: the offsets of a lane therefore have gaps, and what a batch covers goes by the
//! first and the next offset, not by the number of messages.
//!
//! A lane is named after the file and its first message, so that a rotated file with an old name is not taken for the one
//! that was read before. Nothing is ever written to an input, and nothing is remembered here: at the next start the
//! evidence says how far each lane is recorded, the lines below are passed over, and the last of them must be what it was.

mod feed;
mod lines;
mod unpack;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use feed::Feed;
use lines::{Line, Lines, Next};
use unpack::Counted;

use super::{Mark, digest};
use crate::domain::position::{Lane, LaneId};
use crate::pipeline::batch::{Batch, Limits};
use crate::pipeline::ports::{Durable, InFlight, Polled, Reached, Source, SourceError};

/// Bytes of the first message that name the lane, at most.
const NAMING: usize = 64 << 10;

/// Hex digits of the first message's digest in the name of a lane.
const NAMING_DIGITS: usize = 8;

/// Lines passed over between two looks at the clock.
const PASSED_OVER: u64 = 4096;

/// What to read.
pub enum Input {
    /// A file. One that is no regular file (a named pipe, a device) is read as a stream.
    File(PathBuf),
    /// Standard input, or anything else that may be slow: what has come is handed over within [`Limits::wait_ms`].
    Stream {
        /// Takes the place of the file name in the lane.
        name: String,
        /// The bytes.
        bytes: Box<dyn Read + Send>,
    },
}

impl Input {
    /// `-` is standard input, anything else a path.
    pub fn from_argument(argument: &str) -> Self {
        match argument {
            "-" => Self::Stream { name: "stdin".to_owned(), bytes: Box::new(io::stdin()) },
            path => Self::File(path.into()),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Stream { name, .. } => f.debug_tuple("Stream").field(name).finish(),
        }
    }
}

/// Reads inputs one after the other.
pub struct Replay {
    waiting: VecDeque<Input>,
    reading: Option<Reading>,
    book: Book,
    /// Why reading stopped for good.
    failed: Option<String>,
    done: Arc<AtomicU64>,
    /// Bytes of all files as they lie on disk; `None` if a stream is among the inputs.
    total: Option<u64>,
}

/// The lanes seen, and how far earlier runs recorded each.
struct Book {
    lanes: Vec<Lane>,
    marks: HashMap<Lane, Mark>,
}

/// One input in hand.
struct Reading {
    /// For error texts.
    shown: String,
    /// For the lane.
    name: String,
    lines: Lines,
    lane: Option<LaneId>,
    /// Set while the lines are passed over that earlier runs recorded.
    mark: Option<Mark>,
    /// Bytes of the packed file so far.
    at: Arc<AtomicU64>,
}

impl Replay {
    /// Opens nothing for good yet, but looks into every file, so that a wrong path or a file named twice is told at once.
    ///
    /// # Errors
    /// [`SourceError::Fatal`] if a file cannot be read or two have the same lane.
    pub fn new(inputs: Vec<Input>, resume: &[Reached]) -> Result<Self, SourceError> {
        let mut known: HashMap<Lane, String> = HashMap::new();
        let mut total = Some(0);
        for input in &inputs {
            let Some((path, size)) = regular(input)? else {
                total = None;
                continue;
            };
            total = total.map(|sum| sum + size);
            let Some(lane) = probe(path)? else { continue };
            let shown = path.display().to_string();
            if let Some(earlier) = known.insert(lane, shown.clone()) {
                return Err(same_lane(&earlier, &shown));
            }
        }
        let mark = |at: &Reached| (at.lane.clone(), Mark { next: at.next, last_digest: at.last_digest.clone() });
        let book = Book { lanes: Vec::new(), marks: resume.iter().map(mark).collect() };
        let done = Arc::default();
        Ok(Self { waiting: inputs.into(), reading: None, book, failed: None, done, total })
    }

    /// Whether every input was read to its end.
    pub fn is_at_end(&self) -> bool {
        self.waiting.is_empty() && self.reading.is_none()
    }

    fn fill(&mut self, batch: &mut Batch, limits: &Limits, deadline: Instant) -> Result<Polled, SourceError> {
        loop {
            if self.reading.is_none() {
                let Some(input) = self.waiting.pop_front() else { return Ok(Polled::End) };
                self.reading = Some(Reading::open(input, &self.done)?);
            }
            let Some(reading) = &mut self.reading else { return Ok(Polled::End) };
            match reading.fill(batch, limits, deadline, &mut self.book)? {
                Polled::End => self.reading = None,
                polled @ (Polled::Filled | Polled::Idle) => return Ok(polled),
            }
        }
    }
}

impl Source for Replay {
    /// Whatever was read before an error is handed over first; the error comes with the next poll.
    fn poll(&mut self, batch: &mut Batch, limits: &Limits, _: &mut dyn InFlight) -> Result<Polled, SourceError> {
        let deadline = Instant::now() + Duration::from_millis(limits.wait_ms);
        let polled = match &self.failed {
            Some(why) => Err(SourceError::Fatal(why.clone())),
            None => self.fill(batch, limits, deadline),
        };
        if let Err(error) = &polled {
            self.failed = Some(error.to_string());
        }
        if batch.is_empty() { polled } else { Ok(Polled::Filled) }
    }

    fn lanes(&self) -> &[Lane] {
        &self.book.lanes
    }

    /// Nothing to tell a file: the evidence knows how far it is recorded.
    fn commit(&mut self, _: &Durable) -> Result<(), SourceError> {
        Ok(())
    }

    fn progress(&self) -> Option<(u64, u64)> {
        let done = self.done.load(Ordering::Relaxed);
        self.total.map(|total| (done.min(total), total))
    }
}

impl Book {
    /// Enters a lane; gives its index and where to go on.
    fn enter(&mut self, lane: Lane, shown: &str) -> Result<(LaneId, Option<Mark>), SourceError> {
        if self.lanes.contains(&lane) {
            return Err(same_lane(&lane.topic, shown));
        }
        let id = u32::try_from(self.lanes.len()).map_err(|_| SourceError::Fatal("too many inputs".to_owned()))?;
        let mark = self.marks.get(&lane).filter(|mark| mark.next > 0).cloned();
        self.lanes.push(lane);
        Ok((LaneId(id), mark))
    }
}

impl Reading {
    fn open(input: Input, done: &Arc<AtomicU64>) -> Result<Self, SourceError> {
        let at = Arc::new(AtomicU64::new(0));
        let plain = regular(&input)?.is_some();
        let (shown, name, feed) = match input {
            Input::File(path) => {
                let shown = path.display().to_string();
                let feed = File::open(&path).and_then(|file| {
                    let file = Counted { inner: Counted { inner: file, count: at.clone() }, count: done.clone() };
                    if plain {
                        unpack::unpack(Box::new(file)).map(Feed::Direct)
                    } else {
                        Feed::threaded(Box::new(file))
                    }
                });
                (shown, file_name(&path), feed)
            }
            Input::Stream { name, bytes } => {
                let bytes = Box::new(Counted { inner: bytes, count: at.clone() });
                (name.clone(), name, Feed::threaded(bytes))
            }
        };
        let feed = feed.map_err(|error| unreadable(&shown, &error))?;
        Ok(Self { shown, name, lines: Lines::new(feed), lane: None, mark: None, at })
    }

    /// Fills the batch from this input: `Filled` if it is full, `Idle` if nothing came in time, `End` at the end.
    fn fill(
        &mut self,
        batch: &mut Batch,
        limits: &Limits,
        deadline: Instant,
        book: &mut Book,
    ) -> Result<Polled, SourceError> {
        while !batch.is_full(limits) {
            let line = match self.lines.next(limits.message_bytes, deadline) {
                Ok(Next::Line(line)) => line,
                Ok(Next::Quiet) => return Ok(Polled::Idle),
                Ok(Next::End) => return self.ended(),
                Err(error) => return Err(self.stopped(&error)),
            };
            if line.bytes.trim_ascii().is_empty() && line.cut == 0 {
                continue;
            }
            let lane = match self.lane {
                Some(lane) => lane,
                None => {
                    let (lane, mark) = book.enter(lane(&self.name, &line), &self.shown)?;
                    (self.lane, self.mark) = (Some(lane), mark);
                    lane
                }
            };
            match pass_over(&mut self.mark, &line) {
                Passed::No => batch.push(lane, line.number, line.bytes, line.cut),
                // a long way to go on must not keep the process from stopping when asked
                Passed::Over if line.number % PASSED_OVER == 0 && Instant::now() > deadline => return Ok(Polled::Idle),
                Passed::Over => {}
                Passed::Broken => return self.ended(),
            }
        }
        Ok(Polled::Filled)
    }

    /// The end, which must not come before the last recorded line was met as it was.
    fn ended(&self) -> Result<Polled, SourceError> {
        match &self.mark {
            Some(mark) => Err(changed(&self.shown, mark.next)),
            None => Ok(Polled::End),
        }
    }

    fn stopped(&self, error: &io::Error) -> SourceError {
        SourceError::Fatal(format!(
            "{}: reading stopped at line {}, near byte {} of the input: {error}. The whole lines before it were handed over. \
             Put the file right and start again: reading goes on from there",
            self.shown,
            self.lines.number() + 1,
            self.at.load(Ordering::Relaxed),
        ))
    }
}

/// What becomes of a line in view of what earlier runs recorded.
enum Passed {
    /// It is new.
    No,
    /// It is recorded.
    Over,
    /// It is not what it was when it was recorded.
    Broken,
}

fn pass_over(mark: &mut Option<Mark>, line: &Line<'_>) -> Passed {
    let Some(set) = mark else { return Passed::No };
    if line.number >= set.next || set.is_broken_by(line.number, line.bytes) {
        return Passed::Broken;
    }
    if line.number + 1 == set.next {
        *mark = None;
    }
    Passed::Over
}

/// A file and its size, if the input is a regular file.
fn regular(input: &Input) -> Result<Option<(&Path, u64)>, SourceError> {
    let Input::File(path) = input else { return Ok(None) };
    let shown = || path.display().to_string();
    let about = path.metadata().map_err(|error| unreadable(&shown(), &error))?;
    if about.is_dir() {
        return Err(SourceError::Fatal(format!("{}: is a folder; name the files in it", shown())));
    }
    Ok(about.is_file().then_some((path.as_path(), about.len())))
}

/// The lane of a file, by its first message; `None` if it has none. A file that is damaged further on is no concern here.
fn probe(path: &Path) -> Result<Option<Lane>, SourceError> {
    let told = |error: io::Error| unreadable(&path.display().to_string(), &error);
    let bytes = File::open(path).map_err(told)?;
    let Ok(bytes) = unpack::unpack(Box::new(bytes)) else { return Ok(None) };
    let mut lines = Lines::new(Feed::Direct(bytes));
    while let Ok(Next::Line(line)) = lines.next(NAMING, Instant::now()) {
        if !line.bytes.trim_ascii().is_empty() {
            return Ok(Some(lane(&file_name(path), &line)));
        }
    }
    Ok(None)
}

fn lane(name: &str, first: &Line<'_>) -> Lane {
    let naming = &first.bytes[..first.bytes.len().min(NAMING)];
    Lane { topic: format!("{name}#{}", digest(naming, NAMING_DIGITS)), partition: 0 }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn unreadable(shown: &str, error: &io::Error) -> SourceError {
    let remedy = if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) {
        "Check the path and the permissions"
    } else {
        "It may be damaged, or cut where it was copied"
    };
    SourceError::Fatal(format!("{shown}: cannot be read: {error}. {remedy}"))
}

fn same_lane(one: &str, other: &str) -> SourceError {
    SourceError::Fatal(format!(
        "{other}: has the same name and the same first line as {one}. If it is the same file, name it once; \
         if it is another, rename one of the two"
    ))
}

fn changed(shown: &str, line: u64) -> SourceError {
    SourceError::Fatal(format!(
        "{shown}: line {line} is not what was recorded at an earlier start; the file was changed or cut since. Put it back as \
         it was, or rename it to have it read from its first line"
    ))
}
