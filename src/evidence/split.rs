//! Takes a record apart: what stays open, and the values of its personal fields ([`PERSONAL`]). A record as we write it is
//! walked over once; any other goes through `serde_json`, to the same result.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::personal::{PERSONAL, SEALED};
use super::walk::{Walk, plain};

/// A record taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split<'r> {
    pub(super) id: Cow<'r, str>,
    /// The record without its personal fields.
    pub(super) open: String,
    /// A JSON array of their values in the order of [`PERSONAL`], as far as there are any.
    pub(super) personal: String,
}

/// `None` if this is not one line with a JSON object that has a text `id`, or is sealed already.
pub(super) fn split(record: &str) -> Option<Split<'_>> {
    quickly(record).or_else(|| thoroughly(record))
}

/// Where a member of a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    Object,
    Legs,
    Personal(usize),
}

/// [`PERSONAL`] by object and name. A test holds them against each other.
fn way(object: &str, name: &str) -> Way {
    match (object, name) {
        ("actor", "id") => Way::Personal(0),
        ("actor", "name") => Way::Personal(1),
        ("actor", "address") => Way::Personal(2),
        ("data", "resource") => Way::Personal(3),
        ("data", "space") => Way::Personal(4),
        ("", "file_id") => Way::Personal(5),
        ("", "event_id") => Way::Personal(6),
        ("", "message_sha256") => Way::Personal(7),
        ("legs", "finding") => Way::Personal(LEGS),
        ("", "actor" | "data") => Way::Object,
        ("", "legs") => Way::Legs,
        _ => Way::Open,
    }
}

/// Number of the one that is an array.
const LEGS: usize = PERSONAL.len() - 1;

/// Takes a record apart that is written as we write it; `None` says nothing about any other.
fn quickly(record: &str) -> Option<Split<'_>> {
    let mut quick = Quick { open: String::with_capacity(record.len()), ..Quick::default() };
    let mut walk = Walk::new(record);
    quick.object("", &mut walk)?;
    (walk.is_done() && !quick.is_sealed).then_some(())?;
    let id = plain(quick.id?)?.into();
    let personal = quick.personal();
    Some(Split { id, open: quick.open, personal })
}

#[derive(Default)]
struct Quick<'r> {
    open: String,
    id: Option<&'r str>,
    is_sealed: bool,
    found: [Option<&'r str>; PERSONAL.len()],
    /// The legs' findings, one each, `null` where there is none; empty without legs.
    findings: String,
    has_findings: bool,
}

impl<'r> Quick<'r> {
    fn object(&mut self, object: &str, walk: &mut Walk<'r>) -> Option<()> {
        let mut before = '{';
        walk.members(&mut |name, walk| {
            let way = way(object, name);
            // a null says nothing, and stays
            if let (Way::Personal(at), false) = (way, walk.peek() == Some(b'n')) {
                // a second one of the same name is for the thorough way
                return self.found[at].replace(walk.value()?).is_none().then_some(());
            }
            self.open.push(before);
            before = ',';
            self.open.push('"');
            self.open.push_str(name);
            self.open.push_str("\":");
            match way {
                Way::Object if walk.peek() == Some(b'{') => self.object(name, walk),
                Way::Legs if walk.peek() == Some(b'[') => self.legs(walk),
                Way::Open | Way::Object | Way::Legs | Way::Personal(_) => {
                    let value = walk.value()?;
                    self.open.push_str(value);
                    self.note(object, name, value)
                }
            }
        })?;
        self.open.push_str(if before == '{' { "{}" } else { "}" });
        Some(())
    }

    /// Remembers the id, and whether the record is sealed; a second id is for the thorough way.
    fn note(&mut self, object: &str, name: &str, value: &'r str) -> Option<()> {
        match (object, name) {
            ("", "id") => self.id.replace(value).is_none().then_some(()),
            ("", SEALED) => {
                self.is_sealed = true;
                Some(())
            }
            _ => Some(()),
        }
    }

    fn legs(&mut self, walk: &mut Walk<'r>) -> Option<()> {
        // a second list of legs is for the thorough way
        self.findings.is_empty().then_some(())?;
        let mut before = '[';
        walk.elements(&mut |walk| {
            self.open.push(before);
            self.findings.push(before);
            before = ',';
            if walk.peek() == Some(b'{') {
                self.object("legs", walk)?;
            } else {
                self.open.push_str(walk.value()?);
            }
            let finding = self.found[LEGS].take();
            self.has_findings |= finding.is_some();
            self.findings.push_str(finding.unwrap_or("null"));
            Some(())
        })?;
        self.open.push_str(if before == '[' { "[]" } else { "]" });
        self.findings.push(']');
        Some(())
    }

