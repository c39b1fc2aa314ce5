//! Legs and places as records, verdict lines and explanations show them: one JSON shape for all three.

use serde::{Serialize, Serializer};

use super::scene::Scene;
use super::shown::Shown;
use super::work::Judged;
use super::world::World;
use crate::domain::event::Id;
use crate::domain::flow::{FlowKind, Recipient};
use crate::domain::party::{Role, Tie};
use crate::domain::place::{Candidates, Location, Method, Place, SourceId};
use crate::domain::verdict::{Decision, PolicyRule};

/// A location.
#[derive(Debug, Serialize)]
pub struct PlaceView {
    /// The possible places, for people; empty when any is possible.
    #[serde(serialize_with = "places")]
    pub places: Candidates,
    /// ISO code when there is only one, `WORLD` for a public link, `ZZ` when not known.
    #[serde(serialize_with = "code")]
    pub code: Option<Place>,
    /// How it was found.
    pub method: &'static str,
    /// How much weight it bears.
    pub confidence: &'static str,
    /// Why it is not a plain single place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<&'static str>,
    /// Which database and build, site or setting said it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

impl PlaceView {
    /// For people: `CN (Shenzhen, Guangdong)`, `HK or CN`, `unknown (opaque)`.
    pub fn words(&self) -> String {
        match self.places {
            Candidates::Anywhere => format!("unknown ({})", self.doubt.unwrap_or("missing")),
            Candidates::Among(_) => {
                let places: Vec<String> = self.places.iter().map(|place| place.to_string()).collect();
                places.join(" or ")
            }
        }
    }

    /// The code as text.
    pub fn code(&self) -> &str {
        code_of(&self.code)
    }
}

fn places<S: Serializer>(places: &Candidates, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(places.iter().map(Shown))
}

fn code<S: Serializer>(place: &Option<Place>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code_of(place))
}

fn code_of(place: &Option<Place>) -> &str {
    place.as_ref().map_or("ZZ", Place::code)
}

/// A leg with its decision.
#[derive(Debug, Serialize)]
pub struct LegView<'w> {
    /// Flow kind.
    pub kind: &'static str,
    /// Only looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
    /// Where it starts.
    pub origin: PlaceView,
    /// Where it ends.
    pub destination: PlaceView,
    /// Who receives.
    pub recipient: RecipientView<'w>,
    /// What was decided.
    #[serde(flatten)]
    pub decision: DecisionView<'w>,
    /// The finding that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

/// A recipient.
#[derive(Debug, Serialize)]
pub struct RecipientView<'w> {
    /// Party's key, `stranger` or `public`.
    pub party: &'w str,
    /// Name for people.
    pub name: &'w str,
    /// `processor`, `data user`, `unknown`, `public`.
    pub role: &'static str,
    /// `same entity`, `own`, `group`, `external`.
    pub tie: &'static str,
}

/// A decision.
#[derive(Debug, Serialize)]
pub struct DecisionView<'w> {
    /// Verdict.
    pub verdict: &'static str,
    /// Rule that gave it.
    pub rule: &'static str,
    /// Severity.
    pub severity: &'static str,
    /// Safeguard that covers or names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safeguard: Option<&'w str>,
    /// Condition that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<&'static str>,
    /// Organisation's own rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_rule: Option<&'w str>,
    /// What is possible, when undetermined.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub possible: Vec<&'static str>,
    /// Remarks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<&'static str>,
    /// Whether a provision that binds today fails.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub binding: bool,
}

/// Shows a leg.
pub fn leg<'w>(world: &'w World, scene: &Scene<'_, '_>, judged: &Judged) -> LegView<'w> {
    let Judged { leg, decision } = judged;
    let moved = scene.previous_statement().filter(|_| leg.kind == FlowKind::Sync);
    let space = scene.storage_statement();
    let exporter = scene.case(&[]).exporter;
    LegView {
        kind: leg.kind.name(),
        preview: leg.preview,
        origin: place(world, scene, moved.or(space), &leg.origin),
        destination: place(world, scene, space, &leg.destination),
        recipient: recipient(world, leg.recipient, exporter),
        decision: decided(world, decision),
        finding: None,
    }
}

