//! Verifies an archive and trusts nothing in it: every signature, hash, digest, commitment and range is computed again
//! from the bytes on disk. Reads once, in the order of the log, with bounded memory; writes nothing, needs no lock.
//!
//! What it cannot know: whether the key's holder rewrote the whole log. Against that, give it checkpoints that were kept
//! elsewhere ([`VerifyOptions::known`]) and a verifier key obtained by another way than the archive.

mod breach;
mod chain;
mod frames;
mod ids;
mod ranges;
mod strays;
mod walk;

use std::path::Path;
use std::time::{Duration, Instant};

use super::checkpoint::Checkpoint;
use super::error::EvidenceError;
use super::segment::Opener;
use chain::Chain;

pub use breach::{Breach, BreachKind, Findings};
pub use ranges::LaneTotals;
pub(super) use strays::read_tile;

/// What the verifier is given beside the archive.
#[derive(Clone, Copy, Default)]
pub struct VerifyOptions<'a> {
    /// Verifier key obtained independently; without it the archive's own `log.vkey` is used, with a warning.
    pub vkey: Option<&'a str>,
    /// age identity (`AGE-SECRET-KEY-1…`) that opens encrypted frames; without it their records are not opened.
    pub identity: Option<&'a str>,
    /// Checkpoints of this log kept elsewhere: the archive must contain what they signed.
    pub known: &'a [String],
    /// Told now and then how many entries of how many are done.
    pub progress: Option<&'a dyn Fn(u64, u64)>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// The checkpoint that was verified, if it could be read.
    pub checkpoint: Option<Checkpoint>,
    /// Entries read.
    pub entries: u64,
    /// Batches.
    pub batches: u64,
    /// Records in the log.
    pub records: u64,
    /// Records whose text was opened and held against its commitment.
    pub opened: u64,
    /// Records in segments that retention deleted, as the log says.
    pub deleted: u64,
    /// Entries that are not there because retention pruned them.
    pub pruned: u64,
    /// Rejected records in the log.
    pub rejected: u64,
    /// What people did with the evidence: looked, acknowledged, erased, held.
    pub deeds: u64,
    /// Segments.
    pub segments: u64,
    /// Per lane what was covered, in order of names.
    pub lanes: Vec<LaneTotals>,
    /// What is wrong, in the order of the log; none: the archive is sound.
    pub breaches: Vec<Breach>,
    /// Breaches beyond the bound of the list.
    pub more_breaches: u64,
    /// What the reader should know without it being wrong.
    pub warnings: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.breaches.is_empty()
    }

    /// Number (from 0) of the first record that is known to be bad.
    pub fn first_bad_record(&self) -> Option<u64> {
        self.breaches.iter().filter_map(|breach| breach.record).min()
    }

    /// Records verified per second.
    pub fn records_per_second(&self) -> f64 {
        self.records as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

/// Verifies the archive in `dir`.
///
/// # Errors
/// Only if the verifier cannot work: a key or identity given to it that is none. Whatever is wrong with the archive is a
/// [`Breach`] in the report.
pub fn verify(dir: &Path, how: &VerifyOptions<'_>) -> Result<VerifyReport, EvidenceError> {
    let begun = Instant::now();
    let opener = Opener::new(how.identity)?;
    let mut findings = Findings::default();
    let chain = Chain::choose(dir, how.vkey, &mut findings)?;
    let mut report = VerifyReport::default();
    if let Some((chain, checkpoint)) = chain.and_then(|chain| Some((chain, read_checkpoint(dir, &mut findings)?))) {
        report = walk::walk(dir, how, &checkpoint, chain, &opener, &mut findings);
        report.checkpoint = Some(checkpoint);
    }
    findings.finish(&mut report);
    report.took = begun.elapsed();
    Ok(report)
}

fn read_checkpoint(dir: &Path, findings: &mut Findings) -> Option<Checkpoint> {
    let parsed = std::fs::read_to_string(dir.join("checkpoint")).ok().and_then(|note| Checkpoint::parse(&note));
    if parsed.is_none() {
        findings.add(BreachKind::Checkpoint, "checkpoint", "it is missing or no checkpoint");
    }
    parsed
}
