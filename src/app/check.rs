//! `check`: all faults of a configuration at once, or the effective configuration and how the storage that it speaks of is
//! judged.

use std::io::{self, Write};

use super::{ConfigOption, Outcome, wire};
use crate::domain::calendar::{day_of, parse_day};
use crate::domain::finding::{DAY_MS, HKT_OFFSET_MS};
use crate::domain::party::TenantId;
use crate::domain::verdict::Verdict;
use crate::pipeline::standing::{Arrangement, arrangements};
use crate::pipeline::view::LegView;
use crate::pipeline::world::World;
use crate::settings::{Settings, effective};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigOption,
    /// Day in the Hong Kong calendar, as 2026-11-23, for which standing storage is judged; today if not given. Shows what
    /// the end of a safeguard will change.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub on: Option<i32>,
}

fn day(text: &str) -> Result<i32, String> {
    parse_day(text).ok_or_else(|| "write a day that exists as 2026-11-23".to_owned())
}

/// Runs the command: the effective configuration to standard output, remarks to standard error.
///
/// # Errors
/// The configuration has faults, or a database that it names cannot be used.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let settings = Settings::load(&options.config.config)?;
    let world = wire::world(&settings)?;
    io::stdout().lock().write_all(effective(&settings).as_bytes())?;
    let mut err = io::stderr().lock();
    for warning in &settings.warnings {
        writeln!(err, "warning: {warning}")?;
    }
    writeln!(err, "policy {} sha256 {}", settings.policy.pack.id, settings.policy.digest)?;
    writeln!(err, "geolocation sha256 {}", world.geo.digest())?;
    let today = || day_of(jiff::Timestamp::now().as_millisecond());
    standing(&world, options.on.unwrap_or_else(today), &mut err)?;
    writeln!(err, "{}: good", options.config.config.display())?;
    Ok(Outcome::Done)
}

/// What is known from the configuration alone about where files are kept, and how it is judged on a day.
fn standing(world: &World, day: i32, err: &mut impl Write) -> io::Result<()> {
    // noon in Hong Kong, so that it is the same day wherever one looks
    let at = i64::from(day) * DAY_MS + DAY_MS / 2 - HKT_OFFSET_MS;
    let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(day));
    writeln!(err, "standing storage, as judged on {date} (from → to: verdict by rule, severity):")?;
    for (tenant, name) in (0..).map(TenantId).zip(&world.policy.tenants) {
        writeln!(err, "  tenant {}", name.id)?;
        for arrangement in arrangements(world, tenant) {
            let line = arrangement.judge(world, at, |sight| line(arrangement, &sight.view()));
            writeln!(err, "    {line}")?;
        }
    }
    Ok(())
}

/// `space 24870552358: HK → CN (outside Guangdong): PROHIBITED by R5, CRITICAL; rule core-data-in-hk`.
fn line(arrangement: Arrangement<'_>, leg: &LegView<'_>) -> String {
    let decision = &leg.decision;
    let what = if arrangement.space.is_some() { arrangement.subject() } else { "every other space".to_owned() };
    let (from, to) = (leg.origin.words(), leg.destination.words());
    let head = format!("{what}: {from} → {to}: {} by {}, {}", decision.verdict, decision.rule, decision.severity);
    let possible: Vec<&str> = decision.possible.iter().map(Verdict::name).collect();
    let more = [
        decision.policy_rule.map(|rule| format!("rule {rule}")),
        decision.safeguard.map(|entry| format!("safeguard {entry}")),
        decision.failed.map(|condition| format!("condition {condition} fails")),
        (!possible.is_empty()).then(|| format!("possible: {}", possible.join(", "))),
        (!leg.destination.source.is_empty()).then(|| format!("place by {}", leg.destination.source)),
    ];
    more.into_iter().flatten().fold(head, |line, part| line + "; " + &part)
}
