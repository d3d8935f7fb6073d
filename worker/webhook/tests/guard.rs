//! What a stranger's URL can reach: nothing but the public Internet. What was tried, and what
//! happened, can be read in `snapshots/guard__what_was_tried.snap`.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use webhook::AddressKind as Kind;
use webhook::{
    Client, HostFault, Looking, Lookup, Outcome, Policy, Request, Secret, UrlFault, check_address,
    check_url,
};

/// A URL, and the addresses that its name stands for.
type Tried = (&'static str, &'static str);

const NO_NAME: &str = "";

const fn at(kind: Kind) -> UrlFault {
    UrlFault::Address(kind)
}

const LOCAL: UrlFault = UrlFault::Host(HostFault::Local);
const SINGLE: UrlFault = UrlFault::Host(HostFault::SingleLabel);
const MALFORMED: UrlFault = UrlFault::Host(HostFault::Malformed);
const HTTPS: UrlFault = UrlFault::Scheme("https://");

// A case a line.
#[rustfmt::skip]
const REFUSED: &[(Tried, UrlFault)] = &[
    // Loopback, in every way to write it.
    (("https://127.0.0.1/", NO_NAME), at(Kind::Loopback)),
    (("https://127.255.255.254/", NO_NAME), at(Kind::Loopback)),
    (("https://127.1/", NO_NAME), at(Kind::Loopback)),
    (("https://2130706433/", NO_NAME), at(Kind::Loopback)),
    (("https://0x7f000001/", NO_NAME), at(Kind::Loopback)),
    (("https://0x7f.0.0.1/", NO_NAME), at(Kind::Loopback)),
    (("https://0177.0.0.1/", NO_NAME), at(Kind::Loopback)),
    (("https://017700000001/", NO_NAME), at(Kind::Loopback)),
    (("https://127.0.0.1./", NO_NAME), at(Kind::Loopback)),
    (("https://%31%32%37.0.0.1/", NO_NAME), at(Kind::Loopback)),
    (("https://１２７.０.０.１/", NO_NAME), at(Kind::Loopback)),
    (("https://127。0。0。1/", NO_NAME), at(Kind::Loopback)),
    (("https://①②⑦.⓪.⓪.①/", NO_NAME), at(Kind::Loopback)),
    (("https://[::1]/", NO_NAME), at(Kind::Loopback)),
    (("https://[0:0:0:0:0:0:0:1]:443/", NO_NAME), at(Kind::Loopback)),
    // This machine by other names.
    (("https://0.0.0.0/", NO_NAME), at(Kind::Unspecified)),
    (("https://0/", NO_NAME), at(Kind::Unspecified)),
    (("https://[::]/", NO_NAME), at(Kind::Unspecified)),
    (("https://0.1.2.3/", NO_NAME), at(Kind::ThisNetwork)),
    (("https://localhost/", NO_NAME), LOCAL),
    (("https://LOCALHOST./", NO_NAME), LOCAL),
    (("https://a.localhost/", NO_NAME), LOCAL),
    // Private networks.
    (("https://10.0.0.1/", NO_NAME), at(Kind::Private)),
    (("https://10.255.255.255/", NO_NAME), at(Kind::Private)),
    (("https://172.16.0.1/", NO_NAME), at(Kind::Private)),
    (("https://172.31.255.255/", NO_NAME), at(Kind::Private)),
    (("https://192.168.0.1/", NO_NAME), at(Kind::Private)),
    (("https://0xc0a80001/", NO_NAME), at(Kind::Private)),
    (("https://100.64.0.1/", NO_NAME), at(Kind::Shared)),
    (("https://100.127.255.255/", NO_NAME), at(Kind::Shared)),
    (("https://[fc00::1]/", NO_NAME), at(Kind::UniqueLocal)),
    (("https://[fdff:ffff::1]/", NO_NAME), at(Kind::UniqueLocal)),
    (("https://[fec0::1]/", NO_NAME), at(Kind::SiteLocal)),
    (("https://169.254.1.1/", NO_NAME), at(Kind::LinkLocal)),
    (("https://[fe80::1]/", NO_NAME), at(Kind::LinkLocal)),
    (("https://[febf::1]/", NO_NAME), at(Kind::LinkLocal)),
    (("https://[fe80::1%25eth0]/", NO_NAME), UrlFault::Syntax),
    // Metadata of clouds.
    (("https://169.254.169.254/latest/meta-data/", NO_NAME), at(Kind::Metadata)),
    (("https://2852039166/", NO_NAME), at(Kind::Metadata)),
    (("https://0251.0376.0251.0376/", NO_NAME), at(Kind::Metadata)),
    (("https://169.254.170.2/v2/credentials", NO_NAME), at(Kind::Metadata)),
    (("https://168.63.129.16/metadata", NO_NAME), at(Kind::Metadata)),
    (("https://100.100.100.200/", NO_NAME), at(Kind::Metadata)),
    (("https://192.0.0.192/", NO_NAME), at(Kind::Metadata)),
    (("https://[fd00:ec2::254]/", NO_NAME), at(Kind::Metadata)),
    (("https://metadata.google.internal/", NO_NAME), LOCAL),
    (("https://metadata/", NO_NAME), SINGLE),
    (("https://kubernetes.default.svc/", NO_NAME), LOCAL),
    (("https://kubernetes.default.svc.cluster.local/", NO_NAME), LOCAL),
    // IPv4 inside IPv6.
    (("https://[::ffff:127.0.0.1]/", NO_NAME), at(Kind::Embedded)),
    (("https://[::ffff:a9fe:a9fe]/", NO_NAME), at(Kind::Embedded)),
    (("https://[::ffff:8.8.8.8]/", NO_NAME), at(Kind::Embedded)),
    (("https://[::127.0.0.1]/", NO_NAME), at(Kind::Embedded)),
    (("https://[::ffff:0:10.0.0.1]/", NO_NAME), at(Kind::Embedded)),
    (("https://[64:ff9b::127.0.0.1]/", NO_NAME), at(Kind::Nat64)),
    (("https://[64:ff9b::a9fe:a9fe]/", NO_NAME), at(Kind::Nat64)),
    (("https://[64:ff9b:1::10.0.0.1]/", NO_NAME), at(Kind::Nat64)),
    (("https://[2002:7f00:1::]/", NO_NAME), at(Kind::SixToFour)),
    (("https://192.88.99.1/", NO_NAME), at(Kind::SixToFour)),
    (("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", NO_NAME), at(Kind::Teredo)),
    (("https://[2a00:1450::5efe:10.0.0.1]/", NO_NAME), at(Kind::Isatap)),
    (("https://[2a00:1450::200:5efe:a9fe:a9fe]/", NO_NAME), at(Kind::Isatap)),
    // Everything else that is no host's address.
    (("https://224.0.0.1/", NO_NAME), at(Kind::Multicast)),
    (("https://239.255.255.255/", NO_NAME), at(Kind::Multicast)),
    (("https://[ff02::1]/", NO_NAME), at(Kind::Multicast)),
    (("https://255.255.255.255/", NO_NAME), at(Kind::Broadcast)),
    (("https://240.0.0.1/", NO_NAME), at(Kind::Reserved)),
    (("https://192.0.0.8/", NO_NAME), at(Kind::Protocol)),
    (("https://192.0.2.1/", NO_NAME), at(Kind::Documentation)),
    (("https://198.51.100.1/", NO_NAME), at(Kind::Documentation)),
    (("https://203.0.113.1/", NO_NAME), at(Kind::Documentation)),
    (("https://[2001:db8::1]/", NO_NAME), at(Kind::Documentation)),
    (("https://[3fff::1]/", NO_NAME), at(Kind::Documentation)),
    (("https://198.18.0.1/", NO_NAME), at(Kind::Benchmarking)),
    (("https://198.19.255.255/", NO_NAME), at(Kind::Benchmarking)),
    (("https://[2001:2::1]/", NO_NAME), at(Kind::Benchmarking)),
    (("https://[2001:20::1]/", NO_NAME), at(Kind::Protocol)),
    (("https://[100::1]/", NO_NAME), at(Kind::Reserved)),
    (("https://[5f00::1]/", NO_NAME), at(Kind::Reserved)),
    (("https://[4000::1]/", NO_NAME), at(Kind::Reserved)),
    // Public names of other addresses.
    (("https://hooks.example.com/", "127.0.0.1"), at(Kind::Loopback)),
    (("https://hooks.example.com/", "169.254.169.254"), at(Kind::Metadata)),
    (("https://hooks.example.com/", "168.63.129.16"), at(Kind::Metadata)),
    (("https://hooks.example.com/", "::1"), at(Kind::Loopback)),
    (("https://hooks.example.com/", "::ffff:10.0.0.1"), at(Kind::Embedded)),
    (("https://hooks.example.com/", "64:ff9b::a00:1"), at(Kind::Nat64)),
    (("https://hooks.example.com/", "fd00:ec2::254"), at(Kind::Metadata)),
    (("https://hooks.example.com/", "0.0.0.0"), at(Kind::Unspecified)),
    (("https://hooks.example.com/", "10.0.0.1 fe80::1 127.0.0.1"), at(Kind::Private)),
    (("https://HOOKS.example.COM.:8443/", "192.168.1.1"), at(Kind::Private)),
    // Names that are none.
    (("https://intranet/", NO_NAME), LOCAL),
    (("https://router.lan/", NO_NAME), LOCAL),
    (("https://printer.local/", NO_NAME), LOCAL),
    (("https://nas.home.arpa/", NO_NAME), LOCAL),
    (("https://1.0.0.127.in-addr.arpa/", NO_NAME), LOCAL),
    (("https://abcdefghijklmnop.onion/", NO_NAME), LOCAL),
    (("https://a..example.com/", NO_NAME), MALFORMED),
    (("https://.example.com/", NO_NAME), MALFORMED),
    (("https://256.256.256.256/", NO_NAME), UrlFault::Syntax),
    (("https://1.2.3.4.5/", NO_NAME), UrlFault::Syntax),
    (("https://[::1/", NO_NAME), UrlFault::Syntax),
    (("https:///etc/passwd", NO_NAME), UrlFault::Syntax),
    (("https://?x", NO_NAME), UrlFault::Syntax),
    // Two readings of one text.
    (("https://example.com@127.0.0.1/", NO_NAME), UrlFault::UserInfo),
    (("https://user:pass@example.com/", NO_NAME), UrlFault::UserInfo),
    (("https://@example.com/", NO_NAME), UrlFault::UserInfo),
    (("https://127.0.0.1\\@example.com/", NO_NAME), UrlFault::Characters),
    (("https:\\\\example.com/", NO_NAME), UrlFault::Characters),
    (("https://exam\tple.com/", NO_NAME), UrlFault::Characters),
    (("https://example.com/\r\nHost: internal", NO_NAME), UrlFault::Characters),
    ((" https://example.com/", NO_NAME), UrlFault::Characters),
    (("https://example.com/a b", NO_NAME), UrlFault::Characters),
    (("https://example.com/#@127.0.0.1", NO_NAME), UrlFault::Fragment),
    // Other protocols.
    (("http://example.com/", NO_NAME), HTTPS),
    (("https:example.com", NO_NAME), HTTPS),
    (("https:/example.com", NO_NAME), HTTPS),
    (("//example.com/", NO_NAME), HTTPS),
    (("example.com", NO_NAME), HTTPS),
    (("", NO_NAME), HTTPS),
    (("file:///etc/passwd", NO_NAME), HTTPS),
    (("ftp://example.com/", NO_NAME), HTTPS),
    (("gopher://example.com:25/_HELO", NO_NAME), HTTPS),
    (("data:text/plain,x", NO_NAME), HTTPS),
    (("javascript:alert(1)", NO_NAME), HTTPS),
    (("unix:///var/run/docker.sock", NO_NAME), HTTPS),
    (("https://example.com:22/", NO_NAME), UrlFault::Port(22)),
    (("https://example.com:25/", NO_NAME), UrlFault::Port(25)),
    (("https://example.com:0/", NO_NAME), UrlFault::Port(0)),
    (("https://example.com:6667/", NO_NAME), UrlFault::Port(6667)),
    (("https://example.com:65536/", NO_NAME), UrlFault::Syntax),
];

