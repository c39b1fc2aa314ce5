//! Letters to people, by a clock that the tests turn: told in time, in few messages, each record counted once.

use std::sync::{Arc, Mutex};

use harbourwatch::deliver::calendar::Quiet;
use harbourwatch::deliver::composer::{Inhibition, Pace};
use harbourwatch::deliver::{Audience, Courier, Letter, Messenger, Rules, SendError, Way};
use harbourwatch::domain::verdict::{Severity, Verdict};
use harbourwatch::metrics::{Metrics, Scope};
use harbourwatch::outbox::{
    ChannelSpec, Escalation, Kind, Manner, Matcher, Mishap, Outbox, Queue, Reason, Silence, Wait,
};
use proptest::prelude::*;

use super::{State, delta, now, pass, record, report};
use crate::support::findings::{MORNING, delta_of};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Someone's mailbox, which can be shut.
#[derive(Clone, Debug, Default)]
struct Mailbox {
    letters: Arc<Mutex<Vec<Letter>>>,
    shut: Arc<Mutex<Option<SendError>>>,
}

impl Messenger for Mailbox {
    fn audience(&self) -> Audience {
        Audience::Officer
    }

    fn post(&mut self, letter: &Letter) -> Result<(), SendError> {
        if let Some(error) = self.shut.lock().unwrap().clone() {
            return Err(error);
        }
        self.letters.lock().unwrap().push(letter.clone());
        Ok(())
    }

    fn preview(&self, letter: &Letter) -> String {
        letter.id.clone()
    }
}

impl Mailbox {
    fn shut(&self, error: Option<SendError>) {
        *self.shut.lock().unwrap() = error;
    }

    fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.letters.lock().unwrap())
    }
}

/// A channel for people with the usual waits: 10 s if critical, a minute for others, ten minutes between two words.
fn people(name: &str) -> ChannelSpec {
    let mut waits = [Wait::After(MINUTE); 5];
    waits[Severity::Critical as usize] = Wait::After(10_000);
    waits[Severity::Info as usize] = Wait::Digest;
    ChannelSpec { manner: Manner::Letters, waits, interval: 10 * MINUTE, ..ChannelSpec::new(name, Severity::Low) }
}

/// An outbox and a courier for each channel.
struct Office {
    state: State,
    outbox: Outbox,
    couriers: Vec<Courier>,
    boxes: Vec<Mailbox>,
    metrics: Arc<Metrics>,
    specs: Arc<[ChannelSpec]>,
}

impl Office {
    fn new(channels: Vec<(ChannelSpec, Rules)>) -> Self {
        let state = State::new();
        let specs: Arc<[ChannelSpec]> = channels.iter().map(|(spec, _)| spec.clone()).collect();
        let outbox = state.open_for(&specs);
        let scope = Scope { channels: specs.iter().map(|spec| spec.name.clone()).collect(), ..Scope::default() };
        let metrics = Arc::new(Metrics::new(&scope).unwrap());
        let boxes: Vec<_> = channels.iter().map(|_| Mailbox::default()).collect();
        let courier = |((spec, rules), mailbox): ((ChannelSpec, Rules), &Mailbox)| {
            let way = Way::People(Box::new(mailbox.clone()));
            Courier::new(state.queue(), spec, way, Arc::clone(&metrics)).among(&specs).by_rules(rules).with_clock(now)
        };
        let couriers = channels.into_iter().zip(&boxes).map(courier).collect();
        Self { state, outbox, couriers, boxes, metrics, specs }
    }

    fn one(spec: ChannelSpec, rules: Rules) -> Self {
        Self::new(vec![(spec, rules)])
    }

    /// Lets time pass with a round of each courier every `step` ms.
    fn wait(&mut self, ms: i64, step: i64) {
        for _ in 0..ms / step {
            pass(step);
            for courier in &mut self.couriers {
                courier.round().unwrap();
            }
        }
    }

    fn record(&mut self, actor: &str, severity: Severity, verdict: Verdict, n: u64) {
        self.record_all(&[(actor, severity, verdict, n)]);
    }

