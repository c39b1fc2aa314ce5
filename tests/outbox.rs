//! The outbox under crashes, cuts and dead channels; what each audience is told.

#![allow(clippy::unwrap_used)]

mod letters;

use std::cell::Cell;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use harbourwatch::deliver::channel::{Channel, File, SendError, Terminal, Way};
use harbourwatch::deliver::courier::Round;
use harbourwatch::deliver::render::finding::json_line;
use harbourwatch::deliver::render::officer::{Languages, words};
use harbourwatch::deliver::{Audience, Courier, Field, Notice, View};
use harbourwatch::domain::finding::WINDOW_MS;
use harbourwatch::domain::position::Lane;
use harbourwatch::domain::verdict::{Severity, Verdict};
use harbourwatch::metrics::{Metrics, Scope};
use harbourwatch::outbox::{Bounds, ChannelSpec, Filter, Finding, Outbox, OutboxError, Outcome, Queue, Totals, Wait};
use harbourwatch::pipeline::report::{BatchReport, Coverage, FindingDelta};
use proptest::prelude::*;

use crate::support::findings::{HOSTILE, MORNING, acts, delta_of, finding, hostile, sample, sealed};
use crate::support::golden;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(MORNING) };
}

fn now() -> i64 {
    NOW.get()
}

fn pass(ms: i64) {
    NOW.set(NOW.get() + ms);
}

struct State {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl State {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        Self { _folder: folder, path }
    }

    fn open(&self) -> Outbox {
        self.open_for(&[officer()])
    }

    fn open_for(&self, channels: &[ChannelSpec]) -> Outbox {
        Outbox::open(&self.path, channels).unwrap().with_clock(now)
    }

    fn queue(&self) -> Queue {
        Queue::open(&self.path).unwrap()
    }
}

fn officer() -> ChannelSpec {
    ChannelSpec::new("officer", Severity::Low)
}

fn delta(actor: &str, window: i64, n: u64) -> FindingDelta {
    delta_of(actor, "send", Verdict::Uncovered, window, n)
}

fn coverage(from: u64, next: u64) -> Coverage {
    let lane = Lane { topic: "audit".into(), partition: 0 };
    let received = next - from;
    Coverage {
        lane,
        from,
        next,
        received,
        judged: received - received / 4,
        rejected: received / 4,
        duplicate: 0,
        last_digest: format!("{next:016x}"),
    }
}

fn report(findings: Vec<FindingDelta>) -> BatchReport {
    BatchReport { findings, ..BatchReport::default() }
}

fn record(outbox: &mut Outbox, report: &BatchReport) {
    let size = outbox.applied_size() + 1;
    outbox.prepare(size, report).unwrap();
    outbox.apply(size).unwrap();
}

fn all(outbox: &Outbox) -> Vec<Finding> {
    outbox.findings(&Filter::default()).unwrap()
}

fn full_report() -> BatchReport {
    BatchReport {
        coverage: vec![coverage(0, 8)],
        findings: vec![delta("0123", MORNING, 3)],
        fingerprints: vec![7, 8, 9],
        ..BatchReport::default()
    }
}

#[test]
fn a_prepared_batch_is_not_seen() {
    let state = State::new();
    let mut outbox = state.open();
    outbox.prepare(5, &full_report()).unwrap();
    assert_eq!(all(&outbox), []);
    assert_eq!(outbox.reached().unwrap(), []);
    assert_eq!(outbox.fingerprints(10).unwrap(), [] as [u128; 0]);
    assert_eq!(outbox.totals().unwrap(), Totals::default());
    assert_eq!(state.queue().lease("officer", now(), 10).unwrap(), []);
    assert_eq!(outbox.applied_size(), 0);
}

