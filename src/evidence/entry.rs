//! The text of log entries. Each is one line and one leaf of the tree; its form is fixed for good under the name `hw1`.
//! Pure. Entries never carry personal data: topics and file names are the operator's, everything else is a number or digest.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::display::Base64Display;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};

use super::deed::Deed;
use super::merkle::Hash;
use super::segment::SegmentId;
use crate::domain::hex::hex;
use crate::domain::position::Lane;
use crate::pipeline::report::Coverage;

/// Longest entry in bytes. A bundle could hold up to 65,535; operator's texts need far less.
pub const MOST_BYTES: usize = 4096;

/// What happened to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Life {
    Start,
    Stop,
    Reload,
}

impl Life {
    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reload => "reload",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Start, Self::Stop, Self::Reload].into_iter().find(|life| life.name() == name)
    }
}

/// An entry. `at` is always the time of recording in ms since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// `K <root> <signature>`: first of each batch. The checkpoint that was published when the batch began; its size is
    /// this entry's own index. So the log holds the history of its checkpoints.
    Checkpoint {
        /// Root of the tree of the entries before this one.
        root: Hash,
        /// Signature of that checkpoint, base64 as on its note.
        signature: String,
    },
    /// `R <at> <commitment>`: a record, as `SHA-256(salt || record)`.
    Record {
        /// When recorded.
        at: i64,
        /// The commitment.
        commitment: Hash,
    },
    /// `F <segment> <offset> <length> <sha256>`: the frame that holds the records since the last `F` or `K`.
    Frame {
        /// Which segment.
        segment: SegmentId,
        /// Where the frame's length prefix stands, in bytes from the segment's start.
        offset: u64,
        /// Bytes of the frame without its prefix.
        length: u32,
        /// Digest of these bytes.
        digest: Hash,
    },
    /// `S <segment> <bytes> <sha256>`: the segment is finished.
    Seal {
        /// Which segment.
        segment: SegmentId,
        /// Its size.
        bytes: u64,
        /// Digest of the whole file.
        digest: Hash,
    },
    /// `B <at> <topic> <partition> <from> <next> <received> <judged> <rejected> <duplicate> <last digest>`: a lane's share.
    Batch {
        /// When recorded.
        at: i64,
        /// The share.
        coverage: Coverage,
    },
    /// `X <at> <topic> <partition> <offset> <index> <reason> <commitment>`: a rejected record.
    Rejected {
        /// When recorded.
        at: i64,
        /// Which lane.
        lane: Lane,
        /// Which message.
        offset: u64,
        /// Which event of the message.
        index: u32,
        /// Stable reason.
        reason: String,
        /// Of the detail, which has the digest of the message's bytes.
        commitment: Hash,
    },
    /// `C <at> <what> <sha256>`: a configuration, policy or database is in force.
    Config {
        /// Since when.
        at: i64,
        /// Name of what is in force.
        what: String,
        /// Its digest.
        digest: Hash,
    },
    /// `L <at> start|stop|reload <version>`: the process.
    Life {
        /// When.
        at: i64,
        /// What happened.
        life: Life,
        /// Version of the program.
        version: String,
    },
    /// `G <at> <topic> <partition> <from> <to> <reason>`: offsets `from..to` were never received.
    Gap {
        /// When noticed.
        at: i64,
        /// Which lane.
        lane: Lane,
        /// First offset missing.
        from: u64,
        /// First offset after the gap.
        to: u64,
        /// Why.
        reason: String,
    },
    /// `A`, `Q`, `E`, `D`, `H`, `Y`: what people did with the evidence.
    Deed {
        /// When.
        at: i64,
        /// What.
        deed: Deed,
    },
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint { root, signature } => write!(f, "hw1 K {} {signature}", base64(root)),
            Self::Record { at, commitment } => write!(f, "hw1 R {at} {}", base64(commitment)),
            Self::Frame { segment, offset, length, digest } => {
                write!(f, "hw1 F {segment} {offset} {length} {}", hex(digest))
            }
            Self::Seal { segment, bytes, digest } => write!(f, "hw1 S {segment} {bytes} {}", hex(digest)),
            Self::Batch { at, coverage } => write_batch(f, *at, coverage),
            Self::Rejected { at, lane, offset, index, reason, commitment } => {
                write!(f, "hw1 X {at} {} {offset} {index} {} {}", spell(lane), escape(reason), base64(commitment))
            }
            Self::Config { at, what, digest } => write!(f, "hw1 C {at} {} {}", escape(what), hex(digest)),
            Self::Life { at, life, version } => write!(f, "hw1 L {at} {} {}", life.name(), escape(version)),
            Self::Gap { at, lane, from, to, reason } => {
                write!(f, "hw1 G {at} {} {from} {to} {}", spell(lane), escape(reason))
            }
            Self::Deed { at, deed } => {
                f.write_str("hw1 ")?;
                deed.write(*at, f)
            }
        }
    }
}