    /// Of one batch.
    fn record_all(&mut self, all: &[(&str, Severity, Verdict, u64)]) {
        let delta = |(actor, severity, verdict, n): &(&str, Severity, Verdict, u64)| {
            let mut delta = delta_of(actor, "upload", *verdict, MORNING, *n);
            delta.severity = *severity;
            delta
        };
        record(&mut self.outbox, &report(all.iter().map(delta).collect()));
    }

    fn queue(&self) -> Queue {
        self.state.queue()
    }

    fn letters(&self) -> Vec<Letter> {
        self.boxes[0].letters()
    }
}

fn records(letters: &[Letter]) -> u64 {
    letters.iter().map(|letter| letter.totals().1 + letter.held.iter().map(|held| held.records).sum::<u64>()).sum()
}

fn silence(matcher: &str, ms: i64) -> Silence {
    let matchers = vec![Matcher::parse(matcher).unwrap()];
    let (starts, ends) = (now(), now() + ms);
    Silence { id: 0, matchers, starts, ends, author: "officer".into(), comment: "known".into() }
}

#[test]
fn a_storm_is_told_in_three_letters_with_exact_counts() {
    let mut office = Office::one(people("officer"), Rules::default());
    for second in 0..60 {
        let deltas = (0..30).map(|actor| {
            let mut delta = delta_of(&actor.to_string(), "upload", Verdict::Prohibited, MORNING, 55);
            delta.severity = if actor % 3 == 0 { Severity::Critical } else { Severity::High };
            // 100,000 in all
            delta.count += u64::from(second < 20 && actor < 20) + u64::from(second == 59 && actor < 20) * 30;
            delta
        });
        record(&mut office.outbox, &report(deltas.collect()));
        office.wait(1_000, 1_000);
    }
    office.wait(HOUR, 1_000);
    let letters = office.letters();
    assert!(letters.len() <= 3, "{} letters", letters.len());
    assert_eq!(records(&letters), 100_000);
    assert!(letters[0].shown[0].view.text(harbourwatch::deliver::Field::Severity) == "CRITICAL", "the gravest first");
}

#[test]
fn findings_of_a_kind_go_together_after_their_wait() {
    let mut office = Office::one(people("officer"), Rules::default());
    office.record("1", Severity::High, Verdict::Uncovered, 1);
    office.wait(30_000, 1_000);
    office.record("2", Severity::Medium, Verdict::Uncovered, 5);
    office.wait(29_000, 1_000);
    assert_eq!(office.letters().len(), 0, "the wait is a minute");
    office.wait(1_000, 1_000);
    let letters = office.letters();
    assert_eq!((letters.len(), letters[0].totals()), (1, (2, 6)), "what waits of the same kind goes along");
    office.record("1", Severity::High, Verdict::Uncovered, 2);
    office.wait(9 * MINUTE, 10_000);
    assert_eq!(office.letters().len(), 1, "ten minutes between two words on a finding");
    office.wait(MINUTE, 1_000);
    let letters = office.letters();
    assert_eq!((letters.len(), letters[1].totals(), letters[1].shown[0].new), (2, (1, 2), 2));
    assert_ne!(letters[0].id, letters[1].id);
}

#[test]
fn what_becomes_graver_does_not_wait_for_the_interval() {
    let mut office = Office::one(people("officer"), Rules::default());
    office.record("1", Severity::Medium, Verdict::Uncovered, 1);
    office.wait(MINUTE, 1_000);
    office.record("1", Severity::Critical, Verdict::Uncovered, 1);
    office.wait(10_000, 1_000);
    assert_eq!(office.letters().len(), 2);
}

