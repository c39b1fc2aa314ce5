//! The picture of flows: origins on the left, destinations on the right, a band for each verdict between them. Drawn as SVG
//! without script or outside parts, so that it stands in a page, a print and an archive alike.

use super::html::escape;
use super::totals::rank;
use crate::app::summary::grouped;
use crate::deliver::render::place_name;
use std::collections::BTreeMap;

const WIDTH: f64 = 980.0;
const HEIGHT: f64 = 460.0;
const BAR: f64 = 14.0;
const LEFT: f64 = 220.0;
const RIGHT: f64 = WIDTH - 220.0;
const TOP: f64 = 16.0;

/// Letters of a name that have room beside its bar, with its number.
const LETTERS: usize = 24;

/// Space between two places of a side.
const GAP: f64 = 17.0;

/// A place is never drawn thinner than this, so that what is rare is seen all the same.
const THINNEST: f64 = 4.0;

/// Places on a side; the rest is put together.
const MOST: usize = 12;

/// Colour of a verdict, told apart by those who do not see red and green alike; the legend and the tables say it in words.
pub fn colour(verdict: &str) -> &'static str {
    match verdict {
        "PROHIBITED" => "#7a1fa2",
        "UNCOVERED" => "#c62828",
        "DEFECT" => "#ef6c00",
        "UNDETERMINED" => "#f9a825",
        "COVERED" => "#1565c0",
        "INBOUND" => "#5c8a8a",
        _ => "#78909c",
    }
}

/// A band: from, to, verdict, how many.
type Stream = (String, String, String, u64);

/// Heights of the places of one side, from top to bottom.
struct Side {
    places: Vec<(String, u64, f64, f64)>,
}

impl Side {
    fn of(streams: &[Stream], pick: impl Fn(&Stream) -> &String) -> Self {
        let mut counts: BTreeMap<&String, (u64, usize)> = BTreeMap::new();
        for stream in streams {
            let count = counts.entry(pick(stream)).or_insert((0, usize::MAX));
            *count = (count.0 + stream.3, count.1.min(rank(&stream.2)));
        }
        let mut places: Vec<_> =
            counts.into_iter().map(|(place, (count, worst))| (place.clone(), count, worst)).collect();
        places.sort_by_key(|(_, count, worst)| (*worst, std::cmp::Reverse(*count)));
        let sum: u64 = places.iter().map(|place| place.1).sum();
        let room = HEIGHT - GAP * places.len().saturating_sub(1) as f64;
        let wanted: Vec<f64> =
            places.iter().map(|place| (room * place.1 as f64 / sum.max(1) as f64).max(THINNEST)).collect();
        let fit = room / wanted.iter().sum::<f64>().max(1.0);
        let mut at = TOP;
        let placed = places.into_iter().zip(wanted).map(|((place, count, _), height)| {
            let own = (place, count, at, height * fit);
            at += height * fit + GAP;
            own
        });
        Self { places: placed.collect() }
    }

    fn find(&self, name: &str) -> Option<(u64, f64, f64)> {
        self.places.iter().find(|place| place.0 == name).map(|place| (place.1, place.2, place.3))
    }

    fn order(&self, name: &str) -> usize {
        self.places.iter().position(|place| place.0 == name).unwrap_or(usize::MAX)
    }

    fn draw(&self, out: &mut String, x: f64, right: bool) {
        for (place, count, y, height) in &self.places {
            let (label, middle) = (escape(&name(place)), y + height / 2.0 + 4.5);
            let (at, anchor) = if right { (x + BAR + 8.0, "start") } else { (x - 8.0, "end") };
            put!(
                out,
                r##"<rect x="{x:.1}" y="{y:.1}" width="{BAR}" height="{height:.1}" fill="#263238" rx="2"/><text x="{at:.1}" y="{middle:.1}" text-anchor="{anchor}">{label} <tspan class="n">{}</tspan></text>"##,
                grouped(*count)
            );
        }
    }
}