#[test]
fn after_a_crash_a_published_batch_is_applied_once() {
    let state = State::new();
    state.open().prepare(5, &full_report()).unwrap();
    for _ in 0..2 {
        let mut outbox = state.open();
        outbox.recover(5).unwrap();
        assert_eq!(outbox.applied_size(), 5);
        let findings = all(&outbox);
        assert_eq!((findings.len(), findings[0].count, findings[0].revision), (1, 3, 1));
        assert_eq!(outbox.reached().unwrap()[0].next, 8);
        assert_eq!(outbox.fingerprints(10).unwrap(), [7, 8, 9]);
        assert_eq!(outbox.totals().unwrap(), Totals { received: 8, judged: 6, rejected: 2, duplicate: 0 });
    }
    assert_eq!(state.queue().lease("officer", now(), 10).unwrap().len(), 1);
}

#[test]
fn after_a_crash_an_unpublished_batch_never_happened() {
    let state = State::new();
    let mut outbox = state.open();
    record(&mut outbox, &report(vec![delta("0001", MORNING, 1)]));
    outbox.prepare(5, &full_report()).unwrap();
    drop(outbox);
    let mut outbox = state.open();
    outbox.recover(4).unwrap();
    assert_eq!(all(&outbox).len(), 1);
    assert_eq!(outbox.fingerprints(10).unwrap(), [] as [u128; 0]);
    outbox.prepare(4, &full_report()).unwrap();
    outbox.apply(4).unwrap();
    assert_eq!(outbox.fingerprints(10).unwrap(), [7, 8, 9]);
    assert_eq!(all(&outbox).len(), 2);
}

#[test]
fn steps_out_of_order_are_refused_and_change_nothing() {
    let state = State::new();
    let mut outbox = state.open();
    assert!(matches!(outbox.apply(1), Err(OutboxError::Order(_))));
    outbox.prepare(3, &full_report()).unwrap();
    assert!(matches!(outbox.prepare(4, &full_report()), Err(OutboxError::Order(_))));
    assert!(matches!(outbox.apply(4), Err(OutboxError::Order(_))));
    outbox.apply(3).unwrap();
    assert!(matches!(outbox.prepare(2, &full_report()), Err(OutboxError::Order(_))));
    assert!(matches!(outbox.recover(2), Err(OutboxError::Ahead { applied: 3, published: 2 })));
    assert_eq!(all(&outbox)[0].count, 3);
}

#[test]
fn the_files_are_for_the_owner_alone_and_the_key_is_kept() {
    let state = State::new();
    std::fs::write(&state.path, b"").unwrap();
    std::fs::set_permissions(&state.path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut outbox = state.open();
    record(&mut outbox, &full_report());
    for name in ["state.db", "state.db-wal"] {
        let mode = std::fs::metadata(state.path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let key = outbox.dedupe_key();
    drop(outbox);
    assert_eq!(state.open().dedupe_key(), key);
    assert_ne!(State::new().open().dedupe_key(), key);
}

#[test]
fn a_newer_layout_is_refused() {
    let state = State::new();
    drop(state.open());
    let connection = rusqlite::Connection::open(&state.path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(Outbox::open(&state.path, &[]), Err(OutboxError::Newer { found: 99, .. })));
    assert!(matches!(Queue::open(&state.path), Err(OutboxError::Newer { found: 99, .. })));
}

#[test]
fn fingerprints_keep_input_order_and_a_bound() {
    let state = State::new();
    let mut outbox = state.open().with_bounds(Bounds { fingerprints: 5, ..Bounds::default() });
    for batch in [&[1u128, 2, 3][..], &[], &[4, 5], &[6, 7, 8, 9]] {
        record(&mut outbox, &BatchReport { fingerprints: batch.to_vec(), ..BatchReport::default() });
    }
    assert_eq!(outbox.fingerprints(3).unwrap(), [7, 8, 9]);
    assert_eq!(outbox.fingerprints(100).unwrap(), [4, 5, 6, 7, 8, 9], "whole batches go while five remain");
    let mut outbox = state.open().with_bounds(Bounds { fingerprints: 1, ..Bounds::default() });
    record(&mut outbox, &BatchReport { fingerprints: vec![u128::MAX], ..BatchReport::default() });
    assert_eq!(outbox.fingerprints(100).unwrap(), [u128::MAX]);
}

#[test]
fn the_same_finding_is_summed_and_has_the_facts_of_its_gravest_record() {
    let state = State::new();
    let mut outbox = state.open();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 3)]));
    let mut later = delta("0123", MORNING, 4);
    (later.first, later.last, later.severity) = (MORNING - 5, MORNING + 9, Severity::High);
    Arc::make_mut(&mut later.facts).resource = sealed("another.xlsx");
    later.bytes = u64::MAX;
    record(&mut outbox, &report(vec![later]));
    let found = all(&outbox).remove(0);
    assert_eq!((found.count, found.first, found.last, found.revision), (7, MORNING - 5, MORNING + 9, 2));
    assert_eq!((found.severity, found.bytes), (Severity::High, i64::MAX as u64), "sizes never overflow into a fault");
    assert_eq!(found.facts.resource.reveal(), "another.xlsx");
    // of equal severity the first stays
    for severity in [Severity::High, Severity::Low] {
        let mut last = delta("0123", MORNING, 1);
        last.severity = severity;
        Arc::make_mut(&mut last.facts).resource = sealed("last.xlsx");
        record(&mut outbox, &report(vec![last]));
        assert_eq!(all(&outbox).remove(0).facts.resource.reveal(), "another.xlsx");
    }
}