#[test]
fn a_pace_is_kept_but_what_is_critical_and_new_has_room() {
    let pace = Pace { most: 2, within: 5 * MINUTE };
    let mut office =
        Office::one(people("officer"), Rules { pace, group_by: vec!["finding".into()], ..Rules::default() });
    for actor in 0..6 {
        office.record(&actor.to_string(), Severity::High, Verdict::Uncovered, 1);
        office.wait(MINUTE, 1_000);
    }
    let before = office.letters().len();
    assert!((2..=4).contains(&before), "{before}");
    office.record("grave", Severity::Critical, Verdict::Prohibited, 1);
    office.wait(10_000, 1_000);
    assert_eq!(office.letters().len(), before + 1);
    office.wait(10 * MINUTE, 1_000);
    assert_eq!(records(&office.letters()), 7);
}

#[test]
fn quiet_hours_hold_the_mild_until_morning_and_never_the_critical() {
    let quiet = Quiet { from: 0, until: 10 * 60, days_off: false, holidays: Vec::new(), up_to: Severity::Medium };
    let mut office = Office::one(people("officer"), Rules { quiet: Some(quiet), ..Rules::default() });
    office.record("1", Severity::Medium, Verdict::Uncovered, 3);
    office.record("2", Severity::Critical, Verdict::Prohibited, 4);
    office.wait(29 * MINUTE, 1_000);
    assert_eq!(office.letters().iter().map(Letter::totals).collect::<Vec<_>>(), [(1, 4)]);
    office.wait(MINUTE, 1_000);
    assert_eq!(office.letters().iter().map(Letter::totals).collect::<Vec<_>>(), [(1, 4), (1, 3)]);
}

#[test]
fn what_is_silenced_is_counted_in_the_next_letter_and_in_metrics() {
    let mut office = Office::one(people("officer"), Rules::default());
    let id = office.queue().add_silence(&silence("verdict=DEFECT", DAY), now()).unwrap();
    office.record("1", Severity::High, Verdict::Defect, 3);
    office.wait(5 * MINUTE, 1_000);
    assert_eq!(office.letters().len(), 0);
    assert!(office.metrics.render().unwrap().contains("harbourwatch_outbox_held{channel=\"officer\"} 1\n"));
    office.record("2", Severity::High, Verdict::Uncovered, 1);
    office.wait(MINUTE, 1_000);
    let letter = office.letters().remove(0);
    assert_eq!(letter.totals(), (1, 1));
    assert_eq!((letter.held.len(), letter.held[0].reason.clone()), (1, Reason::Silence(id)));
    assert_eq!((letter.held[0].findings, letter.held[0].records), (1, 3));
    let text = office.metrics.render().unwrap();
    assert!(
        text.contains("harbourwatch_findings_held_back_total{channel=\"officer\",reason=\"silence\"} 1\n"),
        "{text}"
    );
    assert!(office.queue().expire_silence(id, now()).unwrap());
    office.record("1", Severity::High, Verdict::Defect, 2);
    office.wait(10 * MINUTE, 1_000);
    assert_eq!(office.letters().pop().unwrap().totals(), (1, 2), "what was counted is not counted again");
}

#[test]
fn what_stays_silenced_is_counted_within_a_day_by_itself() {
    let mut office = Office::one(people("officer"), Rules::default());
    office.queue().add_silence(&silence("verdict=DEFECT", 30 * DAY), now()).unwrap();
    office.record("1", Severity::High, Verdict::Defect, 3);
    office.wait(25 * HOUR, MINUTE);
    let letters = office.letters();
    assert_eq!((letters.len(), letters[0].totals(), records(&letters)), (1, (0, 0), 3));
}

#[test]
fn a_graver_finding_keeps_milder_ones_on_the_same_matter_quiet() {
    let parse = |text| vec![Matcher::parse(text).unwrap()];
    let rule = Inhibition {
        source: parse("severity=CRITICAL"),
        target: parse("severity=MEDIUM"),
        equal: vec!["destination".into(), "tenant".into()],
    };
    let mut office = Office::one(people("officer"), Rules { inhibitions: vec![rule], ..Rules::default() });
    office.record("1", Severity::Critical, Verdict::Prohibited, 1);
    office.record("2", Severity::Medium, Verdict::Defect, 7);
    office.wait(2 * MINUTE, 1_000);
    let letters = office.letters();
    assert_eq!((letters.len(), letters[0].totals()), (1, (1, 1)));
    office.record("3", Severity::High, Verdict::Uncovered, 1);
    office.wait(2 * MINUTE, 1_000);
    let last = office.letters().pop().unwrap();
    assert_eq!((last.held[0].reason.clone(), last.held[0].records), (Reason::Inhibited, 7));
}