    fn personal(&self) -> String {
        let last = self.found.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let present = if self.has_findings { PERSONAL.len() } else { last };
        let mut personal = String::with_capacity(512);
        personal.push('[');
        for (at, found) in self.found[..present].iter().enumerate() {
            if at > 0 {
                personal.push(',');
            }
            personal.push_str(if at == LEGS { &self.findings } else { found.unwrap_or("null") });
        }
        personal.push(']');
        personal
    }
}

/// Takes any record apart.
fn thoroughly(record: &str) -> Option<Split<'_>> {
    if !record.starts_with('{') || !record.ends_with('}') || record.contains('\n') {
        return None;
    }
    let Members(members) = serde_json::from_str(record).ok()?;
    let id = members.iter().find(|(name, _)| name == "id")?.1.get();
    let id = serde_json::from_str::<String>(id).ok()?.into();
    if members.iter().any(|(name, _)| name == SEALED) {
        return None;
    }
    let mut cut = Cut { open: String::with_capacity(record.len()), found: PERSONAL.map(|_| String::new()) };
    let paths: Vec<(usize, &str)> = PERSONAL.into_iter().enumerate().collect();
    cut.object(&members, &paths)?;
    let present = cut.found.iter().rposition(|value| !value.is_empty()).map_or(0, |last| last + 1);
    let text = |value: &String| if value.is_empty() { "null".to_owned() } else { value.clone() };
    let personal: Vec<String> = cut.found[..present].iter().map(text).collect();
    Some(Split { id, open: cut.open, personal: format!("[{}]", personal.join(",")) })
}

/// Writes what stays open and keeps what is cut out.
struct Cut {
    open: String,
    found: [String; PERSONAL.len()],
}

impl Cut {
    /// `paths` are the personal fields below this object, as far as they go on from here.
    fn object(&mut self, members: &[(Cow<'_, str>, &RawValue)], paths: &[(usize, &str)]) -> Option<()> {
        self.open.push('{');
        let mut first = true;
        for (name, value) in members {
            // a null says nothing, and stays
            if let Some((at, _)) = paths.iter().find(|(_, path)| is_last(path, name)).filter(|_| value.get() != "null")
            {
                self.found[*at].push_str(value.get());
                continue;
            }
            if !std::mem::take(&mut first) {
                self.open.push(',');
            }
            self.open.push_str(&serde_json::to_string(name).ok()?);
            self.open.push(':');
            self.value(value, &below(paths, name))?;
        }
        self.open.push('}');
        Some(())
    }

    fn value(&mut self, value: &RawValue, paths: &[(usize, &str)]) -> Option<()> {
        let text = value.get();
        match paths.first() {
            Some((_, path)) if path.starts_with("[]") && text.starts_with('[') => self.array(text, paths),
            Some(_) if text.starts_with('{') => {
                let Members(members) = serde_json::from_str(text).ok()?;
                let inner: Vec<_> =
                    paths.iter().filter_map(|(at, path)| Some((*at, path.strip_prefix('.')?))).collect();
                self.object(&members, &inner)
            }
            Some(_) | None => {
                self.open.push_str(text);
                Some(())
            }
        }
    }

    /// Elements of an array: what is cut out of them is an array of the same length.
    fn array(&mut self, text: &str, paths: &[(usize, &str)]) -> Option<()> {
        let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        let inner: Vec<_> = paths.iter().filter_map(|(at, path)| Some((*at, path.strip_prefix("[]")?))).collect();
        let mut gathered: Vec<Vec<String>> = vec![Vec::new(); inner.len()];
        self.open.push('[');
        for (n, element) in elements.iter().enumerate() {
            if n > 0 {
                self.open.push(',');
            }
            self.value(element, &inner)?;
            for ((at, _), values) in inner.iter().zip(&mut gathered) {
                values.push(std::mem::take(&mut self.found[*at]));
            }
        }
        self.open.push(']');
        for ((at, _), values) in inner.iter().zip(gathered) {
            if values.iter().any(|value| !value.is_empty()) {
                let text = |value: String| if value.is_empty() { "null".to_owned() } else { value };
                self.found[*at] = format!("[{}]", values.into_iter().map(text).collect::<Vec<_>>().join(","));
            }
        }
        Some(())
    }
}

/// Whether `path` ends with this member; a name with a dot in it is none of ours.
fn is_last(path: &str, name: &str) -> bool {
    path == name && !name.contains('.')
}

/// The paths that go on below `name`, with `.` or `[]` in front.
fn below<'p>(paths: &[(usize, &'p str)], name: &str) -> Vec<(usize, &'p str)> {
    let on = |path: &'p str| path.strip_prefix(name).filter(|rest| rest.starts_with('.') || rest.starts_with("[]"));
    paths.iter().filter_map(|(at, path)| Some((*at, on(path)?))).collect()
}