#[test]
fn batches_that_join_have_the_facts_of_the_gravest_record() {
    let of = |(severity, resource)| {
        let mut delta = delta("0123", MORNING, 1);
        delta.severity = severity;
        Arc::make_mut(&mut delta.facts).resource = sealed(resource);
        report(vec![delta])
    };
    let records =
        [(Severity::Low, "first"), (Severity::High, "second"), (Severity::High, "third"), (Severity::Info, "fourth")];
    let joined = records.map(of).into_iter().reduce(|mut joined, later| {
        joined.join(later);
        joined
    });
    let [found] = &joined.unwrap().findings[..] else { panic!("one finding") };
    assert_eq!((found.severity, found.facts.resource.reveal().as_str()), (Severity::High, "second"));
}

fn severities(outbox: &Outbox) -> Vec<(i64, Severity, bool)> {
    let mut found: Vec<_> =
        all(outbox).iter().map(|f| ((f.window - MORNING) / WINDOW_MS, f.severity, f.bulk)).collect();
    found.sort_by_key(|(window, ..)| *window);
    found
}

#[test]
fn a_hundred_objects_in_an_hour_raise_by_one_step_once() {
    let state = State::new();
    let mut outbox = state.open();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 60), delta("0123", MORNING + 3 * WINDOW_MS, 39)]));
    assert_eq!(severities(&outbox), [(0, Severity::Medium, false), (3, Severity::Medium, false)]);
    // A late event in an earlier window completes the hour of the later one.
    record(&mut outbox, &report(vec![delta("0123", MORNING + WINDOW_MS, 1)]));
    let raised = [(0, Severity::Medium, false), (1, Severity::Medium, false), (3, Severity::High, true)];
    assert_eq!(severities(&outbox), raised);
    record(&mut outbox, &report(vec![delta("0123", MORNING + 3 * WINDOW_MS, 500)]));
    assert_eq!(severities(&outbox), raised, "raised once, however many");
    record(&mut outbox, &report(vec![delta("0123", MORNING + 7 * WINDOW_MS, 99), delta("0999", MORNING, 99)]));
    let others: Vec<_> = severities(&outbox).into_iter().filter(|(_, _, bulk)| *bulk).collect();
    assert_eq!(others.len(), 1, "other hours and other series stand alone");
}

/// A receiver is told of a revision once: what a batch brings to a finding, and that it became bulk, is one.
#[test]
fn a_batch_is_one_revision_of_what_it_changes() {
    let state = State::new();
    let mut outbox = state.open();
    let revisions = |outbox: &Outbox| {
        let mut found: Vec<_> =
            all(outbox).iter().map(|f| ((f.window - MORNING) / WINDOW_MS, f.revision, f.count, f.bulk)).collect();
        found.sort_unstable();
        found
    };
    let at = |window: i64, n| delta("0123", MORNING + window * WINDOW_MS, n);
    record(&mut outbox, &report(vec![at(1, 30), at(2, 1), at(1, 30)]));
    assert_eq!(revisions(&outbox), [(1, 1, 60, false), (2, 1, 1, false)]);
    record(&mut outbox, &report(vec![at(2, 50)]));
    assert_eq!(revisions(&outbox), [(1, 1, 60, false), (2, 2, 51, true)], "grew and became bulk");
    record(&mut outbox, &report(vec![at(0, 70)]));
    assert_eq!(revisions(&outbox), [(0, 1, 70, false), (1, 2, 60, true), (2, 2, 51, true)], "became bulk alone");
}

