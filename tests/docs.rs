//! Holds the documents to the truth: commands run, links lead somewhere, the shown output is the real output in shape.
//!
//! How a document says what it means:
//!
//! - A command in a fenced `sh` block is run by this test, all of a document in one shell from top to bottom, in an empty
//!   folder that sees `config/`, `geoip/` and `deploy/`, with the freshly built `harbourwatch` on the path
//!   (`cargo run --release -- …` means the same). It must exit 0, or with N after the comment `# exit N`.
//! - A command that `.ci/run` runs word for word, such as `cargo test`, is left to it.
//! - `# not run: reason` at the end of a line, or on the line before, takes one command out. As the first line of a block,
//!   followed by an empty line, it takes out the block.
//! - A fenced `text` block right after `<!-- output of: COMMAND -->` is compared with what COMMAND prints. Figures and
//!   digests may differ, wording and order may not; a line `…` stands for any number of lines.

// Text is cut only at the length of a part of it, or where an ASCII mark was found.
#![allow(clippy::unwrap_used, clippy::string_slice)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_harbourwatch");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page: its path from the repository's root and its text.
struct Page {
    name: String,
    text: String,
}

/// A fenced block.
#[derive(Debug, PartialEq)]
struct Block<'a> {
    /// Line number of the opening fence, from 1.
    line: usize,
    language: &'a str,
    /// The line before the fence that is not empty.
    before: &'a str,
    lines: Vec<&'a str>,
}

/// What is to happen with one command of a page.
#[derive(Debug, PartialEq)]
enum Fate {
    /// Run here; must exit with this code.
    Run(i32),
    /// Run word for word by `.ci/run`.
    Ci,
    /// Not run, for this reason.
    Not(String),
}

#[derive(Debug, PartialEq)]
struct Step {
    line: usize,
    command: String,
    fate: Fate,
}

/// Every page of the repository: at its root and under `deploy/`, `docs/`, `config/`, `geoip/`.
fn pages() -> Vec<Page> {
    let mut files = markdown(root(), false);
    for folder in ["deploy", "docs", "config", "geoip"] {
        files.extend(markdown(&root().join(folder), true));
    }
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| Page { name: name(path), text: fs::read_to_string(path).unwrap() }).collect()
}

