//! The evidence log's signed checkpoint in the forms of a feed. The note stands in each as one text with its line ends, so
//! that `harbourwatch verify --anchor` finds it again in whatever the receiver kept.
//!
//! OCSF has no class for such a statement. The base event (class 0) is the one that is meant for what no class fits; its
//! activity is Other, and the note is under `unmapped`, where the findings have their evidence too.

use serde_json::json;

use super::{Context, Format, json as safe, ocsf, utc};
use crate::deliver::Statement;

/// Version of the layout of harbourwatch's own form.
pub const SCHEMA: &str = "harbourwatch.checkpoint.v1";

const MESSAGE: &str = "Signed checkpoint of the evidence log; keep it to hold the evidence against";

/// One line without line end.
pub fn line(format: Format, statement: &Statement, context: &Context) -> String {
    match format {
        Format::Finding => own(statement, context),
        Format::Ocsf => event(statement, context),
        Format::Ecs => document(statement, context),
        Format::Cef => cef(statement, context),
    }
}

/// harbourwatch's own JSON.
pub fn own(statement: &Statement, context: &Context) -> String {
    let Statement { id, at, note } = statement;
    safe::line(&json!({ "schema": SCHEMA, "notice": id, "time": at, "log": context.log, "checkpoint": note }))
}

/// An OCSF base event.
pub fn event(statement: &Statement, context: &Context) -> String {
    let Statement { id, at, note } = statement;
    safe::line(&json!({
        "activity_id": 99, "activity_name": "Other", "category_uid": 0, "category_name": "Uncategorized",
        "class_uid": 0, "class_name": "Base Event", "type_uid": 99, "type_name": "Base Event: Other",
        "severity_id": 1, "severity": "Informational", "status_id": 1, "status": "Success",
        "time": at, "time_dt": utc(*at), "timezone_offset": 480, "message": MESSAGE,
        "metadata": {
            "version": ocsf::VERSION, "profiles": ["datetime"], "uid": id, "event_code": "checkpoint",
            "log_name": context.log,
            "product": {
                "name": "harbourwatch", "uid": "harbourwatch", "vendor_name": "The harbourwatch authors",
                "version": env!("CARGO_PKG_VERSION"),
            },
        },
        "unmapped": { "harbourwatch": { "checkpoint": note } },
    }))
}

/// An ECS document.
pub fn document(statement: &Statement, context: &Context) -> String {
    let Statement { id, at, note } = statement;
    safe::line(&json!({
        "@timestamp": utc(*at), "ecs": { "version": super::ecs::VERSION }, "message": MESSAGE,
        "event": {
            "id": id, "kind": "event", "module": "harbourwatch", "dataset": "harbourwatch.checkpoint",
            "action": "checkpoint", "provider": context.log,
        },
        "harbourwatch": { "checkpoint": note },
    }))
}

/// CEF; line ends of the note are written as `\n`, as the form has it.
fn cef(statement: &Statement, context: &Context) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('=', "\\=").replace('\n', "\\n");
    format!(
        "CEF:0|harbourwatch|harbourwatch|{}|checkpoint|Evidence checkpoint|1|rt={} externalId={} dvchost={} msg={}",
        env!("CARGO_PKG_VERSION"),
        statement.at,
        statement.id,
        escaped(&context.host),
        escaped(&statement.note)
    )
}
