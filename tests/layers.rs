//! Holds the layer rule and the size rules of ARCHITECTURE.md against the source text.
//!
//! The test reads paths, not types: every `crate::…`, `super::…` and `harbourwatch::…` in production code is an arrow from
//! the file's room to the room it names. It never builds or runs anything.

// Text is cut only where an ASCII mark or a whole character was found.
#![allow(clippy::unwrap_used, clippy::string_slice)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file of production code, in lines up to its tests.
const LONGEST_FILE: usize = 500;

/// Where a room stands; a room may use its own level and those below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Domain,
    Pure,
    Pipeline,
    Edge,
    Config,
    Settings,
    App,
    Cli,
    Main,
}

/// The parts of `evidence/` that work on values alone. They stand with their room, since they speak of its segments and of
/// the pipeline's reports, but they are held to what pure rooms are held to.
const PURE_EVIDENCE: [&str; 7] = ["checkpoint", "deed", "entry", "lanes", "merkle", "note", "tiles"];

fn is_pure_evidence(path: &[String]) -> bool {
    path.len() > 1 && path[0] == "evidence" && PURE_EVIDENCE.contains(&path[1].as_str())
}

/// The level of a module path, or `None` for a room that the rule does not know.
fn level(path: &[String]) -> Option<Level> {
    let first = path.first()?.as_str();
    Some(match first {
        "domain" => Level::Domain,
        "dingtalk" | "geo" => Level::Pure,
        "pipeline" => Level::Pipeline,
        "source" | "evidence" | "kafka" | "outbox" | "deliver" | "admin" | "metrics" | "recorder" | "secret" => {
            Level::Edge
        }
        // The policy pack is a file as written, like the configuration, and is checked by the settings too.
        "config" | "policy_pack" => Level::Config,
        "settings" => Level::Settings,
        "app" => Level::App,
        "cli" => Level::Cli,
        "main" => Level::Main,
        _ => return None,
    })
}

/// The files that may hold `unsafe`, each with its contract at the head.
const UNSAFE: [&str; 3] = ["source/kafka/fetch.rs", "dingtalk/scan/kernel.rs", "dingtalk/scan/kernel/x86.rs"];

/// What pure rooms may not name: no I/O, no clock, no thread, no log, no async.
const NOT_PURE: [&str; 22] = [
    "anyhow",
    "axum",
    "indicatif",
    "log",
    "prometheus",
    "rdkafka",
    "rusqlite",
    "signal_hook",
    "std::env",
    "std::fs",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "tracing",
    "tracing_subscriber",
];

/// What the domain may not name beside that: it knows nothing of JSON or any other wire.
const NOT_DOMAIN: [&str; 6] = ["maxminddb", "serde", "serde_json", "std::io", "toml", "zstd"];

/// One source file: its module path and its production code.
struct Source {
    name: String,
    module: Vec<String>,
    text: String,
    /// Production code without comments, and with the content of literals taken out.
    code: String,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        let production = production(text);
        Self { name: name.into(), module: module_path(name), code: bare(production), text: production.into() }
    }

    /// Every path in the code, from the crate's root (`crate::…`) or from an outside crate (`std::fs::…`).
    fn paths(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for (at, root) in path_roots(&self.code) {
            let mut tree = Vec::new();
            expand(&self.code[at..], &mut Vec::new(), &mut tree);
            found.extend(tree.into_iter().map(|path| self.absolute(&root, path)));
        }
        found
    }

    /// Resolves `self`, `super` and the library's own name to `crate`.
    fn absolute(&self, root: &str, path: Vec<String>) -> Vec<String> {
        let mut base: Vec<String> = match root {
            "crate" | "harbourwatch" => vec!["crate".into()],
            "self" | "super" => std::iter::once("crate".into()).chain(self.module.iter().cloned()).collect(),
            _ => return path,
        };
        for part in path {
            match part.as_str() {
                "crate" | "harbourwatch" | "self" => {}
                "super" => drop(base.pop()),
                _ => base.push(part),
            }
        }
        base
    }

    /// All complaints about this file.
    fn faults(&self) -> Vec<String> {
        let mut faults = self.arrow_faults();
        faults.extend(self.purity_faults());
        faults.extend(self.shape_faults());
        faults.sort();
        faults.dedup();
        faults.into_iter().map(|fault| format!("{}: {fault}", self.name)).collect()
    }

    fn arrow_faults(&self) -> Vec<String> {
        if self.module == ["lib"] {
            return Vec::new();
        }
        let Some(own) = level(&self.module) else {
            return vec![format!("room `{}` has no place in the layer rule", self.module.join("::"))];
        };
        let inside = self.paths().into_iter().filter(|path| path.first().is_some_and(|root| root == "crate"));
        inside.filter_map(|path| arrow_fault(own, &path)).collect()
    }

    fn purity_faults(&self) -> Vec<String> {
        let banned: Vec<&str> = match level(&self.module) {
            Some(Level::Domain) => NOT_PURE.into_iter().chain(NOT_DOMAIN).collect(),
            Some(Level::Pure) => NOT_PURE.to_vec(),
            _ if is_pure_evidence(&self.module) => NOT_PURE.to_vec(),
            _ => return Vec::new(),
        };
        let names =
            |path: &[String], ban: &str| path.join("::") == ban || path.join("::").starts_with(&format!("{ban}::"));
        let mut faults = Vec::new();
        for path in self.paths() {
            for ban in banned.iter().filter(|ban| names(&path, ban)) {
                faults.push(format!("a pure room names `{ban}`"));
            }
        }
        faults
    }

    fn shape_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let lines = self.text.lines().count();
        if lines > LONGEST_FILE {
            faults.push(format!("{lines} lines of production code, {LONGEST_FILE} at most"));
        }
        if !self.text.starts_with("//!") {
            faults.push("no `//!` at the head that says what the module is for".into());
        }
        if !UNSAFE.contains(&self.name.as_str()) && words(&self.code).any(|(_, word)| word == "unsafe") {
            faults.push("`unsafe` is forbidden".into());
        }
        faults
    }
}

