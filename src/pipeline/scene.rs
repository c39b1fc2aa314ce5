//! One event set into the world: its tenant, data, actor, storage; and from the plan of its legs the legs themselves.
//!
//! Nothing is guessed here. What the event, the databases and the operator's maps do not say stays unknown, and the
//! rules decide what that means.

use std::cell::{Cell, RefCell};

use super::storage::{self, Stated};
use super::world::World;
use crate::dingtalk::codes;
use crate::dingtalk::legs::{self, End, Movement, Plan};
use crate::domain::estate::Space;
use crate::domain::event::{Counterpart, Event, Id};
use crate::domain::flow::{Case, FlowKind, Leg, Recipient};
use crate::domain::party::{Categories, Contact, PartyId, TenantId};
use crate::domain::place::{Confidence, Doubt, Location, Method, Place, SourceId};
use crate::geo::HostMemo;

/// An event in its world.
pub struct Scene<'e, 'a> {
    world: &'e World,
    event: &'e Event<'a>,
    tenant: TenantId,
    configured: bool,
    /// What the operator's map says of the space, then of the knowledge base: the nearer statement counts.
    mapped: [Option<(&'e Id<'a>, &'e Space)>; 2],
    owner: Cell<Option<Owner>>,
    staff: Cell<Option<Option<Staff>>>,
    actor: Cell<Option<Location>>,
    storage: Cell<Option<Location>>,
    /// What was found for hosts before.
    hosts: Option<&'e RefCell<HostMemo>>,
}

/// Whose file it is. The audit log covers what the tenant's members do in all organisations that they belong to, and its
/// rows name the one that owns the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The tenant's own organisation; also where the event does not say.
    Tenant,
    /// Another organisation of the directory.
    Party(PartyId),
    /// Another organisation, or a tenant that is not configured.
    Unknown,
}

/// Whose staff somebody is and where, as the directory says.
type Staff = (PartyId, Option<Place>);

/// Where a leg ends and who receives it.
type Arrival = (Location, Recipient);

/// What was found before, or what `find` finds now.
#[inline(always)]
fn once<T: Copy>(kept: &Cell<Option<T>>, find: impl FnOnce() -> T) -> T {
    kept.get().unwrap_or_else(|| {
        let found = find();
        kept.set(Some(found));
        found
    })
}

impl<'e, 'a> Scene<'e, 'a> {
    /// Sets the event into the world.
    #[inline(always)]
    pub fn new(world: &'e World, event: &'e Event<'a>) -> Self {
        let estate = &world.estate;
        let listed = |id: &'e Option<Id<'a>>| id.as_ref().and_then(|id| Some((id, estate.space(id)?)));
        let mapped = [listed(&event.space), listed(&event.workspace)];
        let (tenant, configured) = world.tenant(event.tenant.as_deref());
        let (owner, staff, actor, storage) = (Cell::new(None), Cell::new(None), Cell::new(None), Cell::new(None));
        Self { world, event, tenant, configured, mapped, owner, staff, actor, storage, hosts: None }
    }

    /// Whether the file belongs to another organisation than the tenant's own, by what the event says.
    pub fn is_foreign(&self) -> bool {
        self.configured && self.owner() != Owner::Tenant
    }

    fn owner(&self) -> Owner {
        once(&self.owner, || self.find_owner())
    }

    fn find_owner(&self) -> Owner {
        let tenant = self.world.policy.tenant(self.tenant);
        match self.event.org.as_deref() {
            _ if !self.configured => Owner::Unknown,
            None => Owner::Tenant,
            Some(name) if name == tenant.name => Owner::Tenant,
            Some(name) => self.world.estate.organisation(name).map_or(Owner::Unknown, |contact| {
                let own = contact.party == tenant.entity || tenant.members.contains(&contact.party);
                if own { Owner::Tenant } else { Owner::Party(contact.party) }
            }),
        }
    }

    /// The same with what was found for hosts before.
    #[must_use]
    #[inline(always)]
    pub fn with_hosts(mut self, hosts: &'e RefCell<HostMemo>) -> Self {
        self.hosts = Some(hosts);
        self
    }

