//! OCSF 1.8.0, class 2006 Data Security Finding: the canonical form for a SIEM.
//!
//! A finding is told once as Create and then as Update with its totals. `finding_info.uid` is the finding, `metadata.uid`
//! the notice: a repetition has both the same. OCSF has no place for evidence in this class, so the link to the evidence
//! log is in `finding_info.tags` and `unmapped.harbourwatch`.

mod shape;

use serde_json::Value;

use super::{Context, json, terms, utc};
use crate::deliver::{Field, Notice, Step, View};
use crate::domain::flow::FlowKind;
use crate::domain::verdict::Severity;
use shape::{
    Actor, Analytic, DataSecurity, Endpoint, Event, File, FindingInfo, Location, Metadata, Observable, Own, Policy,
    Product, RelatedEvent, Tag, Unmapped, User,
};

/// Version of the schema that events follow.
pub const VERSION: &str = "1.8.0";

/// Profiles that events follow.
pub const PROFILES: [&str; 3] = ["security_control", "datetime", "data_classification"];

const CLASS: u32 = 2006;

/// One event, one line, without line end.
pub fn event(notice: &Notice, context: &Context) -> String {
    json::line(&Builder { notice, view: &notice.view, context }.event())
}

struct Builder<'a> {
    notice: &'a Notice,
    view: &'a View,
    context: &'a Context,
}