fn markdown(folder: &Path, deep: bool) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    let mut found: Vec<_> =
        files.into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect();
    if deep {
        found.extend(folders.iter().flat_map(|folder| markdown(folder, true)));
    }
    found
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut before = "";
    for (index, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(language), None) => {
                open = Some(Block { line: index + 1, language: language.trim(), before, lines: Vec::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.lines.push(line),
            (None, None) if !line.trim().is_empty() => before = line.trim(),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fenced block is not closed");
    found
}

/// The commands of a block, continued lines joined, with their fates.
fn steps(block: &Block<'_>, ci: &BTreeSet<String>) -> Vec<Step> {
    let whole = block.lines.first().and_then(|line| line.trim().strip_prefix("# not run:"));
    let whole = whole.filter(|_| block.lines.get(1).is_some_and(|line| line.trim().is_empty()));
    let mut found = Vec::new();
    let mut note: Option<&str> = None;
    let mut command = String::new();
    let mut start = 0;
    for (index, line) in block.lines.iter().enumerate() {
        let line = line.trim();
        if command.is_empty() && (line.is_empty() || line.starts_with('#')) {
            note = line.strip_prefix('#').map(str::trim).or(note.filter(|_| !line.is_empty()));
            continue;
        }
        if command.is_empty() {
            start = block.line + index + 1;
        }
        if let Some(part) = line.strip_suffix('\\') {
            command.push_str(part);
            continue;
        }
        command.push_str(line);
        let (bare, own) = split_comment(&command);
        let fate = fate(bare, own.or(note), whole, ci);
        found.push(Step { line: start, command: bare.into(), fate });
        command.clear();
        note = None;
    }
    found
}

fn split_comment(command: &str) -> (&str, Option<&str>) {
    match command.split_once(" # ") {
        Some((bare, comment)) => (bare.trim(), Some(comment.trim())),
        None => (command.trim(), None),
    }
}

fn fate(command: &str, comment: Option<&str>, whole: Option<&str>, ci: &BTreeSet<String>) -> Fate {
    let reason = comment.and_then(|text| text.strip_prefix("not run:")).or(whole);
    let exit = comment.and_then(|text| text.strip_prefix("exit ")).and_then(|code| code.parse().ok());
    match (reason, exit) {
        (Some(reason), _) => Fate::Not(reason.trim().into()),
        (None, _) if ci.contains(command) => Fate::Ci,
        (None, code) => Fate::Run(code.unwrap_or(0)),
    }
}

/// The lines of `.ci/run`, without what redirects their output or sets their surroundings.
fn ci_commands() -> BTreeSet<String> {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    let bare = |line: &str| line.split(" 2>&1").next().unwrap_or(line).trim().to_owned();
    script.lines().map(bare).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// A folder as a reader of the documents would have it.
fn workplace() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for name in ["config", "geoip", "deploy"] {
        let target = root().join(name);
        if target.is_dir() {
            std::os::unix::fs::symlink(target, place.path().join(name)).unwrap();
        }
    }
    let programs = place.path().join(".programs");
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(BINARY, programs.join("harbourwatch")).unwrap();
    place
}

/// The command as it is run here: the built binary in place of `cargo run`.
fn local(command: &str) -> String {
    ["cargo run --release -- ", "cargo run --release --quiet -- ", "cargo run -- "]
        .iter()
        .find_map(|prefix| command.strip_prefix(prefix))
        .map_or_else(|| command.into(), |rest| format!("harbourwatch {rest}"))
}

fn shell(script: &str, place: &Path) -> Output {
    let path = format!("{}:{}", place.join(".programs").display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("timeout");
    command
        .args(["300", "bash", "-c", script])
        .current_dir(place)
        .env("PATH", path)
        .env("TMPDIR", place)
        .env("NO_COLOR", "1");
    command.stdin(Stdio::null()).output().unwrap()
}

/// One script for a page: stops at the first command that does not exit as the page says, and names it.
fn script(steps: &[Step]) -> String {
    let mut script = String::new();
    for step in steps {
        if let Fate::Run(code) = step.fate {
            let command = local(&step.command);
            script.push_str(&format!(
                "{command}\n_code=$?; if [ $_code -ne {code} ]; then echo \"line {}: exit $_code, {code} expected\" >&2; exit 1; fi\n",
                step.line
            ));
        }
    }
    script
}

fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Every `[text](target)` outside fenced blocks, with its line number.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        for part in line.split("](").skip(1).filter(|_| !fenced) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

/// What is wrong with a link of the page `name`, seen from the folder `base`.
fn link_fault(base: &Path, name: &str, target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    if target.contains("://") {
        return Some(format!("`{target}` is not https"));
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let page = base.join(name);
    let path = if file.is_empty() { page } else { page.parent().unwrap().join(file) };
    if !path.exists() {
        return Some(format!("`{target}` leads nowhere"));
    }
    let known = |text: String| text.lines().any(|line| line.starts_with('#') && anchor(line) == heading);
    let found = heading.is_empty() || fs::read_to_string(&path).is_ok_and(known);
    (!found).then(|| format!("`{target}` names no heading"))
}

/// A line with figures, digests, widths and rules evened out, so that only its wording and order count.
fn shape(line: &str) -> String {
    let mut out = String::new();
    for word in line.split_whitespace() {
        let word = shape_word(word);
        if out.ends_with(&format!("{word} ")) && word.chars().all(|c| matches!(c, '─' | '-' | '=' | '█' | '+')) {
            continue;
        }
        out.push_str(&word);
        out.push(' ');
    }
    out.trim_end().into()
}

fn shape_word(word: &str) -> String {
    // Where a run put its files, how long it took and how much it wrote differ from run to run, units included.
    match word.trim_end_matches([',', '.', ';']) {
        "ns" | "µs" | "ms" | "min" => return "s".into(),
        "kB" | "KiB" | "MB" | "MiB" | "GB" | "GiB" => return "B".into(),
        path if path.starts_with('/') && path.len() > 1 => return "/path".into(),
        _ => {}
    }
    let mut out = String::new();
    let hex = |part: &str| part.len() >= 8 && part.chars().all(|c| c.is_ascii_hexdigit());
    for part in word.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let body = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let figures = body.chars().any(|c| c.is_ascii_digit());
        let unit = body.trim_start_matches(|c: char| c.is_ascii_digit());
        match (hex(body), figures) {
            (true, _) => out.push('0'),
            (_, true) if body.starts_with(|c: char| c.is_ascii_digit()) => {
                out.push('0');
                out.push_str(unit);
            }
            _ => out.push_str(body),
        }
        out.push_str(&part[body.len()..]);
    }
    squeeze(&out)
}

/// `0,0,0` and `0.0` are one figure; a drawn rule or bar is one character.
fn squeeze(word: &str) -> String {
    let mut out = word.to_owned();
    for joined in ["0,0", "0.0"] {
        while out.contains(joined) {
            out = out.replace(joined, "0");
        }
    }
    for drawn in ["──", "--", "==", "██", "━━"] {
        while out.contains(drawn) {
            out = out.replace(drawn, &drawn[..drawn.len() / 2]);
        }
    }
    out
}

/// The first line of the sample that the real output does not show in its place.
fn first_difference(sample: &[&str], real: &str) -> Option<String> {
    let real: Vec<String> = real.lines().map(shape).filter(|line| !line.is_empty()).collect();
    let mut at = 0;
    let mut gap = false;
    for line in sample.iter().filter(|line| !line.trim().is_empty()) {
        if line.trim() == "…" {
            gap = true;
            continue;
        }
        let wanted = shape(line);
        let rest = real.get(at..).unwrap_or(&[]);
        let found = if gap {
            rest.iter().position(|line| *line == wanted)
        } else {
            rest.first().filter(|line| **line == wanted).map(|_| 0)
        };
        match found {
            Some(skipped) => at += skipped + 1,
            None => return Some((*line).to_owned()),
        }
        gap = false;
    }
    (!gap && at < real.len()).then(|| format!("(the real output goes on: {})", real[at]))
}

fn sample_command<'a>(block: &Block<'a>) -> Option<&'a str> {
    block.before.strip_prefix("<!-- output of:")?.strip_suffix("-->").map(str::trim)
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_command_is_run_or_says_why_not() {
    let ci = ci_commands();
    let pages = pages();
    let sampled: Vec<String> =
        pages.iter().flat_map(|page| blocks(&page.text)).filter_map(|b| sample_command(&b)).map(local).collect();
    for page in &pages {
        let blocks = blocks(&page.text);
        let shells = blocks.iter().filter(|block| matches!(block.language, "sh" | "bash" | "shell" | "console"));
        let mut steps: Vec<Step> = shells.flat_map(|block| steps(block, &ci)).collect();
        for step in &steps {
            if let Fate::Not(reason) = &step.fate {
                assert!(reason.split_whitespace().count() >= 3, "{}:{}: say why", page.name, step.line);
            }
        }
        // What a page shows the output of is run by the test of that output.
        steps.retain(|step| !sampled.contains(&local(&step.command)));
        let place = workplace();
        let output = shell(&script(&steps), place.path());
        assert!(output.status.success(), "{}: {}", page.name, printed(&output));
    }
}

#[test]
fn the_readme_shows_how_to_try_and_how_to_test() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let ci = ci_commands();
    let steps: Vec<Step> =
        blocks(&readme).iter().filter(|block| block.language == "sh").flat_map(|block| steps(block, &ci)).collect();
    assert!(steps.iter().any(|step| step.command == "cargo test" && step.fate == Fate::Ci), "{steps:?}");
    let demo = "cargo run --release -- demo";
    assert!(steps.iter().any(|step| step.command == demo && step.fate == Fate::Run(0)), "{steps:?}");
}

#[test]
fn sample_output_has_the_shape_of_a_real_run() {
    let mut compared = 0;
    for page in pages() {
        for block in blocks(&page.text).iter().filter(|block| block.language == "text") {
            let Some(command) = sample_command(block) else { continue };
            compared += 1;
            let place = workplace();
            let output = shell(&local(command), place.path());
            assert!(output.status.success(), "{}:{}: {}", page.name, block.line, printed(&output));
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let difference = first_difference(&block.lines, &text);
            assert!(
                difference.is_none(),
                "{}:{}: the real output of `{command}` does not show:\n{}\n\nit shows:\n{text}{}",
                page.name,
                block.line,
                difference.unwrap(),
                String::from_utf8_lossy(&output.stderr),
            );
        }
    }
    assert!(compared > 0, "no page shows output");
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    let mut faults = Vec::new();
    for page in pages() {
        for (line, target) in links(&page.text) {
            checked += 1;
            let fault = link_fault(root(), &page.name, &target);
            faults.extend(fault.map(|fault| format!("{}:{line}: {fault}", page.name)));
        }
    }
    assert!(checked >= 5, "only {checked} links found");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[cfg(test)]
mod self_test {
    use super::*;

    fn fates(text: &str) -> Vec<(String, Fate)> {
        let ci = BTreeSet::from(["cargo test".to_owned()]);
        let steps = blocks(text).iter().flat_map(|block| steps(block, &ci)).collect::<Vec<_>>();
        steps.into_iter().map(|step| (step.command, step.fate)).collect()
    }

    #[test]
    fn commands_find_their_fate() {
        let text = "```sh\n# Tests.\ncargo test\n\nharbourwatch verify x \\\n  --json # exit 2\n# not run: needs a broker\nkafka-topics\nharbourwatch demo # a word\n```\n";
        assert_eq!(
            fates(text),
            [
                ("cargo test".into(), Fate::Ci),
                ("harbourwatch verify x --json".into(), Fate::Run(2)),
                ("kafka-topics".into(), Fate::Not("needs a broker".into())),
                ("harbourwatch demo".into(), Fate::Run(0)),
            ]
        );
    }

    #[test]
    fn a_note_counts_for_the_next_command_or_for_the_whole_block() {
        let next = fates("```sh\n# not run: needs a broker\na\nb\n```\n");
        assert_eq!(next[1], ("b".into(), Fate::Run(0)));
        let whole = fates("```sh\n# not run: needs a broker\n\na\nb\n```\n");
        assert!(whole.iter().all(|(_, fate)| matches!(fate, Fate::Not(_))), "{whole:?}");
    }

    #[test]
    fn a_failing_command_fails_its_page() {
        let step = |command: &str, code| Step { line: 7, command: command.into(), fate: Fate::Run(code) };
        let place = workplace();
        assert!(shell(&script(&[step("true", 0), step("false", 1)]), place.path()).status.success());
        let failed = shell(&script(&[step("false", 0), step("touch later", 0)]), place.path());
        assert!(!failed.status.success() && printed(&failed).contains("line 7: exit 1, 0 expected"));
        assert!(!place.path().join("later").exists());
    }

    #[test]
    fn figures_may_differ_and_words_may_not() {
        let real = "read 60,000 events in 1.25 s\n\nUNCOVERED   123  ████\nroot 9f86d081884c7d65\nverify: ok\n";
        let same = |sample: &[&str]| first_difference(sample, real).is_none();
        assert!(same(&["read 5 events in 12 s", "UNCOVERED 7 ██", "root deadbeef00", "verify: ok"]));
        assert!(same(&["read 5 events in 12 s", "…", "verify: ok"]));
        assert!(same(&["…", "root 00000000", "…"]));
        assert!(!same(&["read 5 rows in 12 s", "…"]));
        assert!(same(&["read 5 events in 12 ms", "…"]));
        assert!(!same(&["read 5 events in 12 days", "…"]));
        assert!(!same(&["…", "verify: ok", "root 00000000", "…"]));
        assert!(!same(&["read 5 events in 12 s", "verify: ok"]));
        assert!(!same(&["read 5 events in 12 s"]));
    }

    #[test]
    fn dead_links_are_found() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("a.md"), "# The one way\n").unwrap();
        let fault = |target: &str| link_fault(place.path(), "a.md", target);
        assert_eq!(fault("a.md#the-one-way"), None);
        assert_eq!(fault("#the-one-way"), None);
        assert_eq!(fault("https://example.hk"), None);
        assert!(fault("b.md").unwrap().contains("leads nowhere"));
        assert!(fault("a.md#other").unwrap().contains("names no heading"));
        assert!(fault("http://example.hk").unwrap().contains("not https"));
        assert_eq!(links("x [a](b.md) y [c](d.md#e)\n```sh\n[f](g)\n```\n").len(), 2);
    }
}
