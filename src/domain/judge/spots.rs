//! Which places a leg is judged for: the candidates of its location, or stand-ins for "anywhere", and where a place is
//! known too coarsely for a rule, the places that it may be.
//!
//! Never picks the likeliest place, and never lets a doubtful one stand alone.

use super::Matter;
use crate::domain::flow::Recipient;
use crate::domain::place::{Candidates, Confidence, Country, District, Location, Method, Place};
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
                let coarse = Some(GUANGDONG);
                let supposing = "the city that the address suggests is not relied on";
                judge(Spot { entry: coarse, contract: coarse, supposing, ..spot });
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
        if !self.policy.index.asks_districts() && !self.item.under_gba_contract {
            return judge(stated);
        }
        let guangdong_only = stated.place == Some(GUANGDONG);
        let elsewhere = Place::In(Country::CN, District::OtherProvince);
        let districts = self.policy.index.districts().iter().filter(|place| !guangdong_only || **place != elsewhere);
        let mut bars = districts.clone().map(|place| self.bars(Spot::of(Some(*place)), &mut Silent).rule.is_some());
        let first = bars.next();
        let settled = bars.all(|barred| Some(barred) == first);
        for place in districts {
            let supposed = Spot::of(Some(*place));
            let contract = if settled { stated.contract } else { supposed.contract };
            judge(Spot { contract, supposing: "the district is not stated; each is possible", ..supposed });
        }
    }

    /// Mainland city data of address databases are weak: such a city creates no match, and a contradiction by it within
    /// Guangdong settles nothing.
    fn by_address(&self) -> bool {
        self.leg.destination.method == Method::Ip && !self.policy.safeguards.is_empty()
    }
}

/// The candidates that may be relied on. A place that stands alone although the location is doubtful, or bears no weight,
/// is no better than none.
fn usable(location: &Location) -> Candidates {
    let mut places = location.candidates.iter();
    let first = places.next();
    let alone = places.all(|place| Some(place) == first);
    let doubtful = location.doubt.is_some() || location.confidence == Confidence::None;
    if first.is_none() || alone && doubtful { Candidates::Anywhere } else { location.candidates }
}
