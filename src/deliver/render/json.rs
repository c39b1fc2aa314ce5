//! JSON that is safe to look at: characters that a terminal would obey are written as `\u` escapes. The value stays what it
//! is.

use serde::Serialize;

use super::plain::is_hidden;

/// One line of JSON without line end. Empty for what cannot be JSON, which no type here is.
pub fn line(value: &impl Serialize) -> String {
    escape(&serde_json::to_string(value).unwrap_or_default())
}

/// Outside strings JSON has no such characters, so an escape is always inside one.
pub(super) fn escape(json: &str) -> String {
    if !json.chars().any(is_hidden) {
        return json.to_owned();
    }
    let mut line = String::with_capacity(json.len() + 64);
    for char in json.chars() {
        if is_hidden(char) {
            char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| line.push_str(&format!("\\u{unit:04x}")));
        } else {
            line.push(char);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_mean_the_same() {
        let value = serde_json::json!({ "a\u{202e}": "b\u{9b}31m\u{e0041}\0\u{2028}\u{7f}字" });
        let line = line(&value);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
        assert!(!line.chars().any(is_hidden), "{line}");
    }
}
