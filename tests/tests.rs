//! All integration tests in one binary: one link, and modules that share their helpers.

mod broker;
mod cli;
mod crash;
mod decode;
mod deliver;
mod deploy;
mod docs;
mod evidence;
mod geo;
mod kafka;
mod laws;
mod layers;
mod observe;
mod outbox;
mod pipeline;
mod seams;
mod settings;
mod sources;
mod standing;
mod support;
mod told;
mod verdicts;
