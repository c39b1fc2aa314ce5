//! Tests of replay.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use harbourwatch::pipeline::batch::{Batch, Limits};
use harbourwatch::pipeline::ports::{Grounded, Polled, Reached, Source};
use harbourwatch::source::replay::{Input, Replay};
use proptest::prelude::*;

use super::{Taken, drain, reached, small};

const TEXT: &[u8] = b"{\"n\":0}\n{\"n\":1}\r\n\n{\"n\":3}\n \t\r\n{\"n\":5}\n\0\xff\n{\"n\":7}";
const NUMBERS: [u64; 6] = [0, 1, 3, 5, 6, 7];

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn replay(path: &Path, resume: &[Reached]) -> Replay {
    Replay::new(vec![Input::File(path.to_owned())], resume).unwrap()
}

fn read(path: &Path, resume: &[Reached]) -> (Vec<Taken>, Option<String>) {
    drain(&mut replay(path, resume), &small())
}

fn refused(inputs: Vec<Input>) -> String {
    Replay::new(inputs, &[]).err().expect("refused").to_string()
}

fn numbers(taken: &[Taken]) -> Vec<u64> {
    taken.iter().map(|taken| taken.offset).collect()
}

/// `count` lines of about 20 bytes that do not pack well.
fn many(count: u32) -> Vec<u8> {
    let line = |n: u32| format!("{{\"n\":{n},\"x\":{}}}\n", n.wrapping_mul(2_654_435_761));
    (0..count).flat_map(|n| line(n).into_bytes()).collect()
}

#[test]
fn a_packing_changes_neither_messages_nor_positions() {
    let dir = tempfile::tempdir().unwrap();
    let plain = read(&file(dir.path(), "a.ndjson", TEXT), &[]);
    assert_eq!(numbers(&plain.0), NUMBERS);
    assert_eq!(plain.0[1].bytes, b"{\"n\":1}", "CR belongs to the line end");
    assert_eq!(plain.0[4].bytes, b"\0\xff", "no byte is changed");
    assert_eq!(plain.0[5].bytes, b"{\"n\":7}", "a last line needs no line end");
    assert_eq!(plain.1, None);
    let (left, right) = TEXT.split_at(12);
    let forms = [gz(TEXT), [gz(left), gz(right)].concat(), zst(TEXT), [zst(left), zst(right)].concat()];
    for packed in forms {
        // the name decides nothing, and the same name makes the same lane
        let path = file(dir.path(), "a.ndjson", &packed);
        assert_eq!(read(&path, &[]), plain);
        let mut source = replay(&path, &[]);
        drain(&mut source, &small());
        assert_eq!(source.progress(), Some((packed.len() as u64, packed.len() as u64)));
    }
}

#[test]
fn a_lane_is_named_after_file_and_first_message() {
    let dir = tempfile::tempdir().unwrap();

    let (taken, _) = read(&file(dir.path(), "a.ndjson", b"\n\xef\xbb\xbf{}\n"), &[]);
    assert_eq!(taken[0].offset, 1);
    let with_mark = read(&file(dir.path(), "a.ndjson", b"\xef\xbb\xbf{\"n\":0}\n"), &[]).0;
    let without = read(&file(dir.path(), "a.ndjson", b"{\"n\":0}\r\n"), &[]).0;
    assert_eq!(with_mark, without, "a byte order mark is no part of the first line");
    assert_eq!(with_mark[0].lane.topic, "a.ndjson#f3013f93");
    let packed = read(&file(dir.path(), "a.ndjson", &gz(b"\xef\xbb\xbf{\"n\":0}\n")), &[]).0;
    assert_eq!(packed, without);
}

#[test]
fn nothing_comes_from_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in [b"".as_slice(), b"\n\n", b"\xef\xbb\xbf", &gz(b""), &zst(b"")] {
        assert_eq!(read(&file(dir.path(), "empty", bytes), &[]), (Vec::new(), None));
    }
}