impl<'a> Builder<'a> {
    fn event(&self) -> Event<'a> {
        let (activity_id, activity_name) = self.activity();
        let (severity_id, severity) = severity(terms::severity(self.view));
        let (confidence_id, confidence) = self.confidence();
        let (src_endpoint, dst_endpoint) = self.endpoints();
        let (actor, file) = (self.actor(), self.file());
        let observables = observables(&actor, &src_endpoint, &dst_endpoint, file.as_ref());
        let (status_id, status) = match self.notice.step {
            Step::Created | Step::Updated | Step::Repeated => (1, "New"),
            Step::Acknowledged => (2, "In Progress"),
        };
        let time = if activity_id == 1 { self.number(Field::Made) } else { self.number(Field::Changed) };
        Event {
            activity_id,
            activity_name,
            category_uid: CLASS / 1_000,
            category_name: "Findings",
            class_uid: CLASS,
            class_name: "Data Security Finding",
            type_uid: CLASS * 100 + u32::from(activity_id),
            type_name: format!("Data Security Finding: {activity_name}"),
            severity_id,
            severity,
            status_id,
            status,
            time,
            time_dt: utc(time),
            start_time: self.number(Field::First),
            start_time_dt: utc(self.number(Field::First)),
            end_time: self.number(Field::Last),
            end_time_dt: utc(self.number(Field::Last)),
            timezone_offset: 480,
            message: terms::headline(self.notice),
            count: self.number(Field::Count),
            is_alert: true,
            action_id: 3,
            action: "Observed",
            disposition_id: 15,
            disposition: "Detected",
            confidence_id,
            confidence,
            risk_level_id: severity_id - 1,
            risk_level: if severity_id == 1 { "Info" } else { severity },
            metadata: self.metadata(),
            finding_info: self.finding_info(),
            data_security: self.data_security(),
            policy: self.policy(),
            actor,
            src_endpoint,
            dst_endpoint,
            file,
            observables,
            unmapped: Unmapped { harbourwatch: self.own() },
        }
    }

    fn activity(&self) -> (u8, &'static str) {
        match self.notice.step {
            Step::Created => (1, "Create"),
            Step::Updated | Step::Repeated | Step::Acknowledged => (2, "Update"),
        }
    }

    fn confidence(&self) -> (u8, &'static str) {
        match terms::confidence(self.view) {
            3 => (3, "High"),
            2 => (2, "Medium"),
            _ => (1, "Low"),
        }
    }

    fn number(&self, field: Field) -> i64 {
        self.view.number(field).unwrap_or(0)
    }

    fn text(&self, field: Field) -> &'a str {
        self.view.text(field)
    }

    fn metadata(&self) -> Metadata<'a> {
        let mut labels = vec![format!("audience:{}", self.view.audience().name())];
        if self.notice.test {
            labels.push("test".to_owned());
        }
        Metadata {
            version: VERSION,
            profiles: PROFILES,
            uid: &self.notice.id,
            correlation_uid: self.text(Field::Series),
            event_code: self.text(Field::Rule),
            log_name: &self.context.log,
            log_provider: "DingTalk audit",
            logged_time: self.number(Field::Made),
            logged_time_dt: utc(self.number(Field::Made)),
            sequence: self.number(Field::Revision),
            tenant_uid: self.text(Field::Tenant),
            labels,
            product: Product {
                name: "harbourwatch",
                uid: "harbourwatch",
                vendor_name: "The harbourwatch authors",
                version: env!("CARGO_PKG_VERSION"),
                lang: "en",
            },
        }
    }

    fn finding_info(&self) -> FindingInfo<'a> {
        let record = self.text(Field::Record);
        let related_events = if record.is_empty() {
            Vec::new()
        } else {
            let first = self.number(Field::First);
            vec![RelatedEvent {
                uid: record,
                r#type: "Evidence record",
                created_time: first,
                created_time_dt: utc(first),
            }]
        };
        FindingInfo {
            uid: self.text(Field::Id),
            title: terms::headline(self.notice),
            types: ["Cross-border data flow"],
            created_time: self.number(Field::Made),
            created_time_dt: utc(self.number(Field::Made)),
            modified_time: self.number(Field::Changed),
            modified_time_dt: utc(self.number(Field::Changed)),
            first_seen_time: self.number(Field::First),
            first_seen_time_dt: utc(self.number(Field::First)),
            last_seen_time: self.number(Field::Last),
            last_seen_time_dt: utc(self.number(Field::Last)),
            data_sources: ["DingTalk audit"],
            analytic: Analytic {
                name: format!("harbourwatch rule {}", self.text(Field::Rule)),
                uid: self.text(Field::Rule),
                version: env!("CARGO_PKG_VERSION"),
                type_id: 1,
                r#type: "Rule",
            },
            related_events,
            related_events_count: self.number(Field::Count),
            src_url: self.context.link_to(self.text(Field::Id)),
            tags: self.tags(),
        }
    }

    fn tags(&self) -> Vec<Tag> {
        let flow = || Some(format!("{}>{}", country(self.text(Field::Origin)), country(self.text(Field::Destination))));
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut tags = vec![
            Tag::one("verdict", self.text(Field::Verdict).to_owned()),
            Tag::one("flow", self.view.get(Field::Origin).and_then(|_| flow()).unwrap_or_default()),
            Tag::one("flow_kind", self.text(Field::Kind).to_owned()),
            Tag::many("in_force", list(terms::in_force(self.view))),
            Tag::many("recommended_practice", list(terms::recommended(self.view))),
            Tag::many("remark", list(&self.view.list(Field::Tags))),
        ];
        if !self.text(Field::Record).is_empty() {
            tags.push(Tag::one("evidence", self.context.evidence(self.text(Field::Record))));
        }
        tags.retain(Tag::is_filled);
        tags
    }

    fn data_security(&self) -> DataSecurity<'a> {
        let resting = FlowKind::parse(self.text(Field::Kind)).is_some_and(FlowKind::is_standing);
        let (data_lifecycle_state_id, data_lifecycle_state) =
            if resting { (1, "Data at-Rest") } else { (2, "Data in-Transit") };
        DataSecurity {
            category_id: 1,
            category: "Personal",
            data_lifecycle_state_id,
            data_lifecycle_state,
            detection_system_id: 10,
            detection_system: "Application-Level DLP",
            policy: self.policy(),
        }
    }

    fn policy(&self) -> Policy<'a> {
        let own = self.text(Field::PolicyRule);
        Policy {
            name: "Hong Kong cross-border transfer policy",
            uid: if own.is_empty() { self.text(Field::Rule) } else { own },
            is_applied: true,
        }
    }

    fn actor(&self) -> Actor<'a> {
        let (uid, name) = (self.text(Field::ActorId), self.text(Field::ActorName));
        let is_known = !uid.is_empty() || !name.is_empty();
        Actor {
            app_name: "DingTalk",
            app_uid: "dingtalk",
            user: is_known.then_some(User { uid, name, type_id: 1, r#type: "User" }),
        }
    }

    /// The actor's address belongs to the end that was found by it.
    fn endpoints(&self) -> (Endpoint<'a>, Endpoint<'a>) {
        let ip = valid_ip(self.text(Field::Address));
        let ip_of = |method| ip.filter(|_| terms::is_by_address(self.view, method));
        let recipient = self.text(Field::Recipient);
        let source = Endpoint {
            name: "origin",
            uid: "",
            ip: ip_of(Field::OriginMethod),
            svc_name: "DingTalk",
            location: self.location(Field::Origin, Field::OriginMethod),
        };
        let destination = Endpoint {
            name: "destination",
            uid: recipient,
            ip: ip_of(Field::DestinationMethod),
            svc_name: "DingTalk",
            location: self.location(Field::Destination, Field::DestinationMethod),
        };
        (source, destination)
    }

    fn location(&self, place: Field, method: Field) -> Option<Location<'a>> {
        let desc = self.text(place);
        Some(Location { country: terms::country(desc)?, desc, provider: self.text(method) })
    }

    fn file(&self) -> Option<File<'a>> {
        let name = self.text(Field::Resource);
        let ext = crate::deliver::pseudonym::extension(name);
        (!name.is_empty()).then_some(File { name, ext, type_id: 1, r#type: "Regular File" })
    }

    fn own(&self) -> Own<'a> {
        let fact = |field| self.view.get(field).filter(|value| !is_void(value));
        Own {
            evidence: self.context.evidence(self.text(Field::Record)),
            binding: fact(Field::Binding),
            bulk: fact(Field::Bulk),
            preview: fact(Field::Preview),
            bytes: fact(Field::Bytes),
            origin: fact(Field::Origin),
            origin_source: fact(Field::OriginSource),
            destination: fact(Field::Destination),
            destination_source: fact(Field::DestinationSource),
            recipient_role: fact(Field::RecipientRole),
            possible: fact(Field::Possible),
            safeguard: fact(Field::Safeguard),
            failed_condition: fact(Field::FailedCondition),
            policy_rule: fact(Field::PolicyRule),
            categories: fact(Field::Categories),
            item: fact(Field::Item),
            subjects: fact(Field::Subjects),
        }
    }
}

