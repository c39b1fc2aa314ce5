//! The decoder and the domain, without anything that takes long to build.
#![allow(missing_docs, dead_code)]

#[path = "../../src/dingtalk/mod.rs"]
pub mod dingtalk;
#[path = "../../src/domain/mod.rs"]
pub mod domain;
