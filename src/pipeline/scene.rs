//! One event set into the world: its tenant, data, actor, storage; and from the plan of its legs the legs themselves.
//!
//! Nothing is guessed here. What the event, the databases and the operator's maps do not say stays unknown, and the
//! rules decide what that means.

use std::cell::OnceCell;

use super::world::World;
use crate::dingtalk::legs::{self, End, Movement, Plan};
use crate::domain::estate::Space;
use crate::domain::event::{Counterpart, Event, Id};
use crate::domain::flow::{Case, Leg, Recipient};
use crate::domain::party::{Categories, PartyId, TenantId};
use crate::domain::place::{Confidence, Doubt, Location, Method, Place, SourceId};

/// An event in its world.
pub struct Scene<'e, 'a> {
    world: &'e World,
    event: &'e Event<'a>,
    tenant: TenantId,
    configured: bool,
    space: Option<&'e Space>,
    actor: OnceCell<Location>,
    storage: OnceCell<Location>,
}

/// Where a leg ends and who receives it.
type Arrival = (Location, Recipient);

impl<'e, 'a> Scene<'e, 'a> {
    /// Sets the event into the world.
    pub fn new(world: &'e World, event: &'e Event<'a>) -> Self {
        let estate = &world.estate;
        let listed = |id: Option<&Id<'a>>| id.and_then(|id| estate.space(id));
        let space = listed(event.space.as_ref()).or_else(|| listed(event.workspace.as_ref()));
        let (tenant, configured) = world.tenant(event.tenant.as_deref());
        Self { world, event, tenant, configured, space, actor: OnceCell::new(), storage: OnceCell::new() }
    }

    /// What the rules need beside a leg. Name patterns are only asked where data may end outside Hong Kong.
    pub fn case(&self, legs: &[Leg]) -> Case {
        let tenant = self.world.policy.tenant(self.tenant);
        let leaves = legs.iter().any(|leg| !leg.destination.candidates.sole().is_some_and(Place::is_hk));
        let name = self.event.resource.as_ref().filter(|_| leaves);
        Case {
            tenant: self.tenant,
            exporter: self.space.and_then(|space| space.entity).unwrap_or(tenant.entity),
            item: self.space.and_then(|space| space.item).unwrap_or(tenant.item),
            suggested: name.map_or(Categories::NONE, |name| self.world.patterns.suggest(name.reveal())),
            at: self.event.time.unwrap_or(0),
        }
    }

    /// Calls `each` for every leg of the event, in the order of the plan.
    pub fn legs(&self, each: &mut impl FnMut(Leg)) -> Movement {
        legs::plan(self.event, &mut |plan| self.expand(&plan, each))
    }

    /// A grant to the whole organisation is a grant to each entity that has staff in the tenant.
    fn expand(&self, plan: &Plan<'_, '_>, each: &mut impl FnMut(Leg)) {
        let tenant = self.world.policy.tenant(self.tenant);
        match plan.destination {
            End::Organisation if !self.configured => self.emit(plan, stranger(), each),
            End::Organisation if tenant.members.is_empty() => self.emit(plan, self.registered(tenant.entity), each),
            End::Organisation => {
                tenant.members.iter().for_each(|member| self.emit(plan, self.registered(*member), each));
            }
            End::Actor => self.emit(plan, (self.actor_place(), self.actor_party()), each),
            End::Storage | End::PreviousStorage => self.emit(plan, (self.storage_place(), self.operator()), each),
            End::Counterpart(person) => self.emit(plan, self.counterpart(person), each),
            End::App(app) => {
                let known = app.code.as_ref().and_then(|code| self.world.app(code));
                self.emit(plan, known.map_or_else(stranger, |id| self.operated(id)), each);
            }
            End::World => {
                let place = Location::at(Place::World, Method::Link, Confidence::High, SourceId::NONE);
                self.emit(plan, (place, Recipient::Public), each);
            }
            End::Unknown => self.emit(plan, stranger(), each),
        }
    }

    fn emit(&self, plan: &Plan<'_, '_>, arrival: Arrival, each: &mut impl FnMut(Leg)) {
        let (destination, recipient) = arrival;
        let origin = match plan.origin {
            End::Actor => self.actor_place(),
            End::Storage => self.storage_place(),
            End::PreviousStorage => self.previous_storage(),
            End::Counterpart(_) | End::Organisation | End::App(_) | End::World | End::Unknown => {
                Location::unknown(Doubt::Missing)
            }
        };
        each(Leg { kind: plan.kind, preview: plan.preview, origin, destination, recipient });
    }

    /// Where the actor is, by the address field.
    pub fn actor_place(&self) -> Location {
        let field = self.event.address.as_ref().map(|address| address.reveal().as_ref());
        *self.actor.get_or_init(|| self.world.geo.address(field))
    }

