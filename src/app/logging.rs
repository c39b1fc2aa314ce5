//! Structured logs on standard error: for people on a terminal, JSON otherwise. They carry positions, counts and reasons;
//! never a name, an address or a file name of an event.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts logging. A second call in the same process changes nothing.
pub fn start(level: &str, format: Format) {
    let filter = EnvFilter::try_from_env("HARBOURWATCH_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let terminal = std::io::stderr().is_terminal();
    let human = match format {
        Format::Auto => terminal,
        Format::Human => true,
        Format::Json => false,
    };
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
    let started =
        if human { builder.with_target(false).try_init() } else { builder.json().flatten_event(true).try_init() };
    // already started: the first one stays
    drop(started);
}

/// Starts logging as the configuration says.
pub fn start_as_configured(log: &crate::config::Log) {
    use crate::config::{Level, LogFormat};
    let level = match log.level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    let format = match log.format {
        LogFormat::Auto => Format::Auto,
        LogFormat::Text => Format::Human,
        LogFormat::Json => Format::Json,
    };
    start(level, format);
}