fn escalating() -> Vec<(ChannelSpec, Rules)> {
    let mut within = [None; 5];
    within[Severity::Critical as usize] = Some(30 * MINUTE);
    within[Severity::High as usize] = Some(30 * MINUTE);
    let officer = ChannelSpec {
        escalation: Some(Escalation { to: "deputy".into(), within }),
        repeat: Some(DAY),
        repeat_from: Severity::High,
        repeat_for: 7 * DAY,
        ..people("officer")
    };
    let deputy = ChannelSpec { only_escalations: true, ..people("deputy") };
    vec![(officer, Rules::default()), (deputy, Rules::default())]
}

#[test]
fn what_nobody_acknowledges_goes_to_the_deputy_and_is_told_again() {
    let mut office = Office::new(escalating());
    office.record("1", Severity::High, Verdict::Uncovered, 1);
    office.record("2", Severity::Medium, Verdict::Uncovered, 1);
    office.wait(30 * MINUTE, 10_000);
    assert_eq!(office.boxes[1].letters().len(), 0);
    office.wait(MINUTE + 10_000, 10_000);
    let deputy = office.boxes[1].letters();
    assert_eq!((deputy.len(), deputy[0].kind, deputy[0].totals().0), (1, Kind::Escalation, 1));
    office.wait(DAY, MINUTE);
    let last = office.letters().pop().unwrap();
    assert_eq!((last.kind, last.totals()), (Kind::Reminder, (1, 0)), "the mild one is not told again");
    office.wait(10 * DAY, HOUR);
    let reminders = office.letters().iter().filter(|letter| letter.kind == Kind::Reminder).count();
    assert!((6..=8).contains(&reminders), "once a day for a week: {reminders}");
    assert_eq!(office.boxes[1].letters().len(), 1);
}

#[test]
fn an_acknowledgement_calls_off_the_deputy_and_the_reminders() {
    let mut office = Office::new(escalating());
    office.record("1", Severity::High, Verdict::Uncovered, 1);
    office.wait(2 * MINUTE, 1_000);
    let finding = super::all(&office.outbox).remove(0);
    let mut queue = office.queue();
    let found = queue.finding(finding.id.get(..8).unwrap()).unwrap().unwrap();
    assert!(queue.acknowledge(&found, "Wong", "asked the branch", &office.specs, now()).unwrap());
    assert!(!queue.acknowledge(&found, "Lee", "", &office.specs, now()).unwrap(), "once is enough");
    office.wait(3 * DAY, HOUR);
    assert_eq!((office.letters().len(), office.boxes[1].letters().len()), (1, 0));
    let (by, _, note) = queue.acknowledgement(&finding.id).unwrap().unwrap();
    assert_eq!((by.as_str(), note.as_str()), ("Wong", "asked the branch"));
    office.record("1", Severity::Critical, Verdict::Uncovered, 1);
    office.wait(HOUR, 10_000);
    assert_eq!(office.boxes[1].letters().len(), 1, "graver than what was acknowledged");
}

#[test]
fn an_acknowledgement_takes_nothing_from_a_deputy_who_is_told_anyway() {
    let mut channels = escalating();
    (channels[1].0.only_escalations, channels[1].0.waits) = (false, [Wait::After(HOUR); 5]);
    let mut office = Office::new(channels);
    office.record("1", Severity::High, Verdict::Uncovered, 5);
    pass(31 * MINUTE);
    office.couriers[0].round().unwrap();
    pass(30 * MINUTE);
    office.couriers[0].round().unwrap();
    let finding = super::all(&office.outbox).remove(0);
    assert!(office.queue().acknowledge(&finding, "Wong", "", &office.specs, now()).unwrap());
    office.wait(2 * HOUR, MINUTE);
    let deputy = office.boxes[1].letters();
    assert_eq!((deputy.len(), deputy[0].kind, records(&deputy)), (1, Kind::Findings, 5));
}

