//! One line for each leg, for spreadsheets (RFC 4180). No personal fields.

use std::io::{self, Write};

use crate::app::proof::source::{Found, Source};
use crate::app::proof::when;

const HEAD: &str =
    "record,time_utc,time_hkt,verdict,kind,origin,destination,recipient,safeguard,leg_verdict,leg_severity,log,entry";

/// Writes the table.
///
/// # Errors
/// The file cannot be written.
pub fn write(out: &mut impl Write, sources: &[Source], found: &[Found]) -> io::Result<()> {
    write!(out, "\u{feff}{HEAD}\r\n")?; // the mark makes Excel read UTF-8
    for Found { source, row } in found {
        let (utc, hkt, origin, entry) =
            (when::utc(row.at), when::hkt(row.at), sources[*source].origin(), row.i.to_string());
        for leg in &row.flow.legs {
            let cells = [
                &row.id,
                &utc,
                &hkt,
                &row.flow.verdict,
                &leg.kind,
                &leg.origin,
                &leg.destination,
                &leg.recipient,
                &leg.safeguard,
                &leg.verdict,
                &leg.severity,
            ];
            let cells: Vec<String> = cells.into_iter().map(|cell| quoted(cell)).collect();
            write!(out, "{},{},{}\r\n", cells.join(","), quoted(origin), quoted(&entry))?;
        }
        if row.flow.legs.is_empty() {
            let cells = [&row.id, &utc, &hkt, &row.flow.verdict].map(|cell| quoted(cell));
            write!(out, "{},,,,,,,,{},{}\r\n", cells.join(","), quoted(origin), quoted(&entry))?;
        }
    }
    Ok(())
}

/// A cell. What a spreadsheet would take for a formula is taken for a text.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells_are_texts_whatever_they_look_like() {
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("薪金"), "薪金");
    }
}