fn write_batch(f: &mut fmt::Formatter<'_>, at: i64, coverage: &Coverage) -> fmt::Result {
    let Coverage { lane, from, next, received, judged, rejected, duplicate, last_digest } = coverage;
    let lane = spell(lane);
    write!(f, "hw1 B {at} {lane} {from} {next} {received} {judged} {rejected} {duplicate} {}", escape(last_digest))
}

impl Entry {
    /// Reads a line; `None` unless it is exactly as `Display` writes it.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = Words(line.strip_prefix("hw1 ")?.split(' '));
        let entry = match words.next()? {
            "K" => Self::Checkpoint { root: words.base64()?, signature: words.next()?.to_owned() },
            "R" => Self::Record { at: words.number()?, commitment: words.base64()? },
            "F" => Self::Frame {
                segment: words.number()?,
                offset: words.number()?,
                length: words.number()?,
                digest: words.hex()?,
            },
            "S" => Self::Seal { segment: words.number()?, bytes: words.number()?, digest: words.hex()? },
            "B" => Self::Batch { at: words.number()?, coverage: words.coverage()? },
            "X" => words.rejected()?,
            "C" => Self::Config { at: words.number()?, what: words.text()?, digest: words.hex()? },
            "L" => Self::Life { at: words.number()?, life: Life::parse(words.next()?)?, version: words.text()? },
            "G" => Self::Gap {
                at: words.number()?,
                lane: words.lane()?,
                from: words.number()?,
                to: words.number()?,
                reason: words.text()?,
            },
            letter => {
                let (at, deed) = Deed::read(letter, &mut words)?;
                Self::Deed { at, deed }
            }
        };
        // One text for one meaning: whatever else parsed (a leading zero, a spare word) is refused here.
        is_spelled(&entry, line).then_some(entry)
    }
}

/// Whether `line` is exactly how the entry is written; without writing it down.
fn is_spelled(entry: &Entry, line: &str) -> bool {
    use std::fmt::Write;
    struct Rest<'a>(&'a str);
    impl Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(line);
    write!(rest, "{entry}").is_ok() && rest.0.is_empty()
}

/// The words of a line.
pub(super) struct Words<'a>(std::str::Split<'a, char>);

impl<'a> Words<'a> {
    pub(super) fn next(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    pub(super) fn number<T: FromStr>(&mut self) -> Option<T> {
        self.next()?.parse().ok()
    }

    pub(super) fn base64(&mut self) -> Option<Hash> {
        STANDARD.decode(self.next()?).ok()?.try_into().ok()
    }

    pub(super) fn hex(&mut self) -> Option<Hash> {
        unhex(self.next()?)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        unescape(self.next()?)
    }

    fn lane(&mut self) -> Option<Lane> {
        Some(Lane { topic: self.text()?, partition: self.number()? })
    }

    fn coverage(&mut self) -> Option<Coverage> {
        Some(Coverage {
            lane: self.lane()?,
            from: self.number()?,
            next: self.number()?,
            received: self.number()?,
            judged: self.number()?,
            rejected: self.number()?,
            duplicate: self.number()?,
            last_digest: self.text()?,
        })
    }

    fn rejected(&mut self) -> Option<Entry> {
        Some(Entry::Rejected {
            at: self.number()?,
            lane: self.lane()?,
            offset: self.number()?,
            index: self.number()?,
            reason: self.text()?,
            commitment: self.base64()?,
        })
    }
}

/// Reads 64 lower-case hex digits.
pub fn unhex(text: &str) -> Option<Hash> {
    unhex_bytes(text)?.try_into().ok()
}

/// Reads lower-case hex digits.
pub(super) fn unhex_bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8)).collect();
    bytes.filter(|_| rest.is_empty())
}

pub(super) fn base64(bytes: &[u8]) -> Base64Display<'_, '_, GeneralPurpose> {
    Base64Display::new(bytes, &STANDARD)
}

fn spell(lane: &Lane) -> String {
    format!("{} {}", escape(&lane.topic), lane.partition)
}

