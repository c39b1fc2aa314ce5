//! Legs and places as records, verdict lines and explanations show them: one JSON shape for all three.

use std::borrow::Cow;

use compact_str::CompactString;
use serde::{Serialize, Serializer};

use super::json;
use super::scene::Scene;
use super::shown::Shown;
use super::work::Judged;
use super::world::World;
use crate::domain::event::Id;
use crate::domain::flow::{FlowKind, Recipient};
use crate::domain::party::{Role, Tie};
use crate::domain::place::{Candidates, Location, Method, Place, SourceId};
use crate::domain::verdict::{Decision, PolicyRule, Tag, Tags, Verdict, Verdicts};

/// A location.
#[derive(Debug, Serialize)]
pub struct PlaceView<'w> {
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
    #[serde(skip_serializing_if = "str::is_empty")]
    pub source: Cow<'w, str>,
}

impl PlaceView<'_> {
    /// For people: `CN (Shenzhen, Guangdong)`, `HK or CN`, `unknown (opaque)`.
    pub fn words(&self) -> CompactString {
        let mut words = CompactString::default();
        match self.places {
            Candidates::Anywhere => {
                ["unknown (", self.doubt.unwrap_or("missing"), ")"].into_iter().for_each(|part| words.push_str(part));
            }
            Candidates::Among(_) => {
                for place in self.places.iter() {
                    words.push_str(if words.is_empty() { "" } else { " or " });
                    place.parts().into_iter().for_each(|part| words.push_str(part));
                }
            }
        }
        words
    }

    /// The code as text.
    pub fn code(&self) -> &str {
        code_of(&self.code)
    }

    /// Writes it as JSON.
    fn write<const KEY: usize>(&self, out: &mut Vec<u8>, key: &[u8; KEY]) {
        out.extend_from_slice(key);
        out.extend_from_slice(b"{\"places\":");
        json::list(out, self.places.iter(), |out, place| {
            out.push(b'"');
            place.parts().into_iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
            out.push(b'"');
        });
        json::word(out, b",\"code\":", self.code());
        json::word(out, b",\"method\":", self.method);
        json::word(out, b",\"confidence\":", self.confidence);
        if let Some(doubt) = self.doubt {
            json::word(out, b",\"doubt\":", doubt);
        }
        if !self.source.is_empty() {
            json::text(out, b",\"source\":", &self.source);
        }
        out.push(b'}');
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
    pub origin: PlaceView<'w>,
    /// Where it ends.
    pub destination: PlaceView<'w>,
    /// Who receives.
    pub recipient: RecipientView<'w>,
    /// What was decided.
    #[serde(flatten)]
    pub decision: DecisionView<'w>,
    /// The finding that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<CompactString>,
}

impl LegView<'_> {
    /// Writes it as JSON: the bytes that serde would write, in a fraction of the time.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        json::word(out, b"{\"kind\":", self.kind);
        if self.preview {
            out.extend_from_slice(b",\"preview\":true");
        }
        self.origin.write(out, b",\"origin\":");
        self.destination.write(out, b",\"destination\":");
        json::text(out, b",\"recipient\":{\"party\":", self.recipient.party);
        json::text(out, b",\"name\":", self.recipient.name);
        json::word(out, b",\"role\":", self.recipient.role);
        json::word(out, b",\"tie\":", self.recipient.tie);
        out.push(b'}');
        self.decision.write(out);
        if let Some(finding) = &self.finding {
            json::word(out, b",\"finding\":", finding);
        }
        out.push(b'}');
    }
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
    #[serde(skip_serializing_if = "are_none", serialize_with = "verdicts")]
    pub possible: Verdicts,
    /// Remarks.
    #[serde(skip_serializing_if = "is_silent", serialize_with = "tags")]
    pub tags: Tags,
    /// Whether a provision that binds today fails.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub binding: bool,
}

impl DecisionView<'_> {
    /// Writes its members, which are the leg's.
    fn write(&self, out: &mut Vec<u8>) {
        json::word(out, b",\"verdict\":", self.verdict);
        json::word(out, b",\"rule\":", self.rule);
        json::word(out, b",\"severity\":", self.severity);
        if let Some(safeguard) = self.safeguard {
            json::text(out, b",\"safeguard\":", safeguard);
        }
        if let Some(failed) = self.failed {
            json::word(out, b",\"failed\":", failed);
        }
        if let Some(rule) = self.policy_rule {
            json::text(out, b",\"policy_rule\":", rule);
        }
        if !self.possible.is_empty() {
            json::words(out, b",\"possible\":", self.possible.iter().map(Verdict::name));
        }
        if !self.tags.is_empty() {
            json::words(out, b",\"tags\":", self.tags.iter().map(Tag::name));
        }
        if self.binding {
            out.extend_from_slice(b",\"binding\":true");
        }
    }
}

fn are_none(verdicts: &Verdicts) -> bool {
    verdicts.is_empty()
}

fn verdicts<S: Serializer>(verdicts: &Verdicts, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(verdicts.iter().map(Verdict::name))
}

fn is_silent(tags: &Tags) -> bool {
    tags.is_empty()
}

fn tags<S: Serializer>(tags: &Tags, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tags.iter().map(Tag::name))
}

/// Shows a leg.
pub fn leg<'w>(world: &'w World, scene: &Scene<'_, '_>, judged: &Judged) -> LegView<'w> {
    let Judged { leg, decision } = judged;
    let moved = scene.previous_statement().filter(|_| leg.kind == FlowKind::Sync);
    let space = scene.storage_statement();
    LegView {
        kind: leg.kind.name(),
        preview: leg.preview,
        origin: place(world, scene, moved.or(space), &leg.origin),
        destination: place(world, scene, space, &leg.destination),
        recipient: recipient(world, leg.recipient, scene.exporter()),
        decision: decided(world, decision),
        finding: None,
    }
}

/// A space and the evidence reference of its place.
type Statement<'s> = Option<(&'s Id<'s>, &'s str)>;

fn place<'w>(world: &'w World, scene: &Scene<'_, '_>, space: Statement<'_>, location: &Location) -> PlaceView<'w> {
    PlaceView {
        places: location.candidates,
        code: location.candidates.sole(),
        method: location.method.name(),
        confidence: location.confidence.name(),
        doubt: location.doubt.map(crate::domain::place::Doubt::name),
        source: source(world, scene, space, location),
    }
}

fn source<'w>(world: &'w World, scene: &Scene<'_, '_>, space: Statement<'_>, location: &Location) -> Cow<'w, str> {
    let tenant = world.policy.tenant(scene.tenant());
    let stated = world.geo.source_text(location.source);
    match location.method {
        Method::Space => space.map_or_else(String::new, |(id, stated)| format!("space {id}: {stated}")).into(),
        Method::Tenant => ["tenant setting: ", stated_by(tenant.storage.as_ref())].concat().into(),
        Method::Directory => "directory".into(),
        Method::Catalogue => "app catalogue".into(),
        Method::Link => "public link".into(),
        _ if location.source == SourceId::NONE => "".into(),
        // an address field with several places has each from the database
        Method::Ip if scene.is_contradicted() => [stated, "; the directory has them elsewhere"].concat().into(),
        Method::Ip | Method::Site | Method::Host | Method::Region | Method::Bucket | Method::None => stated.into(),
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
        possible: decision.possible,
        tags: decision.tags,
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
