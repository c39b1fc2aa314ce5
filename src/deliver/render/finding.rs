//! The finding's own JSON: one object, one line, the fields in fixed order.

use serde_json::Value;

use super::plain::is_hidden;
use crate::deliver::audience::View;

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
    for (field, value) in view.values() {
        push_pair(&mut line, field.name(), value);
    }
    line.push('}');
    line
}

fn push_pair(line: &mut String, key: &str, value: &Value) {
    if !line.ends_with('{') {
        line.push(',');
    }
    line.push('"');
    line.push_str(key);
    line.push_str("\":");
    value.to_string().chars().for_each(|char| push(line, char));
}

/// Outside strings JSON has no such characters, so an escape is always inside one.
fn push(line: &mut String, char: char) {
    if !is_hidden(char) {
        return line.push(char);
    }
    for unit in char.encode_utf16(&mut [0; 2]) {
        line.push_str(&format!("\\u{unit:04x}"));
    }
}