/// What can be reached, and as what it is asked for.
#[rustfmt::skip]
const ALLOWED: &[(Tried, &str)] = &[
    (("https://example.com", "93.184.216.34"), "https://example.com/"),
    (("HTTPS://Example.COM.:443/a?b=c", "2606:2800::1"), "https://example.com/a?b=c"),
    (("https://bücher.example/x", "9.9.9.9"), "https://xn--bcher-kva.example/x"),
    (("https://example.com:8443/%7Ehook", "172.32.0.1"), "https://example.com:8443/%7Ehook"),
    (("https://a.b.c.d.example.co.uk/", "11.0.0.1 100.128.0.1"), "https://a.b.c.d.example.co.uk/"),
    (("https://8.8.8.8/", NO_NAME), "https://8.8.8.8/"),
    (("https://0x08080808/", NO_NAME), "https://8.8.8.8/"),
    (("https://126.255.255.255/", NO_NAME), "https://126.255.255.255/"),
    (("https://169.253.255.255/", NO_NAME), "https://169.253.255.255/"),
    (("https://223.255.255.255/", NO_NAME), "https://223.255.255.255/"),
    (("https://[2606:4700:4700::1111]/", NO_NAME), "https://[2606:4700:4700::1111]/"),
    (("https://[2001:4860:4860::8888]:8443/", NO_NAME), "https://[2001:4860:4860::8888]:8443/"),
    (("https://[2001:200::1]/", NO_NAME), "https://[2001:200::1]/"),
    (("https://localhost.example.com/", "1.1.1.1"), "https://localhost.example.com/"),
    (("https://example.com/@user", "1.1.1.1"), "https://example.com/@user"),
];