    #[inline]
    fn host(&self, host_or_url: &str) -> Option<Location> {
        match self.hosts {
            Some(memo) => self.world.geo.host_with(&mut memo.borrow_mut(), host_or_url),
            None => self.world.geo.host(host_or_url),
        }
    }

    /// The same with the actor at a place that was found in another way than by the address field.
    #[must_use]
    pub fn with_actor_at(mut self, place: Location) -> Self {
        self.actor = Cell::new(Some(place));
        self
    }

    /// What the rules need beside a leg. Name patterns are only asked where data may end outside Hong Kong.
    #[inline]
    pub fn case(&self, legs: &[Leg]) -> Case {
        let tenant = self.world.policy.tenant(self.tenant);
        let stays = |place: &Location| place.doubt.is_none() && place.candidates.sole().is_some_and(Place::is_hk);
        let leaves = legs.iter().any(|leg| !stays(&leg.destination));
        let name = self.event.resource.as_ref().filter(|_| leaves);
        Case {
            tenant: self.tenant,
            exporter: self.exporter(),
            item: self.stated(|space| space.item).unwrap_or(tenant.item),
            suggested: name.map_or(Categories::NONE, |name| self.world.patterns.suggest(name.reveal())),
            at: self.event.time.unwrap_or(0),
        }
    }

    /// The data user that controls the data.
    #[inline]
    pub fn exporter(&self) -> PartyId {
        self.stated(|space| space.entity).unwrap_or(self.world.policy.tenant(self.tenant).entity)
    }

