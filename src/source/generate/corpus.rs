//! A whole plan written out, one message a line, as fast as it goes or at a rate.

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant};

use super::{Generator, Organisation, Plan};

/// Bytes handed to the writer at once.
const CHUNK: usize = 256 << 10;

/// Time that a writer may make good after a stall; what it is behind beyond that is let go.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Shortest pause worth taking.
const PAUSE: Duration = Duration::from_millis(10);

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Lines.
    pub messages: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes, line ends included.
    pub bytes: u64,
}

/// Writes all messages of a plan, each with a line feed; `rate` is in events a second.
///
/// # Errors
/// Those of the writer, such as a pipe that nobody reads any more.
pub fn write_all(
    plan: &Plan,
    organisation: &Organisation,
    rate: Option<NonZeroU32>,
    out: &mut impl Write,
) -> io::Result<Written> {
    let mut generator = Generator::new(plan.clone(), organisation);
    let mut pace = rate.map(Pace::new);
    let (mut written, mut chunk) = (Written::default(), Vec::with_capacity(CHUNK + (64 << 10)));
    while generator.next(&mut chunk).is_some() {
        chunk.push(b'\n');
        written.messages += 1;
        let pause = pace.as_mut().map_or(Duration::ZERO, |pace| pace.pause(generator.events() - written.events));
        written.events = generator.events();
        if chunk.len() >= CHUNK || pause >= PAUSE {
            hand_over(&mut chunk, &mut written, out)?;
        }
        if pause >= PAUSE {
            out.flush()?;
            thread::sleep(pause);
        }
    }
    hand_over(&mut chunk, &mut written, out)?;
    out.flush()?;
    Ok(written)
}

fn hand_over(chunk: &mut Vec<u8>, written: &mut Written, out: &mut impl Write) -> io::Result<()> {
    out.write_all(chunk)?;
    written.bytes += chunk.len() as u64;
    chunk.clear();
    Ok(())
}

/// Keeps to a rate.
#[derive(Debug)]
pub struct Pace {
    rate: NonZeroU32,
    since: Instant,
    events: u64,
}

impl Pace {
    /// Begins now, at `rate` events a second.
    pub fn new(rate: NonZeroU32) -> Self {
        Self { rate, since: Instant::now(), events: 0 }
    }

    /// How long to wait after these events.
    pub fn pause(&mut self, events: u64) -> Duration {
        self.events += events;
        let due = self.due();
        let elapsed = self.since.elapsed();
        if elapsed > due + CATCH_UP {
            // forget what cannot be made good within bounds
            self.since += elapsed - due - CATCH_UP;
        }
        due.saturating_sub(elapsed)
    }

    fn due(&self) -> Duration {
        let nanos = u128::from(self.events) * 1_000_000_000 / u128::from(self.rate.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
