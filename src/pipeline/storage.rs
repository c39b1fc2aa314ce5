//! What an event itself says about where its file is stored, as one location.
//!
//! All statements count: region, every host, bucket. Where they contradict each other, each place is possible; none is
//! picked for coming first. Knows nothing of the operator's maps.

use crate::domain::event::Storage;
use crate::domain::place::{Candidates, Confidence, Doubt, Location};
use crate::geo::Geo;

/// What the event says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stated {
    /// A place, or several that contradict each other.
    Place(Location),
    /// A region or host that no table knows: the data are elsewhere than usual.
    Elsewhere,
    /// Nothing; or something that names no region, such as an accelerated host.
    Nothing(Option<Location>),
}

/// Reads the statements; `find` tells the place of a host. A host that no table knows outweighs all others; a region that none knows gives way to a host that
/// is known, and so does the name of a bucket to both, as it is free text.
pub(super) fn stated(geo: &Geo, find: impl Fn(&str) -> Option<Location>, storage: &Storage<'_>) -> Stated {
    if storage.is_empty() {
        return Stated::Nothing(None);
    }
    let region = storage.region.as_deref().map(|region| geo.region(region).unwrap_or(UNLISTED));
    let bucket = storage.bucket.as_deref().and_then(|bucket| geo.bucket(bucket));
    let (mut claimed, mut vague) = (region.filter(is_place), region.filter(|it| !is_place(it)));
    for host in storage.hosts.iter() {
        match find(host) {
            None | Some(Location { doubt: Some(Doubt::Unlisted), .. }) => return Stated::Elsewhere,
            Some(host) if is_place(&host) => add(&mut claimed, &host),
            Some(host) => vague = vague.or(Some(host)),
        }
    }
    if let Some(bucket) = bucket.filter(is_place) {
        add(&mut claimed, &bucket);
    }
    match claimed {
        Some(location) => Stated::Place(location),
        None if vague.is_some_and(|it| it.doubt == Some(Doubt::Unlisted)) => Stated::Elsewhere,
        None => Stated::Nothing(vague),
    }
}

/// A region or host that is given and in no table.
const UNLISTED: Location = Location::unknown(Doubt::Unlisted);

/// Adds a statement to what was claimed before, which mostly says the same: then nothing is copied.
#[inline(always)]
fn add(claimed: &mut Option<Location>, other: &Location) {
    match claimed {
        None => *claimed = Some(*other),
        Some(earlier) if earlier.candidates == other.candidates => {}
        Some(earlier) => *earlier = either(*earlier, *other),
    }
}

fn is_place(location: &Location) -> bool {
    location.doubt.is_none()
}

/// What two statements about one storage come to. Nothing is added to what is not known.
pub(super) fn either(one: Location, other: Location) -> Location {
    if one.candidates == other.candidates || one.candidates == Candidates::Anywhere {
        return one;
    }
    let candidates = other.candidates.iter().fold(one.candidates, Candidates::with);
    Location { candidates, confidence: Confidence::Low, doubt: Some(Doubt::Conflict), ..one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::{Country, Method, Place, SourceId};

    fn at(place: Place) -> Location {
        Location::at(place, Method::Host, Confidence::High, SourceId::NONE)
    }

    #[test]
    fn parts_of_an_event_that_disagree_leave_every_place_possible() {
        let singapore = Place::country(Country::SG);
        let both = either(at(Place::HK), at(singapore));
        assert_eq!(both.candidates.iter().collect::<Vec<_>>(), [Place::HK, singapore]);
        assert_eq!((both.confidence, both.doubt), (Confidence::Low, Some(Doubt::Conflict)));
        assert_eq!(either(both, at(Place::HK)), both);
    }

    #[test]
    fn parts_of_an_event_that_agree_are_the_nearer_one() {
        assert_eq!(either(at(Place::HK), at(Place::HK)), at(Place::HK));
        let unlisted = either(UNLISTED, at(Place::HK));
        assert_eq!(unlisted, UNLISTED, "nothing is added to what is not known");
    }
}