#[test]
fn the_raise_has_its_limits() {
    let state = State::new();
    let mut outbox = state.open();
    let mut informational = delta_of("1", "send", Verdict::Covered, MORNING, 500);
    informational.severity = Severity::Info;
    let mut undetermined = delta_of("2", "send", Verdict::Undetermined, MORNING, 500);
    undetermined.severity = Severity::High;
    let standing = delta_of("3", "store_at_rest", Verdict::Uncovered, MORNING, 500);
    let uploads = delta_of("3", "upload", Verdict::Uncovered, MORNING, 500);
    let mut unknown_act = delta_of("3", "access", Verdict::Uncovered, MORNING, 500);
    Arc::make_mut(&mut unknown_act.facts).tags = vec!["unclassified".into()];
    let mut critical = delta_of("4", "send", Verdict::Prohibited, MORNING, 500);
    critical.severity = Severity::Critical;
    record(&mut outbox, &report(vec![informational, undetermined, standing, uploads, unknown_act, critical]));
    let severity = |verdict: Verdict| {
        let filter = Filter { verdict: Some(verdict), ..Filter::default() };
        outbox.findings(&filter).unwrap().iter().map(|found| found.severity).max().unwrap()
    };
    assert_eq!(severity(Verdict::Covered), Severity::Info);
    assert_eq!(severity(Verdict::Undetermined), Severity::High);
    assert_eq!(severity(Verdict::Uncovered), Severity::Medium, "a day's window says nothing about an hour");
    assert_eq!(severity(Verdict::Prohibited), Severity::Critical);
}

fn increments() -> impl Strategy<Value = Vec<(FindingDelta, bool)>> {
    let one = (0..3u8, 0..8i64, 1..40u64, 0..5usize, any::<bool>());
    let made = one.prop_map(|(actor, window, n, severity, cut)| {
        let mut delta = delta(&format!("{actor}"), MORNING + window * WINDOW_MS, n);
        delta.severity = Severity::ALL[severity];
        delta.last += n as i64;
        Arc::make_mut(&mut delta.facts).resource = sealed(&format!("{actor}-{n}"));
        (delta, cut)
    });
    proptest::collection::vec(made, 1..40)
}

/// Everything of the findings that must not depend on the cut, and whom they are owed to.
fn table(increments: &[(FindingDelta, bool)], cut: bool) -> (Vec<Finding>, Vec<String>) {
    let state = State::new();
    let mut outbox = state.open_for(&[ChannelSpec::new("officer", Severity::High)]);
    let mut batch = Vec::new();
    for (delta, ends) in increments {
        batch.push(delta.clone());
        if cut && *ends {
            record(&mut outbox, &report(std::mem::take(&mut batch)));
        }
    }
    record(&mut outbox, &report(batch));
    let mut findings = all(&outbox);
    findings.iter_mut().for_each(|finding| finding.revision = 0);
    let mut owed: Vec<_> =
        state.queue().lease("officer", now(), 1_000).unwrap().into_iter().map(|parcel| parcel.finding.id).collect();
    owed.sort();
    (findings, owed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn findings_do_not_depend_on_the_cut_of_batches(increments in increments()) {
        prop_assert_eq!(table(&increments, true), table(&increments, false));
    }
}

#[test]
fn the_worst_come_first() {
    let state = State::new();
    let mut outbox = state.open();
    let mut grave = delta("grave", MORNING, 1);
    grave.severity = Severity::Critical;
    record(&mut outbox, &report(vec![delta("few", MORNING, 2), grave, delta("many", MORNING, 9)]));
    let counts: Vec<_> = outbox.worst(2).unwrap().iter().map(|finding| finding.count).collect();
    assert_eq!(counts, [1, 9]);
}

#[test]
fn old_findings_go_only_when_nobody_is_owed_them() {
    let state = State::new();
    let mut outbox = state.open();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 1)]));
    assert_eq!(outbox.prune(MORNING + 1).unwrap(), 0);
    let mut queue = state.queue();
    let parcel = queue.lease("officer", now(), 1).unwrap().remove(0);
    queue.settle(&officer(), &parcel, &Outcome::Delivered, now()).unwrap();
    assert_eq!(outbox.prune(MORNING).unwrap(), 0, "not old enough");
    assert_eq!(outbox.prune(MORNING + 1).unwrap(), 1);
    assert_eq!(all(&outbox), []);
}

