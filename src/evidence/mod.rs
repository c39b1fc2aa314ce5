//! Evidence that a stranger can verify: a tiled log of salted commitments in a directory.
//!
//! Read in this order: [`entry`] and [`deed`] (what a line of the log says), [`merkle`] and [`tiles`] (how lines become a tree),
//! [`note`] and [`checkpoint`] (how the tree is signed), [`segment`] (where the records themselves lie), [`log`] (the
//! writer, step by step), `recover` (the same steps after a crash), [`mod@verify`] (which trusts none of the above).
//! The format is written down in `docs/evidence-format.md`; a verifier can be written from that page alone.
//!
//! # Order of durable steps
//! 1. frames are appended to the segment and synced;
//! 2. the batch's entries are appended to the journal and synced;
//! 3. bundles, tiles and index rows are written, not synced: the journal can restore them;
//! 4. the checkpoint is written beside, synced, renamed over the old one, and the directory synced.
//!
//! Only step 4 makes the batch part of the log. Whatever a crash leaves behind of steps 1–3 is dropped by the next
//! [`log::Log::open`], and the batch is recorded again.
//!
//! This room never decides what is worth recording, never deletes evidence and never puts personal data into an entry.

pub mod archive;
mod batch;
pub mod bundle;
pub mod checkpoint;
mod compose;
pub mod deed;
mod delete;
pub mod disk;
mod edge;
pub mod entry;
pub mod error;
pub mod expiry;
mod frame;
pub mod holds;
pub mod inbox;
pub mod index;
mod journal;
pub mod keyring;
pub mod keys;
pub mod lanes;
mod lock;
pub mod log;
pub mod merkle;
pub mod note;
pub mod personal;
pub mod place;
pub mod proof;
mod reader;
pub mod rebuild;
pub mod recipients;
mod recover;
pub mod retention;
mod rows;
pub mod search;
pub mod segment;
pub mod ship;
mod split;
pub mod tiles;
pub mod verify;
mod walk;

pub use batch::{Batch, Note};
pub use deed::{Deed, Detail, Filing};
pub use error::EvidenceError;
pub use inbox::Inbox;
pub use log::{Log, Options, Staged};
pub use rebuild::rebuild_index;
pub use verify::{VerifyOptions, VerifyReport, verify};
