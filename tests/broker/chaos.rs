//! Three instances and everything that can go wrong: killed every few seconds, one added, one removed, the broker away, a
//! session that times out, a disk that is full. Then all logs together hold every event, each once.

use std::path::Path;
use std::time::{Duration, Instant};

use super::instance::{Configuration, Instance, PATIENCE, generate, generating, wait_until};
use super::join::{Joined, log};
use super::node::{Broker, Edition, Node, edition};

const TOPIC: &str = "audit";
const GROUP: &str = "chaos";
const PARTITIONS: i32 = 12;

/// SplitMix64: the same moments, given the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

struct Size {
    events: u64,
    /// Events a second that come in while things go wrong: half of all, over the whole of it.
    rate: u64,
    /// Of one scene.
    span: Duration,
    broker_away: Duration,
}

fn size(edition: Edition) -> Size {
    match edition {
        Edition::Small => {
            let (span, broker_away) = (Duration::from_secs(5), Duration::from_secs(8));
            Size { events: 200_000, rate: 1_600, span, broker_away }
        }
        Edition::Full => {
            let (span, broker_away) = (Duration::from_secs(30), Duration::from_secs(30));
            Size { events: 2_000_000, rate: 4_500, span, broker_away }
        }
    }
}

fn configuration(broker: &Broker, group: &str) -> Configuration {
    let mut configuration = Configuration::new(&broker.0, TOPIC, group);
    // small batches: many durable steps to be killed in
    configuration.set("batch", "messages", 2_000);
    configuration
}

/// The stage and who is on it.
struct Chaos<'n> {
    node: &'n Node,
    size: Size,
    instances: Vec<Instance>,
    /// Whether a supervisor starts it again.
    wanted: Vec<bool>,
    random: Random,
    kills: u32,
    exits: u32,
    /// Exits because a disk was full.
    full: u32,
}

