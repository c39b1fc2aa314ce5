//! `explain`: how an event is judged, for people and as JSON.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{ConfigOption, Outcome, reasoning, wire};
use crate::dingtalk::Reject;
use crate::dingtalk::legs::Movement;
use crate::domain::event::{Act, Event};
use crate::domain::flow::Leg;
use crate::domain::place::Method;
use crate::domain::trace::Step;
use crate::domain::verdict::{Tag, Verdict};
use crate::pipeline::scene::Scene;
use crate::pipeline::view::{self, DecisionView, LegView, PlaceView};
use crate::pipeline::work::{Judged, unclassified, worst};
use crate::pipeline::world::World;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// File with one event (or page, or envelope); standard input if not given, or `-`.
    pub file: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigOption,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Explanation<'w> {
    index: u32,
    act: String,
    shape: &'static str,
    time: Option<i64>,
    tenant: &'w str,
    item: &'w str,
    other_organisation: bool,
    verdict: Option<&'static str>,
    severity: Option<&'static str>,
    note: Option<&'static str>,
    legs: Vec<ExplainedLeg<'w>>,
}

#[derive(Serialize)]
struct ExplainedLeg<'w> {
    #[serde(flatten)]
    leg: LegView<'w>,
    reasoning: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// Unreadable input or configuration.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let settings = super::load(&options.config.config)?;
    let world = wire::world(&settings)?;
    let mut bytes = Vec::new();
    match options.file.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => {
            bytes = std::fs::read(path).map_err(|why| anyhow::anyhow!("cannot read {}: {why}", path.display()))?;
        }
        None => {
            std::io::stdin().lock().read_to_end(&mut bytes)?;
        }
    }
    let mut out = std::io::stdout().lock();
    let mut result = Ok(());
    let mut rejected = false;
    let events = world.decoder.decode(&bytes, &mut |index, event| {
        let shown = match event {
            Ok(event) => show(&world, index, &event, options.json, &mut out),
            Err(reject) => {
                rejected = true;
                show_rejected(index, &reject, options.json, &mut out)
            }
        };
        result = std::mem::replace(&mut result, Ok(())).and(shown);
    });
    result?;
    if events == 0 {
        writeln!(std::io::stderr(), "a page without events")?;
    }
    Ok(if rejected { Outcome::Failed } else { Outcome::Done })
}

fn show(world: &World, index: u32, event: &Event<'_>, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let explanation = explain(world, index, event);
    if json {
        serde_json::to_writer(&mut *out, &explanation)?;
        writeln!(out)?;
    } else {
        text(&explanation, out)?;
    }
    Ok(())
}

fn show_rejected(index: u32, reject: &Reject, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let (reason, detail) = (reject.reason.name(), reject.detail.to_string());
    if json {
        writeln!(out, "{}", serde_json::json!({ "index": index, "rejected": reason, "detail": detail }))?;
    } else {
        writeln!(out, "event {index}: rejected ({reason}): {detail}")?;
    }
    Ok(())
}

fn explain<'w>(world: &'w World, index: u32, event: &Event<'_>) -> Explanation<'w> {
    let scene = Scene::new(world, event);
    let mut legs: Vec<Leg> = Vec::new();
    let movement = scene.legs(&mut |leg| legs.push(leg));
    let case = scene.case(&legs);
    let mut judged = Vec::new();
    let mut lines = Vec::new();
    for leg in &legs {
        let mut steps: Vec<Step> = Vec::new();
        judged.push(Judged { leg: *leg, decision: world.policy.judge(leg, &case, &mut steps) });
        lines.push(steps.iter().map(|step| reasoning::line(world, step)).collect::<Vec<_>>());
    }
    if movement == Movement::Unclassified {
        judged.push(unclassified());
        lines.push(vec!["the act is not in the tables: it may move data anywhere".to_owned()]);
    }
    let lead = worst(&judged).map(|lead| lead.decision);
    let shown =
        judged.iter().zip(lines).map(|(one, reasoning)| ExplainedLeg { leg: view::leg(world, &scene, one), reasoning });
    Explanation {
        index,
        act: act(event),
        shape: event.shape.name(),
        time: event.time,
        tenant: &world.policy.tenant(case.tenant).id,
        item: &world.policy.item(case.item).id,
        other_organisation: scene.is_foreign(),
        verdict: lead.map(|lead| lead.verdict.name()),
        severity: lead.map(|lead| lead.severity.name()),
        note: (movement == Movement::Nothing).then_some("this act moves no data: no leg, no verdict"),
        legs: shown.collect(),
    }
}

