//! What endpoints answer, and how they fail to.

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tokio::task::JoinSet;
use webhook::{Attempt, Client, Outcome, Secret, verify};

use crate::sink::{Does, Sink};
use crate::{BODY, SLACK, TIMEOUT, policy, request, secret, sent};

/// More than this does not leave a sink before the client hangs up. Nearly all of it is in the
/// buffers of the two ends of the connection. What the client reads for as long as it may, heads
/// that announce others, it throws away.
const MOST_WRITTEN: u64 = 12 << 20;

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

fn says(status: &str, headers: &str, body: &str) -> Does {
    Does::Says(answer(status, headers, body))
}

struct Case {
    what: &'static str,
    does: Does,
    outcome: Outcome,
    status: Option<u16>,
    /// Of the answer, its beginning.
    answer: &'static str,
    retry_after: Option<u64>,
}

fn case(what: &'static str, does: Does, outcome: Outcome, status: u16) -> Case {
    Case {
        what,
        does,
        outcome,
        status: (status > 0).then_some(status),
        answer: "",
        retry_after: None,
    }
}

/// Delivers to all sinks at the same time, prints what came of it, and compares.
async fn check(cases: Vec<Case>) {
    let client = Client::new(policy()).unwrap();
    let mut deliveries = JoinSet::new();
    for case in cases {
        let client = client.clone();
        deliveries.spawn(async move {
            let sink = Sink::start(case.does.clone()).await;
            let delivery = client.deliver(&request(sink.url())).await;
            // Whatever is still on its way out of the sink.
            tokio::time::sleep(Duration::from_millis(200)).await;
            (case, delivery, sink)
        });
    }
    let mut faults = Vec::new();
    while let Some(done) = deliveries.join_next().await {
        let (case, delivery, sink) = done.unwrap();
        let (requests, written) = (sink.seen.requests(), &sink.seen.written);
        let written = written.load(Ordering::Relaxed);
        let Attempt { outcome, took, .. } = &delivery;
        println!(
            "{:<44} {:<9} {:>4} {:>8} {} request, {written} bytes answered; {}",
            case.what,
            outcome.name(),
            delivery.status.unwrap_or_default(),
            format!("{} ms", took.as_millis()),
            requests.len(),
            delivery.reason,
        );
        let retry_after = delivery.retry_after.map(|pause| pause.as_secs());
        let at_once = matches!(case.does, Does::AtOnce(_));
        let fits = *outcome == case.outcome
            && delivery.status == case.status
            && delivery.answer.starts_with(case.answer)
            && delivery.answer.len() <= 8 << 10
            && delivery.reason.is_empty() == delivery.status.is_some()
            && retry_after == case.retry_after
            && *took < TIMEOUT + SLACK
            // Who is told at once that all is wrong may not have sent his request yet.
            && (requests.len() == 1 || at_once && requests.is_empty())
            && (written < MOST_WRITTEN || *outcome == Outcome::Timeout);
        if !fits {
            faults.push(format!("{}: {delivery:?}, {written} bytes", case.what));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_says_what_came_of_it() {
    use Outcome::{Delivered, Garbage, Gone, Redirect, Refused};
    let moved = |status| {
        // To a place that answers 200: whoever follows is delivered.
        says(status, "location: http://127.0.0.1:1/\r\n", "moved")
    };
    let mut cases = vec![
        case("200", says("200 OK", "", ""), Delivered, 200),
        case("201", says("201 Created", "", ""), Delivered, 201),
        case("202", says("202 Accepted", "", ""), Delivered, 202),
        case(
            "204",
            Does::Says(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
            Delivered,
            204,
        ),
        case("299", says("299 Fine", "", ""), Delivered, 299),
        case(
            "200 of HTTP/1.0",
            Does::SaysAndCloses(b"HTTP/1.0 200 OK\r\n\r\nfine".to_vec()),
            Delivered,
            200,
        ),
        case("300", moved("300 Multiple Choices"), Redirect, 300),
        case("301", moved("301 Moved"), Redirect, 301),
        case("302", moved("302 Found"), Redirect, 302),
        case("303", moved("303 See Other"), Redirect, 303),
        case("304", says("304 Not Modified", "", ""), Redirect, 304),
        case("307", moved("307 Temporary"), Redirect, 307),
        case("308", moved("308 Permanent"), Redirect, 308),
        case("400", says("400 Bad Request", "", "no"), Refused, 400),
        case("401", says("401 Unauthorized", "", ""), Refused, 401),
        case("404", says("404 Not Found", "", ""), Refused, 404),
        case("407", says("407 Proxy", "", ""), Refused, 407),
        case("408", says("408 Timeout", "", ""), Refused, 408),
        case("410", says("410 Gone", "", ""), Gone, 410),
        case("500", says("500 Oops", "", ""), Refused, 500),
        case("599", says("599 ?", "", ""), Refused, 599),
        case("999", says("999 ?", "", ""), Refused, 999),
        case(
            "101, which nobody asked for",
            Does::Says(
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"
                    .to_vec(),
            ),
            Garbage,
            101,
        ),
    ];
    for (what, value, expect) in [
        ("429 with seconds", "120", Some(120)),
        (
            "429 with a date",
            "Sun, 01 Mar 2026 12:05:00 GMT",
            Some(300),
        ),
        ("429 with years", "99999999999", Some(86_400)),
        ("429 with nonsense", "later", None),
    ] {
        let headers = format!("retry-after: {value}\r\n");
        cases.push(Case {
            retry_after: expect,
            ..case(what, says("429 Slow down", &headers, ""), Refused, 429)
        });
    }
    for (what, body, answer) in [
        ("text", "no such customer", "no such customer"),
        ("lines", "one\n\ttwo\r\n", "one\n\ttwo\\u{d}\n"),
        (
            "a terminal's commands",
            "\u{1b}[2J\u{7}\0",
            "\\u{1b}[2J\\u{7}\\u{0}",
        ),
        ("text that turns round", "a\u{202e}b", "a\\u{202e}b"),
        ("letters of two bytes", "é and ж", "é and ж"),
    ] {
        cases.push(Case {
            answer,
            ..case(what, says("500 Oops", "", body), Refused, 500)
        });
    }
    check(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_misbehaves() {
    use Outcome::{Delivered, Garbage, Refused, Reset, Timeout};
    let bytes = |text: &str| text.as_bytes().to_vec();
    let ok = "HTTP/1.1 200 OK\r\n";
    let lines = bytes(&"x-more: of this\r\n".repeat(1_000));
    let megabyte = vec![b'x'; 1 << 20];
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    let head = |rest: &str| bytes(&format!("{ok}{rest}\r\n"));
    let first_kilobyte: &str = Box::leak("x".repeat(1_024).into_boxed_str());
    check(vec![
        case("hangs", Does::Says(Vec::new()), Timeout, 0),
        case("closes", Does::SaysAndCloses(Vec::new()), Reset, 0),
        case("resets", Does::SaysAndResets(Vec::new()), Reset, 0),
        case(
            "closes in the head",
            Does::SaysAndCloses(bytes("HTTP/1.1 200 OK\r\nx")),
            Reset,
            0,
        ),
        case(
            "resets in the head",
            Does::SaysAndResets(bytes(ok)),
            Reset,
            0,
        ),
        case("hangs in the head", Does::Says(bytes(ok)), Timeout, 0),
        case(
            "drips its head",
            Does::Drips(bytes(ok), bytes("x: y\r\n")),
            Timeout,
            0,
        ),
        case(
            "drips one line",
            Does::Drips(Vec::new(), bytes("HTTP/1.1 200 O")),
            Timeout,
            0,
        ),
        case(
            "hangs in the body",
            Does::Says(head("content-length: 9\r\n")),
            Delivered,
            200,
        ),
        case(
            "drips its body",
            Does::Drips(head("content-length: 999999\r\n"), bytes("x")),
            Delivered,
            200,
        ),
        case(
            "closes in the body",
            Does::SaysAndCloses(head("content-length: 9\r\n")),
            Delivered,
            200,
        ),
        case(
            "resets in the body",
            Does::SaysAndResets(head("content-length: 9\r\n")),
            Delivered,
            200,
        ),
        case(
            "a broken chunk",
            Does::Says(head("transfer-encoding: chunked\r\n\r\nzz\r\n")),
            Delivered,
            200,
        ),
        Case {
            answer: first_kilobyte,
            ..case(
                "100 MB",
                Does::Floods(head("content-length: 104857600\r\n"), megabyte.clone()),
                Delivered,
                200,
            )
        },
        Case {
            answer: first_kilobyte,
            ..case(
                "a body without an end",
                Does::Floods(
                    bytes("HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n"),
                    chunk,
                ),
                Refused,
                500,
            )
        },
        case(
            "a packed body",
            Does::Floods(
                head("content-encoding: gzip\r\ncontent-length: 104857600\r\n"),
                megabyte.clone(),
            ),
            Delivered,
            200,
        ),
        case(
            "header lines without an end",
            Does::Floods(bytes(ok), lines.clone()),
            Garbage,
            0,
        ),
        case(
            "65 header lines",
            Does::Says(head(&"x: y\r\n".repeat(65))),
            Garbage,
            0,
        ),
        case(
            "64 header lines",
            Does::Says(head(&format!(
                "{}content-length: 0\r\n",
                "x: y\r\n".repeat(63)
            ))),
            Delivered,
            200,
        ),
        case(
            "a header line without an end",
            Does::Floods(bytes("HTTP/1.1 200 OK\r\nx: "), megabyte.clone()),
            Garbage,
            0,
        ),
        case(
            "a status line without an end",
            Does::Floods(bytes("HTTP/1.1 200 "), megabyte.clone()),
            Garbage,
            0,
        ),
        case(
            "early hints without an end",
            Does::Floods(Vec::new(), bytes("HTTP/1.1 103 Early Hints\r\n\r\n")),
            Timeout,
            0,
        ),
        case(
            "noise",
            Does::Floods(Vec::new(), (0..=255).collect()),
            Garbage,
            0,
        ),
        case(
            "a page without a head",
            Does::SaysAndCloses(bytes("<html>fine</html>")),
            Garbage,
            0,
        ),
        case(
            "another protocol",
            Does::AtOnce(Box::new(Does::Says(bytes("SSH-2.0-OpenSSH_9.6\r\n")))),
            Garbage,
            0,
        ),
        case(
            "an alert of TLS",
            Does::SaysAndCloses(vec![21, 3, 1, 0, 2, 2, 40]),
            Garbage,
            0,
        ),
        case(
            "a preface of HTTP/2",
            Does::Says(vec![0, 0, 0, 4, 0, 0, 0, 0, 0]),
            Garbage,
            0,
        ),
        case(
            "HTTP/3.0",
            Does::Says(bytes("HTTP/3.0 200 OK\r\n\r\n")),
            Garbage,
            0,
        ),
        case(
            "no number for a status",
            Does::Says(bytes("HTTP/1.1 abc OK\r\n\r\n")),
            Garbage,
            0,
        ),
        case(
            "two lengths",
            Does::Says(head("content-length: 1\r\ncontent-length: 2\r\n")),
            Garbage,
            0,
        ),
        case(
            "a negative length",
            Does::Says(head("content-length: -1\r\n")),
            Garbage,
            0,
        ),
        case(
            "a header without a colon",
            Does::Says(head("nonsense\r\n")),
            Garbage,
            0,
        ),
    ])
    .await;
}

/// Each hop of the twenty answers with the next: only the first is asked.
#[tokio::test]
async fn twenty_redirects_are_one_request() {
    let client = Client::new(policy()).unwrap();
    let mut next = "http://127.0.0.1:1/".to_owned();
    let mut sinks = Vec::new();
    for _ in 0..20 {
        let location = format!("location: {next}\r\n");
        let sink = Sink::start(says("307 Temporary", &location, "")).await;
        next = sink.url();
        sinks.push(sink);
    }
    let delivery = client.deliver(&request(next)).await;
    assert_eq!(delivery.outcome, Outcome::Redirect);
    let asked: Vec<usize> = sinks
        .iter()
        .map(|sink| sink.seen.requests().len())
        .collect();
    assert_eq!(asked.iter().sum::<usize>(), 1, "{asked:?}");
    assert_eq!(asked.last(), Some(&1), "{asked:?}");
}

/// What the sink saw is what a receiver can verify, byte for byte; and nothing else goes along.
#[tokio::test]
async fn what_arrives_is_signed_and_bare() {
    let cookie = "set-cookie: a=b\r\n";
    let sink = Sink::start(says("200 OK", cookie, "fine")).await;
    let client = Client::new(policy()).unwrap();
    let mut request = request(sink.url());
    request.secrets.insert(0, Secret::generate([8; 32]));
    for _ in 0..3 {
        let delivery = client.deliver(&request).await;
        assert_eq!(delivery.answer, "fine", "{delivery:?}");
    }
    let connections = sink.seen.connections.load(Ordering::Relaxed);
    assert_eq!(connections, 1, "a connection is used again");
    let requests = sink.seen.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|one| *one == requests[0]));
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(body, BODY);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /hook HTTP/1.1"));
    let headers: HeaderMap = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "webhook-id",
            "webhook-signature",
            "webhook-timestamp"
        ]
    );
    assert_eq!(headers["webhook-id"], "msg_2f");
    assert_eq!(headers["webhook-timestamp"], "1772366400");
    assert_eq!(headers["content-type"], "application/json");
    for held in request.secrets {
        verify(&headers, body.as_bytes(), &[held], sent()).unwrap();
    }
}

#[tokio::test]
async fn nobody_listens() {
    // Nor can anybody else.
    let silent = tokio::net::TcpSocket::new_v4().unwrap();
    silent.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}/hook", silent.local_addr().unwrap());
    let client = Client::new(policy()).unwrap();
    let delivery = client.deliver(&request(url)).await;
    assert_eq!(delivery.outcome, Outcome::Connect, "{delivery:?}");
    assert!(delivery.reason.contains("refused"), "{delivery:?}");
    assert!(!delivery.reason.contains("127"), "{delivery:?}");
}

#[tokio::test]
async fn what_cannot_be_signed_is_not_sent() {
    let sink = Sink::start(says("200 OK", "", "")).await;
    let client = Client::new(policy()).unwrap();
    for (id, secrets) in [
        ("msg_1", Vec::new()),
        ("", vec![secret()]),
        ("two\nlines", vec![secret()]),
    ] {
        let mut request = request(sink.url());
        request.id = id.to_owned();
        request.secrets = secrets;
        let delivery = client.deliver(&request).await;
        assert_eq!(delivery.outcome, Outcome::Invalid, "{delivery:?}");
    }
    assert_eq!(sink.seen.connections.load(Ordering::Relaxed), 0);
}

/// The test above runs once more in a process whose environment names a proxy that is dead.
#[test]
fn a_proxy_of_the_environment_is_not_asked() {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "answers::what_arrives_is_signed_and_bare"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        for name in [name.to_owned(), name.to_lowercase()] {
            again.env(name, "http://127.0.0.1:1");
        }
    }
    again.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}
