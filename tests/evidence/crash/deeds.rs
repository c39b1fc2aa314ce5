//! Deletion, erasure, pruning, a hold and a change of the signing key, each as a row of durable steps from the command's slip
//! to the last file that goes. Each step is lost, or kept while an error is said, or the last that the process did. After
//! each the next start must leave a sound log in which the deed is once or not at all, wholly done or not begun, and what was
//! erased must not be found in any file.

use super::*;
use harbourwatch::evidence::archive::Archive;
use harbourwatch::evidence::deed::{Deletion, HoldId, KeyId, Rotation};
use harbourwatch::evidence::disk::Disk;
use harbourwatch::evidence::holds::Holds;
use harbourwatch::evidence::keyring::Keyring;
use harbourwatch::evidence::keys::{TagKey, holds_path, make_next, subjects_path, tag_path};
use harbourwatch::evidence::merkle::Hash;
use harbourwatch::evidence::proof::{Prover, root_of};
use harbourwatch::evidence::search::Sought;
use harbourwatch::evidence::segment::Month;
use harbourwatch::evidence::{Deed, Detail, Filing, Inbox, Note};
use harbourwatch::outbox::Bounds;
use harbourwatch::recorder::dead_letters::DeadLetterTopic;
use harbourwatch::recorder::{Folders, Ledger};

/// Records before the deed, in two months.
const EVENTS: u64 = 320;

/// Records of the first month.
const FIRST: u64 = 300;

const MONTH: i64 = 31 * 86_400_000;

const KINDS: [&str; 7] = ["segment", "keys", "tiles", "erasure", "hold", "release", "signer"];

fn state(room: &Room) -> PathBuf {
    room.dir.path().join("keys")
}

fn ledger(room: &Room, faults: Option<Faults>) -> Result<Ledger, String> {
    let (folders, options) =
        (Folders { evidence: room.archive(), state: state(room) }, Options { faults, ..room.options() });
    let opened = Ledger::open(&folders, &options, &[], Bounds::default(), DeadLetterTopic::None);
    opened.map_err(|error| error.to_string())
}

fn record_at(room: &Room, now_ms: i64, from: u64, next: u64, deed: Option<Filing>) {
    let records: Vec<Record> = (from..next).map(record).collect();
    let coverage: Vec<Coverage> = (from < next).then(|| coverage(from, next)).into_iter().collect();
    let notes: Vec<Note> = deed.into_iter().map(Note::Deed).collect();
    let mut log = room.open();
    let batch = Batch { now_ms, records: &records, coverage: &coverage, notes: &notes, ..Batch::default() };
    let staged = log.stage(&batch).unwrap();
    log.publish(staged).unwrap();
    log.close().unwrap();
}

/// An archive of two months, made once and copied for each case.
struct Template {
    room: Room,
    /// What somebody holds from before: an entry with its proof, and the checkpoint.
    given: Vec<(u64, String, Vec<Hash>)>,
    note: String,
    size: u64,
    root: Hash,
}

fn held(room: &Room) -> Vec<KeyId> {
    let ring = Keyring::open(&subjects_path(&room.options().key), false).unwrap();
    ring.all().unwrap().iter().map(|held| held.id).collect()
}

fn of_subject(room: &Room) -> Vec<KeyId> {
    let key = room.options().key;
    let (ring, tag) =
        (Keyring::open(&subjects_path(&key), false).unwrap(), TagKey::open(&tag_path(&key), false).unwrap());
    ring.of_subject(&tag, "chan.siu.ming.3").unwrap().iter().map(|held| held.id).collect()
}

fn segments_of_first_month(room: &Room) -> Vec<String> {
    let mut found: Vec<String> = files(&room.archive().join("segments/2026-11"))
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    found
}

fn segment(room: &Room, name: &str) -> Deletion {
    let number = name.parse().unwrap();
    let bytes = fs::metadata(room.archive().join(format!("segments/2026-11/{name}.seg"))).unwrap().len();
    let segment = harbourwatch::evidence::segment::SegmentId { month: Month::of(NOW).unwrap(), number };
    Deletion::Segment { segment, bytes, rule: "transfer:72".into() }
}

const HOLD: HoldId = HoldId([7; 8]);