    /// Whose staff the actor is: as the directory says; else the tenant's entity if it is the only one with staff in the
    /// tenant. An address never makes somebody the staff of a company.
    pub fn actor_party(&self) -> Recipient {
        let actor = &self.event.actor;
        let id = actor.user_id.as_ref().map(|id| id.reveal());
        let known = id.and_then(|id| self.world.estate.contact(Some(id), None));
        let tenant = self.world.policy.tenant(self.tenant);
        match known {
            Some(contact) => Recipient::Party(contact.party),
            None if self.configured && tenant.members.len() <= 1 => Recipient::Party(tenant.entity),
            None => Recipient::Stranger,
        }
    }

    /// Where the file is stored: the first source that makes a claim, from the nearest to the widest.
    pub fn storage_place(&self) -> Location {
        *self.storage.get_or_init(|| self.find_storage())
    }

    fn find_storage(&self) -> Location {
        let (geo, storage) = (&self.world.geo, &self.event.storage);
        let claims = |location: &Location| location.doubt.is_none();
        let region = storage.region.as_deref().and_then(|region| geo.region(region));
        let host = || storage.host.as_deref().and_then(|host| geo.host(host));
        let bucket = || storage.bucket.as_deref().and_then(|bucket| geo.bucket(bucket));
        let in_map = || self.space.and_then(mapped);
        let settled = || self.tenant_storage();
        let found = region.filter(claims).or_else(|| host().filter(claims)).or_else(|| bucket().filter(claims));
        // a region that the tables do not know, named or in a storage host, says that the data are elsewhere than usual
        let named = storage.region.is_some() && region.is_none();
        if found.is_none() && (named || host().is_some_and(|host| host.doubt == Some(Doubt::Unlisted))) {
            return Location::unknown(Doubt::Unlisted);
        }
        let undecided = || region.or_else(host).unwrap_or(Location::unknown(Doubt::Missing));
        found.or_else(in_map).or_else(settled).unwrap_or_else(undecided)
    }

    /// Where a moved file came from. A row names another origin only for moves between knowledge bases.
    fn previous_storage(&self) -> Location {
        let Some(previous) = &self.event.previous_workspace else { return self.storage_place() };
        let in_map = self.world.estate.space(previous).and_then(mapped);
        in_map.or_else(|| self.tenant_storage()).unwrap_or(Location::unknown(Doubt::Missing))
    }

    /// The tenant's default. It says nothing about a tenant that is not configured.
    fn tenant_storage(&self) -> Option<Location> {
        self.world.policy.tenant(self.tenant).location().filter(|_| self.configured)
    }

    fn operator(&self) -> Recipient {
        let tenant = self.world.policy.tenant(self.tenant);
        let usual = tenant.storage_operator.filter(|_| self.configured);
        let operator = self.space.and_then(|space| space.operator).or(usual);
        operator.map_or(Recipient::Stranger, Recipient::Party)
    }

    fn counterpart(&self, person: &Counterpart<'_>) -> Arrival {
        let id = person.id.as_ref().map(|id| id.reveal());
        let name = person.name.as_ref().map(|name| name.reveal().as_ref());
        let Some(contact) = self.world.estate.contact(id, name) else { return stranger() };
        let place = self.world.policy.place_of(contact);
        (in_directory(place), Recipient::Party(contact.party))
    }

    fn operated(&self, app: crate::domain::party::AppId) -> Arrival {
        let app = self.world.policy.app(app);
        let place = app.place.or(self.world.policy.party(app.operator).registered);
        let location = place.map_or(Location::unknown(Doubt::Missing), |place| {
            Location::at(place, Method::Catalogue, Confidence::High, SourceId::NONE)
        });
        (location, Recipient::Party(app.operator))
    }

    fn registered(&self, party: PartyId) -> Arrival {
        (in_directory(self.world.policy.party(party).registered), Recipient::Party(party))
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The space's entry in the operator's map.
    pub fn space(&self) -> Option<&'e Space> {
        self.space
    }
}

/// The space's entry in the operator's map as a location.
fn mapped(space: &Space) -> Option<Location> {
    let (place, _) = space.storage.as_ref()?;
    Some(Location::at(*place, Method::Space, Confidence::High, SourceId::NONE))
}

fn in_directory(place: Option<Place>) -> Location {
    place.map_or(Location::unknown(Doubt::Missing), |place| {
        Location::at(place, Method::Directory, Confidence::High, SourceId::NONE)
    })
}

fn stranger() -> Arrival {
    (Location::unknown(Doubt::Stranger), Recipient::Stranger)
}