fn act(event: &Event<'_>) -> String {
    use crate::dingtalk::codes;
    match &event.act {
        Act::Audit(code) => codes::by_action(*code).map_or_else(
            || format!("action {code} (not in the tables)"),
            |row| format!("action {code} {} / {}", row.en, row.zh),
        ),
        Act::Push(kind) => format!("event {kind}"),
    }
}

fn text(explanation: &Explanation<'_>, out: &mut impl Write) -> std::io::Result<()> {
    let time = explanation.time.map_or_else(|| "no time".to_owned(), when);
    writeln!(out, "event {}: {} ({}), {time}", explanation.index, explanation.act, explanation.shape)?;
    writeln!(out, "  tenant {}, data: {}", explanation.tenant, explanation.item)?;
    if explanation.other_organisation {
        writeln!(out, "  a file of another organisation: its orgName is none of the tenant's names")?;
    }
    let verdict = explanation.verdict.unwrap_or("none");
    writeln!(out, "  verdict {verdict}, severity {}", explanation.severity.unwrap_or("none"))?;
    if let Some(note) = explanation.note {
        writeln!(out, "  {note}")?;
    }
    for (number, leg) in (1..).zip(&explanation.legs) {
        leg_text(number, leg, out)?;
    }
    Ok(())
}

fn leg_text(number: usize, explained: &ExplainedLeg<'_>, out: &mut impl Write) -> std::io::Result<()> {
    let leg = &explained.leg;
    let preview = if leg.preview { ", preview only" } else { "" };
    writeln!(out, "\n  leg {number}: {}{preview}", leg.kind)?;
    writeln!(out, "    from       {}", place(&leg.origin))?;
    writeln!(out, "    to         {}", place(&leg.destination))?;
    let recipient = &leg.recipient;
    writeln!(out, "    recipient  {} ({}, {})", recipient.name, recipient.role, recipient.tie)?;
    decision_text(&leg.decision, out)?;
    writeln!(out, "    reasoning")?;
    for line in &explained.reasoning {
        writeln!(out, "      {line}")?;
    }
    Ok(())
}

fn decision_text(decision: &DecisionView<'_>, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "    verdict    {} by {}, severity {}", decision.verdict, decision.rule, decision.severity)?;
    // of several possibilities the gravest is told
    let of = if decision.possible.is_empty() { "" } else { " (in the gravest case)" };
    match (decision.safeguard, decision.failed) {
        (Some(entry), Some(failed)) => writeln!(out, "    safeguard  {entry}: condition {failed} fails{of}")?,
        (Some(entry), None) => writeln!(out, "    safeguard  {entry}: every condition holds{of}")?,
        (None, Some(failed)) => writeln!(out, "    safeguard  none names it; condition {failed} fails{of}")?,
        (None, None) => {}
    }
    if let Some(rule) = decision.policy_rule {
        writeln!(out, "    own rule   {rule}")?;
    }
    let possible: Vec<&str> = decision.possible.iter().map(Verdict::name).collect();
    let remarks: Vec<&str> = decision.tags.iter().map(Tag::name).collect();
    for (label, list) in [("possible ", possible), ("remarks  ", remarks)] {
        if !list.is_empty() {
            writeln!(out, "    {label}  {}", list.join(", "))?;
        }
    }
    Ok(())
}

/// Place, then how it is known; of a place that is not known, why.
fn place(place: &PlaceView<'_>) -> String {
    let known = format!("{} by {}, confidence {}", place.words(), place.method, place.confidence);
    let known = if place.method == Method::None.name() { place.words().into_string() } else { known };
    if place.source.is_empty() { known } else { format!("{known}; {}", place.source) }
}

/// Event time for people: Hong Kong first, UTC beside it.
pub(crate) fn when(ms: i64) -> String {
    use jiff::tz::Offset;
    let Ok(time) = jiff::Timestamp::from_millisecond(ms) else { return format!("{ms} ms") };
    let local = Offset::constant(8).to_datetime(time);
    format!("{} HKT ({} UTC)", local.strftime("%Y-%m-%d %H:%M:%S"), time.strftime("%H:%M:%S"))
}