#[test]
fn a_letter_goes_to_the_fallback_with_its_id_when_its_channel_is_down() {
    let robot = ChannelSpec { fallback: Some(("mail".into(), 15 * MINUTE)), ..people("robot") };
    let mail = ChannelSpec { only_escalations: true, ..people("mail") };
    let mut office = Office::new(vec![(robot, Rules::default()), (mail, Rules::default())]);
    office.boxes[0].shut(Some(SendError::Transient("connection refused".into())));
    office.record("1", Severity::High, Verdict::Uncovered, 1);
    office.wait(10 * MINUTE, 1_000);
    assert_eq!(office.boxes[1].letters().len(), 0);
    let id = office.queue().entries(Some("robot"), false, 10).unwrap()[0].id.clone();
    office.wait(10 * MINUTE, 1_000);
    let moved = office.boxes[1].take();
    assert_eq!((moved.len(), moved[0].id.as_str(), moved[0].moved_from.as_deref()), (1, id.as_str(), Some("robot")));
    office.boxes[0].shut(None);
    office.record("1", Severity::High, Verdict::Uncovered, 4);
    office.wait(20 * MINUTE, 1_000);
    assert_eq!((office.letters().len(), office.letters()[0].totals()), (1, (1, 4)), "what the fallback told is told");
    assert_eq!(office.boxes[1].letters().len(), 0);
}

#[test]
fn a_receiver_that_is_gone_is_left_alone_until_it_is_opened() {
    let robot = ChannelSpec {
        fallback: Some(("mail".into(), 15 * MINUTE)),
        trouble_to: Some("mail".into()),
        ..people("robot")
    };
    let mail = ChannelSpec { only_escalations: true, ..people("mail") };
    let mut office = Office::new(vec![(robot, Rules::default()), (mail, Rules::default())]);
    office.boxes[0].shut(Some(SendError::Gone("410 Gone".into())));
    office.record("1", Severity::High, Verdict::Uncovered, 1);
    office.wait(5 * MINUTE, 1_000);
    let mail = office.boxes[1].take();
    assert_eq!(records(&mail), 1, "its letter goes to the fallback at once");
    let troubles: Vec<_> = mail.iter().flat_map(|letter| letter.troubles.clone()).collect();
    assert_eq!((troubles.len(), troubles[0].mishap, troubles[0].channel.as_str()), (1, Mishap::Closed, "robot"));
    assert!(office.metrics.render().unwrap().contains("harbourwatch_channel_open{channel=\"robot\"} 0\n"));
    office.boxes[0].shut(None);
    office.record("2", Severity::High, Verdict::Uncovered, 2);
    office.wait(5 * MINUTE, 1_000);
    assert_eq!((office.letters().len(), records(&office.boxes[1].take())), (0, 2));
    office.queue().retry(Some("robot"), None, now()).unwrap();
    office.record("3", Severity::High, Verdict::Uncovered, 3);
    office.wait(5 * MINUTE, 1_000);
    assert_eq!((records(&office.letters()), office.boxes[1].letters().len()), (3, 0));
}

