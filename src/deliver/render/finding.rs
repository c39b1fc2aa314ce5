//! The finding's own JSON: one object, one line, the fields in fixed order.

use serde_json::Value;

use crate::deliver::{Field, View};

/// Version of the layout.
pub const SCHEMA: &str = "harbourwatch.finding.v1";

/// One line of JSON without line end. Times are ms since the epoch (UTC). Characters that a terminal would obey are written
/// as `\u` escapes: the value stays what it is, and a reader who looks at the raw file is safe.
pub fn json_line(notice: &str, view: &View) -> String {
    let mut line = String::with_capacity(1_024);
    line.push('{');
    push_pair(&mut line, "schema", &Value::from(SCHEMA));
    push_pair(&mut line, "notice", &Value::from(notice));
    push_pair(&mut line, "audience", &Value::from(view.audience().name()));
    // When this machine wrote it down is no part of a finding: the same input gives the same lines.
    let kept = view.values().iter().filter(|(field, _)| !matches!(field, Field::Made | Field::Changed));
    for (field, value) in kept {
        push_pair(&mut line, field.name(), value);
    }
    line.push('}');
    line
}

fn push_pair(line: &mut String, key: &str, value: &Value) {
    if !line.ends_with('{') {
        line.push(',');
    }
    line.push_str(&format!("\"{key}\":{}", super::json::escape(&value.to_string())));
}