/// Percent-encoding (RFC 3986 §2.1) of everything but unreserved characters.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? << 4 | digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::super::deed::{Access, Deletion, HoldId, KeyId, Rotation};
    use super::*;
    use proptest::prelude::*;

    fn coverage(topic: &str) -> Coverage {
        Coverage {
            lane: Lane { topic: topic.to_owned(), partition: 3 },
            from: 10,
            next: 15,
            received: 6,
            judged: 4,
            rejected: 1,
            duplicate: 1,
            last_digest: "00ff00ff00ff00ff".into(),
        }
    }

    fn samples(text: &str) -> Vec<Entry> {
        let lane = Lane { topic: text.to_owned(), partition: -1 };
        let segment: SegmentId = "2026-11/000007".parse().unwrap();
        let text = text.to_owned();
        vec![
            Entry::Checkpoint { root: [1; 32], signature: "AAAA".into() },
            Entry::Record { at: -5, commitment: [2; 32] },
            Entry::Frame { segment, offset: 9, length: 100, digest: [3; 32] },
            Entry::Seal { segment, bytes: 113, digest: [4; 32] },
            Entry::Batch { at: 1, coverage: coverage(&text) },
            Entry::Rejected {
                at: 1,
                lane: lane.clone(),
                offset: 8,
                index: 2,
                reason: text.clone(),
                commitment: [5; 32],
            },
            Entry::Config { at: 1, what: text.clone(), digest: [6; 32] },
            Entry::Life { at: 1, life: Life::Reload, version: text.clone() },
            Entry::Gap { at: 1, lane, from: 1, to: 4, reason: text.clone() },
        ]
        .into_iter()
        .chain(deeds(&text).into_iter().map(|deed| Entry::Deed { at: 1, deed }))
        .collect()
    }

    fn deeds(text: &str) -> Vec<Deed> {
        let (commitment, rule) = ([7; 32], text.to_owned());
        let segment = "2026-11/000007".parse().unwrap();
        let month = "2026-11".parse().unwrap();
        let hold = HoldId([9; 8]);
        vec![
            Deed::Acknowledged { commitment },
            Deed::Accessed { access: Access::Reveal, commitment },
            Deed::Erased { commitment, keys: vec![KeyId([1; 16]), KeyId([2; 16])] },
            Deed::Deleted(Deletion::Segment { segment, bytes: 9, rule: rule.clone() }),
            Deed::Deleted(Deletion::Keys {
                month,
                class: rule.clone(),
                count: 3,
                rule: rule.clone(),
                kept: vec![KeyId([1; 16])],
            }),
            Deed::Deleted(Deletion::Tiles { minimum: 256, rule }),
            Deed::Held { hold, release: false, commitment },
            Deed::Held { hold, release: true, commitment },
            Deed::Rotated(Rotation::Recipients { digest: [8; 32] }),
            Deed::Rotated(Rotation::Signer { from: text.to_owned(), to: text.to_owned(), commitment: [9; 32] }),
        ]
    }

    #[test]
    fn the_text_is_fixed() {
        let lines: Vec<String> = samples("a b#1").iter().map(Entry::to_string).collect();
        assert_eq!(lines[1], "hw1 R -5 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
        assert_eq!(lines[2], format!("hw1 F 2026-11/000007 9 100 {}", "03".repeat(32)));
        assert_eq!(lines[4], "hw1 B 1 a%20b%231 3 10 15 6 4 1 1 00ff00ff00ff00ff");
        assert_eq!(lines[7], "hw1 L 1 reload a%20b%231");
        let committed = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        assert_eq!(lines[9], format!("hw1 A 1 {committed}"));
        assert_eq!(lines[10], format!("hw1 Q 1 reveal {committed}"));
        assert_eq!(lines[11], format!("hw1 E 1 {committed} {},{}", "01".repeat(16), "02".repeat(16)));
        assert_eq!(lines[12], "hw1 D 1 segment 2026-11/000007 9 a%20b%231");
        assert_eq!(lines[13], format!("hw1 D 1 keys 2026-11 a%20b%231 3 a%20b%231 {}", "01".repeat(16)));
        assert_eq!(lines[14], "hw1 D 1 tiles 256 a%20b%231");
        assert_eq!(lines[15], format!("hw1 H 1 add 0909090909090909 {committed}"));
        assert_eq!(lines[16], format!("hw1 H 1 release 0909090909090909 {committed}"));
        assert_eq!(lines[17], format!("hw1 Y 1 recipients {}", "08".repeat(32)));
        assert_eq!(lines[18], "hw1 Y 1 signer a%20b%231 a%20b%231 CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=");
    }

    #[test]
    fn second_spellings_are_refused() {
        for line in [
            "hw1 L 01 start 1.0",
            "hw1 L +1 start 1.0",
            "hw1 L 1 start 1.0 ",
            "hw1 L 1 start %41",
            "hw1 L 1 start a%2fb",
            "hw1  L 1 start 1.0",
            "hw2 L 1 start 1.0",
            "hw1 Z 1",
            "hw1 D 1 all",
            "hw1 D 1 tiles 0256 rule",
            "hw1 Q 1 look BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
            "hw1 E 1 BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc= ",
            "hw1 H 1 set 0909090909090909 BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
            "",
        ] {
            assert_eq!(Entry::parse(line), None, "{line:?}");
        }
        assert!(Entry::parse("hw1 L 1 start a%2Fb").is_some());
    }

    proptest! {
        #[test]
        fn every_entry_survives_its_text(text in ".{0,40}") {
            for entry in samples(&text) {
                let line = entry.to_string();
                prop_assert!(!line.contains('\n'));
                prop_assert_eq!(Entry::parse(&line), Some(entry));
            }
        }

        #[test]
        fn no_line_panics(line in "(hw1 [A-Z])?[ -~é]{0,60}") {
            let _ = Entry::parse(&line);
        }
    }
}
