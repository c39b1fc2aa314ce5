//! What is under `deploy/`, as far as it can be held to the truth without the programs that read it: names of metrics and
//! labels, the laws of the dashboards, alerts with their tests and chapters, limits of the unit. `deploy/check/run` does the
//! rest with real programs; `.ci/run` calls it.

mod alerts;
mod dashboards;
mod names;
mod promql;

use std::fs;
use std::path::{Path, PathBuf};

/// The program under test.
const BINARY: &str = env!("CARGO_BIN_EXE_harbourwatch");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Files of a folder with an extension, sorted.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|why| panic!("{folder}: {why}"));
    let paths = entries.map(|entry| entry.unwrap_or_else(|why| panic!("{folder}: {why}")).path());
    let mut found: Vec<_> = paths.filter(|path| path.extension().is_some_and(|kind| kind == extension)).collect();
    found.sort();
    found
}
