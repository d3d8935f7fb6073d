//! Names that stand for something else each time they are asked for, or for nothing.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use webhook::{AddressKind, Client, Looking, Lookup, Outcome, Policy, UrlFault};

use crate::sink::{Does, Sink};
use crate::{CONNECT, SLACK, policy, request};

/// Answers in turn; the last one for ever.
struct Turns(Mutex<VecDeque<Vec<IpAddr>>>, Mutex<usize>);

impl Turns {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| {
            let addresses = answer.iter().map(|address| address.parse().unwrap());
            addresses.collect()
        });
        Arc::new(Self(Mutex::new(answers.collect()), Mutex::new(0)))
    }

    fn asked(&self) -> usize {
        *self.1.lock().unwrap()
    }
}

impl Lookup for Turns {
    fn addresses(&self, _: &str) -> Looking {
        *self.1.lock().unwrap() += 1;
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop_front().unwrap()
        } else {
            answers[0].clone()
        };
        Box::pin(async { Ok(answer) })
    }
}

fn closing() -> Does {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    Does::SaysAndCloses(answer.into())
}

fn url(sink: &Sink) -> String {
    format!("http://hooks.example.com:{}/", sink.address.port())
}

/// The second answer comes too late: what was looked up is what is connected to.
#[tokio::test]
async fn a_name_is_looked_up_once_for_each_connection() {
    let sink = Sink::start(closing()).await;
    let turns = Turns::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = Client::with_lookup(policy(), turns.clone()).unwrap();
    let first = client.deliver(&request(url(&sink))).await;
    assert_eq!(first.outcome, Outcome::Delivered, "{first:?}");
    assert_eq!(
        turns.asked(),
        1,
        "not again between the check and the connection"
    );
    let second = client.deliver(&request(url(&sink))).await;
    let blocked = Outcome::Blocked(UrlFault::Address(AddressKind::Metadata));
    assert_eq!(second.outcome, blocked, "{second:?}");
    assert_eq!(turns.asked(), 2);
    assert_eq!(sink.seen.connections.load(Ordering::Relaxed), 1);
}

/// The sink is at home, and a stranger's name points there.
#[tokio::test]
async fn a_public_name_of_a_private_address_reaches_nothing() {
    let sink = Sink::start(closing()).await;
    for answer in ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::1"] {
        let strict = Policy {
            allow_http: true,
            ..Policy::default()
        };
        let client = Client::with_lookup(strict, Turns::new(&[&[answer]])).unwrap();
        let delivery = client.deliver(&request(url(&sink))).await;
        assert_eq!(delivery.outcome.name(), "blocked", "{answer}: {delivery:?}");
        assert!(!delivery.reason.contains(answer), "{delivery:?}");
    }
    assert_eq!(sink.seen.connections.load(Ordering::Relaxed), 0);
}

/// Of several addresses only those that may be reached are tried.
#[tokio::test]
async fn a_name_with_both_kinds_is_reached_at_the_allowed_ones() {
    let sink = Sink::start(closing()).await;
    let turns = Turns::new(&[&["169.254.169.254", "fe80::1", "127.0.0.1", "0.0.0.0"]]);
    let client = Client::with_lookup(policy(), turns).unwrap();
    let delivery = client.deliver(&request(url(&sink))).await;
    assert_eq!(delivery.outcome, Outcome::Delivered, "{delivery:?}");
    assert_eq!(sink.seen.connections.load(Ordering::Relaxed), 1);
}

struct Fails(fn() -> Looking);

impl Lookup for Fails {
    fn addresses(&self, _: &str) -> Looking {
        (self.0)()
    }
}

#[tokio::test]
async fn names_without_an_answer() {
    let no_such_name: fn() -> Looking = || Box::pin(async { Err(io::ErrorKind::NotFound.into()) });
    let no_address: fn() -> Looking = || Box::pin(async { Ok(Vec::new()) });
    let silence: fn() -> Looking = || Box::pin(std::future::pending());
    // All of them are refused at once, and none is tried beyond the first few.
    let many: fn() -> Looking = || Box::pin(async { Ok(vec![[127, 0, 0, 2].into(); 100_000]) });
    for (what, lookup, outcome) in [
        ("no such name", no_such_name, Outcome::Dns),
        ("no address", no_address, Outcome::Dns),
        ("silence", silence, Outcome::Timeout),
        ("100,000 dead addresses", many, Outcome::Connect),
    ] {
        let client = Client::with_lookup(policy(), Arc::new(Fails(lookup))).unwrap();
        let delivery = client
            .deliver(&request("http://hooks.example.com:80/".to_owned()))
            .await;
        assert_eq!(delivery.outcome, outcome, "{what}: {delivery:?}");
        assert!(delivery.took < CONNECT + SLACK, "{what}: {delivery:?}");
        assert!(!delivery.reason.is_empty(), "{what}: {delivery:?}");
    }
}

/// Look-ups that never end hold up those of others only when there are very many of them.
#[tokio::test]
async fn a_hundred_silent_name_servers_do_not_hold_up_a_delivery() {
    struct Some;
    impl Lookup for Some {
        fn addresses(&self, name: &str) -> Looking {
            if name.starts_with("silent") {
                Box::pin(std::future::pending())
            } else {
                Box::pin(async { Ok(vec![[127, 0, 0, 1].into()]) })
            }
        }
    }
    let sink = Sink::start(closing()).await;
    let client = Client::with_lookup(policy(), Arc::new(Some)).unwrap();
    for n in 0..100 {
        let client = client.clone();
        let url = format!("http://silent-{n}.example.com/");
        tokio::spawn(async move { client.deliver(&request(url)).await });
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let delivery = client.deliver(&request(url(&sink))).await;
    assert_eq!(delivery.outcome, Outcome::Delivered, "{delivery:?}");
}