#[test]
fn what_is_given_up_is_told_by_another_channel_and_can_be_tried_again() {
    let mail = ChannelSpec { trouble_to: Some("chat".into()), ..people("mail") };
    let chat = ChannelSpec { only_escalations: true, ..people("chat") };
    let mut office = Office::new(vec![(mail, Rules::default()), (chat, Rules::default())]);
    office.boxes[0].shut(Some(SendError::Permanent("550 no such user".into())));
    office.record("1", Severity::High, Verdict::Uncovered, 5);
    office.wait(5 * MINUTE, 1_000);
    let told = office.boxes[1].letters();
    assert_eq!((told.len(), told[0].kind), (1, Kind::Trouble));
    let trouble = &told[0].troubles[0];
    assert_eq!((trouble.mishap, trouble.messages, trouble.why.as_str()), (Mishap::GivenUp, 1, "550 no such user"));
    assert!(office.metrics.render().unwrap().contains("harbourwatch_outbox_dead{channel=\"mail\"} 1\n"));
    office.boxes[0].shut(None);
    let dead = office.queue().entries(None, true, 10).unwrap().remove(0);
    assert_eq!((dead.channel.as_str(), dead.state), ("mail", "given up"));
    assert_eq!(office.queue().retry(None, Some(&dead.id), now()).unwrap(), 1);
    office.wait(MINUTE, 1_000);
    assert_eq!(
        (office.letters().len(), office.letters()[0].id.as_str(), records(&office.letters())),
        (1, &*dead.id, 5)
    );
    assert_eq!(office.queue().entries(None, false, 10).unwrap(), []);
}

#[test]
fn dropping_what_was_given_up_says_so_and_forgets_it() {
    let mut office = Office::one(people("mail"), Rules::default());
    office.boxes[0].shut(Some(SendError::Permanent("550".into())));
    office.record("1", Severity::High, Verdict::Uncovered, 5);
    office.wait(2 * MINUTE, 1_000);
    assert_eq!(office.queue().drop_dead(Some("other"), None).unwrap(), 0);
    assert_eq!(office.queue().drop_dead(Some("mail"), None).unwrap(), 1);
    assert_eq!(office.queue().entries(None, false, 10).unwrap(), []);
    assert_eq!(office.queue().backlog("mail", now()).unwrap().dead, 0);
}

#[test]
fn the_day_is_summed_up_at_its_hour_with_what_was_too_mild_to_tell() {
    let rules = Rules { digest: Some(10 * 60), ..Rules::default() };
    let mut spec = people("officer");
    (spec.minimum, spec.waits[Severity::Low as usize]) = (Severity::Info, Wait::Digest);
    let mut office = Office::one(spec, rules);
    office.wait(1_000, 1_000);
    let undetermined = |actor, n| (actor, Severity::Low, Verdict::Undetermined, n);
    office.record_all(&[undetermined("1", 30), ("2", Severity::Info, Verdict::Covered, 2), undetermined("3", 7)]);
    office.record_all(&[undetermined("1", 3)]);
    office.wait(29 * MINUTE, MINUTE);
    assert_eq!(office.letters().len(), 0);
    office.wait(2 * MINUTE, MINUTE);
    let letter = office.letters().remove(0);
    let digest = letter.digest.as_ref().unwrap();
    assert_eq!((letter.kind, digest.flows.len()), (Kind::Digest, 2));
    assert_eq!((digest.flows[0].findings, digest.flows[0].records), (2, 40));
    assert_eq!(
        (letter.held[0].reason.clone(), letter.held[0].findings, letter.held[0].records),
        (Reason::Digest, 3, 42)
    );
    assert_eq!(digest.arrangements.len(), 1, "a recipient and place not seen before");
    office.wait(DAY, 10 * MINUTE);
    let letters = office.letters();
    assert_eq!(letters.len(), 2, "once a day");
    let next = letters[1].digest.as_ref().unwrap();
    assert_eq!(
        (next.from, next.flows.len(), next.arrangements.len()),
        (digest.to, 0, 0),
        "one begins where the other ends"
    );
}

#[test]
fn a_letter_says_the_same_at_every_try() {
    let mut office = Office::one(people("officer"), Rules::default());
    office.record("1", Severity::High, Verdict::Uncovered, 1);
    office.boxes[0].shut(Some(SendError::Transient("away".into())));
    office.wait(2 * MINUTE, 1_000);
    let before = office.queue().entries(None, false, 10).unwrap();
    office.record("1", Severity::High, Verdict::Uncovered, 9);
    office.boxes[0].shut(None);
    office.wait(20 * MINUTE, 1_000);
    let letters = office.letters();
    assert_eq!(letters[0].id, before.iter().find(|entry| entry.kind == "findings").unwrap().id);
    let totals: Vec<_> = letters.iter().map(Letter::totals).collect();
    assert_eq!(totals, [(1, 1), (1, 9)]);
}