impl Chaos<'_> {
    /// Kills one every few seconds and restarts what ended, for so long.
    fn go_on(&mut self, span: Duration) {
        let until = Instant::now() + span;
        let mut next_kill = Instant::now() + Duration::from_millis(1_000 + self.random.below(3_000));
        while Instant::now() < until {
            self.supervise();
            if Instant::now() > next_kill {
                let victim = self.random.below(self.instances.len() as u64) as usize;
                if self.wanted[victim] && self.instances[victim].is_up() {
                    self.instances[victim].kill();
                    self.kills += 1;
                }
                next_kill = Instant::now() + Duration::from_millis(2_000 + self.random.below(3_000));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Restarts what ended, as a supervisor would.
    fn supervise(&mut self) {
        for (instance, wanted) in self.instances.iter_mut().zip(&self.wanted) {
            if let Some(status) = instance.ended() {
                assert_eq!(status.code(), Some(1), "{}: {status}: {}", instance.dir.display(), instance.said());
                self.exits += 1;
            }
            if *wanted && !instance.is_up() {
                instance.start();
            }
        }
    }

    fn add(&mut self, dir: &Path, protocol: &str) {
        let mut configured = configuration(&self.node.broker(), GROUP);
        configured.source("protocol", protocol);
        let mut instance = Instance::new(dir, &configured);
        instance.start();
        self.instances.push(instance);
        self.wanted.push(true);
    }

    /// Kills nobody until the last one added has recorded a batch of what others began: killed every few seconds, a group may
    /// wait for the dead all the time and move no partition.
    fn share_with_the_last(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            self.supervise();
            let last = self.instances.last().unwrap();
            if last.metric("harbourwatch_batch_events_count").is_some_and(|batches| batches > 0.0) {
                return;
            }
            assert!(Instant::now() < until, "{} gets no share: {}", last.dir.display(), last.said());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The disk of one instance is full for a while: it ends with a clear cause, and goes on when there is space.
    fn fill_disk_of(&mut self, which: usize) {
        self.wanted[which] = false;
        self.instances[which].kill();
        let open = open_segment_kib(&self.instances[which].dir.join("data"));
        for _ in 0..2 {
            self.instances[which].start_limited(Some(open + 64));
            let until = Instant::now() + Duration::from_secs(20);
            while self.instances[which].is_up() && Instant::now() < until {
                self.supervise();
                std::thread::sleep(Duration::from_millis(50));
            }
            if self.instances[which].is_up() {
                // nothing came its way meanwhile
                self.instances[which].kill();
            } else {
                let said = self.instances[which].said();
                assert!(said.contains("File too large") || said.contains("disk"), "{said}");
                self.full += 1;
                self.exits += u32::from(self.instances[which].ended().is_some());
            }
        }
        self.wanted[which] = true;
    }

    /// An instance that is frozen for longer than its session comes back to a group that went on without it. Where a rebalance
    /// is under way the group waits for it instead: then once more.
    fn freeze(&mut self, which: usize) {
        for _ in 0..4 {
            self.freeze_once(which);
            if self.instances[which].says_within("partitions lost", Duration::from_secs(15)) {
                return;
            }
        }
        panic!("no session of {} timed out: {}", self.instances[which].dir.display(), self.instances[which].said());
    }

    fn freeze_once(&mut self, which: usize) {
        self.supervise();
        self.instances[which].signal("STOP");
        let until = Instant::now() + Duration::from_secs(9);
        while Instant::now() < until {
            for (at, (instance, wanted)) in self.instances.iter_mut().zip(&self.wanted).enumerate() {
                if at != which && *wanted && !instance.is_up() {
                    instance.start();
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.instances[which].signal("CONT");
    }
}

/// KiB of the segment that records are appended to: a write-ahead log of the state may be much larger, and then the bound
/// would not be reached.
fn open_segment_kib(data: &Path) -> u64 {
    let entries = |dir: &Path| {
        let mut paths: Vec<_> =
            std::fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let last = entries(&data.join("evidence/segments")).last().and_then(|month| entries(month).pop());
    last.map_or(0, |segment| segment.metadata().unwrap().len() / 1024)
}

#[test]
fn nothing_is_lost_and_nothing_counts_twice_whatever_happens() {
    let Some(edition) = edition("chaos") else { return };
    for protocol in ["cooperative-sticky", "range", "consumer"] {
        // the long edition takes its time with the default protocol; the others get the small one
        let edition = if protocol == "cooperative-sticky" { edition } else { Edition::Small };
        chaos(size(edition), protocol);
    }
}

fn chaos(size: Size, protocol: &str) {
    let (node, place) = (Node::plain(), tempfile::tempdir().unwrap());
    let broker = node.broker();
    broker.topic(TOPIC, PARTITIONS);
    let begun = Instant::now();
    let mut chaos = Chaos {
        node: &node,
        size,
        instances: Vec::new(),
        wanted: Vec::new(),
        random: Random(11),
        kills: 0,
        exits: 0,
        full: 0,
    };
    let (events, rate) = (chaos.size.events, chaos.size.rate);
    // half of it is there at the start, the rest comes while things go wrong
    let half = (events / 2).to_string();
    generate(&broker.0, TOPIC, &["--events", &half, "--seed", "1", "--duplicates", "0"]);
    let writer = generating(
        &broker.0,
        TOPIC,
        &["--events", &half, "--seed", "2", "--duplicates", "0", "--rate", &rate.to_string()],
    );
    for name in ["a", "b", "c"] {
        chaos.add(&place.path().join(name), protocol);
    }
    scenes(&mut chaos, place.path(), protocol);
    writer.finish();
    let instances = settle(chaos, &broker);
    let undisturbed = undisturbed(&broker, &place.path().join("alone"));
    compare(&broker, &instances, &undisturbed, events, (protocol, begun));
}

fn scenes(chaos: &mut Chaos<'_>, place: &Path, protocol: &str) {
    let span = chaos.size.span;
    chaos.go_on(span);
    chaos.add(&place.join("d"), protocol);
    chaos.share_with_the_last();
    chaos.go_on(span);
    // one is removed in order; its log stays
    chaos.wanted[3] = false;
    if chaos.instances[3].is_up() {
        chaos.instances[3].stop();
    }
    chaos.go_on(span / 2);
    chaos.node.stop();
    chaos.go_on(chaos.size.broker_away);
    chaos.node.start();
    chaos.go_on(span);
    chaos.fill_disk_of(0);
    chaos.go_on(span);
    chaos.freeze(2);
    chaos.go_on(span);
}

/// Lets the group catch up, undisturbed, and ends it in order.
fn settle<'n>(mut chaos: Chaos<'n>, broker: &Broker) -> Chaos<'n> {
    let until = Instant::now() + PATIENCE * 2;
    while !broker.is_done(GROUP, TOPIC) {
        assert!(
            Instant::now() < until,
            "the group does not catch up: {:?}",
            broker.committed(GROUP, TOPIC, PARTITIONS)
        );
        chaos.supervise();
        std::thread::sleep(Duration::from_millis(300));
    }
    for (instance, wanted) in chaos.instances.iter_mut().zip(&chaos.wanted) {
        if *wanted {
            let took = instance.stop();
            assert!(took < Duration::from_secs(30), "leaving took {took:?}");
        }
    }
    chaos
}

/// One instance reads the same topic, and nothing disturbs it.
fn undisturbed(broker: &Broker, dir: &Path) -> Joined {
    let mut alone = Instance::new(dir, &configuration(broker, "alone"));
    alone.start();
    wait_until("the undisturbed run catches up", PATIENCE * 3, || broker.is_done("alone", TOPIC));
    alone.stop();
    Joined::of([log(&alone.dir)])
}

fn compare(broker: &Broker, chaos: &Chaos<'_>, alone: &Joined, events: u64, (protocol, begun): (&str, Instant)) {
    let (kills, exits) = (chaos.kills, chaos.exits);
    let said: String = chaos.instances.iter().map(Instance::all_said).collect();
    let joined = Joined::of(chaos.instances.iter().map(|instance| log(&instance.dir)));
    let ends = broker.ends(TOPIC);
    joined.assert_covers(&ends);
    alone.assert_covers(&ends);
    for (id, record) in &alone.records {
        assert_eq!(joined.records.get(id), Some(record), "record {id}");
    }
    assert_eq!(joined.records.len(), alone.records.len(), "records beyond those of an undisturbed run");
    assert_eq!(joined.findings(), alone.findings());
    assert_eq!(joined.standing, alone.standing);
    assert!(!alone.standing.is_empty(), "no standing arrangement was told");
    let count = |what: &str| said.matches(what).count();
    eprintln!(
        "chaos, {protocol}: {events} events in {} messages, {PARTITIONS} partitions; {kills} kills, {exits} exits of which {} by a full disk, sessions lost {}, commits refused {}, \
         {} records of which {} stood in two logs, {} partitions moved, gaps {:?}, {} findings; {:.0} s",
        ends.iter().sum::<u64>(),
        chaos.full,
        count("partitions lost"),
        count("commit refused"),
        joined.records.len(),
        joined.twice,
        joined.moved(),
        joined.gaps,
        joined.findings().len(),
        begun.elapsed().as_secs_f64(),
    );
    assert!(kills >= 5, "only {kills} kills landed");
    assert!(chaos.full > 0, "no disk was full");
    assert!(count("partitions lost") > 0, "no session timed out");
    if protocol == "cooperative-sticky" {
        // whoever was frozen with a batch in hand commits it in vain
        assert!(count("commit refused") > 0, "no commit was refused");
    }
    assert!(joined.moved() > 0, "no partition moved");
}
