//! Dead letters as a source: messages that were rejected once, handed over again after the cause was mended. A run of it is a
//! lane of its own.

use crate::domain::position::{Lane, LaneId};
use crate::pipeline::batch::{Batch, Limits};
use crate::pipeline::ports::{Durable, InFlight, Polled, Source, SourceError};

/// Gives messages once.
pub struct Letters {
    messages: std::vec::IntoIter<Vec<u8>>,
    next: u64,
    lanes: [Lane; 1],
}

impl Letters {
    /// `run` names the lane; two runs need two names.
    pub fn new(messages: Vec<Vec<u8>>, run: &str) -> Self {
        let lane = Lane { topic: format!("dead-letters/{run}"), partition: 0 };
        Self { messages: messages.into_iter(), next: 0, lanes: [lane] }
    }
}

impl Source for Letters {
    fn poll(&mut self, batch: &mut Batch, limits: &Limits, _: &mut dyn InFlight) -> Result<Polled, SourceError> {
        while !batch.is_full(limits) {
            let Some(message) = self.messages.next() else { break };
            let kept = message.len().min(limits.message_bytes);
            batch.push(LaneId(0), self.next, &message[..kept], (message.len() - kept) as u64);
            self.next += 1;
        }
        Ok(if batch.is_empty() { Polled::End } else { Polled::Filled })
    }

    fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    fn commit(&mut self, _: &Durable) -> Result<(), SourceError> {
        Ok(())
    }
}
