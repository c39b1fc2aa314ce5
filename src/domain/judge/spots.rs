//! Which places a leg is judged for: the candidates of its location, or stand-ins for "anywhere", and where a place is
//! known too coarsely for a rule, the places that it may be.
//!
//! Never picks the likeliest place, and never lets a doubtful one stand alone.

use super::Matter;
use crate::domain::flow::Recipient;
use crate::domain::place::{Candidates, Confidence, Country, District, Doubt, Location, Method, Place};
use crate::domain::trace::Silent;

/// A destination as supposed for one evaluation. `None` is a place that no rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// Where the leg ends.
    pub(super) place: Option<Place>,
    /// What the areas of a register entry are held against.
    pub(super) entry: Option<Place>,
    /// What a GBA Standard Contract is held against: it asks for a contradiction only, so a coarse place may stay coarse.
    pub(super) contract: Option<Place>,
    /// Whether Macao counts as outside the GBA for data received under the GBA Standard Contract.
    pub(super) macao_barred: bool,
    /// What is supposed, in words.
    pub(super) supposing: &'static str,
}

impl Spot {
    fn of(place: Option<Place>) -> Self {
        Self { place, entry: place, contract: place, macao_barred: true, supposing: "" }
    }
}

const GUANGDONG: Place = Place::In(Country::CN, District::Guangdong);
const ELSEWHERE: Place = Place::In(Country::CN, District::OtherProvince);

impl Matter<'_> {
    /// Calls `judge` for every place where the leg may start. For "anywhere", three stand for all: Hong Kong, Mainland
    /// China, elsewhere; no rule asks more of an origin.
    pub(super) fn each_origin(&self, judge: &mut dyn FnMut(Option<Place>)) {
        match usable(&self.leg.origin) {
            Candidates::Anywhere => {
                [Some(Place::HK), Some(Place::country(Country::CN)), None].into_iter().for_each(judge);
            }
            among @ Candidates::Among(_) => among.iter().map(Some).for_each(judge),
        }
    }

    /// Calls `judge` for every destination to be supposed.
    pub(super) fn each_spot(&self, judge: &mut dyn FnMut(Spot)) {
        if self.leg.recipient == Recipient::Public {
            return judge(Spot::of(Some(Place::World)));
        }
        match usable(&self.leg.destination) {
            Candidates::Anywhere => self.each_stand_in(judge),
            among @ Candidates::Among(_) => among.iter().for_each(|place| self.each_reading(place, judge)),
        }
    }

    fn each_stand_in(&self, judge: &mut dyn FnMut(Spot)) {
        let index = &self.policy.index;
        self.each_reading(Place::HK, judge);
        for place in index.named().iter().chain(index.districts()) {
            self.each_reading(*place, judge);
        }
        judge(Spot::of(None));
    }

    /// One known place may need several evaluations, all of them possible.
    fn each_reading(&self, place: Place, judge: &mut dyn FnMut(Spot)) {
        let spot = Spot::of(Some(place));
        match place {
            Place::In(Country::CN, District::Unstated) => self.each_district(spot, judge),
            Place::In(Country::CN, District::Guangdong) => self.each_district(spot, judge),
            Place::In(Country::CN, District::Gba(_) | District::GuangdongOutsideGba) if self.by_address() => {
                judge(Spot { supposing: "the city that the address suggests is right", ..spot });
                self.each_other_city(spot, judge);
            }
            Place::In(Country::MO, _) if self.item.under_gba_contract => {
                judge(Spot { supposing: "the GBA Standard Contract bars handing on to Macao", ..spot });
                let supposing = "the GBA Standard Contract does not bar handing on to Macao";
                judge(Spot { macao_barred: false, supposing, ..spot });
            }
            Place::In(..) | Place::World => judge(spot),
        }
    }

    /// Takes a place in Mainland China apart. A coarse place contradicts no GBA Standard Contract, unless what is barred
    /// turns on the district: then each district is supposed with all that follows from it.
    fn each_district(&self, stated: Spot, judge: &mut dyn FnMut(Spot)) {
        if !self.asks_districts() {
            return judge(stated);
        }
        let guangdong_only = stated.place == Some(GUANGDONG);
        let districts = || self.districts().filter(|place| !guangdong_only || *place != ELSEWHERE);
        let mut bars = districts().map(|place| self.barred(place));
        let first = bars.next();
        let settled = bars.all(|barred| Some(barred) == first);
        for place in districts() {
            let supposed = Spot::of(Some(place));
            let contract = if settled { stated.contract } else { supposed.contract };
            judge(Spot { contract, supposing: "the district is not stated; each is possible", ..supposed });
        }
    }

    /// What else a city of Guangdong may be that only an address suggests. No entry is held against it; and where another
    /// district of Guangdong would be barred, each is supposed. That a party registered in the nine cities has an
    /// address there puts it in one of the nine.
    fn each_other_city(&self, suggested: Spot, judge: &mut dyn FnMut(Spot)) {
        let nine = |place: Option<Place>| matches!(place, Some(Place::In(Country::CN, District::Gba(_))));
        let among_nine = nine(suggested.place) && nine(self.seat());
        let coarse = Some(GUANGDONG);
        let supposing = "the city that the address suggests is not relied on";
        let spot = |place| Spot { entry: coarse, contract: coarse, supposing, ..Spot::of(place) };
        judge(spot(suggested.place));
        let others = || self.districts().filter(|place| *place != ELSEWHERE && (!among_nine || nine(Some(*place))));
        let open = self.asks_districts() && suggested.place.is_some_and(|place| !self.barred(place));
        if open && others().any(|place| self.barred(place)) {
            others().for_each(|place| judge(spot(Some(place))));
        }
    }

    fn asks_districts(&self) -> bool {
        self.policy.index.asks_districts() || self.item.under_gba_contract
    }

    fn districts(&self) -> impl Iterator<Item = Place> {
        self.policy.index.districts().iter().copied()
    }

    fn barred(&self, place: Place) -> bool {
        self.bars(Spot::of(Some(place)), &mut Silent).rule.is_some()
    }

    /// Where the recipient is registered, if that is known.
    fn seat(&self) -> Option<Place> {
        match self.leg.recipient {
            Recipient::Party(id) => self.policy.party(id).registered,
            Recipient::Stranger | Recipient::Public => None,
        }
    }

    /// Mainland city data of address databases are weak: such a city creates no match and lifts no bar, and a
    /// contradiction by it within Guangdong settles nothing.
    fn by_address(&self) -> bool {
        let asked = !self.policy.safeguards.is_empty() || self.asks_districts();
        self.leg.destination.method == Method::Ip && asked
    }
}

/// The candidates that may be relied on. Several sources that name different places are taken at their word; under any
/// other doubt, or without weight, places are no better than none, and so is a place that stands alone under any doubt.
fn usable(location: &Location) -> Candidates {
    let mut places = location.candidates.iter();
    let first = places.next();
    let alone = places.all(|place| Some(place) == first);
    let reliable = match location.doubt {
        None => location.confidence != Confidence::None,
        Some(Doubt::Conflict) => !alone,
        Some(
            Doubt::Missing
            | Doubt::Unreadable
            | Doubt::Private
            | Doubt::Opaque
            | Doubt::Unlisted
            | Doubt::NoRegion
            | Doubt::Stranger
            | Doubt::OtherOrganisation,
        ) => false,
    };
    if first.is_none() || !reliable { Candidates::Anywhere } else { location.candidates }
}
