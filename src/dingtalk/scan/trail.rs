//! What is noted of an object while it is read, for a shape to be made of it: where the values are that may vary.

use super::shape::{MOST_OF_ONE, Step};
use crate::dingtalk::field::{Field, Fields};

/// A value that may vary: where it stands, and what is made of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) step: Step,
}

/// The values of an object that may vary, noted while it is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    pub(super) values: Vec<Value>,
    /// Fields that have come, whatever they say. One that comes twice may say nothing the first time and something the
    /// next: no shape can be made of that.
    pub(super) came: Fields,
    /// There is more than values: no shape can be made of it.
    pub(super) is_more: bool,
}

impl Trail {
    pub(super) fn note(&mut self, from: usize, to: usize, step: Step) {
        if self.values.len() == MOST_OF_ONE {
            self.is_more = true;
            return;
        }
        self.values.push(Value { from: from as u32, to: to as u32, step });
    }

    /// Notes the strings and whole numbers of a value that nobody reads. It is known to be JSON, without escapes.
    pub(super) fn note_values(&mut self, value: &[u8], from: usize) {
        let mut at = 0;
        while let Some(byte) = value.get(at) {
            let rest = &value[at + 1..];
            let mut end = at + 1;
            match byte {
                b'"' => {
                    end += rest.iter().take_while(|byte| **byte != b'"').count();
                    // a key stands for itself
                    if value.get(end + 1) != Some(&b':') {
                        self.note(from + at + 1, from + end, Step::PassText);
                    }
                    end += 1;
                }
                b'0'..=b'9' | b'-' => {
                    let is_more = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                    end += rest.iter().take_while(is_more).count();
                    if value[at..end].iter().all(u8::is_ascii_digit) {
                        self.note(from + at, from + end, Step::PassNumber);
                    }
                }
                _ => {}
            }
            at = end;
        }
    }

    /// Whether hosts of that kind were noted.
    pub(super) fn has_host(&self, kind: u8) -> bool {
        self.values.iter().any(|value| value.step == Step::Host(kind))
    }

    /// Fields whose values may vary.
    pub(super) fn fields(&self) -> Fields {
        self.all(|step| match step {
            Step::Text(field) | Step::Number(field) | Step::Time(field) | Step::Quoted(field) => Some(field),
            Step::Ids(field) => Some(field),
            Step::On | Step::PassText | Step::PassNumber | Step::Region | Step::Bucket | Step::Host(_) => None,
            Step::Parties(_) | Step::Pause(..) | Step::End(_) => None,
        })
    }

    /// Those of them that are texts.
    pub(super) fn texts(&self) -> Fields {
        self.all(|step| if let Step::Text(field) = step { Some(field) } else { None })
    }

    /// Lists that are read anew each time.
    pub(super) fn lists(&self) -> Fields {
        self.all(|step| if let Step::Parties(field) = step { Some(field) } else { None })
    }

    fn all(&self, field: impl Fn(Step) -> Option<Field>) -> Fields {
        let mut fields = Fields::default();
        self.values.iter().filter_map(|value| field(value.step)).for_each(|field| fields.add(field));
        fields
    }

    /// Empty, with room for as many values as a shape may have.
    pub(super) fn cleared(mut self) -> Self {
        self.values.clear();
        self.values.reserve(MOST_OF_ONE);
        Self { values: self.values, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_what_nobody_reads_are_found() {
        let mut trail = Trail::default();
        let text = r#"{"a":["x",12,-3,1.5,1e3,true],"b":{"c":"","d":null}}"#;
        trail.note_values(text.as_bytes(), 0);
        let found = |value: &Value| text.get(value.from as usize..value.to as usize).unwrap();
        let found: Vec<&str> = trail.values.iter().map(found).collect();
        assert_eq!(found, ["x", "12", ""]);
    }

    #[test]
    fn of_a_page_of_values_only_so_many_are_noted() {
        let mut trail = Trail::default();
        trail.note_values(format!("[{}0]", "0,".repeat(10_000)).as_bytes(), 0);
        assert_eq!(trail.values.len(), MOST_OF_ONE);
        assert!(trail.is_more && !trail.cleared().is_more);
    }
}
