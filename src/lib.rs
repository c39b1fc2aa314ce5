//! harbourwatch
pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod deliver;
pub mod dingtalk;
pub mod domain;
pub mod evidence;
pub mod geo;
pub mod metrics;
pub mod outbox;
pub mod pipeline;
pub mod policy_pack;
pub mod recorder;
pub mod settings;
pub mod source;