#[derive(Clone, Debug)]
enum Op {
    Record(u8, usize, u64),
    Pass(i64),
    Shut(u8),
    Silence(&'static str, i64),
    Acknowledge(usize),
    Retry,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        5 => (0..6_u8, 0..5_usize, 1..50_u64).prop_map(|(actor, severity, n)| Op::Record(actor, severity, n)),
        4 => prop_oneof![Just(1_000), Just(MINUTE), Just(15 * MINUTE), Just(7 * HOUR)].prop_map(Op::Pass),
        1 => (0..4_u8).prop_map(Op::Shut),
        1 => (prop_oneof![Just("severity=HIGH"), Just("kind=upload")], 1..40_i64).prop_map(|(what, h)| Op::Silence(what, h * HOUR)),
        1 => (0..6_usize).prop_map(Op::Acknowledge),
        1 => Just(Op::Retry),
    ];
    proptest::collection::vec(op, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens, each record is counted once in the letters that arrive, told or held back.
    #[test]
    fn every_record_is_counted_once(ops in ops()) {
        let mut channels = escalating();
        channels[0].0.minimum = Severity::Info;
        channels[0].0.escalation.as_mut().unwrap().to = "officer".into();
        channels[0].1.digest = Some(9 * 60);
        let quiet = Quiet { from: 22 * 60, until: 8 * 60, days_off: true, holidays: Vec::new(), up_to: Severity::Medium };
        channels[0].1.quiet = Some(quiet);
        let mut office = Office::new(channels);
        let mut recorded = 0;
        for op in ops {
            match op {
                Op::Record(actor, severity, n) => {
                    office.record(&actor.to_string(), Severity::ALL[severity], Verdict::Uncovered, n);
                    recorded += n;
                }
                Op::Pass(ms) => office.wait(ms, (ms / 20).max(1_000)),
                Op::Shut(0) => office.boxes[0].shut(Some(SendError::Transient("away".into()))),
                Op::Shut(1) => office.boxes[0].shut(Some(SendError::Later { why: "429".into(), wait_ms: HOUR })),
                Op::Shut(2) => office.boxes[0].shut(Some(SendError::Gone("410".into()))),
                Op::Shut(_) => office.boxes[0].shut(None),
                Op::Silence(what, ms) => drop(office.queue().add_silence(&silence(what, ms), now()).unwrap()),
                Op::Acknowledge(nth) => {
                    let findings = super::all(&office.outbox);
                    if let Some(finding) = findings.get(nth % findings.len().max(1)) {
                        office.queue().acknowledge(finding, "Wong", "", &office.specs, now()).unwrap();
                    }
                }
                Op::Retry => drop(office.queue().retry(None, None, now()).unwrap()),
            }
        }
        office.boxes[0].shut(None);
        office.queue().retry(None, None, now()).unwrap();
        office.wait(5 * DAY, 30 * MINUTE);
        let letters = office.letters();
        prop_assert_eq!(records(&letters), recorded);
        let mut ids: Vec<_> = letters.iter().map(|letter| &letter.id).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), letters.len(), "each letter once");
        prop_assert_eq!(office.queue().backlog("officer", now()).unwrap().pending, 0);
    }
}

#[test]
fn what_an_ended_process_had_in_hand_is_free_at_the_next_start() {
    let state = State::new();
    record(&mut state.open(), &report(vec![delta("0123", MORNING, 1)]));
    assert_eq!(state.queue().lease("officer", now(), 10).unwrap().len(), 1);
    assert_eq!(state.queue().lease("officer", now(), 10).unwrap().len(), 0);
    state.queue().reclaim("officer").unwrap();
    assert_eq!(state.queue().lease("officer", now(), 10).unwrap().len(), 1);
}