#[test]
fn changes_before_the_first_notice_are_told_once() {
    let state = State::new();
    let mut outbox = state.open();
    for n in 1..=3 {
        record(&mut outbox, &report(vec![delta("0123", MORNING, n)]));
    }
    let parcels = state.queue().lease("officer", now(), 10).unwrap();
    assert_eq!(parcels.len(), 1);
    assert_eq!((parcels[0].finding.revision, parcels[0].finding.count), (3, 6));
}

#[test]
fn a_change_while_a_notice_is_in_hand_is_told_as_well() {
    let state = State::new();
    let mut outbox = state.open();
    let mut queue = state.queue();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 1)]));
    let first = queue.lease("officer", now(), 10).unwrap().remove(0);
    record(&mut outbox, &report(vec![delta("0123", MORNING, 1)]));
    queue.settle(&officer(), &first, &Outcome::Delivered, now()).unwrap();
    assert_eq!(queue.told(&first.finding.id, "officer").unwrap(), Some(1));
    let second = queue.lease("officer", now(), 10).unwrap().remove(0);
    assert_eq!(second.finding.notice_id(), format!("{}.2", first.finding.id));
    queue.settle(&officer(), &second, &Outcome::Delivered, now()).unwrap();
    assert_eq!(queue.lease("officer", now(), 10).unwrap(), []);
    assert_eq!(queue.backlog("officer", now()).unwrap().pending, 0);
}

#[test]
fn a_lease_is_exclusive_until_it_runs_out() {
    let state = State::new();
    record(&mut state.open(), &report(vec![delta("0123", MORNING, 1)]));
    let held = state.queue().lease("officer", now(), 10).unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(state.queue().lease("officer", now() + 59_999, 10).unwrap(), []);
    assert_eq!(state.queue().lease("officer", now() + 60_000, 10).unwrap(), held, "the holder is taken for dead");
}

#[test]
fn waits_and_intervals_gather_changes() {
    let state = State::new();
    let spec = ChannelSpec { waits: [Wait::After(30_000); 5], interval: 300_000, ..officer() };
    let mut outbox = state.open_for(std::slice::from_ref(&spec));
    let mut queue = state.queue();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 1)]));
    assert_eq!(queue.lease("officer", now(), 10).unwrap(), []);
    pass(30_000);
    let parcel = queue.lease("officer", now(), 10).unwrap().remove(0);
    queue.settle(&spec, &parcel, &Outcome::Delivered, now()).unwrap();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 1)]));
    pass(299_999);
    assert_eq!(queue.lease("officer", now(), 10).unwrap(), []);
    pass(1);
    assert_eq!(queue.lease("officer", now(), 10).unwrap().len(), 1);
}

#[test]
fn a_channel_hears_from_its_minimum_up_and_a_raise_counts() {
    let state = State::new();
    let specs = [officer(), ChannelSpec::new("pager", Severity::High)];
    let mut outbox = state.open_for(&specs);
    record(&mut outbox, &report(vec![delta("0123", MORNING, 99)]));
    assert_eq!(state.queue().backlog("pager", now()).unwrap().pending, 0);
    record(&mut outbox, &report(vec![delta("0123", MORNING, 1)]));
    let parcels = state.queue().lease("pager", now(), 10).unwrap();
    assert_eq!((parcels.len(), parcels[0].finding.severity), (1, Severity::High));
}

