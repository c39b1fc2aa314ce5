//! The outbox under crashes, cuts and dead channels; what each audience is told.

#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use harbourwatch::deliver::channel::{Channel, File, Message, SendError, Terminal};
use harbourwatch::deliver::courier::Round;
use harbourwatch::deliver::render::finding::json_line;
use harbourwatch::deliver::render::officer::{Languages, words};
use harbourwatch::deliver::{Audience, Courier, Field, View};
use harbourwatch::domain::finding::{FindingKey, WINDOW_MS};
use harbourwatch::domain::position::Lane;
use harbourwatch::domain::verdict::{Severity, Verdict};
use harbourwatch::metrics::{Metrics, Scope};
use harbourwatch::outbox::{Bounds, ChannelSpec, Filter, Finding, Outbox, OutboxError, Outcome, Queue, Totals};
use harbourwatch::pipeline::report::{BatchReport, Coverage, Facts, FindingDelta};
use proptest::prelude::*;

/// 23 November 2026, 09:30 in Hong Kong: the start of a window.
const MORNING: i64 = 1_795_397_400_000;

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

fn facts(verdict: Verdict) -> Facts {
    Facts {
        tenant: "harbour-trading".into(),
        actor_id: "0123".into(),
        actor_name: "Chan Siu Ming".into(),
        address: "203.0.113.7".into(),
        resource: "payroll-2026.xlsx".into(),
        kind: "upload".into(),
        preview: false,
        origin: "HK".into(),
        origin_method: "ip".into(),
        origin_confidence: "medium".into(),
        origin_source: "example-city 2026-11-01".into(),
        destination: "SG".into(),
        destination_method: "region_enum".into(),
        destination_confidence: "high".into(),
        destination_source: "ap-southeast-1".into(),
        recipient: "Alpha Cloud Pte Ltd".into(),
        recipient_role: "processor".into(),
        verdict: verdict.name().into(),
        rule: "R8".into(),
        possible: Vec::new(),
        safeguard: None,
        failed_condition: None,
        policy_rule: None,
        tags: vec!["outbound".into()],
        categories: vec!["financial".into(), "employment".into()],
        item: "payroll".into(),
        subjects: Some(1_200),
        binding: true,
        gap: Some("dpp2_processor".into()),
        record: "5f1c0e9a77d2430bb6a8e012".into(),
    }
}

fn delta_of(actor: &str, kind: &'static str, verdict: Verdict, window: i64, n: u64) -> FindingDelta {
    let key = FindingKey {
        tenant: "harbour-trading".into(),
        subject: actor.into(),
        destination: "SG".into(),
        kind,
        recipient: "alpha-cloud".into(),
        rule: "R8",
        verdict: verdict.name(),
        window,
    };
    FindingDelta {
        id: key.id(),
        series: key.series(),
        key,
        severity: Severity::Medium,
        count: n,
        bytes: 10 * n,
        first: window,
        last: window,
        facts: facts(verdict),
    }
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
fn the_same_finding_is_summed_and_keeps_its_first_facts() {
    let state = State::new();
    let mut outbox = state.open();
    record(&mut outbox, &report(vec![delta("0123", MORNING, 3)]));
    let mut later = delta("0123", MORNING, 4);
    (later.first, later.last, later.severity) = (MORNING - 5, MORNING + 9, Severity::High);
    later.facts.resource = "another.xlsx".into();
    later.bytes = u64::MAX;
    record(&mut outbox, &report(vec![later]));
    let found = all(&outbox).remove(0);
    assert_eq!((found.count, found.first, found.last, found.revision), (7, MORNING - 5, MORNING + 9, 2));
    assert_eq!((found.severity, found.bytes), (Severity::High, i64::MAX as u64), "sizes never overflow into a fault");
    assert_eq!(found.facts.resource, "payroll-2026.xlsx");
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
    unknown_act.facts.tags = vec!["unclassified".into()];
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
        delta.facts.resource = format!("{actor}-{n}");
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
    assert_eq!(queue.backlog("officer").unwrap().pending, 0);
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
    let spec = ChannelSpec { wait: 30_000, interval: 300_000, ..officer() };
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
    assert_eq!(state.queue().backlog("pager").unwrap().pending, 0);
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
        while queue.backlog("officer").unwrap().pending > 0 && queue.lease("officer", now(), 1).unwrap().is_empty() {
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
    let dead = queue.dead_letters().unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].last_error.as_str()), (1, 10, "mail server away"));
    assert_eq!(queue.backlog("officer").unwrap().dead, 1);
    assert_eq!(queue.retry_dead("officer", now()).unwrap(), 1);
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
    fn name(&self) -> &str {
        "officer"
    }

    fn audience(&self) -> Audience {
        Audience::Officer
    }

    fn send(&mut self, message: &Message) -> Result<(), SendError> {
        *self.tried.lock().unwrap() += 1;
        if *self.away.lock().unwrap() {
            return Err(SendError::Transient("connection refused".into()));
        }
        if self.refuses.is_some() && message.view.number(Field::Count) == self.refuses {
            return Err(SendError::Permanent("message not accepted".into()));
        }
        self.got.lock().unwrap().push(message.id.clone());
        Ok(())
    }
}

