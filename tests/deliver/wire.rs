//! Channels against receivers that fail in each way that a receiver can fail: what is taken is told once, what is not stays
//! owed, and nothing of an address or a message is in an error.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use harbourwatch::deliver::channel::http::{Address, Options};
use harbourwatch::deliver::channel::{
    Alertmanager, Chat, Elastic, Robot, Service, Splunk, Syslog, Webhook, syslog, tls,
};
use harbourwatch::deliver::render::officer::Languages;
use harbourwatch::deliver::render::{Format, splunk, webhook};
use harbourwatch::deliver::{Audience, Channel, Letter, Messenger, Notice, SendError};
use harbourwatch::domain::verdict::Verdict;
use harbourwatch::outbox::{Body, Kind};
use harbourwatch::secret::SecretRef;
use tempfile::TempDir;

use super::{context, notice};
use crate::support::findings::{MORNING, finding};

/// What the stand-in does with one request.
enum Answer {
    /// Answers so.
    Is(&'static str),
    /// Hangs up before an answer.
    HangUp,
    /// Says nothing for so long that the sender gives up.
    Silence,
}

/// One request as it came: first line, headers, body.
struct Request {
    line: String,
    headers: Vec<String>,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.headers.iter().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).unwrap_or_default()
    }
}

/// A receiver of HTTP on this machine that answers one request a connection.
fn receiver(answers: Vec<Answer>) -> (u16, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read(&stream);
            // nobody may be listening any more
            drop(sender.send(request));
            match answer {
                Answer::Is(text) => drop(stream.write_all(text.as_bytes())),
                Answer::HangUp => {}
                Answer::Silence => std::thread::sleep(Duration::from_secs(3)),
            }
        }
    });
    (port, requests)
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let mut request = Request { line: lines.remove(0), headers: lines, body: String::new() };
    let mut body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    request.body = String::from_utf8(body).unwrap();
    request
}

fn options(port: u16, path: &str) -> Options {
    Options {
        address: Address::Plain(format!("http://127.0.0.1:{port}{path}")),
        trust: tls::Trust::default(),
        proxy: None,
        timeout: Duration::from_millis(1_500),
        allow_local: true,
        allow_plaintext: true,
    }
}

fn secret(folder: &TempDir, name: &str, value: &str) -> SecretRef {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.path().join(name);
    std::fs::write(&path, value).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    SecretRef::File(path)
}

fn soc() -> Notice {
    notice(&finding(Verdict::Uncovered), Audience::Soc)
}

const TAKEN: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn hook(folder: &TempDir, port: u16) -> Webhook {
    let whsec = secret(folder, "whsec", "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=");
    Webhook::new(Audience::Soc, options(port, "/s3cret/path"), vec![whsec], webhook::Data::Finding, context())
}

#[test]
fn each_way_of_failing_has_its_class_and_tells_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (port, requests) = receiver(vec![
        Answer::Is("HTTP/1.1 500 Oh\r\ncontent-length: 6\r\nconnection: close\r\n\r\nCANARY"),
        Answer::Is("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        Answer::Is("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        Answer::Is("HTTP/1.1 400 No\r\ncontent-length: 6\r\nconnection: close\r\n\r\nCANARY"),
        Answer::Is(
            "HTTP/1.1 302 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        ),
        Answer::Is("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\nconnection: close\r\n\r\nhalf"),
        Answer::HangUp,
        Answer::Silence,
        Answer::Is(TAKEN),
    ]);
    let (mut hook, notice) = (hook(&folder, port), soc());
    let mut send = || hook.send(std::slice::from_ref(&notice)).pop().unwrap();
    assert!(matches!(send(), Err(SendError::Transient(why)) if why.contains("500")));
    assert!(matches!(send(), Err(SendError::Later { wait_ms: 7_000, .. })));
    assert!(matches!(send(), Err(SendError::Gone(_))));
    assert!(matches!(send(), Err(SendError::Permanent(why)) if why.contains("400")));
    assert!(matches!(send(), Err(SendError::Permanent(why)) if why.contains("redirect")));
    for _ in ["an answer that ends midway", "no answer", "silence"] {
        let error = send().unwrap_err();
        assert!(matches!(error, SendError::Transient(_)), "{error:?}");
        assert!(!error.to_string().contains("s3cret") && !error.to_string().contains("CANARY"), "{error}");
    }
    assert_eq!(send(), Ok(()));
    let ids: Vec<_> = requests.iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert_eq!(ids, vec![notice.id.clone(); 9], "the same id at every try");
}

#[test]
fn an_address_of_this_machine_is_not_connected_to_unless_allowed() {
    let notice = soc();
    let guarded = |change: fn(&mut Options)| {
        let (port, requests) = receiver(vec![Answer::Is(TAKEN)]);
        let mut options = options(port, "");
        change(&mut options);
        let mut channel = Alertmanager::new(Audience::Soc, options, None, 60_000, context());
        let answer = channel.send(std::slice::from_ref(&notice)).pop().unwrap();
        assert!(requests.try_recv().is_err(), "it was connected to");
        answer.unwrap_err().to_string()
    };
    assert!(guarded(|options| options.allow_local = false).contains("loopback"));
    assert!(guarded(|options| options.allow_plaintext = false).contains("not encrypted"));
}

#[test]
fn feeds_send_many_in_one_request_and_answer_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let notices: Vec<_> = (1..=5)
        .map(|revision| {
            let mut one = finding(Verdict::Uncovered);
            one.revision = revision;
            notice(&one, Audience::Soc)
        })
        .collect();
    let answer = r#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409}},{"create":{"status":429}},{"create":{"status":400}},{"create":{"status":201}}]}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len());
    let (port, requests) = receiver(vec![Answer::Is(answer.leak())]);
    let key = secret(&folder, "key", "k3y");
    let mut elastic = Elastic::new(Audience::Soc, options(port, ""), Some(key), "logs-x-y", context());
    let answers = elastic.send(&notices);
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, false, true]);
    let request = requests.recv().unwrap();
    assert!(request.line.starts_with("POST /logs-x-y/_bulk"), "{}", request.line);
    assert_eq!((request.header("authorization"), request.body.lines().count()), ("ApiKey k3y", 10));

    // a request that is refused as a whole is taken apart, so that one bad event holds up no other
    let refused = "HTTP/1.1 400 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (port, requests) = receiver(vec![
        Answer::Is(refused),
        Answer::Is(OK),
        Answer::Is(refused),
        Answer::Is(OK),
        Answer::Is(OK),
        Answer::Is(OK),
    ]);
    let token = secret(&folder, "token", "t0ken");
    let mut splunk = Splunk::new(Audience::Soc, options(port, ""), token, splunk::Filing::default(), context());
    let answers = splunk.send(&notices);
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, true, true]);
    let first = requests.recv().unwrap();
    assert_eq!((first.header("authorization"), first.body.lines().count()), ("Splunk t0ken", 5));
}

