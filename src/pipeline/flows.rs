//! Legs counted by flow.

use std::collections::HashMap;

use super::work::FlowKey;

/// Legs and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Legs.
    pub legs: u64,
    /// Bytes, as far as events state them.
    pub bytes: u64,
}

impl Volume {
    #[inline]
    pub(super) fn join(&mut self, more: Self) {
        self.legs += more.legs;
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

/// Legs by flow. Its keys come from closed sets, so that nobody can choose them to collide.
pub type Flows = HashMap<FlowKey, Volume, foldhash::fast::FixedState>;

/// Room for flows that come again and again, beside the map: it is asked for a flow when another took its place.
const RECENT: usize = 64;

/// The flows of a batch that were counted last.
#[derive(Debug)]
pub(super) struct Recent([Option<(FlowKey, Volume)>; RECENT]);

impl Default for Recent {
    fn default() -> Self {
        Self([None; RECENT])
    }
}

impl Recent {
    /// One leg more.
    #[inline]
    pub(super) fn count(&mut self, flow: FlowKey, bytes: u64, all: &mut Flows) {
        let (hash, leg) = (flow.number().wrapping_mul(0x9e37_79b9_7f4a_7c15), Volume { legs: 1, bytes });
        match &mut self.0[(hash >> 58) as usize % RECENT] {
            Some((known, volume)) if *known == flow => volume.join(leg),
            other => {
                if let Some((flow, volume)) = other.replace((flow, leg)) {
                    all.entry(flow).or_default().join(volume);
                }
            }
        }
    }

    /// Adds what was counted.
    pub(super) fn join_into(&mut self, all: &mut Flows) {
        let kept = self.0.iter_mut().filter_map(Option::take);
        kept.for_each(|(flow, volume)| all.entry(flow).or_default().join(volume));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::flow::FlowKind;
    use crate::domain::verdict::Verdict;

    /// More flows than there is room for beside the map, so that they drive each other out.
    #[test]
    fn what_was_counted_beside_the_map_is_added_to_it() {
        let (mut recent, mut all, mut plain) = (Recent::default(), Flows::default(), Flows::default());
        for number in 0..5_000_u64 {
            let letters = number * number % 401;
            let flow = FlowKey {
                verdict: Verdict::ALL[letters as usize % Verdict::ALL.len()],
                kind: FlowKind::Access,
                origin: [b'A' + (letters % 20) as u8, b'A'],
                destination: [b'A', b'A' + (letters / 20) as u8],
            };
            recent.count(flow, number, &mut all);
            plain.entry(flow).or_default().join(Volume { legs: 1, bytes: number });
        }
        recent.join_into(&mut all);
        assert_eq!(all, plain);
        recent.join_into(&mut all);
        assert_eq!(all, plain, "it was added once");
    }
}