#[test]
fn files_follow_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["b.ndjson", "a.ndjson", "c.gz"];
    let inputs = names.map(|name| Input::File(file(dir.path(), name, name.as_bytes())));
    let (taken, error) = drain(&mut Replay::new(inputs.into(), &[]).unwrap(), &small());
    assert_eq!(error, None);
    assert_eq!(taken.iter().map(|taken| taken.bytes.as_slice()).collect::<Vec<_>>(), names.map(str::as_bytes));
    assert!(taken.iter().all(|taken| taken.offset == 0 && taken.lane.partition == 0));
}

#[test]
fn a_long_line_is_cut_and_the_next_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let long = [b"x".repeat(1 << 20), b"\r\nnext\r\n".to_vec(), b"y".repeat(4097), b"\n".to_vec()].concat();
    let (taken, _) = read(&file(dir.path(), "long", &long), &[]);
    let seen: Vec<_> = taken.iter().map(|taken| (taken.bytes.len(), taken.cut)).collect();
    assert_eq!(seen, [(4096, (1 << 20) - 4096), (4, 0), (4096, 1)]);
    let after = read(&file(dir.path(), "long", &long), &[reached(&taken[..1])]);
    assert_eq!(after, (taken[1..].to_vec(), None), "a cut line can be gone on from");
}

#[test]
fn a_damaged_archive_gives_what_it_holds_and_then_fails() {
    let dir = tempfile::tempdir().unwrap();
    let text = many(40_000);
    let whole = drain(&mut replay(&file(dir.path(), "a", &text), &[]), &Limits::default()).0;
    for packed in [gz(&text), zst(&text)] {
        let path = file(dir.path(), "a", &packed[..packed.len() / 2]);
        let (taken, error) = drain(&mut replay(&path, &[]), &Limits::default());
        assert!(taken.len() > 1000, "{} messages", taken.len());
        assert_eq!(taken, whole[..taken.len()], "half a line must not be handed over");
        let error = error.expect("an error");
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains(&format!("line {},", taken.len() + 1)), "{error}");
        // the whole archive goes on where the damaged one ended
        let path = file(dir.path(), "a", &packed);
        assert_eq!(drain(&mut replay(&path, &[reached(&taken)]), &small()).0, whole[taken.len()..]);
    }
}

#[test]
fn after_a_fatal_error_a_source_stays_failed() {
    let dir = tempfile::tempdir().unwrap();
    let packed = gz(&many(50));
    let mut source = replay(&file(dir.path(), "a", &packed[..packed.len() - 9]), &[]);
    let (_, first) = drain(&mut source, &small());
    let (taken, again) = drain(&mut source, &small());
    assert!(first.is_some() && first == again && taken.is_empty());
}

#[test]
fn a_file_that_cannot_be_read_is_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("no-such.ndjson");
    let text = refused(vec![Input::File(missing.clone())]);
    assert!(text.starts_with(&missing.display().to_string()) && text.contains("Check the path"), "{text}");
    let text = refused(vec![Input::File(dir.path().to_owned())]);
    assert!(text.contains("is a folder; name the files in it"), "{text}");
}

#[test]
fn a_file_named_twice_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("other")).unwrap();
    let one = file(dir.path(), "a", TEXT);
    let other = file(dir.path(), "other/a", &gz(TEXT));
    for twin in [one.clone(), other] {
        let text = refused(vec![Input::File(one.clone()), Input::File(twin)]);
        assert!(text.contains("name it once") && text.contains("rename"), "{text}");
    }
    let renamed = file(dir.path(), "b", TEXT);
    assert!(Replay::new(vec![Input::File(one), Input::File(renamed)], &[]).is_ok());
}

#[test]
fn a_changed_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "a", TEXT);
    let (whole, _) = read(&path, &[]);
    let mark = [reached(&whole[..3])];
    assert_eq!(read(&path, &mark), (whole[3..].to_vec(), None));
    let text = String::from_utf8_lossy(TEXT).into_owned();
    let changes =
        [text.replace("\"n\":3", "\"n\":4"), text.replace("{\"n\":3}", ""), "{\"n\":0}\n{\"n\":1}".to_owned()];
    for changed in changes {
        let (taken, error) = read(&file(dir.path(), "a", changed.as_bytes()), &mark);
        assert!(taken.is_empty(), "{changed:?}");
        let error = error.expect("an error");
        assert!(error.contains("line 4 is not what was recorded") && error.contains("rename"), "{error}");
    }
    // lines before the last recorded one are vouched for by the evidence, and a new first line makes a new lane
    let fresh = text.replace("\"n\":0", "\"n\":9");
    assert_eq!(numbers(&read(&file(dir.path(), "a", fresh.as_bytes()), &mark).0), NUMBERS);
}

