//! What operators see of the condition of the process: loads that were refused, safeguards that end, the evidence as the
//! service itself verified it, room on the disks. Labels are closed sets, and ids of the operator's own register.

use super::family::ConditionFamilies;

/// Safeguards that get a series of their own: those that end first. A register is shorter.
const MOST_SAFEGUARDS: usize = 200;

label! {
    /// What was at fault when a load was refused.
    Part {
        /// The configuration file.
        Configuration = "configuration",
        /// A geolocation database, or what is compiled with it.
        Databases = "databases",
    }
}

label! {
    /// Folders whose disk is watched.
    Folder {
        /// The evidence.
        Evidence = "evidence",
        /// State, outbox, dead letters.
        State = "state",
    }
}

/// How a verification of the evidence ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verified {
    /// Whether nothing was wrong.
    pub sound: bool,
    /// How long it took, in seconds.
    pub took: f64,
    /// When it ended, ms since the epoch.
    pub at: i64,
}

/// What retention found at its last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retained {
    /// Records that are due to go, or to lose their personal fields.
    pub due: u64,
    /// Records that would be due but for a hold.
    pub held: u64,
}

/// Metrics about the condition of the process.
#[derive(Debug)]
pub struct ConditionMetrics {
    families: ConditionFamilies,
}

impl ConditionMetrics {
    pub(super) fn new(families: ConditionFamilies) -> Self {
        for part in Part::ALL {
            families.reload_failures.with_label_values(&[part.name()]);
        }
        Self { families }
    }

    /// A load was refused.
    pub fn load_refused(&self, part: Part) {
        self.families.reload_failures.with_label_values(&[part.name()]).inc();
    }

    /// Age in days from which a database is stale.
    pub fn geo_max_age(&self, days: u32) {
        self.families.geo_max_age.set(f64::from(days) * 86_400.0);
    }

    /// Ids of the register with the end of each in ms since the epoch; what was shown before is shown no more.
    pub fn safeguards<'a>(&self, ends: impl Iterator<Item = (&'a str, i64)>) {
        let mut ends: Vec<_> = ends.collect();
        ends.sort_unstable_by_key(|(id, end)| (*end, *id));
        self.families.safeguards.reset();
        for (id, end) in ends.into_iter().take(MOST_SAFEGUARDS) {
            self.families.safeguards.with_label_values(&[id]).set(super::seconds(end));
        }
    }

    /// The service verified its own evidence.
    pub fn verified(&self, verified: Verified) {
        let families = &self.families;
        families.verified.with_label_values::<&str>(&[]).set(super::seconds(verified.at));
        families.verify_seconds.with_label_values::<&str>(&[]).set(verified.took);
        families.verify_sound.with_label_values::<&str>(&[]).set(i64::from(verified.sound));
        families.verify_failures.inc_by(u64::from(!verified.sound));
    }

    /// Room on the disk of a folder, in bytes.
    pub fn disk(&self, folder: Folder, free: u64, size: u64) {
        // Exact up to 2^53 bytes, 8 PiB.
        self.families.disk_free.with_label_values(&[folder.name()]).set(free as f64);
        self.families.disk_size.with_label_values(&[folder.name()]).set(size as f64);
    }
    /// What is due by retention, and what a hold keeps.
    pub fn retained(&self, retained: Retained) {
        let gauge = |records: u64| i64::try_from(records).unwrap_or(i64::MAX);
        self.families.retention_due.set(gauge(retained.due));
        self.families.retention_held.set(gauge(retained.held));
    }

    /// Retention took away records, or their personal fields.
    pub fn retention_deleted(&self, records: u64) {
        self.families.retention_deleted.inc_by(records);
    }

    /// Retention was looked after to the end, at `at` (ms since the epoch).
    pub fn retention_ran(&self, at: i64) {
        self.families.retention_ran.with_label_values::<&str>(&[]).set(super::seconds(at));
    }
}
