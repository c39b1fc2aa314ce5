//! Retention by the service itself: what it says, what it takes away, and who writes it down.

use super::retention::World;
use super::*;
use harbourwatch::app::retainer::Retainer;
use harbourwatch::app::wire;
use harbourwatch::evidence::archive::Archive;
use harbourwatch::evidence::deed::Deletion;
use harbourwatch::evidence::entry::Entry;
use harbourwatch::evidence::{Deed, Filing, Inbox};
use harbourwatch::metrics::{Metrics, Scope};
use harbourwatch::recorder::{Folders, now_ms};
use harbourwatch::settings::{EXAMPLE_BANK, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const YEAR: i64 = 366 * 86_400_000;

/// A service's settings, folders and metrics around an archive.
struct Desk {
    settings: Settings,
    folders: Folders,
    metrics: Arc<Metrics>,
}

impl Desk {
    fn of(room: &Room, automatic: bool) -> Self {
        let mut settings: Settings = EXAMPLE_BANK.parse().unwrap();
        settings.evidence.origin = "harbourwatch/evidence/test".to_owned();
        settings.evidence.recipients.clear();
        settings.dead_letter_topic = None;
        settings.retention.automatic = automatic;
        let folders = Folders { evidence: room.archive(), state: room.dir.path().join("keys") };
        Self { settings, folders, metrics: Arc::new(Metrics::new(&Scope::default()).unwrap()) }
    }

    fn retainer(&self) -> Retainer {
        Retainer::new(&self.settings, &self.folders, Arc::clone(&self.metrics))
    }

    /// One look, while the real ledger takes deeds over as that of a service does.
    fn look(&self, now: i64) -> bool {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut ledger = wire::ledger(&self.settings, &self.folders, &[]).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    ledger.flush().unwrap();
                    thread::sleep(Duration::from_millis(5));
                }
                ledger.close().unwrap();
            });
            let ended = self.retainer().look(now);
            stop.store(true, Ordering::Relaxed);
            writer.join().unwrap();
            ended
        })
    }

    fn shows(&self) -> BTreeMap<String, f64> {
        let text = self.metrics.render().unwrap();
        let own = text.lines().filter_map(|line| line.strip_prefix("harbourwatch_retention_"));
        own.map(|line| line.split_once(' ').unwrap())
            .map(|(name, value)| (name.into(), value.parse().unwrap()))
            .collect()
    }

    fn deletions(&self) -> Vec<Deletion> {
        let mut found = Vec::new();
        let archive = Archive::open(&self.folders.evidence, None).unwrap();
        let seen = archive.entries(0, |_, entry| {
            if let Entry::Deed { deed: Deed::Deleted(deletion), .. } = entry {
                found.push(deletion);
            }
        });
        seen.unwrap();
        found
    }
}

/// Six records of each of seven people, three of a class that is kept shortly; a proof is given, one person is held.
fn world() -> World {
    let mut world = World::new(5);
    world.now = now_ms();
    world.singles(42);
    world.give();
    world.hold(3);
    world
}

/// The bytes of every file below a folder.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(dir).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn what_is_due_goes_by_itself_where_that_is_asked_for_and_what_is_held_stays() {
    let mut world = world();
    let desk = Desk::of(&world.room, true);
    let everything = world.readable();
    assert!(desk.look(world.now), "nothing is due yet");
    assert_eq!((desk.deletions().len(), world.readable()), (0, everything.clone()));

    let of_short = |offset: &u64| offset / 7 % 2 == 1;
    let held: BTreeSet<u64> = everything.iter().copied().filter(world.of(3)).collect();
    let gone = |kept: &BTreeSet<u64>| everything.difference(kept).copied().collect::<BTreeSet<u64>>();

    // the class that is kept shortly is over
    assert!(desk.look(world.now + YEAR));
    let left: BTreeSet<u64> = everything.iter().copied().filter(|n| !of_short(n) || held.contains(n)).collect();
    assert_eq!(world.readable(), left);
    world.erased.extend(gone(&left));
    world.check();
    assert_eq!(
        (desk.shows()["due_records"], desk.shows()["deleted_records_total"]),
        (0.0, 38.0),
        "keys of 21, records of 17"
    );

    // and now every class
    assert!(desk.look(world.now + 7 * YEAR));
    assert_eq!(world.readable(), held, "of all people the held one alone is left, whole");
    world.erased.extend(gone(&held));
    world.check();
    let deletions = desk.deletions();
    let of_keys = |deletion: &&Deletion| matches!(deletion, Deletion::Keys { kept, .. } if kept.len() == 1);
    let of_segments = |deletion: &&Deletion| matches!(deletion, Deletion::Segment { .. });
    assert_eq!((deletions.iter().filter(of_keys).count(), deletions.iter().filter(of_segments).count()), (2, 35));
    let shows = desk.shows();
    assert_eq!(
        (shows["due_records"], shows["last_run_timestamp_seconds"] as i64),
        (0.0, (world.now + 7 * YEAR) / 1000)
    );
    assert!(shows["held_records"] >= 6.0, "{shows:?}");
    let report = world.room.verify();
    assert_eq!((report.deleted, report.opened), (35, 7));
    assert_eq!(Inbox::new(&desk.folders.state).waiting().unwrap().len(), 0);

    // looked again, there is nothing to do
    let before = desk.deletions().len();
    assert!(desk.look(world.now + 7 * YEAR));
    assert_eq!(desk.deletions().len(), before);
    // when the hold is over, the rest goes too
    world.hold(3);
    assert!(desk.look(world.now + 7 * YEAR));
    assert!(world.readable().is_empty());
    assert!(world.room.verify().is_sound());
}

/// Lines of the log of this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn unless_that_is_asked_for_what_is_due_is_said_and_stays() {
    let world = world();
    let desk = Desk::of(&world.room, false);
    assert!(!desk.settings.retention.automatic && !EXAMPLE_BANK.parse::<Settings>().unwrap().retention.automatic);
    let (before, lines) = (contents(&world.room.archive()), Lines::default());
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    assert!(tracing::subscriber::with_default(log, || desk.retainer().look(world.now + 7 * YEAR)));
    assert_eq!(contents(&world.room.archive()), before);
    assert_eq!(Inbox::new(&desk.folders.state).waiting().unwrap().len(), 0);
    let shows = desk.shows();
    assert!(shows["due_records"] >= 36.0 && shows["held_records"] >= 6.0, "{shows:?}");
    assert_eq!(shows["deleted_records_total"], 0.0);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let due = format!("records={}", shows["due_records"]);
    assert!(text.contains("WARN") && text.contains("retention plan") && text.contains(&due), "{text}");
}

#[test]
fn a_deletion_that_waits_for_the_recorder_is_not_handed_over_twice() {
    let world = world();
    let desk = Desk::of(&world.room, true);
    let inbox = Inbox::new(&desk.folders.state);
    let waiting = Deletion::Tiles { minimum: 0, rule: "test".into() };
    inbox.submit(&desk.folders.evidence, &Filing::plain(Deed::Deleted(waiting)).unwrap()).unwrap();
    assert!(!desk.retainer().look(world.now + 7 * YEAR), "to be looked at again soon");
    assert_eq!((inbox.waiting().unwrap().len(), desk.deletions().len()), (1, 0));
    assert!(!desk.shows().contains_key("last_run_timestamp_seconds"));
}
