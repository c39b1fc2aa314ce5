//! Random numbers that are the same on every machine and in every version: xoshiro256++, seeded by SplitMix64 (Blackman and
//! Vigna, "Scrambled Linear Pseudorandom Number Generators", 2019). Not for secrets.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Rng([u64; 4]);

/// Items with weights.
pub(super) struct Weighted<T: 'static> {
    items: &'static [(u32, T)],
    total: u32,
}

impl<T> Weighted<T> {
    /// The sum of the weights must be above 0.
    pub(super) const fn new(items: &'static [(u32, T)]) -> Self {
        let (mut total, mut at) = (0, 0);
        while at < items.len() {
            total += items[at].0;
            at += 1;
        }
        assert!(total > 0, "no weight at all");
        Self { items, total }
    }

    /// One of the items.
    pub(super) fn pick(&self, rng: &mut Rng) -> &'static T {
        let mut left = rng.below(self.total);
        let mut at = 0;
        while left >= self.items[at].0 {
            left -= self.items[at].0;
            at += 1;
        }
        &self.items[at].1
    }
}

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| split_mix(&mut state)))
    }

    pub(super) fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let next = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        next
    }

    /// From 0 up to but not including `bound`; 0 if that is 0.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        // the shift leaves 32 bits
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// True so many times in a million.
    pub(super) fn chance(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < per_million
    }

    /// One of the items; the list must not be empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(u32::try_from(items.len()).unwrap_or(u32::MAX)) as usize]
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_values_come_out() {
        // SplitMix64 with seed 1234567, as listed with the reference implementation
        let mut state = 1_234_567;
        let listed = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(std::array::from_fn(|_| split_mix(&mut state)), listed);
        // xoshiro256++ from the state 1, 2, 3, 4, as listed with rand_xoshiro
        let mut rng = Rng([1, 2, 3, 4]);
        assert_eq!([rng.next(), rng.next(), rng.next()], [41_943_041, 58_720_359, 3_588_806_011_781_223]);
    }

    #[test]
    fn weights_are_kept() {
        static THREE: Weighted<char> = Weighted::new(&[(1, 'a'), (0, 'b'), (3, 'c')]);
        let mut rng = Rng::new(7);
        let drawn: String = (0..4000).map(|_| THREE.pick(&mut rng)).collect();
        let count = |letter| drawn.matches(letter).count();
        assert_eq!(count('b'), 0);
        assert!((900..1100).contains(&count('a')), "{}", count('a'));
    }
}