#[test]
fn failures_back_off_to_the_end_of_the_schedule_and_stay_on_file() {
    let state = State::new();
    let mut outbox = state.open();
    let mut queue = state.queue();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 1)]));
    let mut waits = Vec::new();
    while let Some(parcel) = queue.lease("officer", now(), 1).unwrap().pop() {
        queue.settle(&officer(), &parcel, &Outcome::Failed("mail server away".into()), now()).unwrap();
        let start = now();
        while queue.backlog("officer", now()).unwrap().pending > 0
            && queue.lease("officer", now(), 1).unwrap().is_empty()
        {
            pass(500.max((now() - start) / 50));
        }
        // The probe above took the lease; let it run out.
        waits.push(now() - start);
        pass(60_000);
    }
    let bounds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map(|seconds| seconds * 1_000);
    assert_eq!(waits.len(), bounds.len() + 1, "the last failure ends it");
    for (wait, full) in waits.iter().zip(bounds) {
        assert!((full / 2..=full + full / 50 + 500).contains(wait), "{wait} of {full}");
    }
    let dead = queue.entries(Some("officer"), true, 10).unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].last_error.as_str()), (1, 10, "mail server away"));
    assert_eq!(queue.backlog("officer", now()).unwrap().dead, 1);
    assert_eq!(queue.retry(Some("officer"), None, now()).unwrap(), 1);
    let again = queue.lease("officer", now(), 1).unwrap().remove(0);
    assert_eq!(again.attempts, 0);
    queue.settle(&officer(), &again, &Outcome::Refused("no such mailbox".into()), now()).unwrap();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 1)]));
    assert_eq!(queue.lease("officer", now(), 1).unwrap().len(), 1, "a new revision is tried afresh");
}

/// A channel whose receiver can be switched off, and that refuses one finding by its count.
#[derive(Clone, Debug, Default)]
struct Switch {
    away: Arc<Mutex<bool>>,
    tried: Arc<Mutex<usize>>,
    got: Arc<Mutex<Vec<String>>>,
    refuses: Option<i64>,
}

impl Channel for Switch {
    fn audience(&self) -> Audience {
        Audience::Officer
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        notices.iter().map(|notice| self.take(notice)).collect()
    }

    fn preview(&self, notice: &Notice) -> String {
        notice.id.clone()
    }
}

impl Switch {
    fn take(&self, notice: &Notice) -> Result<(), SendError> {
        *self.tried.lock().unwrap() += 1;
        if *self.away.lock().unwrap() {
            return Err(SendError::Transient("connection refused".into()));
        }
        if self.refuses.is_some() && notice.view.number(Field::Count) == self.refuses {
            return Err(SendError::Permanent("message not accepted".into()));
        }
        self.got.lock().unwrap().push(notice.id.clone());
        Ok(())
    }
}

fn courier(state: &State, channel: &Switch) -> (Courier, Arc<Metrics>) {
    let scope = Scope { channels: vec!["officer".into()], ..Scope::default() };
    let metrics = Arc::new(Metrics::new(&scope).unwrap());
    let courier = Courier::new(state.queue(), officer(), Way::Feed(Box::new(channel.clone())), Arc::clone(&metrics));
    (courier.with_clock(now), metrics)
}

fn many(n: u64) -> BatchReport {
    report((1..=n).map(|i| delta(&format!("{i:04}"), MORNING, i)).collect())
}