fn name(code: &str) -> String {
    match code {
        "" | "ZZ" => "Not known".into(),
        "…" => "Others".into(),
        code => short(&place_name(code), code),
    }
}

/// A name that fits; its code tells the rest, and the tables have it whole.
fn short(name: &str, code: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    let head: String = name.chars().take(LETTERS - 6).collect();
    format!("{}… ({code})", head.trim_end())
}

/// Puts the smallest places of a side together.
fn gathered(streams: &[Stream]) -> Vec<Stream> {
    let keep = |pick: fn(&Stream) -> &String| -> Vec<String> {
        let mut counts: BTreeMap<&String, (usize, u64)> = BTreeMap::new();
        for stream in streams {
            let count = counts.entry(pick(stream)).or_insert((usize::MAX, 0));
            *count = (count.0.min(rank(&stream.2)), count.1 + stream.3);
        }
        let mut places: Vec<_> = counts.into_iter().collect();
        places.sort_by_key(|(_, (worst, count))| (*worst, std::cmp::Reverse(*count)));
        places.into_iter().take(MOST).map(|(place, _)| place.clone()).collect()
    };
    let (from, to) = (keep(|stream| &stream.0), keep(|stream| &stream.1));
    let one = |place: &String, kept: &[String]| if kept.contains(place) { place.clone() } else { "…".to_owned() };
    let mut sums: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for stream in streams {
        *sums.entry((one(&stream.0, &from), one(&stream.1, &to), stream.2.clone())).or_default() += stream.3;
    }
    sums.into_iter().map(|((a, b, c), count)| (a, b, c, count)).collect()
}

/// The picture; empty if nothing flows.
pub fn svg(streams: &[Stream]) -> String {
    let mut streams = gathered(streams);
    if streams.is_empty() {
        return String::new();
    }
    let (from, to) = (Side::of(&streams, |stream| &stream.0), Side::of(&streams, |stream| &stream.1));
    streams.sort_by_key(|stream| (from.order(&stream.0), to.order(&stream.1), rank(&stream.2)));
    let mut out = format!(
        r#"<svg viewBox="0 0 {WIDTH} {}" role="img" aria-label="Flows from origin to destination, by verdict">"#,
        HEIGHT + 2.0 * TOP
    );
    let mut left: BTreeMap<&str, f64> = BTreeMap::new();
    let mut right: BTreeMap<&str, f64> = BTreeMap::new();
    for (origin, destination, verdict, count) in &streams {
        let (Some(a), Some(b)) = (from.find(origin), to.find(destination)) else { continue };
        let thick = |(sum, _, height): (u64, f64, f64)| height * *count as f64 / sum.max(1) as f64;
        let (at_left, at_right) = (left.entry(origin).or_default(), right.entry(destination).or_default());
        let band = Band { y0: a.1 + *at_left, h0: thick(a), y1: b.1 + *at_right, h1: thick(b) };
        (*at_left, *at_right) = (*at_left + thick(a), *at_right + thick(b));
        let title = format!("{} → {}, {verdict}: {}", name(origin), name(destination), grouped(*count));
        band.draw(&mut out, colour(verdict), &escape(&title));
    }
    from.draw(&mut out, LEFT - BAR, false);
    to.draw(&mut out, RIGHT, true);
    out.push_str("</svg>");
    out
}

struct Band {
    y0: f64,
    h0: f64,
    y1: f64,
    h1: f64,
}

impl Band {
    fn draw(&self, out: &mut String, colour: &str, title: &str) {
        let Self { y0, h0, y1, h1 } = self;
        let (low, high, half) = (y0 + h0, y1 + h1, (LEFT + RIGHT) / 2.0);
        put!(
            out,
            r#"<path d="M{LEFT},{y0:.1} C{half},{y0:.1} {half},{y1:.1} {RIGHT},{y1:.1} L{RIGHT},{high:.1} C{half},{high:.1} {half},{low:.1} {LEFT},{low:.1} Z" fill="{colour}" fill-opacity="0.62"><title>{title}</title></path>"#
        );
    }
}