/// Names stand for what the table says.
struct Table(BTreeMap<String, Vec<IpAddr>>);

impl Lookup for Table {
    fn addresses(&self, name: &str) -> Looking {
        let found = self.0.get(name).cloned();
        Box::pin(async { found.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

fn addresses(text: &str) -> Vec<IpAddr> {
    text.split(' ')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap())
        .collect()
}

async fn deliver(policy: &Policy, (url, found): Tried) -> Outcome {
    let name = check_url(url, policy).ok();
    let name = name.and_then(|url| url.host_str().map(str::to_owned));
    let names = name.map(|name| (name, addresses(found)));
    let lookup = Arc::new(Table(names.into_iter().collect()));
    let client = Client::with_lookup(policy.clone(), lookup).unwrap();
    let request = Request {
        url: url.to_owned(),
        id: "msg_1".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        body: Bytes::from_static(b"{}"),
        secrets: vec![Secret::generate([1; 32])],
        content_type: "application/json",
    };
    client.deliver(&request).await.outcome
}

#[tokio::test]
async fn nothing_but_the_public_internet_is_reached() {
    let policy = Policy::default();
    let mut table = String::new();
    let mut wrong = Vec::new();
    for &(tried, fault) in REFUSED {
        let outcome = deliver(&policy, tried).await;
        let (url, found) = (tried.0.escape_debug().to_string(), tried.1);
        let said = match outcome {
            Outcome::Blocked(fault) => format!("blocked: {fault}"),
            other => other.name().to_owned(),
        };
        writeln!(table, "{url:<52} {found:<28} {said}").unwrap();
        if outcome != Outcome::Blocked(fault) {
            wrong.push(format!("{tried:?}: {outcome:?}, expected {fault:?}"));
        }
    }
    // These are not asked: a test connects to nobody.
    for &((url, found), expect) in ALLOWED {
        let checked = check_url(url, &policy).map(String::from);
        let reached = addresses(found)
            .into_iter()
            .all(|address| check_address(address, &policy).is_ok());
        let said = if reached { "may be reached" } else { "blocked" };
        writeln!(table, "{url:<52} {found:<28} {said}").unwrap();
        if checked.as_deref() != Ok(expect) || !reached {
            wrong.push(format!("{url} {found}: {checked:?}, expected {expect}"));
        }
    }
    println!("{table}{} tried", REFUSED.len() + ALLOWED.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!("what_was_tried", table);
}

/// What the switches open, and what they do not.
#[test]
fn a_policy_for_development() {
    let http = Policy {
        allow_http: true,
        ..Policy::default()
    };
    let private = Policy {
        allow_private: true,
        ..Policy::default()
    };
    let both = Policy {
        allow_http: true,
        ..private.clone()
    };
    for (policy, url, expect) in [
        (&http, "http://example.com/", Ok(())),
        (&http, "https://example.com/", Ok(())),
        (&http, "http://127.0.0.1/", Err(at(Kind::Loopback))),
        (
            &http,
            "ftp://example.com/",
            Err(UrlFault::Scheme("https:// or http://")),
        ),
        (&private, "https://127.0.0.1:9000/", Ok(())),
        (&private, "https://[::1]:9000/", Ok(())),
        (&private, "https://10.1.2.3/", Ok(())),
        (&private, "https://100.64.0.1/", Ok(())),
        (&private, "https://[fd12::1]/", Ok(())),
        (&private, "https://localhost/", Ok(())),
        (&private, "https://sink:8443/", Ok(())),
        (&private, "https://host.docker.internal/", Ok(())),
        (&private, "http://127.0.0.1/", Err(HTTPS)),
        (
            &private,
            "https://169.254.169.254/",
            Err(at(Kind::Metadata)),
        ),
        (&private, "https://168.63.129.16/", Err(at(Kind::Metadata))),
        (
            &private,
            "https://100.100.100.200/",
            Err(at(Kind::Metadata)),
        ),
        (
            &private,
            "https://[fd00:ec2::254]/",
            Err(at(Kind::Metadata)),
        ),
        (
            &private,
            "https://[::ffff:127.0.0.1]/",
            Err(at(Kind::Embedded)),
        ),
        (&private, "https://0.0.0.0/", Err(at(Kind::Unspecified))),
        (&private, "https://224.0.0.1/", Err(at(Kind::Multicast))),
        (&private, "https://localhost:22/", Err(UrlFault::Port(22))),
        (&both, "http://127.0.0.1:8080/hook", Ok(())),
        (&both, "http://user@127.0.0.1/", Err(UrlFault::UserInfo)),
    ] {
        assert_eq!(check_url(url, policy).map(drop), expect, "{url}");
    }
}

#[test]
fn lengths() {
    let policy = Policy::default();
    let path = |n: usize| format!("https://example.com/{}", "a".repeat(n - 20));
    let label = |n: usize| format!("https://{}.example.com/", "a".repeat(n));
    for (url, expect) in [
        (path(2_048), Ok(())),
        (path(2_049), Err(UrlFault::TooLong)),
        (path(1 << 20), Err(UrlFault::TooLong)),
        (label(63), Ok(())),
        (label(64), Err(MALFORMED)),
        (format!("https://{}com/", "a.".repeat(125)), Ok(())),
        (format!("https://{}com/", "a.".repeat(126)), Err(MALFORMED)),
    ] {
        assert_eq!(check_url(&url, &policy).map(drop), expect, "{url:.60}");
    }
}

/// The edges of every block of the registries, and the addresses beside them.
#[test]
fn blocks_end_where_the_registries_say() {
    for (first, last, kind) in [
        ("0.0.0.1", "0.255.255.255", Kind::ThisNetwork),
        ("10.0.0.0", "10.255.255.255", Kind::Private),
        ("100.64.0.0", "100.127.255.255", Kind::Shared),
        ("127.0.0.0", "127.255.255.255", Kind::Loopback),
        ("169.254.0.0", "169.254.255.255", Kind::LinkLocal),
        ("172.16.0.0", "172.31.255.255", Kind::Private),
        ("192.0.0.0", "192.0.0.255", Kind::Protocol),
        ("192.0.2.0", "192.0.2.255", Kind::Documentation),
        ("192.88.99.0", "192.88.99.255", Kind::SixToFour),
        ("192.168.0.0", "192.168.255.255", Kind::Private),
        ("198.18.0.0", "198.19.255.255", Kind::Benchmarking),
        ("198.51.100.0", "198.51.100.255", Kind::Documentation),
        ("203.0.113.0", "203.0.113.255", Kind::Documentation),
        ("224.0.0.0", "239.255.255.255", Kind::Multicast),
        ("240.0.0.0", "255.255.255.254", Kind::Reserved),
    ] {
        let [first, last]: [std::net::Ipv4Addr; 2] =
            [first, last].map(|text| text.parse().unwrap());
        for inside in [first, last] {
            assert_eq!(Kind::of(inside.into()), Some(kind), "{inside}");
        }
        let before = first.to_bits().wrapping_sub(1);
        let after = last.to_bits().wrapping_add(1);
        for outside in [before, after] {
            let outside = std::net::Ipv4Addr::from_bits(outside);
            assert_ne!(Kind::of(outside.into()), Some(kind), "{outside}");
        }
    }
    for (text, kind) in [
        ("::2", Some(Kind::Embedded)),
        ("::1:0:0:0", Some(Kind::Reserved)),
        ("64:ff9b::ffff:ffff", Some(Kind::Nat64)),
        ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Some(Kind::Nat64)),
        ("64:ff9b:2::", Some(Kind::Reserved)),
        ("1fff:ffff::", Some(Kind::Reserved)),
        ("2000::", None),
        ("2001:0:ffff::", Some(Kind::Teredo)),
        ("2001:1::1", Some(Kind::Protocol)),
        ("2001:1ff:ffff::", Some(Kind::Protocol)),
        ("2001:200::", None),
        ("2001:db7:ffff::", None),
        ("2001:db8:ffff::", Some(Kind::Documentation)),
        ("2001:db9::", None),
        ("2001:ffff::", None),
        ("2002:ffff::", Some(Kind::SixToFour)),
        ("2003::", None),
        ("2620:4f:8000::1", Some(Kind::Protocol)),
        ("3ffe::1", Some(Kind::Reserved)),
        ("3fff:fff::1", Some(Kind::Documentation)),
        ("3fff:1000::1", None),
        ("4000::", Some(Kind::Reserved)),
        ("fbff::", Some(Kind::Reserved)),
        ("fdff::", Some(Kind::UniqueLocal)),
        ("fe00::", Some(Kind::Reserved)),
        ("febf::", Some(Kind::LinkLocal)),
        ("feff::", Some(Kind::SiteLocal)),
        ("ff00::", Some(Kind::Multicast)),
    ] {
        assert_eq!(Kind::of(text.parse().unwrap()), kind, "{text}");
    }
}