#[test]
fn a_dead_channel_loses_nothing_and_tells_everything_once() {
    let state = State::new();
    let mut outbox = state.open();
    let channel = Switch { refuses: Some(77), ..Switch::default() };
    let (mut courier, metrics) = courier(&state, &channel);
    *channel.away.lock().unwrap() = true;
    record(&mut outbox, &many(99));
    for _ in 0..1_000 {
        courier.round().unwrap();
        pass(1_000);
    }
    let tried = *channel.tried.lock().unwrap();
    assert!((3..20).contains(&tried), "an ill channel is probed, not hammered: {tried}");
    record(&mut outbox, &many(50));
    *channel.away.lock().unwrap() = false;
    for _ in 0..400 {
        courier.round().unwrap();
        pass(1_000);
    }
    let mut got = channel.got.lock().unwrap().clone();
    let told = got.len();
    got.sort();
    got.dedup();
    assert_eq!(told, got.len(), "each notice once");
    let mut expected: Vec<_> = all(&outbox).iter().filter(|f| f.count != 77).map(Finding::notice_id).collect();
    expected.sort();
    assert_eq!(got, expected);
    let text = metrics.render().unwrap();
    assert!(
        text.contains("harbourwatch_notifications_total{channel=\"officer\",outcome=\"delivered\"} 98\n"),
        "{text}"
    );
    assert!(text.contains("harbourwatch_outbox_pending{channel=\"officer\"} 0\n"));
    assert!(text.contains("harbourwatch_outbox_dead{channel=\"officer\"} 1\n"));
}

#[test]
fn the_first_success_sets_the_waiting_in_motion() {
    let state = State::new();
    let mut outbox = state.open();
    let channel = Switch::default();
    let (mut courier, _) = courier(&state, &channel);
    *channel.away.lock().unwrap() = true;
    record(&mut outbox, &many(1));
    while *channel.tried.lock().unwrap() < 4 {
        courier.round().unwrap();
        pass(1_000);
    }
    *channel.away.lock().unwrap() = false;
    pass(60_000);
    assert_eq!(courier.round().unwrap(), Round::default(), "after four failures the next try is an hour away");
    record(&mut outbox, &report(vec![delta("new", MORNING, 1)]));
    courier.round().unwrap();
    courier.round().unwrap();
    assert_eq!(channel.got.lock().unwrap().len(), 2);
}

#[test]
fn one_bad_notice_holds_up_no_other() {
    let state = State::new();
    let mut outbox = state.open();
    let channel = Switch { refuses: Some(2), ..Switch::default() };
    let (mut courier, _) = courier(&state, &channel);
    record(&mut outbox, &many(5));
    assert_eq!(courier.round().unwrap(), Round { delivered: 4, failed: 1, returned: 0 });
    assert_eq!(courier.round().unwrap(), Round::default());
}

#[test]
fn a_courier_at_work_delivers_and_stops() {
    let state = State::new();
    let mut outbox = state.open();
    let channel = Switch::default();
    let (courier, _) = courier(&state, &channel);
    let running = courier.with_clock(|| i64::MAX / 2).spawn().unwrap();
    record(&mut outbox, &many(3));
    running.stop();
    assert_eq!(channel.got.lock().unwrap().len(), 3, "the last round takes what is due");
}

#[test]
fn the_officer_reads_each_verdict_in_both_languages() {
    for verdict in Verdict::ALL {
        let text = words(&View::of(&sample(verdict), Audience::Officer), Languages::Both);
        golden(&format!("officer/{}.txt", verdict.name().to_ascii_lowercase()), &text);
    }
}

#[test]
fn what_certainly_ends_in_hong_kong_is_not_said_to_lead_outside() {
    let mut sample = sample(Verdict::Undetermined);
    sample.facts.possible = vec!["INBOUND".into(), "DOMESTIC".into()];
    (sample.facts.origin, sample.facts.destination) = ("unknown (missing)".into(), "HK".into());
    let text = words(&View::of(&sample, Audience::Officer), Languages::Both);
    assert!(text.contains("ends in Hong Kong") && text.contains("終點在香港"), "{text}");
    assert!(!text.contains("outside Hong Kong;") && !text.contains("香港以外"), "{text}");
}

#[test]
fn the_wording_is_modest() {
    for verdict in Verdict::ALL {
        let text = words(&View::of(&sample(verdict), Audience::Officer), Languages::Both);
        let lower = text.to_lowercase();
        for word in ["violat", "illegal", "unlawful", "breach", "leak", "違反", "違法", "非法", "洩"] {
            assert!(!lower.contains(word), "{verdict:?} says {word}");
        }
        assert!(text.contains("s.33 PDPO is not in operation") && text.contains("第33條尚未實施"), "{verdict:?}");
    }
}

