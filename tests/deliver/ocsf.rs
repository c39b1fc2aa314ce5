//! OCSF events against the JSON Schema of their class, and what that schema cannot say.

use std::sync::OnceLock;

use harbourwatch::deliver::render::ocsf;
use harbourwatch::deliver::{Audience, Notice, Step};
use harbourwatch::domain::verdict::Verdict;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::{context, notice};
use crate::support::findings::{finding, hostile, sample};
use crate::support::golden;

const SCHEMA: &[u8] = include_bytes!("../data/ocsf/data_security_finding.json.zst");

fn schema() -> &'static Validator {
    static SCHEMA_ONCE: OnceLock<Validator> = OnceLock::new();
    SCHEMA_ONCE.get_or_init(|| {
        let text = zstd::decode_all(SCHEMA).unwrap();
        jsonschema::validator_for(&serde_json::from_slice(&text).unwrap()).unwrap()
    })
}

/// Everything that is wrong with an event.
pub(crate) fn faults(event: &Value) -> Vec<String> {
    let mut faults: Vec<String> =
        schema().iter_errors(event).map(|error| format!("{error} at {}", error.instance_path())).collect();
    faults.extend(semantic_faults(event));
    faults
}

fn semantic_faults(event: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let number = |key: &str| event[key].as_i64().unwrap_or(-1);
    if number("type_uid") != number("class_uid") * 100 + number("activity_id") {
        faults.push("type_uid is not class and activity".into());
    }
    if number("category_uid") != number("class_uid") / 1_000 {
        faults.push("category_uid is not the class's".into());
    }
    let captions = [
        ("activity", "activity_id", &[(1, "Create"), (2, "Update"), (3, "Close")][..]),
        ("severity", "severity_id", &[(1, "Informational"), (2, "Low"), (3, "Medium"), (4, "High"), (5, "Critical")]),
        ("status", "status_id", &[(1, "New"), (2, "In Progress")]),
        ("confidence", "confidence_id", &[(1, "Low"), (2, "Medium"), (3, "High")]),
        ("risk_level", "risk_level_id", &[(0, "Info"), (1, "Low"), (2, "Medium"), (3, "High"), (4, "Critical")]),
    ];
    for (caption, id, known) in captions {
        let key = if caption == "activity" { "activity_name" } else { caption };
        if !known.contains(&(number(id), event[key].as_str().unwrap_or_default())) {
            faults.push(format!("{id} and {key} disagree"));
        }
    }
    for observable in event["observables"].as_array().into_iter().flatten() {
        let path = format!("/{}", observable["name"].as_str().unwrap_or_default().replace('.', "/"));
        if event.pointer(&path) != Some(&observable["value"]) {
            faults.push(format!("observable {path} has another value"));
        }
    }
    for key in ["time", "start_time", "end_time"] {
        let stamp = jiff::Timestamp::from_millisecond(number(key)).unwrap();
        let twin: jiff::Timestamp = event[format!("{key}_dt")].as_str().unwrap_or_default().parse().unwrap_or_default();
        if stamp != twin {
            faults.push(format!("{key} and its twin disagree"));
        }
    }
    faults
}

fn event(notice: &Notice) -> Value {
    serde_json::from_str(&ocsf::event(notice, &context())).unwrap()
}

#[test]
fn every_verdict_audience_and_step_is_valid() {
    for verdict in Verdict::ALL {
        for audience in Audience::ALL {
            for step in [Step::Created, Step::Updated, Step::Repeated, Step::Acknowledged] {
                let event = event(&Notice { step, ..notice(&sample(verdict), audience) });
                assert_eq!(faults(&event), Vec::<String>::new(), "{verdict:?} {audience:?} {step:?}");
            }
        }
    }
}

#[test]
fn hostile_values_are_valid_too() {
    let event = event(&notice(&hostile(), Audience::Officer));
    assert_eq!(faults(&event), Vec::<String>::new());
}

#[test]
fn the_events_are_these() {
    for audience in Audience::ALL {
        let event = ocsf::event(&notice(&finding(Verdict::Uncovered), audience), &context());
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&event).unwrap()).unwrap();
        golden(&format!("feeds/{}.ocsf.json", audience.name()), &format!("{pretty}\n"));
    }
}

#[test]
fn a_finding_is_one_and_its_notices_are_told_apart() {
    let mut later = finding(Verdict::Uncovered);
    let first = event(&notice(&later, Audience::Soc));
    (later.revision, later.count) = (later.revision + 1, later.count + 30);
    let second = event(&Notice { step: Step::Updated, ..notice(&later, Audience::Soc) });
    assert_eq!(first["finding_info"]["uid"], second["finding_info"]["uid"]);
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    assert_eq!((first["type_uid"].as_i64(), second["type_uid"].as_i64()), (Some(200_601), Some(200_602)));
    assert_eq!((first["count"].as_i64(), second["count"].as_i64()), (Some(12), Some(42)));
}

/// The schema and the checks beside it are worth something: each of these is caught.
#[test]
fn breakages_are_caught() {
    let whole = event(&notice(&finding(Verdict::Uncovered), Audience::Soc));
    let breakages: [(&str, Value); 9] = [
        ("/finding_info", Value::Null),
        ("/severity_id", json!(7)),
        ("/time", json!("now")),
        ("/unknown_key", json!(1)),
        ("/type_uid", json!(200_607)),
        ("/src_endpoint/ip", json!("somewhere")),
        ("/severity", json!("Low")),
        ("/src_endpoint/location", json!({})),
        ("/actor/user/uid", json!("another")),
    ];
    for (path, value) in breakages {
        let mut broken = whole.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        let parent = broken.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(key)
        } else {
            parent.insert(key.to_owned(), value)
        };
        assert!(!faults(&broken).is_empty(), "{path} passes");
    }
}