/// Members of an object, in order, their values unread.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(32);
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// A member's name; borrowed unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn every_personal_field_and_no_other_has_its_way() {
        for (number, path) in PERSONAL.iter().enumerate() {
            let (object, name) = path.rsplit_once('.').unwrap_or(("", path));
            assert_eq!(way(object.trim_end_matches("[]"), name), Way::Personal(number), "{path}");
        }
        assert_eq!((way("", "actor"), way("", "data"), way("", "legs")), (Way::Object, Way::Object, Way::Legs));
        for (object, name) in [("", "id"), ("", "finding"), ("actor", "file_id"), ("data", "id"), ("legs", "actor")] {
            assert_eq!(way(object, name), Way::Open);
        }
    }

    /// A value that a member of a record may have, and some that none has.
    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            3 => "[a-z\"\\\\é文 {}\\[\\],:\n]{0,9}".prop_map(Value::from),
            1 => any::<i64>().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => Just(json!({"id": "x", "finding": [1, null]})),
            1 => Just(json!([{"finding": "f"}, {"kind": "k"}, 7])),
        ]
    }

    fn object(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
        let members = proptest::collection::btree_map(proptest::sample::select(names), value(), 0..6);
        members.prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn record() -> impl Strategy<Value = String> {
        let actor = object(&["id", "name", "address", "party", "file_id", "actor"]);
        let data = object(&["resource", "space", "item", "size", "legs"]);
        let leg = object(&["kind", "finding", "verdict", "actor"]);
        let top = object(&["file_id", "event_id", "message_sha256", "verdict", "time", "sealed", "legs", "actor.id"]);
        let parts = (actor, data, proptest::collection::vec(leg, 0..4), top, any::<bool>(), any::<bool>());
        parts.prop_map(|(actor, data, legs, top, has_parts, is_pretty)| {
            let mut record = json!({"id": "0a"});
            if let (Value::Object(record), Value::Object(top)) = (&mut record, top) {
                if has_parts {
                    record.extend([
                        ("actor".to_owned(), actor),
                        ("data".to_owned(), data),
                        ("legs".to_owned(), legs.into()),
                    ]);
                }
                record.extend(top);
            }
            if is_pretty { format!("{record:#}").replace('\n', "") } else { record.to_string() }
        })
    }

    proptest! {
        #[test]
        fn the_quick_way_comes_to_what_the_thorough_way_comes_to(
            record in record(),
            cut in any::<prop::sample::Index>(),
            byte in proptest::option::of(0u8..0x80),
        ) {
            let mut bytes = record.into_bytes();
            if let Some(byte) = byte {
                let at = cut.index(bytes.len());
                bytes[at] = byte;
            }
            let record = String::from_utf8_lossy(&bytes).into_owned();
            let quick = quickly(&record);
            prop_assert!(quick.is_none() || quick == thoroughly(&record), "{record}");
        }
    }

    #[test]
    fn a_record_as_we_write_it_goes_the_quick_way() {
        let record = r#"{"id":"0a","message_sha256":"d","file_id":"1","time":null,"actor":{"id":"u","name":"大文 \"A\"","party":""},"data":{"resource":"x","size":-1.5e3,"space":null},"legs":[{"kind":"send","finding":"f"},{"kind":"sync","tags":["a"]}],"verdict":"COVERED"}"#;
        let quick = quickly(record).unwrap();
        assert_eq!(Some(&quick), thoroughly(record).as_ref());
        assert_eq!(quick.personal, r#"["u","大文 \"A\"",null,"x",null,"1",null,"d",["f",null]]"#);
        for other in [
            "",
            "{}",
            r#"{"id":"0a" }"#,
            r#"{"id":"0a","sealed":"x"}"#,
            r#"{"id":"0a","id":"0b"}"#,
            r#"{"id":"\u0030"}"#,
        ] {
            assert_eq!(quickly(other), None, "{other}");
        }
    }
}