/// A space and the evidence reference of its place.
type Statement<'s> = Option<(&'s Id<'s>, &'s str)>;

fn place(world: &World, scene: &Scene<'_, '_>, space: Statement<'_>, location: &Location) -> PlaceView {
    PlaceView {
        places: location.candidates,
        code: location.candidates.sole(),
        method: location.method.name(),
        confidence: location.confidence.name(),
        doubt: location.doubt.map(crate::domain::place::Doubt::name),
        source: source(world, scene, space, location),
    }
}

fn source(world: &World, scene: &Scene<'_, '_>, space: Statement<'_>, location: &Location) -> String {
    let tenant = world.policy.tenant(scene.tenant());
    match location.method {
        Method::Space => space.map_or_else(String::new, |(id, stated)| format!("space {id}: {stated}")),
        Method::Tenant => format!("tenant setting: {}", stated_by(tenant.storage.as_ref())),
        Method::Directory => "directory".to_owned(),
        Method::Catalogue => "app catalogue".to_owned(),
        Method::Link => "public link".to_owned(),
        _ if location.source == SourceId::NONE => String::new(),
        // an address field with several places has each from the database
        Method::Ip if scene.is_contradicted() => {
            format!("{}; the directory has them elsewhere", world.geo.source(location.source))
        }
        Method::Ip | Method::Site | Method::Host | Method::Region | Method::Bucket | Method::None => {
            world.geo.source(location.source).to_string()
        }
    }
}

fn stated_by(place: Option<&(Place, String)>) -> &str {
    place.map_or("", |(_, reference)| reference)
}

/// Party's key, `stranger` or `public`.
pub fn recipient_key(world: &World, recipient: Recipient) -> &str {
    match recipient {
        Recipient::Party(id) => &world.policy.party(id).id,
        Recipient::Stranger => "stranger",
        Recipient::Public => "public",
    }
}

fn recipient(world: &World, recipient: Recipient, exporter: crate::domain::party::PartyId) -> RecipientView<'_> {
    let id = match recipient {
        Recipient::Party(id) => id,
        Recipient::Stranger => {
            return RecipientView { party: "stranger", name: "not in the directory", role: "unknown", tie: "external" };
        }
        Recipient::Public => {
            return RecipientView { party: "public", name: "anyone with the link", role: "public", tie: "external" };
        }
    };
    let party = world.policy.party(id);
    let role = match party.role {
        Role::DataUser => "data user",
        Role::Processor => "processor",
        Role::Unknown => "unknown",
    };
    let tie = match party.tie {
        _ if id == exporter => "same entity",
        Tie::Own => "own",
        Tie::Group => "group",
        Tie::External => "external",
    };
    RecipientView { party: &party.id, name: &party.name, role, tie }
}

fn decided<'w>(world: &'w World, decision: &Decision) -> DecisionView<'w> {
    DecisionView {
        verdict: decision.verdict.name(),
        rule: decision.rule.name(),
        severity: decision.severity.name(),
        safeguard: decision.safeguard.map(|id| world.policy.safeguard(id).id.as_str()),
        failed: decision.failed.map(crate::domain::verdict::Condition::name),
        policy_rule: decision.policy_rule.map(|rule| policy_rule(world, rule)),
        possible: decision.possible.iter().map(crate::domain::verdict::Verdict::name).collect(),
        tags: decision.tags.iter().map(crate::domain::verdict::Tag::name).collect(),
        binding: decision.binding,
    }
}

/// The key of the organisation's own rule.
pub fn policy_rule(world: &World, rule: PolicyRule) -> &str {
    match rule {
        PolicyRule::Deny(index) => &world.policy.deny[usize::from(index)].id,
        PolicyRule::Residency(index) => &world.policy.residency[usize::from(index)].id,
        PolicyRule::GbaOnward => "gba_sc onward transfer",
    }
}