/// A complaint if an arrow from `own` to `path` points up.
fn arrow_fault(own: Level, path: &[String]) -> Option<String> {
    let target = &path[1..];
    if target.is_empty() {
        return None;
    }
    match level(target) {
        Some(other) if other <= own => None,
        Some(other) => Some(format!("an arrow points up: {own:?} may not use {other:?} (`{}`)", path.join("::"))),
        // Macros and constants at the crate's root start no room.
        None if target.len() == 1 => None,
        None => Some(format!("`{}` has no place in the layer rule", path.join("::"))),
    }
}

/// The module path of a file under `src/`.
fn module_path(name: &str) -> Vec<String> {
    let stem = name.trim_end_matches(".rs");
    let mut parts: Vec<String> = stem.split('/').map(String::from).collect();
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// The text up to the file's test module.
fn production(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").map_or(text, |end| &text[..end])
}

/// The code with comments blanked and literals emptied, so that words in prose are no paths.
fn bare(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let (skipped, kept) = skip_prose(text, at);
        out.push_str(kept);
        at = if skipped > at { skipped } else { push_one(text, at, &mut out) };
    }
    out
}

/// If a comment or literal starts at `at`: its end and what stands for it; else `at` itself.
fn skip_prose(text: &str, at: usize) -> (usize, &'static str) {
    let rest = &text[at..];
    let end_of =
        |mark: &str, from: usize| rest[from..].find(mark).map_or(text.len(), |found| at + from + found + mark.len());
    let after_word = text[..at].ends_with(|last: char| last.is_alphanumeric() || last == '_');
    if rest.starts_with("//") {
        (rest.find('\n').map_or(text.len(), |found| at + found), "")
    } else if rest.starts_with("/*") {
        (end_of("*/", 2), " ")
    } else if !after_word && (rest.starts_with("r\"") || rest.starts_with("r#")) {
        let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        if !rest[1 + hashes..].starts_with('"') {
            return (at, "");
        }
        (end_of(&format!("\"{}", "#".repeat(hashes)), 2 + hashes), "\"\"")
    } else if rest.starts_with('"') {
        (at + string_length(rest), "\"\"")
    } else if rest.starts_with('\'') {
        (at + char_length(rest), "")
    } else {
        (at, "")
    }
}

/// Length of the string literal that `rest` starts with.
fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return index + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// Length of the character literal that `rest` starts with; 0 for a lifetime.
fn char_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map_or(0, |(end, _)| end + 3),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(end, _)| end + 1),
        None => 0,
    }
}

fn push_one(text: &str, at: usize, out: &mut String) -> usize {
    let next = text[at..].chars().next().expect("inside the text");
    out.push(next);
    at + next.len_utf8()
}

/// All identifiers with their positions.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(word)?;
        let end = code[start..].find(|c| !word(c)).map_or(code.len(), |length| start + length);
        at = end;
        Some((start, &code[start..end]))
    })
}