/// Gives what it is sent, a piece a read.
struct Pipe(Receiver<Vec<u8>>, VecDeque<u8>);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            self.1.extend(self.0.recv().unwrap_or_default());
        }
        self.1.read(buffer)
    }
}

fn stream(bytes: impl Read + Send + 'static) -> Input {
    Input::Stream { name: "stdin".to_owned(), bytes: Box::new(bytes) }
}

#[test]
fn a_stream_reads_like_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = read(&file(dir.path(), "stdin", TEXT), &[]);
    for bytes in [TEXT.to_vec(), gz(TEXT), zst(TEXT)] {
        let mut source = Replay::new(vec![stream(io::Cursor::new(bytes.clone()))], &[]).unwrap();
        assert_eq!(source.progress(), None);
        assert_eq!(drain(&mut source, &small()), (file.clone(), None));
        let mut source = Replay::new(vec![stream(io::Cursor::new(bytes))], &[reached(&file[..4])]).unwrap();
        assert_eq!(drain(&mut source, &small()).0, file[4..]);
    }
}

#[test]
fn a_live_stream_is_handed_over_in_time() {
    let (sender, receiver) = channel();
    let limits = Limits { wait_ms: 100, ..Limits::default() };
    let mut source = Replay::new(vec![stream(Pipe(receiver, VecDeque::new()))], &[]).unwrap();
    let mut batch = Batch::default();
    let begun = Instant::now();
    assert_eq!(source.poll(&mut batch, &limits, &mut Grounded).unwrap(), Polled::Idle);
    for piece in [b"\"o".to_vec(), b"ne\"\n\"two\"\n\"thr".to_vec()] {
        sender.send(piece).unwrap();
    }
    // waits for more, but not for a full batch
    while source.poll(&mut batch, &limits, &mut Grounded).unwrap() == Polled::Idle {}
    let payloads: Vec<_> = batch.messages().iter().map(|message| batch.payload(message)).collect();
    assert_eq!(payloads, [b"\"one\"", b"\"two\""]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    sender.send(b"ee\"".to_vec()).unwrap();
    drop(sender);
    let (taken, error) = drain(&mut source, &limits);
    assert_eq!((taken.len(), taken[0].bytes.as_slice(), taken[0].offset, error), (1, b"\"three\"".as_slice(), 2, None));
}

#[test]
fn a_stream_that_breaks_gives_what_came() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the other end went away"))
        }
    }
    let bytes = io::Cursor::new(b"\"one\"\n\"tw".to_vec()).chain(Broken);
    let (taken, error) = drain(&mut Replay::new(vec![stream(bytes)], &[]).unwrap(), &small());
    assert_eq!(numbers(&taken), [0]);
    let error = error.expect("an error");
    assert!(error.contains("stdin") && error.contains("line 2") && error.contains("went away"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn resuming_anywhere_loses_and_repeats_nothing(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>().prop_filter("LF", |byte| *byte != b'\n'), 0..40), 1..40),
        packing in 0..3,
        messages in 1..9_usize,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let text = [b"first".to_vec(), lines.join(&b'\n')].join(&b'\n');
        let bytes = match packing { 0 => text, 1 => gz(&text), _ => zst(&text) };
        let path = file(dir.path(), "a", &bytes);
        let limits = Limits { messages, ..small() };
        let (whole, error) = drain(&mut replay(&path, &[]), &limits);
        prop_assert_eq!(error, None);
        let kept = lines.iter().filter(|line| !line.trim_ascii().is_empty()).count();
        prop_assert_eq!(whole.len(), kept + 1);
        prop_assert!(whole.windows(2).all(|pair| pair[0].offset < pair[1].offset));
        for at in 1..=whole.len() {
            let (rest, error) = drain(&mut replay(&path, &[reached(&whole[..at])]), &small());
            prop_assert_eq!(&rest, &whole[at..]);
            prop_assert_eq!(error, None);
        }
    }
}
