//! What several databases say about one address, and what is made of it. A disagreement is never settled in favour of one
//! of them: all places are kept and the confidence says so.

use std::collections::HashMap;

use super::error::GeoError;
use super::source::{Source, Sources, Statement};
use crate::domain::place::{Candidates, Confidence, District, Doubt, Location, Method, Place, SourceId};

/// Databases that can be asked at once: as many as an answer can hold alternatives.
pub(super) const MOST: usize = Candidates::MOST;

/// What each database says; `None`: nothing.
pub(super) type Opinion = [Option<Place>; MOST];

/// The distinct opinions that occur. Number 0 is the empty one.
pub(super) struct Opinions {
    list: Vec<Opinion>,
    numbers: HashMap<Opinion, u32>,
}

impl Opinions {
    pub(super) fn new() -> Self {
        Self { list: vec![[None; MOST]], numbers: HashMap::from([([None; MOST], 0)]) }
    }

    /// The number of opinion `number` with the word of one more database.
    pub(super) fn with(&mut self, number: u32, database: usize, place: Option<Place>) -> u32 {
        let mut opinion = self.get(number);
        opinion[database] = place;
        let list = &mut self.list;
        *self.numbers.entry(opinion).or_insert_with(|| {
            list.push(opinion);
            list.len() as u32 - 1
        })
    }

    pub(super) fn get(&self, number: u32) -> Opinion {
        self.list[number as usize]
    }
}

/// Turns opinions into locations and keeps one statement for each group of databases.
pub(super) struct Judges {
    statements: Vec<Statement>,
    groups: HashMap<u8, SourceId>,
}

impl Judges {
    pub(super) fn new(statements: Vec<Statement>) -> Self {
        Self { statements, groups: HashMap::new() }
    }

    /// The location that an opinion comes to: nothing known; one place, of medium weight, or low if it goes below the
    /// country (districts from addresses are weak evidence, most of all in Mainland China); several places, low.
    pub(super) fn settle(&mut self, opinion: Opinion, sources: &mut Sources) -> Result<Location, GeoError> {
        let places = distinct(opinion);
        let Some(&first) = places.first() else { return Ok(Location::unknown(Doubt::Unlisted)) };
        let source = self.group(opinion, sources)?;
        let coarse = matches!(first, Place::In(_, District::Unstated));
        let (confidence, doubt) = match places.len() {
            1 if coarse => (Confidence::Medium, None),
            1 => (Confidence::Low, None),
            _ => (Confidence::Low, Some(Doubt::Conflict)),
        };
        let candidates = places[1..].iter().fold(Candidates::one(first), |set, place| set.with(*place));
        Ok(Location { candidates, method: Method::Ip, confidence, doubt, source })
    }

    fn group(&mut self, opinion: Opinion, sources: &mut Sources) -> Result<SourceId, GeoError> {
        let spoke = |index: usize| opinion.get(index).is_some_and(Option::is_some);
        let mask = (0..MOST).filter(|index| spoke(*index)).fold(0u8, |mask, index| mask | 1 << index);
        if let Some(id) = self.groups.get(&mask) {
            return Ok(*id);
        }
        let spoken = self.statements.iter().enumerate().filter(|(index, _)| spoke(*index));
        let id = sources.add(Source::Databases(spoken.map(|(_, statement)| statement.clone()).collect()))?;
        self.groups.insert(mask, id);
        Ok(id)
    }
}

/// The places of an opinion, each once; a coarser word for the same place agrees with a finer one.
fn distinct(opinion: Opinion) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::with_capacity(MOST);
    for place in opinion.into_iter().flatten() {
        match places.iter_mut().find_map(|known| finer(*known, place).map(|both| (known, both))) {
            Some((known, both)) => *known = both,
            None => places.push(place),
        }
    }
    places
}

/// The finer of two places if one contains the other as far as their words go.
fn finer(one: Place, other: Place) -> Option<Place> {
    if one == other {
        return Some(one);
    }
    match (one, other) {
        (Place::In(a, District::Unstated), Place::In(b, _)) if a == b => Some(other),
        (Place::In(a, _), Place::In(b, District::Unstated)) if a == b => Some(one),
        (Place::In(a, District::Guangdong), Place::In(b, district)) if a == b && is_city(district) => Some(other),
        (Place::In(a, district), Place::In(b, District::Guangdong)) if a == b && is_city(district) => Some(one),
        (Place::In(..) | Place::World, Place::In(..) | Place::World) => None,
    }
}

fn is_city(district: District) -> bool {
    matches!(district, District::Gba(_) | District::GuangdongOutsideGba)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::{Country, GbaCity};

    fn settle(places: &[Option<Place>]) -> (Vec<String>, Confidence, Option<Doubt>) {
        let mut opinion = [None; MOST];
        opinion[..places.len()].copy_from_slice(places);
        let statement = |name: &str| Statement { name: name.to_owned(), built: 0, digest: String::new() };
        let mut judges = Judges::new(["a", "b", "c", "d"].map(statement).to_vec());
        let location = judges.settle(opinion, &mut Sources::new()).unwrap();
        (location.candidates.iter().map(|place| place.to_string()).collect(), location.confidence, location.doubt)
    }

    const CN: Place = Place::country(Country::CN);
    const GD: Place = Place::In(Country::CN, District::Guangdong);
    const SZ: Place = Place::In(Country::CN, District::Gba(GbaCity::Shenzhen));

    #[test]
    fn agreement_is_one_place_and_disagreement_keeps_all() {
        let hk = Some(Place::HK);
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(settle(&[hk]), (text(&["HK"]), Confidence::Medium, None));
        assert_eq!(settle(&[hk, hk, None]), (text(&["HK"]), Confidence::Medium, None));
        assert_eq!(settle(&[None, hk]), (text(&["HK"]), Confidence::Medium, None));
        assert_eq!(settle(&[hk, Some(CN)]), (text(&["HK", "CN"]), Confidence::Low, Some(Doubt::Conflict)));
        assert_eq!(settle(&[None]), (text(&[]), Confidence::None, Some(Doubt::Unlisted)));
    }

    #[test]
    fn a_coarser_word_agrees_and_the_finer_one_has_low_weight() {
        let shenzhen = (vec!["CN (Shenzhen, Guangdong)".to_owned()], Confidence::Low, None);
        assert_eq!(settle(&[Some(CN), Some(SZ), Some(GD)]), shenzhen);
        assert_eq!(settle(&[Some(SZ), Some(GD), Some(CN)]), shenzhen);
        let other = Place::In(Country::CN, District::OtherProvince);
        assert_eq!(settle(&[Some(GD), Some(other)]).2, Some(Doubt::Conflict));
        assert_eq!(settle(&[Some(Place::HK), Some(CN), Some(SZ)]).0, ["HK", "CN (Shenzhen, Guangdong)"]);
    }
}
