//! From what an audience sees to text. Renderers get a [`crate::deliver::View`] and nothing else, open nothing and read no
//! clock: the same notice always gives the same bytes, so a receiver can tell a repetition.

pub mod alertmanager;
pub mod cef;
pub mod checkpoint;
pub mod cloudevents;
pub mod ecs;
pub mod elastic;
pub mod finding;
mod format;
pub mod json;
pub mod letter;
pub mod ocsf;
pub mod officer;
mod phrases;
pub mod plain;
pub mod splunk;
pub mod syslog;
mod terms;
pub mod webhook;

pub use format::Format;
pub use terms::{country, country_in_chinese, place_name, utc};

/// What renderers say beside the finding itself; the same for all notices of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Name of the evidence log in its checkpoints.
    pub log: String,
    /// Name of this machine.
    pub host: String,
    /// Where a finding can be looked up, with `{id}` in the place of its id.
    pub link: Option<String>,
}

impl Context {
    /// The address of a finding, if there is one.
    pub fn link_to(&self, id: &str) -> Option<String> {
        self.link.as_ref().map(|link| link.replace("{id}", id))
    }

    /// Where the evidence of a record is: the log and the record in it.
    pub fn evidence(&self, record: &str) -> String {
        format!("{}#{record}", self.log)
    }
}
