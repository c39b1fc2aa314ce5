//! As much of PromQL as is needed to say which metrics a query uses, with which labels, and how. Prometheus itself parses the
//! queries in `deploy/check/run live`.

// Text is cut only at ASCII marks that were found.
#![allow(clippy::string_slice)]

use std::collections::BTreeSet;

/// A selector in a query.
#[derive(Debug, PartialEq)]
pub(super) struct Selector {
    /// Metric.
    pub(super) name: String,
    /// Names of its matchers.
    pub(super) labels: BTreeSet<String>,
    /// What stands between its braces.
    pub(super) matchers: String,
    /// What stands in brackets behind it.
    pub(super) window: String,
    /// The function that is applied to it at once.
    pub(super) under: String,
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':')
}

/// Names that are metrics of ours, of the process, or recorded by our rules.
fn is_ours(name: &str) -> bool {
    name.contains("harbourwatch_") || name.starts_with("process_")
}

/// All selectors of our metrics.
pub(super) fn selectors(query: &str) -> Vec<Selector> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = query[at..].find(is_name).map(|i| i + at) {
        let end = query[start..].find(|c| !is_name(c)).map_or(query.len(), |i| i + start);
        at = end;
        let name = &query[start..end];
        if !is_ours(name) || query[..start].ends_with(['"', '$']) {
            continue;
        }
        let (matchers, rest) = bracketed(&query[end..], '{', '}');
        let (window, _) = bracketed(rest, '[', ']');
        at = query.len() - rest.len();
        let before = query[..start].trim_end();
        let under = before.strip_suffix('(').unwrap_or("");
        let under = &under[under.rfind(|c| !is_name(c)).map_or(0, |i| i + 1)..];
        found.push(Selector {
            name: name.into(),
            labels: matcher_names(matchers),
            matchers: matchers.into(),
            window: window.into(),
            under: under.into(),
        });
    }
    found
}

fn bracketed(text: &str, open: char, close: char) -> (&str, &str) {
    let inner = text.strip_prefix(open).and_then(|rest| rest.split_once(close));
    inner.unwrap_or(("", text))
}

fn matcher_names(matchers: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // values hold no comma and no equals sign in our files
    for matcher in matchers.split(',').filter(|matcher| !matcher.trim().is_empty()) {
        let name = matcher.trim().split(['=', '!']).next();
        names.extend(name.map(str::to_owned));
    }
    names
}

/// Labels that a query groups or joins by.
pub(super) fn grouped_by(query: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in ["by (", "on (", "by(", "on("] {
        for part in query.split(word).skip(1) {
            let names = part.split(')').next().unwrap_or("");
            found.extend(names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()));
        }
    }
    found
}

#[test]
fn selectors_are_found() {
    let query = "sum by (job, a) (rate(harbourwatch_x_total{job=~\"$job\",b!=\"c\"}[5m])) / instance:harbourwatch_y:sum > on (c) process_z";
    let found = selectors(query);
    let names: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.under.as_str(), one.window.as_str())).collect();
    assert_eq!(
        names,
        [("harbourwatch_x_total", "rate", "5m"), ("instance:harbourwatch_y:sum", "", ""), ("process_z", "", "")]
    );
    assert_eq!(found[0].labels, BTreeSet::from(["job".to_owned(), "b".to_owned()]));
    assert_eq!(grouped_by(query), BTreeSet::from(["job".to_owned(), "a".to_owned(), "c".to_owned()]));
}