/// Where paths start: an identifier that `::` follows and none precedes.
fn path_roots(code: &str) -> Vec<(usize, String)> {
    let starts = |at: usize, word: &str| {
        code[at + word.len()..].trim_start().starts_with("::") && !code[..at].trim_end().ends_with("::")
    };
    // `{self, x}` inside a group is expanded by its root.
    let inside_group = |at: usize| in_group(&code[..at]);
    words(code)
        .filter(|(at, word)| starts(*at, word) && !inside_group(*at))
        .map(|(at, word)| (at, word.into()))
        .collect()
}

/// Whether the text before a word ends inside the braces of a `use`.
fn in_group(before: &str) -> bool {
    let statement = before.rfind(';').map_or(before, |end| &before[end..]);
    let Some(open) = statement.find("::{") else { return false };
    statement[open..].matches('{').count() > statement[open..].matches('}').count()
}

/// Reads a path, with groups, into all the paths it names. Returns how many bytes it took.
fn expand(code: &str, prefix: &mut Vec<String>, out: &mut Vec<Vec<String>>) -> usize {
    let trimmed = code.trim_start();
    let mut at = code.len() - trimmed.len();
    if trimmed.starts_with('{') {
        return at + expand_group(trimmed, prefix, out);
    }
    let Some((0, word)) = words(trimmed).next() else {
        out.push(prefix.clone());
        return at;
    };
    at += word.len();
    prefix.push(word.into());
    let rest = code[at..].trim_start();
    if let Some(tail) = rest.strip_prefix("::") {
        at = code.len() - tail.len();
        at += expand(tail, prefix, out);
    } else {
        out.push(prefix.clone());
    }
    prefix.pop();
    at
}

fn expand_group(group: &str, prefix: &mut Vec<String>, out: &mut Vec<Vec<String>>) -> usize {
    let mut at = 1;
    while at < group.len() {
        let rest = group[at..].trim_start();
        at = group.len() - rest.len();
        match rest.chars().next() {
            None => break,
            Some('}') => return at + 1,
            Some(c) if c.is_alphanumeric() || c == '_' || c == '{' => at += expand(rest, prefix, out),
            Some(c) => at += c.len_utf8(),
        }
    }
    at
}

/// Rooms that use each other, in the order of a walk that comes back to its start.
fn cycle(arrows: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(room: &str, arrows: &BTreeMap<String, BTreeSet<String>>, trail: &mut Vec<String>) -> bool {
        if trail.iter().any(|seen| seen == room) {
            trail.push(room.into());
            return true;
        }
        trail.push(room.into());
        let found = arrows.get(room).is_some_and(|next| next.iter().any(|room| walk(room, arrows, trail)));
        if !found {
            trail.pop();
        }
        found
    }
    arrows.keys().find_map(|room| {
        let mut trail = Vec::new();
        walk(room, arrows, &mut trail).then_some(trail)
    })
}