fn hold(release: bool) -> Filing {
    let detail = Detail { salt: [3; 16], text: r#"{"by":"officer","why":"proceedings","scope":{}}"#.into() };
    Filing::with(detail, |commitment| Deed::Held { hold: HOLD, release, commitment }).unwrap()
}

impl Template {
    fn new(kind: &str) -> Self {
        let room = Room::new();
        // several frames, and so several segments
        (0..FIRST).step_by(60).for_each(|from| record_at(&room, NOW, from, from + 60, None));
        record_at(&room, NOW + MONTH, FIRST, EVENTS, None);
        if kind == "tiles" {
            for name in segments_of_first_month(&room) {
                let deletion = segment(&room, &name);
                record_at(&room, NOW + MONTH, EVENTS, EVENTS, Filing::plain(Deed::Deleted(deletion)));
            }
        }
        if kind == "release" {
            record_at(&room, NOW + MONTH, EVENTS, EVENTS, Some(hold(false)));
        }
        ledger(&room, None).unwrap().close().unwrap();
        let archive = Archive::open(&room.archive(), None).unwrap();
        let (size, root, note) = (archive.checkpoint().size, archive.checkpoint().root, archive.checkpoint().note());
        let (mut prover, mut given) = (Prover::new(&room.archive(), size), Vec::new());
        let mut entries = Vec::new();
        archive.entries(0, |i, entry| entries.push((i, entry.to_string()))).unwrap();
        for (i, entry) in entries.into_iter().step_by(61) {
            given.push((i, entry, prover.path(i).unwrap()));
        }
        Self { room, given, note, size, root }
    }

    fn copy(&self) -> Room {
        let room = Room::new();
        let from = self.room.dir.path();
        for path in files(from) {
            let to = room.dir.path().join(path.strip_prefix(from).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&path, to).unwrap();
        }
        room
    }

    /// The deed of a kind, for this very copy.
    fn deed(kind: &str, room: &Room) -> Filing {
        let month = Month::of(NOW).unwrap();
        let plain = |deed| Filing::plain(deed).unwrap();
        match kind {
            "segment" => plain(Deed::Deleted(segment(room, &segments_of_first_month(room)[1]))),
            "keys" => plain(Deed::Deleted(Deletion::Keys {
                month,
                class: "transfer".into(),
                count: 7,
                rule: "transfer:72".into(),
                kept: vec![],
            })),
            "tiles" => plain(Deed::Deleted(Deletion::Tiles { minimum: 256, rule: "on request".into() })),
            "erasure" => {
                let detail = Detail { salt: [5; 16], text: r#"{"by":"officer","ground":"s.26"}"#.into() };
                let keys = of_subject(room);
                Filing::with(detail, |commitment| Deed::Erased { commitment, keys }).unwrap()
            }
            "hold" => hold(false),
            "release" => hold(true),
            "signer" => {
                let from = fs::read_to_string(room.archive().join("log.vkey")).unwrap().trim().to_owned();
                let to = make_next(&room.options().key, "harbourwatch/evidence/test").unwrap();
                let detail = Detail { salt: [9; 16], text: r#"{"by":"officer","why":"test"}"#.into() };
                Filing::with(detail, |commitment| Deed::Rotated(Rotation::Signer { from, to, commitment })).unwrap()
            }
            other => panic!("{other}"),
        }
    }

    /// Whether the deed shows outside the log; must be wholly so or not at all.
    fn is_done(&self, kind: &str, room: &Room, before: &Before) -> bool {
        let exists = |name: &str| room.archive().join(name).exists();
        match kind {
            "segment" => {
                let name = format!("segments/2026-11/{}.seg", before.segments[1]);
                let rows = Archive::open(&room.archive(), None).unwrap().find(&Sought::default()).unwrap();
                let indexed = rows.iter().any(|row| row.segment.to_string().ends_with(&before.segments[1]));
                assert_eq!(exists(&name), indexed, "the index and the segments differ");
                !exists(&name)
            }
            "tiles" => {
                assert_eq!(exists("tile/entries/000"), exists("tile/0/000"), "half pruned");
                !exists("tile/0/000")
            }
            "keys" | "erasure" => {
                let gone = before.doomed.iter().filter(|key| !held(room).contains(key)).count();
                assert!(gone == 0 || gone == before.doomed.len(), "half erased");
                gone > 0
            }
            "hold" | "release" => {
                let there = !Holds::read(&holds_path(&room.options().key)).unwrap().all().is_empty();
                there == (kind == "hold")
            }
            "signer" => fs::read_to_string(room.archive().join("log.vkey")).unwrap().lines().count() == 2,
            other => panic!("{other}"),
        }
    }
}

/// What must go, as it was.
struct Before {
    segments: Vec<String>,
    doomed: Vec<KeyId>,
    bytes: Vec<[u8; 32]>,
}

impl Before {
    fn of(kind: &str, room: &Room) -> Self {
        let all = || {
            let ring = Keyring::open(&subjects_path(&room.options().key), false).unwrap();
            let month = Month::of(NOW).unwrap();
            ring.all().unwrap().iter().filter(|held| held.month == month).map(|held| held.id).collect()
        };
        let doomed: Vec<KeyId> = match kind {
            "keys" => all(),
            "erasure" => of_subject(room),
            _ => Vec::new(),
        };
        assert_eq!(doomed.is_empty(), !matches!(kind, "keys" | "erasure"));
        let connection = rusqlite::Connection::open(subjects_path(&room.options().key)).unwrap();
        let key = |id: &KeyId| connection.query_row("SELECT key FROM keys WHERE id = ?1", [id.0], |row| row.get(0));
        let bytes = doomed.iter().map(|id| key(id).unwrap()).collect();
        let segments =
            if room.archive().join("segments/2026-11").is_dir() { segments_of_first_month(room) } else { vec![] };
        Self { segments, doomed, bytes }
    }
}

/// One case; gives the steps that were taken.
fn case(template: &Template, kind: &str, at: usize, fate: Fate, dies: bool) -> usize {
    let what = format!("{kind}, step {at} {fate:?}, {}", if dies { "killed" } else { "goes on" });
    let room = template.copy();
    let before = Before::of(kind, &room);
    let deed = Template::deed(kind, &room);
    let (faults, steps) = faults(at, fate, dies);
    let inbox = Inbox::new(&state(&room)).through(Disk::new(false, Some(faults.clone())));
    let submitted = inbox.submit(&room.archive(), &deed).is_ok();
    if let Ok(mut ledger) = ledger(&room, Some(faults)) {
        let first = ledger.flush().is_ok();
        // the process that is told of an error and goes on must not do it twice
        let second = ledger.flush().is_ok();
        assert!(first || !second || !submitted, "{what}: an error was said and forgotten");
        ledger.close().ok();
    }
    let taken = steps.lock().unwrap().len();
    let mut again = ledger(&room, None).unwrap_or_else(|why| panic!("{what}: {why}"));
    again.flush().unwrap_or_else(|why| panic!("{what}: {why}"));
    again.close().unwrap();
    record_at(&room, NOW + MONTH, EVENTS, EVENTS + 5, None);
    let known = [template.note.clone()];
    let report = verify(&room.archive(), &VerifyOptions { known: &known, ..VerifyOptions::default() }).unwrap();
    assert!(report.is_sound(), "{what}: {:#?}", report.breaches);
    let mut recorded = 0;
    let archive = Archive::open(&room.archive(), None).unwrap();
    let wanted = deed.deed().clone();
    archive
        .entries(0, |_, entry| {
            let harbourwatch::evidence::entry::Entry::Deed { deed, .. } = entry else { return };
            recorded += usize::from(deed == wanted);
        })
        .unwrap();
    assert!(recorded == 1 || (recorded == 0 && !submitted), "{what}: recorded {recorded} times, submitted {submitted}");
    assert_eq!(template.is_done(kind, &room, &before), recorded == 1, "{what}");
    if kind != "tiles" {
        assert_eq!(report.records, EVENTS + 5, "{what}");
    }
    for (index, entry, path) in &template.given {
        assert_eq!(root_of(entry, *index, template.size, path), Some(template.root), "{what}");
    }
    assert!(inbox.waiting().unwrap().is_empty(), "{what}");
    if recorded == 1 && !before.bytes.is_empty() {
        let left: Vec<u8> = files(room.dir.path()).iter().flat_map(|path| fs::read(path).unwrap()).collect();
        for key in &before.bytes {
            assert!(memchr::memmem::find(&left, key).is_none(), "{what}: a destroyed key is still on the medium");
        }
    }
    taken
}

#[test]
fn every_step_of_every_deed_may_fail_in_every_way() {
    let full = std::env::var_os("HARBOURWATCH_CRASH").is_some_and(|how| how == "full");
    for (number, kind) in KINDS.into_iter().enumerate() {
        let template = Template::new(kind);
        let steps = case(&template, kind, usize::MAX, Fate::Done, false);
        assert!(steps > 25, "{kind}: {steps}");
        // every step in continuous integration, every sixth here, another one for each way
        let fates =
            [(Fate::Lost, true), (Fate::Kept, true), (Fate::Torn, true), (Fate::Kept, false), (Fate::Lost, false)];
        for (offset, (fate, dies)) in fates.into_iter().enumerate() {
            let stride = if full { 1 } else { 6 };
            for at in ((offset + number) % stride..steps).step_by(stride) {
                case(&template, kind, at, fate, dies);
            }
        }
    }
}