fn is_void(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty)
}

fn country(place: &str) -> &str {
    terms::country(place).unwrap_or("ZZ")
}

fn valid_ip(text: &str) -> Option<&str> {
    text.parse::<std::net::IpAddr>().is_ok().then_some(text)
}

fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// Each is named by the path where its value stands in the event.
fn observables<'a>(
    actor: &Actor<'a>,
    source: &Endpoint<'a>,
    destination: &Endpoint<'a>,
    file: Option<&File<'a>>,
) -> Vec<Observable<'a>> {
    let user = actor.user.as_ref();
    let all = [
        ("src_endpoint.ip", 2, "IP Address", source.ip),
        ("dst_endpoint.ip", 2, "IP Address", destination.ip),
        ("src_endpoint.location.country", 14, "Country", source.location.as_ref().map(|at| at.country)),
        ("dst_endpoint.location.country", 14, "Country", destination.location.as_ref().map(|at| at.country)),
        ("actor.user.uid", 31, "User Object: uid", user.map(|user| user.uid)),
        ("actor.user.name", 4, "User Name", user.map(|user| user.name)),
        ("file.name", 7, "File Name", file.map(|file| file.name)),
    ];
    let observable = |(name, type_id, r#type, value): (_, _, _, Option<&'a str>)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(Observable { name, type_id, r#type, value })
    };
    all.into_iter().filter_map(observable).collect()
}
