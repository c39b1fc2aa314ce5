//! What leaves the process: each form against its specification, for every audience, with hostile values in every field.

// Text is cut only where an ASCII mark or a whole character was found.
#![allow(clippy::unwrap_used, clippy::string_slice)]

mod cef;
mod feeds;
mod hostile;
mod letters;
pub(crate) mod ocsf;
mod wire;

use harbourwatch::deliver::pseudonym::Key;
use harbourwatch::deliver::render::Context;
use harbourwatch::deliver::{Audience, Notice, View};
use harbourwatch::outbox::Finding;

fn key() -> Key {
    Key::new("2026q4", [7; 32])
}

fn context() -> Context {
    Context {
        log: "vhb.example/harbourwatch".into(),
        host: "monitor-1.vhb.example".into(),
        link: Some("https://monitor.vhb.example/findings/{id}".into()),
    }
}

fn notice(finding: &Finding, audience: Audience) -> Notice {
    Notice::created(finding.notice_id(), View::with_key(finding, audience, Some(&key())))
}
