//! What goes, goes for good, what is held stays, and no proof that was given ever fails.

use super::*;
use harbourwatch::evidence::archive::{Archive, numbers_of};
use harbourwatch::evidence::deed::Rotation;
use harbourwatch::evidence::deed::{Deletion, HoldId, KeyId};
use harbourwatch::evidence::expiry::{Ground, Step, Terms};
use harbourwatch::evidence::holds::{Holds, Scope};
use harbourwatch::evidence::keyring::Keyring;
use harbourwatch::evidence::keys::{TagKey, holds_path, make_next, subjects_path, tag_path};
use harbourwatch::evidence::merkle::Hash;
use harbourwatch::evidence::proof::{Prover, root_of};
use harbourwatch::evidence::search::Sought;
use harbourwatch::evidence::{Deed, Detail, Filing, Note};
use std::collections::{BTreeMap, BTreeSet};

const MONTH: i64 = 31 * 86_400_000;

const TERMS: Terms = Terms { transfer: 3, covered: 2, inside: 1, conduct: 3 };

/// A proof that was given to somebody.
struct Given {
    index: u64,
    entry: String,
    path: Vec<Hash>,
    size: u64,
    root: Hash,
    note: String,
}

/// An archive with its keys, and what is known of it from outside.
pub(super) struct World {
    pub(super) room: Room,
    dice: Dice,
    pub(super) now: i64,
    next: u64,
    given: Vec<Given>,
    /// Offsets whose plain text must be gone, and keys that must be.
    pub(super) erased: BTreeSet<u64>,
    destroyed: Vec<[u8; 32]>,
    /// Subjects under hold, with the offsets that were readable when it began.
    held: BTreeMap<u64, (HoldId, BTreeSet<u64>)>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let (room, dice) = (Room::new(), Dice(seed));
        let (given, erased, destroyed, held) = (Vec::new(), BTreeSet::new(), Vec::new(), BTreeMap::new());
        Self { room, dice, now: NOW, next: 0, given, erased, destroyed, held }
    }

    fn key(&self) -> PathBuf {
        self.room.options().key
    }

    fn ring(&self) -> Keyring {
        Keyring::open(&subjects_path(&self.key()), false).unwrap()
    }

    fn tag(&self) -> TagKey {
        TagKey::open(&tag_path(&self.key()), false).unwrap()
    }

    fn archive(&self) -> Archive {
        Archive::open(&self.room.archive(), None).unwrap()
    }

    fn batch(&mut self, count: u64, notes: &[Note]) {
        let records: Vec<Record> = (self.next..self.next + count).map(record).collect();
        self.write(self.room.open(), &records, notes);
    }

    /// `count` records, each in a segment of its own; of every person every other one of a class that is kept shortly.
    pub(super) fn singles(&mut self, count: u64) {
        for n in self.next..self.next + count {
            let mut record = record(n);
            if n / 7 % 2 == 1 {
                record.verdict = "DOMESTIC";
                let json = String::from_utf8(record.json).unwrap();
                record.json = json.replace("UNCOVERED", "DOMESTIC").into_bytes();
            }
            let options = Options { segment_bytes: 1, ..self.room.options() };
            self.write(Log::open(&self.room.archive(), &options).unwrap(), &[record], &[]);
        }
    }

    fn write(&mut self, mut log: Log, records: &[Record], notes: &[Note]) {
        let count = records.len() as u64;
        let coverage = [coverage(self.next, self.next + count)];
        let coverage = if count == 0 { &[] } else { coverage.as_slice() };
        let staged = log.stage(&Batch { now_ms: self.now, records, coverage, notes, ..Batch::default() });
        log.publish(staged.unwrap()).unwrap();
        log.close().unwrap();
        self.next += count;
    }

    fn file(&mut self, filing: Filing) {
        self.batch(0, &[Note::Deed(filing)]);
    }

    /// Offsets whose personal fields can be read.
    pub(super) fn readable(&self) -> BTreeSet<u64> {
        let (archive, ring) = (self.archive(), self.ring());
        let rows = archive.find(&Sought::default()).unwrap();
        let mut found = BTreeSet::new();
        archive
            .records(&rows, Some(&ring), |opened| {
                if !opened.shut {
                    found.insert(opened.record["position"]["offset"].as_u64().unwrap());
                }
                Ok(())
            })
            .unwrap();
        found
    }

    pub(super) fn of(&self, subject: u64) -> impl Fn(&u64) -> bool + use<> {
        move |offset| offset % 7 == subject
    }

    /// Bytes of keys as they lie on the medium.
    fn bytes_of(&self, keys: &[KeyId]) -> Vec<[u8; 32]> {
        let connection = rusqlite::Connection::open(subjects_path(&self.key())).unwrap();
        keys.iter()
            .map(|id| connection.query_row("SELECT key FROM keys WHERE id = ?1", [id.0], |row| row.get(0)).unwrap())
            .collect()
    }

    pub(super) fn give(&mut self) {
        let archive = self.archive();
        let (size, root, note) = (archive.checkpoint().size, archive.checkpoint().root, archive.checkpoint().note());
        let mut prover = Prover::new(&self.room.archive(), size);
        let mut entries = Vec::new();
        archive.entries(0, |i, entry| entries.push((i, entry.to_string()))).unwrap();
        for _ in 0..5 {
            let (index, entry) = entries[self.dice.roll(entries.len())].clone();
            let path = prover.path(index).unwrap();
            self.given.push(Given { index, entry, path, size, root, note: note.clone() });
        }
    }

    fn erase(&mut self, subject: u64) {
        let who = format!("chan.siu.ming.{subject}");
        let keys: Vec<KeyId> = self.ring().of_subject(&self.tag(), &who).unwrap().iter().map(|held| held.id).collect();
        if keys.is_empty() || self.held.contains_key(&subject) {
            return;
        }
        self.destroyed.extend(self.bytes_of(&keys));
        self.erased.extend(self.readable().into_iter().filter(self.of(subject)));
        let detail = Detail::new(r#"{"by":"officer","ground":"test"}"#.into()).unwrap();
        self.file(Filing::with(detail, |commitment| Deed::Erased { commitment, keys }).unwrap());
    }

    pub(super) fn hold(&mut self, subject: u64) {
        if let Some((hold, _)) = self.held.remove(&subject) {
            let detail = Detail::new(r#"{"by":"officer","why":"over"}"#.into()).unwrap();
            self.file(Filing::with(detail, |commitment| Deed::Held { hold, release: true, commitment }).unwrap());
            return;
        }
        let hold = HoldId::random().unwrap();
        let scope = Scope { subject: Some(self.tag().tag(&format!("chan.siu.ming.{subject}"))), from: None, to: None };
        let text = serde_json::json!({"by": "officer", "why": "test", "scope": scope}).to_string();
        let detail = Detail::new(text).unwrap();
        self.file(Filing::with(detail, |commitment| Deed::Held { hold, release: false, commitment }).unwrap());
        let readable = self.readable().into_iter().filter(self.of(subject)).collect();
        self.held.insert(subject, (hold, readable));
    }

    fn retain(&mut self, prune: bool) {
        let (holds, ring, archive) = (Holds::read(&holds_path(&self.key())).unwrap(), self.ring(), self.archive());
        let (terms, now) = (TERMS, self.now);
        let ground = Ground { archive: &archive, keyring: Some(&ring), holds: &holds, terms, now };
        let steps = ground.plan().unwrap();
        for Step { deletion, .. } in steps.into_iter().filter(|step| step.is_due && step.hold.is_none()) {
            let before = self.readable();
            self.file(Filing::plain(Deed::Deleted(deletion)).unwrap());
            let after = self.readable();
            self.erased.extend(before.difference(&after));
        }
        let archive = self.archive();
        let minimum = Ground { archive: &archive, keyring: None, holds: &holds, terms, now }.prunable().unwrap();
        if prune && minimum > 0 {
            let rule = "on request".to_owned();
            self.file(Filing::plain(Deed::Deleted(Deletion::Tiles { minimum, rule })).unwrap());
        }
    }

    fn rotate(&mut self) {
        let log = self.room.open();
        let (from, to) = (log.vkey(), make_next(&self.key(), "harbourwatch/evidence/test").unwrap());
        log.close().unwrap();
        let detail = Detail { salt: [9; 16], text: r#"{"by":"officer","why":"test"}"#.into() };
        let rotated = Filing::with(detail, |commitment| Deed::Rotated(Rotation::Signer { from, to, commitment }));
        self.file(rotated.unwrap());
    }

    fn act(&mut self) {
        let subject = self.dice.roll(7) as u64;
        match self.dice.roll(12) {
            0..=3 => {
                let count = self.dice.roll(60) as u64;
                self.batch(count, &[]);
            }
            4 | 5 => self.now += 2 * MONTH,
            6 => self.erase(subject),
            7 => self.hold(subject),
            8 => self.retain(false),
            9 => self.retain(true),
            10 => self.rotate(),
            _ => self.give(),
        }
    }

    pub(super) fn check(&self) {
        let notes: Vec<String> = self.given.iter().map(|given| given.note.clone()).collect();
        let report =
            verify(&self.room.archive(), &VerifyOptions { known: &notes, ..VerifyOptions::default() }).unwrap();
        assert!(report.is_sound(), "{:#?}", report.breaches);
        for Given { index, entry, path, size, root, .. } in &self.given {
            assert_eq!(root_of(entry, *index, *size, path), Some(*root));
        }
        let readable = self.readable();
        assert_eq!(readable.intersection(&self.erased).count(), 0);
        for (hold, kept) in self.held.values() {
            assert!(kept.is_subset(&readable), "hold {hold} was not obeyed");
        }
        let everything: Vec<u8> = files(self.room.dir.path()).iter().flat_map(|path| plain(path)).collect();
        for key in &self.destroyed {
            assert!(memchr::memmem::find(&everything, key).is_none(), "a destroyed key is still on the medium");
        }
        for offset in &self.erased {
            let name = format!("薪金 {offset}.xlsx\"");
            assert!(memchr::memmem::find(&everything, name.as_bytes()).is_none(), "{name}");
        }
    }
}

/// A file, with the frames of a segment opened.
fn plain(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_none_or(|end| end != "seg") {
        return bytes;
    }
    let (mut at, mut out) = (0, Vec::new());
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        out.extend(zstd::decode_all(&bytes[at + 4..at + 4 + length]).unwrap());
        at += 4 + length;
    }
    out
}

#[test]
fn erasing_pruning_holding_and_rotating_in_any_order_break_no_proof_and_leave_no_plain_text() {
    let (mut deleted, mut pruned, mut erased) = (0, 0, 0);
    for seed in 0..12 {
        let mut world = World::new(seed);
        world.batch(300, &[]);
        world.give();
        for _ in 0..24 {
            world.act();
        }
        world.check();
        let report = world.room.verify();
        (deleted, pruned) = (deleted + usize::from(report.deleted > 0), pruned + usize::from(report.pruned > 0));
        erased += world.erased.len();
    }
    assert!(deleted + pruned > 0 && pruned > 0 && erased > 100, "{deleted} {pruned} {erased}");
}

#[test]
fn what_retention_took_must_be_told_by_the_log() {
    let mut world = World::new(1);
    world.batch(600, &[]);
    world.now += 6 * MONTH;
    world.batch(100, &[]);
    world.retain(false);
    let report = world.room.verify();
    assert!(report.is_sound() && report.deleted >= 500, "{:#?}", report.breaches);
    // a segment that nothing tells of
    let left = files(&world.room.archive().join("segments"));
    let (bytes, path) = (fs::read(&left[0]).unwrap(), left[0].clone());
    fs::remove_file(&path).unwrap();
    assert!(!world.room.verify().is_sound());
    fs::write(&path, bytes).unwrap();
    // bundles that nothing tells of
    let bundle = world.room.archive().join("tile/entries/001");
    let bytes = fs::read(&bundle).unwrap();
    fs::remove_file(&bundle).unwrap();
    assert!(!world.room.verify().is_sound());
    fs::write(&bundle, bytes).unwrap();
    world.retain(true);
    let report = world.room.verify();
    assert!(report.is_sound() && report.pruned >= 256, "{:#?}", report.breaches);
    let numbers = numbers_of("chan.siu.ming.1", &world.tag(), Some(&world.ring())).unwrap();
    let rows = world.archive().find(&Sought { subjects: Some(numbers), ..Sought::default() }).unwrap();
    assert!(rows.iter().all(|row| row.segment.path(&world.room.archive()).exists()));
    // the writer goes on, and the tail of the log is still checked
    world.batch(40, &[]);
    assert!(world.room.verify().is_sound());
    let first = world.room.archive().join("tile/0/000");
    assert!(!first.exists());
}

#[test]
fn a_copy_elsewhere_goes_on_where_it_was_broken_off_and_shows_a_fork() {
    use harbourwatch::evidence::{place::Folder, ship};
    let ship = |from: &Path, to: &Path| ship::ship(from, &mut Folder::new(to));
    let (room, copy) = (Room::new(), tempfile::tempdir().unwrap());
    let to = copy.path().join("copy");
    let check = |size: u64| {
        let report = verify(&to, &VerifyOptions::default()).unwrap();
        assert!(report.is_sound() && report.opened == size, "{:#?}", report.breaches);
        let archive = Archive::open(&to, None).unwrap();
        assert_eq!(archive.find(&Sought::default()).unwrap().len() as u64, size);
    };
    let mut log = room.open();
    put(&mut log, 0, 300).unwrap();
    // while the writer runs, with a batch behind the checkpoint
    let records: Vec<Record> = (300..310).map(record).collect();
    let coverage = [coverage(300, 310)];
    let staged = log.stage(&Batch { now_ms: NOW, records: &records, coverage: &coverage, ..Batch::default() }).unwrap();
    let first = ship(&room.archive(), &to).unwrap();
    assert!(first.files > 3 && first.kept == 0);
    check(300);
    log.publish(staged).unwrap();
    put(&mut log, 310, 900).unwrap();
    log.close().unwrap();
    // broken off: a file is half there, another missing, the checkpoint is the old one
    let half = to.join("segments/2026-11/000001.seg");
    fs::write(&half, b"half").unwrap();
    let second = ship(&room.archive(), &to).unwrap();
    assert!(second.kept > 1 && second.files > 1);
    check(900);
    let third = ship(&room.archive(), &to).unwrap();
    assert_eq!((third.files, third.size), (0, second.size));
    // another log of the same name and key, at another time
    let keep = room.dir.path().join("keep");
    fs::rename(room.archive(), &keep).unwrap();
    fs::remove_file(room.options().key.with_extension("key.subjects")).unwrap();
    let mut log = room.open();
    let behind = ship(&room.archive(), &to).unwrap_err().to_string();
    assert!(behind.contains("ahead of the archive"), "{behind}");
    put(&mut log, 0, 2000).unwrap();
    put(&mut log, 2000, 2001).unwrap();
    log.close().unwrap();
    let forked = ship(&room.archive(), &to).unwrap_err().to_string();
    assert!(forked.contains("forked"), "{forked}");
    check(900);
}
