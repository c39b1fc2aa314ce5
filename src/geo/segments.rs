//! An address space cut into runs: the form in which databases, special ranges and sites are laid over each other before
//! they are compiled. Used only while a generation is built, never for look-ups.

/// An address of either family, as a number.
pub(super) trait Address: Copy + Ord {
    /// The first address.
    const FIRST: Self;
    /// The first address after the prefix of `len` bits at `self`; `None` at the end of the space.
    fn after(self, len: u8) -> Option<Self>;
}

impl Address for u32 {
    const FIRST: Self = 0;

    fn after(self, len: u8) -> Option<Self> {
        let size = 1u64 << (32 - len.min(32));
        Self::try_from(u64::from(self) + size).ok()
    }
}

impl Address for u128 {
    const FIRST: Self = 0;

    fn after(self, len: u8) -> Option<Self> {
        let last = self | Self::MAX.checked_shr(u32::from(len)).unwrap_or(0);
        last.checked_add(1)
    }
}

/// Nothing is said about these addresses.
pub(super) const NOTHING: u32 = 0;

/// Runs in ascending order; each lasts until the next begins, the last to the end of the space. The first begins at the
/// first address and neighbours differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segments<A>(Vec<(A, u32)>);

impl<A: Address> Segments<A> {
    /// A space of which nothing is said.
    pub(super) fn empty() -> Self {
        Self(vec![(A::FIRST, NOTHING)])
    }

    /// The runs.
    pub(super) fn runs(&self) -> &[(A, u32)] {
        &self.0
    }

    /// Begins a new run at `start`, which must not lie before the last one.
    pub(super) fn push(&mut self, start: A, value: u32) {
        if self.0.last().is_some_and(|&(last, _)| last == start) {
            self.0.pop();
        }
        if self.0.last().is_none_or(|&(_, last)| last != value) {
            self.0.push((start, value));
        }
    }

    /// Paints prefixes (address, length, value); where they nest, the longest counts.
    pub(super) fn from_prefixes(mut prefixes: Vec<(A, u8, u32)>) -> Self {
        prefixes.sort_unstable_by_key(|&(start, len, _)| (start, len));
        let mut painted = Self::empty();
        // The prefixes around the current place, outermost first, each with the address where it ends.
        let mut around: Vec<(Option<A>, u32)> = Vec::new();
        for (start, len, value) in prefixes {
            painted.close(&mut around, Some(start));
            painted.push(start, value);
            around.push((start.after(len), value));
        }
        painted.close(&mut around, None);
        painted
    }

    /// Ends the prefixes that do not reach `until`, innermost first, and returns to what lies around them.
    fn close(&mut self, around: &mut Vec<(Option<A>, u32)>, until: Option<A>) {
        while let Some(&(Some(end), _)) = around.last() {
            if until.is_some_and(|until| end > until) {
                return;
            }
            around.pop();
            self.push(end, around.last().map_or(NOTHING, |&(_, value)| value));
        }
    }

    /// The same runs with other values.
    pub(super) fn map<E>(&self, mut change: impl FnMut(u32) -> Result<u32, E>) -> Result<Self, E> {
        let mut changed = Self(Vec::with_capacity(self.0.len()));
        for &(start, value) in &self.0 {
            changed.push(start, change(value)?);
        }
        Ok(changed)
    }

    /// Lays one space over another: `merge` is asked for every pair of values that meet.
    pub(super) fn zip<E>(&self, other: &Self, mut merge: impl FnMut(u32, u32) -> Result<u32, E>) -> Result<Self, E> {
        let (mut left, mut right) = (self.0.iter().copied().peekable(), other.0.iter().copied().peekable());
        let (mut a, mut b) = (NOTHING, NOTHING);
        let mut merged = Self(Vec::with_capacity(self.0.len() + other.0.len()));
        loop {
            let start = match (left.peek(), right.peek()) {
                (Some(&(l, _)), Some(&(r, _))) => l.min(r),
                (Some(&(start, _)), None) | (None, Some(&(start, _))) => start,
                (None, None) => return Ok(merged),
            };
            a = left.next_if(|&(at, _)| at == start).map_or(a, |(_, value)| value);
            b = right.next_if(|&(at, _)| at == start).map_or(b, |(_, value)| value);
            merged.push(start, merge(a, b)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_at(segments: &Segments<u32>, address: u32) -> u32 {
        let index = segments.runs().partition_point(|&(start, _)| start <= address);
        segments.runs()[index - 1].1
    }

    #[test]
    fn nested_prefixes_give_way_to_the_longest_and_come_back_after_it() {
        let segments = Segments::from_prefixes(vec![
            (0x0a00_0000u32, 8, 1),
            (0x0a01_0000, 16, 2),
            (0x0a01_ff00, 24, 3),
            (0xff00_0000, 8, 4),
            (0xffff_ffff, 32, 5),
        ]);
        let expected = [
            (0, NOTHING),
            (0x0a00_0000, 1),
            (0x0a01_0000, 2),
            (0x0a01_ff00, 3),
            (0x0a02_0000, 1),
            (0x0b00_0000, NOTHING),
            (0xff00_0000, 4),
            (0xffff_ffff, 5),
        ];
        assert_eq!(segments.runs(), expected);
    }

    #[test]
    fn a_prefix_over_the_whole_space_has_no_end() {
        assert_eq!(Segments::from_prefixes(vec![(0u32, 0, 7)]).runs(), [(0, 7)]);
        assert_eq!(Segments::from_prefixes(vec![(0u128, 0, 7), (0, 128, 8)]).runs(), [(0, 8), (1, 7)]);
        assert_eq!(0u128.after(0), None);
        assert_eq!(u128::MAX.after(128), None);
    }

    #[test]
    fn laying_over_asks_for_every_pair() {
        let base = Segments::from_prefixes(vec![(0u32, 1, 1), (0x8000_0000, 1, 2)]);
        let top = Segments::from_prefixes(vec![(0x7fff_ff00u32, 24, 9), (0x8000_0000, 32, 9)]);
        let over = base.zip(&top, |b, t| Ok::<_, ()>(if t == NOTHING { b } else { t })).unwrap();
        assert_eq!(over.runs(), [(0, 1), (0x7fff_ff00, 9), (0x8000_0001, 2)]);
        assert_eq!(value_at(&over, u32::MAX), 2);
    }
}
