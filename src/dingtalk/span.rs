//! Spans of values inside a text that a JSON reader has accepted already: where a member or an element begins and ends.
//!
//! `serde_json` gives the text of a value only as a `RawValue`, for which it allocates as soon as brackets nest. Here the
//! reader skips the value ([`Skip`]), and the span is found afterwards. Nothing here is asked about a text that was not
//! accepted first.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Any value, checked and forgotten. Unlike `IgnoredAny` it needs no memory for nested brackets, and wants numbers that a
/// 64-bit float can hold.
pub(super) struct Skip;

impl<'de> Deserialize<'de> for Skip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Skip {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// The text that a JSON string stands for; a string of a string is taken out of both.
pub(super) fn unescape(text: &str) -> serde_json::Result<String> {
    let mut inner: String = serde_json::from_str(text)?;
    while inner.trim_ascii_start().starts_with('"') {
        match serde_json::from_str(&inner) {
            Ok(innermost) => inner = innermost,
            Err(_) => break,
        }
    }
    Ok(inner)
}

/// Members of an object: the text of each key, with its quotes, and of each value.
pub(super) fn members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut spans = Spans::inside(object);
    std::iter::from_fn(move || Some((spans.next()?, spans.next()?)))
}

/// Elements of an array.
pub(super) fn elements(array: &str) -> impl Iterator<Item = &str> + Clone {
    Spans::inside(array)
}

/// Values one after another, whatever stands between them.
#[derive(Clone)]
struct Spans<'t> {
    rest: &'t str,
}

impl<'t> Spans<'t> {
    /// What stands behind the opening bracket.
    fn inside(container: &'t str) -> Self {
        Self { rest: container.trim_ascii_start().get(1..).unwrap_or_default() }
    }
}

impl<'t> Iterator for Spans<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let from = self.rest.bytes().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':'))?;
        let value = self.rest.get(from..)?;
        let (text, rest) = value.split_at_checked(end_of(value.as_bytes()))?;
        self.rest = rest;
        // the bracket that closes the container ends the walk
        (!text.is_empty()).then_some(text)
    }
}

/// Bytes of the value that the text begins with; 0 at a closing bracket.
fn end_of(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => end_of_string(text),
        Some(b'{' | b'[') => end_of_container(text),
        Some(_) => text.iter().position(|byte| b",:]} \t\r\n".contains(byte)).unwrap_or(text.len()),
        None => 0,
    }
}

/// Bytes of a string with its quotes.
fn end_of_string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if text.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

fn end_of_container(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += end_of_string(text.get(at..).unwrap_or_default());
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_cut_out_as_they_stand() {
        let object = r#" {"a" : 1,"b":"x\"},[", "c":{"d":[{}, "]"]} ,"e":[ ],"f":null } "#;
        let cut: Vec<_> = members(object).collect();
        assert_eq!(
            cut,
            [
                ("\"a\"", "1"),
                ("\"b\"", r#""x\"},[""#),
                ("\"c\"", r#"{"d":[{}, "]"]}"#),
                ("\"e\"", "[ ]"),
                ("\"f\"", "null")
            ]
        );
        assert_eq!(
            elements("[ 1 ,{\"a\":[2]},\"\\\\\", -3.5e1]").collect::<Vec<_>>(),
            ["1", "{\"a\":[2]}", "\"\\\\\"", "-3.5e1"]
        );
        assert_eq!((members("{ }").count(), elements("[]").count()), (0, 0));
    }
}