fn letter() -> Letter {
    let body = Body { thread: "t".into(), at: MORNING, ..Body::default() };
    Letter::of("letter-1", Kind::Test, &body, Audience::Chat, &|_| None)
}

#[test]
fn a_robot_is_judged_by_its_errcode_and_signs_after_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let body = |text: &str| -> &'static str {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len()).leak()
    };
    let (port, requests) = receiver(vec![
        Answer::Is(body(r#"{"errcode":310000,"errmsg":"CANARY"}"#)),
        Answer::Is(body(r#"{"errcode":130101}"#)),
        Answer::Is(body("<html>")),
        Answer::Is(body(r#"{"errcode":"0","errmsg":"ok"}"#)),
    ]);
    let url = secret(&folder, "url", &format!("http://127.0.0.1:{port}/robot/send?access_token=s3cret"));
    let options = Options { address: Address::Secret(url), ..options(port, "") };
    let sign = Some(secret(&folder, "sign", "SECx"));
    let mut robot = Robot::new(options, sign, Some("harbour".into()), Languages::Both, context());
    let refused = robot.post(&letter()).unwrap_err();
    assert!(matches!(&refused, SendError::Permanent(why) if !why.contains("CANARY") && !why.contains("s3cret")));
    assert!(matches!(robot.post(&letter()), Err(SendError::Later { wait_ms: 600_000, .. })));
    assert!(matches!(robot.post(&letter()), Err(SendError::Transient(_))));
    assert_eq!(robot.post(&letter()), Ok(()));
    let request = requests.recv().unwrap();
    assert!(request.line.contains("access_token=s3cret&timestamp="), "{}", request.line);
    assert!(request.body.contains(r#""msgUuid":"letter-1""#) && request.body.contains("harbour"));
    assert!(!robot.preview(&letter()).contains("s3cret") && !format!("{robot:?}").contains("s3cret"));
}

#[test]
fn a_robot_keeps_below_its_minute() {
    let ok = r#"{"errcode":0}"#;
    let answer: &'static str =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{ok}", ok.len()).leak();
    let (port, requests) = receiver((0..40).map(|_| Answer::Is(answer)).collect());
    let mut robot = Robot::new(options(port, "/"), None, None, Languages::English, context());
    let told = (0..30).filter(|_| robot.post(&letter()).is_ok()).count();
    assert_eq!((told, requests.try_iter().count()), (18, 18));
    assert!(matches!(robot.post(&letter()), Err(SendError::Later { .. })));
}

#[test]
fn chats_get_a_message_in_their_own_form() {
    let (port, requests) = receiver(vec![Answer::Is(OK), Answer::Is(OK)]);
    for (service, mark) in [(Service::Slack, "\"blocks\""), (Service::Teams, "AdaptiveCard")] {
        let mut chat = Chat::new(service, options(port, "/x"), Languages::Both, context());
        chat.post(&letter()).unwrap();
        assert!(requests.recv().unwrap().body.contains(mark));
    }
}

/// Accepts one connection and reads to its end.
fn syslogd() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        sender.send(text).unwrap();
    });
    (port, received)
}

#[test]
fn syslog_is_told_when_the_receiver_has_read_all() {
    let syslog = |port| {
        let options = syslog::Options { host: "127.0.0.1".into(), port, tls: None };
        Syslog::new(Audience::Soc, options, Format::Cef, context())
    };
    let (port, received) = syslogd();
    let notices = [soc(), soc()];
    assert_eq!(syslog(port).send(&notices), [Ok(()), Ok(())]);
    let text = received.recv().unwrap();
    let (length, rest) = text.split_once(' ').unwrap();
    let (first, second) = rest.split_at(length.parse().unwrap());
    assert!(first.contains("CEF:0|") && second.contains("CEF:0|") && !first.contains('\n'));

    // nobody there
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert!(syslog(free).send(&notices).iter().all(|one| matches!(one, Err(SendError::Transient(_)))));
}