/// Room → rooms it uses.
fn arrows(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| level(&source.module).is_some()) {
        let own = source.module[0].clone();
        for path in source.paths().iter().filter(|path| path[0] == "crate" && level(&path[1..]).is_some()) {
            let other = path[1].clone();
            if other != own {
                arrows.entry(own.clone()).or_default().insert(other);
            }
        }
    }
    arrows
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All of `src/` but files that hold tests only.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
    let production = files.iter().filter(|path| path.file_stem().is_some_and(|stem| stem != "tests"));
    production.map(|path| Source::new(&name(path), &fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_source_file_keeps_its_layer_and_its_size() {
    let sources = sources();
    assert!(sources.len() > 20, "only {} files found under src/", sources.len());
    let faults: Vec<String> = sources.iter().flat_map(Source::faults).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_two_rooms_use_each_other() {
    let found = cycle(&arrows(&sources()));
    assert!(found.is_none(), "rooms use each other: {}", found.unwrap().join(" → "));
}

#[test]
fn arrows_are_seen_in_the_real_source() {
    let arrows = arrows(&sources());
    assert!(arrows["pipeline"].contains("domain"), "{arrows:?}");
    assert!(arrows["geo"].contains("domain"), "{arrows:?}");
}

#[cfg(test)]
mod self_test {
    use super::*;

    fn faults(name: &str, code: &str) -> String {
        Source::new(name, &format!("//! Head.\n{code}\n")).faults().join("\n")
    }

    #[test]
    fn upward_arrows_are_found_in_every_spelling() {
        for (name, code) in [
            ("domain/flow.rs", "use crate::pipeline::batch::Batch;"),
            ("domain/flow.rs", "use crate::{domain::place, geo::Site};"),
            ("domain/flow.rs", "use crate::{\n    domain::{place::Place, verdict},\n    pipeline::{self, batch},\n};"),
            ("domain/flow.rs", "fn f() -> usize { crate::geo::count() }"),
            ("domain/flow.rs", "use super::super::dingtalk::row;"),
            ("domain/mod.rs", "use super::metrics::Metrics;"),
            ("recorder.rs", "use super::app::run;"),
            ("geo/atlas.rs", "use crate::dingtalk as d;\nuse crate::evidence::segment::Frame;"),
            ("dingtalk/row.rs", "use crate::pipeline::batch::Batch;"),
            ("evidence/segment.rs", "use crate::settings::Settings;"),
            ("pipeline/work.rs", "use crate::metrics::Metrics;"),
            ("config.rs", "use crate::settings::Settings;"),
            ("settings.rs", "pub(crate) use crate::app;"),
            ("app.rs", "use crate::cli::Args;"),
        ] {
            assert!(faults(name, code).contains("an arrow points up"), "not found: {name}: {code}");
        }
    }

    #[test]
    fn downward_arrows_prose_and_tests_are_let_through() {
        for (name, code) in [
            ("app.rs", "use crate::{settings::Settings, evidence::{segment, verify}, domain::place::Place};"),
            ("evidence/segment.rs", "use super::entry::Entry;\nuse crate::pipeline::report::Record;"),
            ("evidence/verify.rs", "use super::{entry, merkle::root};\nuse crate::domain::position::Lane;"),
            (
                "domain/flow.rs",
                "/// See [`crate::pipeline::batch`].\nconst X: &str = \"crate::app::run \\\" tokio::spawn\";",
            ),
            ("domain/flow.rs", "const X: &str = r#\"crate::app::\"run\"#; fn f<'a>(c: char) -> bool { c == '\"' }"),
            ("domain/flow.rs", "use std::net::IpAddr;\nuse std::time::Duration;\nuse super::place::Place;"),
            ("domain/flow.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use crate::app::run; use std::fs; }"),
            ("main.rs", "fn main() { harbourwatch::cli::run() }"),
        ] {
            assert_eq!(faults(name, code), "", "{name}: {code}");
        }
    }

    #[test]
    fn pure_rooms_may_not_reach_the_world() {
        for (name, code) in [
            ("domain/flow.rs", "use serde::Serialize;"),
            ("domain/flow.rs", "fn f() { let _ = std::time::SystemTime::now(); }"),
            ("dingtalk/row.rs", "use std::{borrow::Cow, time::{Duration, Instant}};"),
            ("geo/mmdb.rs", "use std::fs::{self, File};"),
            ("geo/mmdb.rs", "use std::fs;"),
            ("geo/mmdb.rs", "fn f() { tracing::info!(\"x\"); }"),
            ("evidence/merkle.rs", "use std::net::{IpAddr, TcpStream};"),
            ("evidence/entry.rs", "use std::fs;"),
        ] {
            assert!(faults(name, code).contains("a pure room names"), "not found: {name}: {code}");
        }
        assert_eq!(faults("dingtalk/row.rs", "use serde::Deserialize;"), "");
        assert_eq!(faults("source/replay.rs", "use std::fs::File;"), "");
        assert_eq!(faults("evidence/segment.rs", "use std::fs::File;"), "");
    }

    #[test]
    fn sizes_heads_unsafe_and_unknown_rooms_are_found() {
        assert!(faults("app.rs", &"\n".repeat(LONGEST_FILE)).contains("lines of production code"));
        assert!(faults("app.rs", "fn f() { unsafe { g() } }").contains("`unsafe` is forbidden"));
        assert_eq!(faults("app.rs", "// unsafe in prose\nconst X: &str = \"unsafe\";"), "");
        assert!(Source::new("app.rs", "fn f() {}\n").faults()[0].contains("no `//!`"));
        assert!(faults("helpers/misc.rs", "").contains("no place in the layer rule"));
        assert!(faults("app.rs", "use crate::helpers::misc::f;").contains("no place in the layer rule"));
    }

    #[test]
    fn rooms_that_use_each_other_are_found() {
        let pair = |a: &str, b: &str| {
            [
                Source::new("outbox.rs", &format!("use crate::{a};")),
                Source::new("deliver/mod.rs", &format!("use crate::{b};")),
            ]
        };
        assert!(cycle(&arrows(&pair("deliver::lease", "outbox::Row"))).is_some());
        assert!(cycle(&arrows(&pair("deliver::lease", "domain::place"))).is_none());
    }
}
