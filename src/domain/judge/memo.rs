//! Decisions kept by what the rules can see: any number of rules and safeguards costs a look-up.
//!
//! A key holds every fact of a leg and its case that [`Policy::judge`] reads. Of the time this is the day in Hong Kong, and
//! no more: a safeguard begins, ends, is filed or falls due between two days, never within one, so that a decision holds
//! exactly as long as it may. Which statement a place rests on no rule asks, so it is no part of a key.
//!
//! A memo never outlives the generation of the policy that it was filled by, is bounded, and allocates where a decision is
//! new. It decides nothing: what it does not hold, the rules say.

use super::super::calendar::day_of;
use super::super::flow::{Case, Leg, Recipient};
use super::super::map::Map;
use super::super::place::{Candidates, District, Location, Place};
use super::super::policy::Policy;
use super::super::trace::Silent;
use super::super::verdict::Decision;

/// Sets of four keys; the one that was added last comes first. 1 MB in all, of which work touches what it needs: a
/// decision that had to go costs a walk over the register, which grows with the number of its entries.
const SETS: usize = 1 << 12;

/// Keys in a set.
const WAYS: usize = 4;

/// Different decisions that are kept. When there are more, all are forgotten.
const MOST_DECISIONS: usize = SETS * WAYS;

/// Everything that the rules can see.
type Key = [u64; 7];

/// The key of nothing: a leg's key names its kind by a number from 1 on.
const NOTHING: Key = [0; 7];

/// One line of the cache: what is fetched from memory for a leg.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Kept {
    key: Key,
    /// Index of its decision.
    decision: u32,
}

const _: () = assert!(size_of::<Kept>() == 64, "one line of the cache");

/// Decisions of one generation.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    generation: u64,
    sets: Vec<[Kept; WAYS]>,
    /// Each once: there are far fewer than keys.
    decisions: Vec<Decision>,
    /// Where each stands.
    places: Map<Decision, u32>,
}

impl Memo {
    /// To be called before judging by a policy: forgets the decisions of any other. No two policies may have the same
    /// number.
    pub fn enter(&mut self, generation: u64) {
        if self.generation != generation || self.sets.is_empty() {
            self.generation = generation;
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.sets.clear();
        self.sets.resize(SETS, [Kept { key: NOTHING, decision: 0 }; WAYS]);
        self.decisions.clear();
        self.places.clear();
    }

    /// Judges one leg, exactly as [`Policy::judge`] does.
    #[inline]
    pub fn judge(&mut self, policy: &Policy, leg: &Leg, case: &Case) -> Decision {
        let key = key(leg, case);
        let at = hash(&key) as usize % SETS;
        let kept = self.sets.get(at).and_then(|set| set.iter().find(|kept| is_same(&kept.key, &key)));
        match kept.and_then(|kept| self.decisions.get(kept.decision as usize)) {
            Some(decision) => *decision,
            None => self.ask(at, policy, leg, case),
        }
    }

    #[cold]
    fn ask(&mut self, at: usize, policy: &Policy, leg: &Leg, case: &Case) -> Decision {
        let decision = policy.judge(leg, case, &mut Silent);
        let place = self.place(decision);
        if let Some(set) = self.sets.get_mut(at) {
            set.copy_within(..WAYS - 1, 1);
            set[0] = Kept { key: key(leg, case), decision: place };
        }
        decision
    }

    /// Where a decision stands, which is added if it is new.
    fn place(&mut self, decision: Decision) -> u32 {
        if let Some(place) = self.places.get(&decision) {
            return *place;
        }
        if self.decisions.len() == MOST_DECISIONS {
            self.forget();
        }
        let place = self.decisions.len() as u32;
        self.decisions.push(decision);
        self.places.insert(decision, place);
        place
    }
}

/// Whether two keys are equal: number by number, for together they would be read from memory to which the second was just
/// written in parts, and the processor would wait for it.
#[inline(always)]
fn is_same([a, b, c, d, e, f, g]: &Key, other: &Key) -> bool {
    let [h, i, j, k, l, m, n] = other;
    a == h && b == i && c == j && d == k && e == l && f == m && g == n
}

/// The facts of a leg and its case as numbers. No two that the rules could tell apart have the same.
#[inline(always)]
fn key(leg: &Leg, case: &Case) -> Key {
    // taken apart without rest, so that a fact that is added must find its place here
    let Leg { kind, preview, origin, destination, recipient } = leg;
    let Case { tenant, exporter, item, suggested, at } = case;
    let ([from, or_from], from_ground) = location(origin);
    let ([to, or_to], to_ground) = location(destination);
    let act = (*kind as u64 + 1) << 48 | u64::from(*preview) << 56;
    let parties = receiver(*recipient) | u64::from(tenant.0) << 24 | u64::from(exporter.0) << 40;
    let data = u64::from(item.0) | u64::from(suggested.bits()) << 16 | u64::from(day_of(*at).cast_unsigned()) << 32;
    [from, or_from, to, or_to, from_ground | to_ground << 24 | act, parties, data]
}

/// The places, and in 24 bits the ground for them.
#[inline(always)]
fn location(location: &Location) -> ([u64; 2], u64) {
    let Location { candidates, method, confidence, doubt, source: _ } = location;
    let places = match candidates {
        Candidates::Anywhere => [u64::MAX; 2],
        Candidates::Among([first, second, third, fourth]) => {
            [place(*first) | place(*second) << 32, place(*third) | place(*fourth) << 32]
        }
    };
    let doubt = doubt.map_or(0, |doubt| doubt as u64 + 1);
    (places, *method as u64 | (*confidence as u64) << 8 | doubt << 16)
}

/// 32 bits, never all of them set.
#[inline]
fn place(place: Option<Place>) -> u64 {
    let (country, district) = match place {
        None => return 0,
        Some(Place::World) => return 1,
        Some(Place::In(country, district)) => (country.letters(), district),
    };
    let district = match district {
        District::Unstated => 0,
        District::Guangdong => 1,
        District::GuangdongOutsideGba => 2,
        District::OtherProvince => 3,
        District::Gba(city) => 4 + city as u64,
    };
    u64::from(u16::from_le_bytes(country)) << 16 | district << 8 | 2
}

/// 24 bits.
#[inline]
fn receiver(recipient: Recipient) -> u64 {
    match recipient {
        Recipient::Stranger => 0,
        Recipient::Public => 1,
        Recipient::Party(party) => u64::from(party.0) << 8 | 2,
    }
}

#[inline]
fn hash(key: &Key) -> u64 {
    const ODD: [u64; 8] = [
        0x9e37_79b9_7f4a_7c15,
        0xbf58_476d_1ce4_e5b9,
        0x94d0_49bb_1331_11eb,
        0xd6e8_feb8_6659_fd93,
        0xa076_1d64_78bd_642f,
        0xe703_7ed1_a0b4_28db,
        0x8ebc_6af0_9c88_c6e3,
        0x5899_65cc_7537_4cc3,
    ];
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let [a, b, c, d, e, f, g] = *key;
    let mixed = fold(a ^ ODD[0], c ^ ODD[1]) ^ fold(b ^ ODD[2], d ^ ODD[3]) ^ fold(e ^ ODD[4], f ^ ODD[5]);
    fold(mixed ^ g.wrapping_mul(ODD[7]), ODD[6])
}