    /// The nearest statement of the operator's map.
    #[inline]
    fn stated<T>(&self, ask: impl Fn(&'e Space) -> Option<T>) -> Option<T> {
        self.mapped.iter().flatten().find_map(|(_, space)| ask(space))
    }

    /// Calls `each` for every leg of the event, in the order of the plan.
    #[inline]
    pub fn legs(&self, each: &mut impl FnMut(Leg)) -> Movement {
        legs::plan(self.event, &mut |plan| self.expand(&plan, each))
    }

    /// A grant to the whole organisation is a grant to each entity that has staff in the tenant.
    fn expand(&self, plan: &Plan<'_, '_>, each: &mut impl FnMut(Leg)) {
        let tenant = self.world.policy.tenant(self.tenant);
        match plan.destination {
            End::Organisation => match self.owner() {
                // who has staff in an organisation that is not configured is not known
                Owner::Unknown => self.emit(plan, stranger(), each),
                Owner::Party(party) => self.emit(plan, self.registered(party), each),
                Owner::Tenant if tenant.members.is_empty() => self.emit(plan, self.registered(tenant.entity), each),
                Owner::Tenant => {
                    tenant.members.iter().for_each(|member| self.emit(plan, self.registered(*member), each));
                }
            },
            End::Actor => self.leg(plan, &self.actor_place(), self.actor_party(), each),
            End::Storage | End::PreviousStorage => self.leg(plan, &self.storage_place(), self.operator(), each),
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

    fn emit(&self, plan: &Plan<'_, '_>, (destination, recipient): Arrival, each: &mut impl FnMut(Leg)) {
        self.leg(plan, &destination, recipient, each);
    }

    #[inline]
    fn leg(&self, plan: &Plan<'_, '_>, destination: &Location, recipient: Recipient, each: &mut impl FnMut(Leg)) {
        let origin = match plan.origin {
            End::Actor => self.actor_place(),
            End::Storage => self.storage_place(),
            End::PreviousStorage => self.previous_storage(),
            End::Counterpart(_) | End::Organisation | End::App(_) | End::World | End::Unknown => {
                Location::unknown(Doubt::Missing)
            }
        };
        each(Leg { kind: plan.kind, preview: plan.preview, origin, destination: *destination, recipient });
    }

    /// The leg that a standing arrangement is: from the data user to the storage.
    pub fn standing_leg(&self) -> Leg {
        let (origin, _) = self.registered(self.exporter());
        let (kind, destination, recipient) = (FlowKind::StoreAtRest, self.storage_place(), self.operator());
        Leg { kind, preview: false, origin, destination, recipient }
    }

    /// Where the actor is, by the address field.
    #[inline]
    pub fn actor_place(&self) -> Location {
        once(&self.actor, || self.find_actor())
    }

    /// A roaming SIM or an office's way out makes people elsewhere look as if they were in Hong Kong. So where the directory
    /// has somebody elsewhere, a database that says Hong Kong settles nothing; a range that the operator has placed does.
    fn find_actor(&self) -> Location {
        let found = self.address_place();
        self.contradiction(&found).map_or(found, |home| storage::either(found, home))
    }

    fn address_place(&self) -> Location {
        self.world.geo.address(self.event.address.as_ref().map(|address| address.reveal().as_ref()))
    }

    /// Where the directory has the actor, if a database says Hong Kong and the directory does not.
    fn contradiction(&self, found: &Location) -> Option<Location> {
        let in_hk = found.method == Method::Ip && found.doubt.is_none();
        let in_hk = in_hk && found.candidates.sole().is_some_and(Place::is_hk);
        let home = in_hk.then(|| self.home()).flatten().filter(|home| !home.is_hk());
        home.map(|home| in_directory(Some(home)))
    }

    /// Whether the directory has the actor elsewhere than the address.
    pub fn is_contradicted(&self) -> bool {
        self.contradiction(&self.address_place()).is_some()
    }

    /// Where the directory has the actor.
    fn home(&self) -> Option<Place> {
        self.actor_in_directory()?.1
    }

    /// Whose staff the actor is and where, as the directory says.
    fn actor_in_directory(&self) -> Option<Staff> {
        once(&self.staff, || {
            let contact = self.staff(self.event.actor.user_id.as_ref()?.reveal())?;
            Some((contact.party, self.world.policy.place_of(contact)))
        })
    }

    /// Whose staff the actor is: as the directory says; else the tenant's entity if it is the only one with staff in the
    /// tenant. An address never makes somebody the staff of a company.
    pub fn actor_party(&self) -> Recipient {
        let tenant = self.world.policy.tenant(self.tenant);
        match self.actor_in_directory() {
            Some((party, _)) => Recipient::Party(party),
            None if self.configured && tenant.members.len() <= 1 => Recipient::Party(tenant.entity),
            None => Recipient::Stranger,
        }
    }

    /// Where the file is stored: by what the event says, else by the operator's maps, from the nearest to the widest. Parts
    /// of the event that name different countries or territories are all possible.
    #[inline]
    pub fn storage_place(&self) -> Location {
        once(&self.storage, || self.find_storage())
    }

    /// What the event says of the storage comes first. Where it says only that the data are elsewhere than usual, what is
    /// usual does not stand in for it. The document's own address is that of a front end as a rule: it may contradict, and
    /// never establishes anything.
    fn find_storage(&self) -> Location {
        let geo = &self.world.geo;
        let found = match storage::stated(geo, |host| self.host(host), &self.event.storage) {
            Stated::Place(location) => location,
            Stated::Elsewhere => Location::unknown(Doubt::Unlisted),
            Stated::Nothing(vague) => self.usual_storage().unwrap_or_else(|| self.no_storage(vague)),
        };
        let document = self.event.url.as_deref().and_then(|url| self.host(url)).filter(|it| it.doubt.is_none());
        document.map_or(found, |document| storage::either(found, document))
    }

    /// By the operator's map, else by the tenant's default.
    fn usual_storage(&self) -> Option<Location> {
        self.stated(mapped).or_else(|| self.tenant_storage())
    }

    /// Where a moved file came from. A row names another origin only for moves between knowledge bases.
    fn previous_storage(&self) -> Location {
        let Some(previous) = &self.event.previous_workspace else { return self.storage_place() };
        let in_map = self.world.estate.space(previous).and_then(mapped);
        in_map.or_else(|| self.tenant_storage()).unwrap_or_else(|| self.no_storage(None))
    }

    /// The tenant's default. It says nothing about files of another organisation.
    fn tenant_storage(&self) -> Option<Location> {
        self.world.policy.tenant(self.tenant).location().filter(|_| self.owner() == Owner::Tenant)
    }

    /// Why the place is not known: whose it is, else what is vague about the event's own words.
    fn no_storage(&self, vague: Option<Location>) -> Location {
        let foreign = self.is_foreign();
        let missing = Location::unknown(if foreign { Doubt::OtherOrganisation } else { Doubt::Missing });
        vague.filter(|_| !foreign).unwrap_or(missing)
    }

    /// Who gets what is stored: the operator of the storage, or the other organisation whose space it is.
    fn operator(&self) -> Recipient {
        let usual = match self.owner() {
            Owner::Tenant => self.world.policy.tenant(self.tenant).storage_operator,
            Owner::Party(party) => Some(party),
            Owner::Unknown => None,
        };
        self.stated(|space| space.operator).or(usual).map_or(Recipient::Stranger, Recipient::Party)
    }

    /// People choose their own display names: beside an id that the directory does not know, a name is no proof that its
    /// bearer is in Hong Kong. Neither is a mail address in place of a name, nor the name of a group, a drive or a document,
    /// which anybody may share in.
    fn counterpart(&self, person: &Counterpart<'_>) -> Arrival {
        let estate = &self.world.estate;
        let id = person.id.as_ref().map(|id| id.reveal());
        let name = person.name.as_ref().map(|name| name.reveal().as_ref());
        let known = id.and_then(|id| self.staff(id).or_else(|| mail_of(id).and_then(|mail| estate.mailbox(mail))));
        let by_name = || name.and_then(|name| estate.contact(None, Some(name)));
        let by_mail = || name.and_then(|name| estate.mailbox(name));
        let named = id.is_none() && names_somebody(person);
        let (contact, proven) = match known {
            Some(contact) => (contact, true),
            None => match by_name().map(|contact| (contact, named)).or_else(|| Some((by_mail()?, false))) {
                Some(found) => found,
                None => return stranger(),
            },
        };
        let place = self.world.policy.place_of(contact);
        let unproven = !proven && place.is_some_and(Place::is_hk);
        if unproven { stranger() } else { (in_directory(place), Recipient::Party(contact.party)) }
    }

    /// Somebody by id. Ids are those of a tenant's staff, so they mean nobody in a tenant that is not configured.
    #[inline]
    fn staff<'s>(&'s self, id: &Id<'s>) -> Option<&'s Contact> {
        self.world.estate.contact(Some(id), None).filter(|_| self.configured)
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

    /// The tenant, if it is configured.
    #[inline]
    pub fn watched(&self) -> Option<TenantId> {
        self.configured.then_some(self.tenant)
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// As [`Self::storage_statement`], for the knowledge base that a file was moved from.
    pub fn previous_statement(&self) -> Option<(&'e Id<'a>, &'e str)> {
        let id = self.event.previous_workspace.as_ref()?;
        Some((id, self.world.estate.space(id)?.storage.as_ref()?.1.as_str()))
    }

    /// The space or knowledge base by which the operator's map places the storage, with its evidence reference.
    pub fn storage_statement(&self) -> Option<(&'e Id<'a>, &'e str)> {
        let stated = |(id, space): &(&'e Id<'a>, &'e Space)| Some((*id, space.storage.as_ref()?.1.as_str()));
        self.mapped.iter().flatten().find_map(stated)
    }
}

/// Whether the name is that of a person or an organisation, as far as the event says what it is the name of.
fn names_somebody(person: &Counterpart<'_>) -> bool {
    person.kind.is_none_or(|kind| match person.member {
        true => codes::NAMED_MEMBERS.contains(&kind),
        false => kind == codes::ONE_TO_ONE,
    })
}

/// The space's entry in the operator's map as a location.
fn mapped(space: &Space) -> Option<Location> {
    let (place, _) = space.storage.as_ref()?;
    Some(Location::at(*place, Method::Space, Confidence::High, SourceId::NONE))
}

/// An id that is written as text, as a mail address is.
fn mail_of<'s>(id: &'s Id<'_>) -> Option<&'s str> {
    match id {
        Id::Text(text) => Some(text),
        Id::Number(_) => None,
    }
}

fn in_directory(place: Option<Place>) -> Location {
    place.map_or(Location::unknown(Doubt::Missing), |place| {
        Location::at(place, Method::Directory, Confidence::High, SourceId::NONE)
    })
}

fn stranger() -> Arrival {
    (Location::unknown(Doubt::Stranger), Recipient::Stranger)
}