#[test]
fn hostile_names_do_nothing_to_a_terminal() {
    let notice = Notice::created("x.1".into(), View::of(&hostile(), Audience::Officer));
    let mut out = Vec::new();
    Terminal::new(Languages::Both, &mut out).send(std::slice::from_ref(&notice)).remove(0).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.chars().find(|char| acts(*char) && *char != '\n'), None);
    assert!(!text.lines().any(|line| line.starts_with("[CRITICAL]")), "no line can be forged");
    assert!(text.contains("␛[2J") && text.contains("\\u{202e}gpj") && text.contains("{}b"), "{text}");
    let plain = Notice { view: View::of(&finding(Verdict::Uncovered), Audience::Officer), ..notice };
    let mut expected = Vec::new();
    Terminal::new(Languages::Both, &mut expected).send(std::slice::from_ref(&plain)).remove(0).unwrap();
    let lines = String::from_utf8(expected).unwrap().lines().count();
    assert_eq!(text.lines().count(), lines, "as many lines as any other notice");
}

#[test]
fn colours_come_only_when_told() {
    let notice = Notice::created("x.1".into(), View::of(&finding(Verdict::Uncovered), Audience::Officer));
    let mut out = Vec::new();
    Terminal::new(Languages::English, &mut out)
        .with_colours(true)
        .send(std::slice::from_ref(&notice))
        .remove(0)
        .unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("\u{1b}[31m[HIGH] Possible transfer"), "{text}");
    assert_eq!(text.matches('\u{1b}').count(), 2);
}

#[test]
fn the_file_has_one_safe_json_line_for_each_notice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("findings.jsonl");
    let mut channel = File::new(Audience::Officer, path.clone());
    for id in ["a.1", "b.1"] {
        channel.send(&[Notice::created(id.into(), View::of(&hostile(), Audience::Officer))]).remove(0).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.chars().find(|char| acts(*char) && *char != '\n'), None);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[1]["notice"].as_str(), lines[1]["resource"].as_str()), (Some("b.1"), Some(HOSTILE)));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_torn_line_is_ended_before_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("findings.jsonl");
    std::fs::write(&path, "{\"notice\":\"torn").unwrap();
    let mut channel = File::new(Audience::Officer, path.clone());
    channel
        .send(&[Notice::created("a.1".into(), View::of(&finding(Verdict::Uncovered), Audience::Officer))])
        .remove(0)
        .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(last["notice"], "a.1");
}

#[test]
fn a_file_that_cannot_be_written_is_tried_again() {
    // below a regular file no folder can be made, not even by root
    let occupied = tempfile::NamedTempFile::new().unwrap();
    let path = occupied.path().join("findings.jsonl");
    let mut channel = File::new(Audience::Officer, path.clone());
    let notice = Notice::created("a.1".into(), View::of(&finding(Verdict::Uncovered), Audience::Officer));
    let Err(SendError::Transient(why)) = channel.send(std::slice::from_ref(&notice)).remove(0) else {
        panic!("expected a transient error")
    };
    assert!(why.contains(path.to_str().unwrap()) && !why.contains("payroll"), "{why}");
}

#[test]
fn personal_data_reach_the_officer_alone() {
    let mut canary = finding(Verdict::Uncovered);
    let facts = &mut canary.facts;
    facts.actor_id = sealed("CANARY-id");
    facts.actor_name = sealed("CANARY-name");
    facts.address = sealed("CANARY-address");
    facts.resource = sealed("CANARY-resource");
    facts.recipient = sealed("CANARY-recipient");
    let told = |audience| {
        let view = View::of(&canary, audience);
        assert!(!format!("{view:?}").contains("CANARY"), "debug output tells nobody");
        format!("{}{}", json_line("a.1", &view), words(&view, Languages::Both))
    };
    assert_eq!(told(Audience::Officer).matches("CANARY").count(), 5 + 2 * 5);
    for audience in [Audience::Soc, Audience::Chat] {
        assert!(!told(audience).contains("CANARY"), "{audience:?}");
    }
    let chat = json_line("a.1", &View::of(&canary, Audience::Chat));
    assert!(!chat.contains("harbour-trading") && !chat.contains("\"SG\""), "{chat}");
}
