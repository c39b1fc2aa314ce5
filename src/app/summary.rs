//! What a run did, for people: conservation, flows, speed.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};

use crate::domain::verdict::Verdict;
use crate::pipeline::Seen;
use crate::pipeline::flows::Volume;
use crate::pipeline::work::FlowKey;

/// Sums over a run.
#[derive(Debug)]
pub struct Summary {
    begun: Instant,
    elapsed: Duration,
    /// Time from poll to verdicts.
    pub judging: Duration,
    /// Time to make batches durable.
    pub recording: Duration,
    /// Bytes of input.
    pub bytes: u64,
    /// Events.
    pub received: u64,
    /// Of these, judged.
    pub judged: u64,
    /// Of the judged: moved nothing.
    pub still: u64,
    /// Of the judged: act not in the tables.
    pub unclassified: u64,
    /// Rejected.
    pub rejected: u64,
    /// Seen before.
    pub duplicate: u64,
    /// Evidence records.
    pub records: u64,
    /// Legs by flow.
    pub flows: HashMap<FlowKey, Volume>,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            elapsed: Duration::ZERO,
            judging: Duration::ZERO,
            recording: Duration::ZERO,
            bytes: 0,
            received: 0,
            judged: 0,
            still: 0,
            unclassified: 0,
            rejected: 0,
            duplicate: 0,
            records: 0,
            flows: HashMap::new(),
        }
    }
}

impl Summary {
    /// Adds a batch.
    pub fn add(&mut self, seen: &Seen<'_>) {
        let counts = seen.counts;
        self.elapsed = self.begun.elapsed();
        self.judging += seen.judging;
        self.recording += seen.recording;
        self.bytes += seen.bytes as u64;
        self.received += counts.received;
        self.judged += counts.judged;
        self.still += counts.still;
        self.unclassified += counts.unclassified;
        self.rejected += counts.rejected.values().sum::<u64>();
        self.duplicate += counts.duplicate;
        self.records += counts.records;
        for (flow, volume) in &counts.flows {
            let sum = self.flows.entry(*flow).or_default();
            sum.legs += volume.legs;
            sum.bytes = sum.bytes.saturating_add(volume.bytes);
        }
    }

    /// One line: nothing is lost.
    ///
    /// # Errors
    /// The output is closed.
    pub fn conservation(&self, out: &mut impl Write) -> io::Result<()> {
        let holds = self.received == self.judged + self.rejected + self.duplicate;
        writeln!(
            out,
            "conservation: {} received = {} judged + {} rejected + {} duplicate ({})",
            grouped(self.received),
            grouped(self.judged),
            grouped(self.rejected),
            grouped(self.duplicate),
            if holds { "holds" } else { "DOES NOT HOLD" }
        )?;
        writeln!(
            out,
            "              of the judged, {} moved no data and {} had an act that is not in the tables",
            grouped(self.still),
            grouped(self.unclassified)
        )
    }

    /// One line: how fast.
    ///
    /// # Errors
    /// The output is closed.
    pub fn speed(&self, out: &mut impl Write) -> io::Result<()> {
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        writeln!(
            out,
            "speed:        {} events/s, {:.0} MB/s over {seconds:.1} s (judging {:.1} s, evidence {:.1} s); {} records kept",
            grouped((self.received as f64 / seconds) as u64),
            self.bytes as f64 / 1e6 / seconds,
            self.judging.as_secs_f64(),
            self.recording.as_secs_f64(),
            grouped(self.records)
        )
    }

    /// The flows as a table, gravest verdict first, then the busiest.
    pub fn table(&self, colour: bool, most: usize) -> Table {
        let mut rows: Vec<_> = self.flows.iter().collect();
        rows.sort_by_key(|(flow, volume)| (flow.verdict, std::cmp::Reverse(volume.legs), **flow));
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
        let heads = ["from → to", "kind", "verdict", "flows", "bytes"];
        table.set_header(heads.map(|head| Cell::new(head).add_attribute(Attribute::Bold)));
        let shown = rows.len().min(most);
        for (flow, volume) in &rows[..shown] {
            let route = format!("{} → {}", place(&flow.origin), place(&flow.destination));
            let verdict = Cell::new(flow.verdict.name());
            table.add_row([
                Cell::new(route),
                Cell::new(flow.kind.name()),
                if colour { verdict.fg(tint(flow.verdict)) } else { verdict },
                Cell::new(grouped(volume.legs)).set_alignment(CellAlignment::Right),
                Cell::new(size(volume.bytes)).set_alignment(CellAlignment::Right),
            ]);
        }
        if rows.len() > shown {
            let rest: u64 = rows[shown..].iter().map(|(_, volume)| volume.legs).sum();
            let more = format!("and {} more routes", rows.len() - shown);
            table.add_row([Cell::new(more), Cell::new(""), Cell::new(""), Cell::new(grouped(rest)), Cell::new("")]);
        }
        table
    }
}

/// Colour of a verdict on a terminal.
pub fn tint(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Prohibited => Color::Magenta,
        Verdict::Uncovered | Verdict::Defect => Color::Red,
        Verdict::Undetermined => Color::Yellow,
        Verdict::Covered => Color::Blue,
        Verdict::Inbound | Verdict::Domestic => Color::Green,
        Verdict::NoHkNexus | Verdict::OutOfScope => Color::DarkGrey,
    }
}

fn place(code: &[u8; 2]) -> String {
    match code {
        b"ZZ" => "unknown".to_owned(),
        b"WW" => "WORLD".to_owned(),
        _ => String::from_utf8_lossy(code).into_owned(),
    }
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && at % 3 == head {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn size(bytes: u64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::{grouped, size};

    #[test]
    fn numbers_for_people() {
        assert_eq!(
            [0, 7, 999, 1000, 123_456, 1_234_567].map(grouped),
            ["0", "7", "999", "1,000", "123,456", "1,234,567"]
        );
        assert_eq!([999, 1000, 1_500_000].map(size), ["999 B", "1.0 KB", "1.5 MB"]);
    }
}
