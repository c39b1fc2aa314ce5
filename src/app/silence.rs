//! `silence`: people are not told of some findings for a while, because somebody knows of them. They are counted, recorded and
//! fed to machines as ever, and the next letter says how many there were.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::Outcome;
use super::acknowledge::{record, said};
use super::state::{State, StateOption};
use crate::deliver::render::utc;
use crate::outbox::silence::LONGEST_MS;
use crate::outbox::{Matcher, Silence};
use crate::recorder::now_ms;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with silences.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Make one.
    Add {
        #[command(flatten)]
        #[allow(missing_docs)]
        state: StateOption,
        /// Condition that a finding must meet, `field=value` or `field!=value`; may be given several times.
        #[arg(long = "match", required = true)]
        matches: Vec<String>,
        /// How long: `30m`, `8h`, `7d`; at most 90 days.
        #[arg(long = "for")]
        span: String,
        /// Who makes it.
        #[arg(long)]
        by: String,
        /// Why.
        #[arg(long)]
        comment: String,
    },
    /// List those that hold.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        state: StateOption,
    },
    /// End one now.
    Expire {
        #[command(flatten)]
        #[allow(missing_docs)]
        state: StateOption,
        /// Its number.
        number: i64,
        /// Who ends it.
        #[arg(long)]
        by: String,
    },
}

/// Runs the command.
///
/// # Errors
/// No state, or a condition or span that is none.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    match &options.what {
        What::Add { state, matches, span, by, comment } => {
            let silence = silence(matches, span, by, comment, now_ms())?;
            add(&state.open()?, &silence)?;
        }
        What::List { state } => {
            for silence in state.open()?.queue.silences(now_ms())? {
                writeln!(std::io::stdout().lock(), "{}", in_words(&silence))?;
            }
        }
        What::Expire { state, number, by } => {
            said("--by", by)?;
            let state = state.open()?;
            record(&state, &json!({ "what": "silence ended", "number": number, "by": by }))?;
            anyhow::ensure!(
                state.queue.expire_silence(*number, now_ms())?,
                "no silence {number} holds; `harbourwatch silence list` shows those that do"
            );
            writeln!(std::io::stdout().lock(), "ended: {number}")?;
        }
    }
    Ok(Outcome::Done)
}

fn add(state: &State, silence: &Silence) -> anyhow::Result<()> {
    let matchers: Vec<_> = silence.matchers.iter().map(ToString::to_string).collect();
    record(
        state,
        &json!({
            "what": "silence", "match": matchers, "from": utc(silence.starts), "until": utc(silence.ends),
            "by": silence.author, "comment": silence.comment,
        }),
    )?;
    let id = state.queue.add_silence(silence, now_ms())?;
    Ok(writeln!(std::io::stdout().lock(), "{}", in_words(&Silence { id, ..silence.clone() }))?)
}

fn silence(matches: &[String], span: &str, by: &str, comment: &str, now: i64) -> anyhow::Result<Silence> {
    said("--by", by)?;
    said("--comment", comment)?;
    let parse = |text: &String| Matcher::parse(text).map_err(|why| anyhow::anyhow!("--match {text:?}: {why}"));
    let matchers = matches.iter().map(parse).collect::<anyhow::Result<_>>()?;
    let span = millis(span).filter(|span| (1..=LONGEST_MS).contains(span));
    let span = span.ok_or_else(|| anyhow::anyhow!("--for: write 30m, 8h or 7d; at most 90d"))?;
    let (author, comment) = (by.to_owned(), comment.to_owned());
    Ok(Silence { id: 0, matchers, starts: now, ends: now.saturating_add(span), author, comment })
}

/// Ms of a number with its unit.
fn millis(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    text.get(..text.len() - 1)?.parse::<i64>().ok()?.checked_mul(unit)
}

fn in_words(silence: &Silence) -> String {
    let Silence { id, matchers, starts, ends, author, comment } = silence;
    let matchers: Vec<_> = matchers.iter().map(ToString::to_string).collect();
    format!("{id}  {}  {} to {}  by {author}: {comment}", matchers.join(" "), utc(*starts), utc(*ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit_and_a_bound() {
        assert_eq!((millis("30m"), millis("8h"), millis("7d")), (Some(1_800_000), Some(28_800_000), Some(604_800_000)));
        for text in ["", "8", "h", "8 h", "字", "99999999999999999d"] {
            assert_eq!(millis(text), None, "{text:?}");
        }
        let of = |span| silence(&["severity=LOW".to_owned()], span, "officer", "known", 0).map(|silence| silence.ends);
        assert_eq!(of("90d").unwrap(), LONGEST_MS);
        assert!(of("91d").is_err() && of("0h").is_err() && of("-1h").is_err());
    }
}