fn courier(state: &State, channel: &Switch) -> (Courier, Arc<Metrics>) {
    let scope = Scope { channels: vec!["officer".into()], ..Scope::default() };
    let metrics = Arc::new(Metrics::new(&scope).unwrap());
    let courier = Courier::new(state.queue(), officer(), Box::new(channel.clone()), Arc::clone(&metrics));
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

fn finding(verdict: Verdict) -> Finding {
    let delta = delta_of("0123", "upload", verdict, MORNING, 12);
    Finding {
        id: "3f2a9c0d11e84b7a96c5d204".into(),
        series: delta.series,
        window: MORNING,
        destination: "SG".into(),
        severity: severity(verdict),
        base: severity(verdict),
        bulk: false,
        count: 12,
        bytes: 4_194_304,
        first: MORNING,
        last: MORNING + 61_000,
        revision: 2,
        facts: delta.facts,
    }
}

fn severity(verdict: Verdict) -> Severity {
    match verdict {
        Verdict::Prohibited => Severity::Critical,
        Verdict::Uncovered => Severity::High,
        Verdict::Defect => Severity::Medium,
        Verdict::Undetermined => Severity::Low,
        Verdict::Covered | Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => {
            Severity::Info
        }
    }
}

/// A typical finding of each verdict.
fn sample(verdict: Verdict) -> Finding {
    let mut sample = finding(verdict);
    let facts = &mut sample.facts;
    facts.binding = matches!(verdict, Verdict::Uncovered);
    facts.tags.clear();
    match verdict {
        Verdict::Prohibited => {
            (facts.policy_rule, facts.rule) = (Some("no-onward-from-gba".into()), "R5".into());
            facts.tags.push("outbound".into());
            sample.bulk = true;
        }
        Verdict::Uncovered => {
            (facts.failed_condition, facts.rule) = (Some("dpp2_processor".into()), "R8".into());
        }
        Verdict::Defect => {
            (facts.origin, facts.origin_source) = ("JP".into(), "example-city 2026-11-01".into());
            facts.destination = "CN (outside Guangdong)".into();
            facts.destination_source = "example-city 2026-11-01".into();
            (facts.destination_method, facts.destination_confidence) = ("ip".into(), "low".into());
            (facts.safeguard, facts.failed_condition) = (Some("gba-2026-01".into()), Some("place".into()));
            (facts.recipient, facts.recipient_role) = ("Harbour Trading (Shenzhen) Ltd".into(), "data user".into());
            facts.tags.push("foreign_hk_controlled".into());
        }
        Verdict::Undetermined => {
            (facts.destination, facts.destination_method) = ("unknown (opaque)".into(), "site".into());
            facts.destination_confidence = "none".into();
            facts.possible = vec!["UNCOVERED".into(), "DOMESTIC".into()];
            facts.rule = "R9".into();
            facts.failed_condition = Some("dpp2_processor".into());
            (facts.binding, facts.tags) = (true, vec!["outbound".into()]);
        }
        Verdict::Covered => {
            (facts.safeguard, facts.rule) = (Some("alpha-cloud-rmc".into()), "R7".into());
            facts.tags.push("expiring".into());
        }
        Verdict::Inbound => {
            (facts.origin, facts.destination, facts.rule) =
                ("CN (Shenzhen, Guangdong)".into(), "HK".into(), "R4".into());
            facts.tags.push("cn_export".into());
        }
        Verdict::Domestic => (facts.destination, facts.rule) = ("HK".into(), "R3".into()),
        Verdict::NoHkNexus => (facts.origin, facts.rule) = ("JP".into(), "R2".into()),
        Verdict::OutOfScope => (facts.categories, facts.rule) = (Vec::new(), "R1".into()),
    }
    sample
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/officer").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected, "{name}: look at the change, then run with UPDATE_GOLDEN=1");
}

#[test]
fn the_officer_reads_each_verdict_in_both_languages() {
    for verdict in Verdict::ALL {
        let text = words(&View::of(&sample(verdict), Audience::Officer), Languages::Both);
        golden(&format!("{}.txt", verdict.name().to_ascii_lowercase()), &text);
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

const HOSTILE: &str = "a\u{1b}[2J\u{1b}]0;x\u{7}\r\n[CRITICAL] fake\u{202e}gpj\u{2066}\u{9b}31m\u{2028}\0\u{7f}{}b";

fn hostile() -> Finding {
    let mut hostile = finding(Verdict::Uncovered);
    let facts = &mut hostile.facts;
    let values = [
        &mut facts.tenant,
        &mut facts.actor_id,
        &mut facts.actor_name,
        &mut facts.address,
        &mut facts.resource,
        &mut facts.kind,
        &mut facts.origin,
        &mut facts.origin_method,
        &mut facts.origin_confidence,
        &mut facts.origin_source,
        &mut facts.destination,
        &mut facts.destination_method,
        &mut facts.destination_source,
        &mut facts.recipient,
        &mut facts.recipient_role,
        &mut facts.rule,
        &mut facts.item,
        &mut facts.record,
    ];
    values.into_iter().for_each(|value| *value = HOSTILE.to_owned());
    facts.safeguard = Some(HOSTILE.into());
    facts.failed_condition = Some(HOSTILE.into());
    facts.policy_rule = Some(HOSTILE.into());
    facts.possible = vec![HOSTILE.into()];
    facts.categories = vec![HOSTILE.into()];
    hostile
}

fn acts(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn hostile_names_do_nothing_to_a_terminal() {
    let message = Message { id: "x.1".into(), view: View::of(&hostile(), Audience::Officer) };
    let mut out = Vec::new();
    Terminal::new("terminal", Languages::Both, &mut out).send(&message).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.chars().find(|char| acts(*char) && *char != '\n'), None);
    assert!(!text.lines().any(|line| line.starts_with("[CRITICAL]")), "no line can be forged");
    assert!(text.contains("␛[2J") && text.contains("\\u{202e}gpj") && text.contains("{}b"), "{text}");
    let plain = Message { view: View::of(&finding(Verdict::Uncovered), Audience::Officer), ..message };
    let mut expected = Vec::new();
    Terminal::new("terminal", Languages::Both, &mut expected).send(&plain).unwrap();
    let lines = String::from_utf8(expected).unwrap().lines().count();
    assert_eq!(text.lines().count(), lines, "as many lines as any other notice");
}

#[test]
fn colours_come_only_when_told() {
    let message = Message { id: "x.1".into(), view: View::of(&finding(Verdict::Uncovered), Audience::Officer) };
    let mut out = Vec::new();
    Terminal::new("terminal", Languages::English, &mut out).with_colours(true).send(&message).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("\u{1b}[31m[HIGH] Possible transfer"), "{text}");
    assert_eq!(text.matches('\u{1b}').count(), 2);
}

#[test]
fn the_file_has_one_safe_json_line_for_each_notice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("findings.jsonl");
    let mut channel = File::new("file", Audience::Officer, path.clone());
    for id in ["a.1", "b.1"] {
        channel.send(&Message { id: id.into(), view: View::of(&hostile(), Audience::Officer) }).unwrap();
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
    let mut channel = File::new("file", Audience::Officer, path.clone());
    channel
        .send(&Message { id: "a.1".into(), view: View::of(&finding(Verdict::Uncovered), Audience::Officer) })
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
    let mut channel = File::new("file", Audience::Officer, path.clone());
    let message = Message { id: "a.1".into(), view: View::of(&finding(Verdict::Uncovered), Audience::Officer) };
    let Err(SendError::Transient(why)) = channel.send(&message) else { panic!("expected a transient error") };
    assert!(why.contains(path.to_str().unwrap()) && !why.contains("payroll"), "{why}");
}

#[test]
fn personal_data_reach_the_officer_alone() {
    let mut canary = finding(Verdict::Uncovered);
    let facts = &mut canary.facts;
    facts.actor_id = "CANARY-id".into();
    facts.actor_name = "CANARY-name".into();
    facts.address = "CANARY-address".into();
    facts.resource = "CANARY-resource".into();
    facts.recipient = "CANARY-recipient".into();
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
