//! Endpoints whose TLS is wrong, and one whose is right.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use webhook::{Attempt, Certificate, Client, Looking, Lookup, Outcome, Policy};

use crate::sink::{Sink, read_request};
use crate::{CONNECT, SLACK, policy, request};

const NAME: &str = "hooks.example.com";

struct Here;

impl Lookup for Here {
    fn addresses(&self, _: &str) -> Looking {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

/// An authority that the client trusts.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        Self {
            certificate: Certificate::from_der(made.der()).unwrap(),
            issuer: Issuer::new(params, key),
        }
    }

    fn server(&self, change: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

async fn secure(acceptor: TlsAcceptor) -> Sink {
    Sink::serve(move |stream, seen| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            while read_request(&mut stream, &seen).await.is_some() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(answer).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    })
    .await
}

/// Does this once the client has begun to speak.
async fn plain(answer: &'static [u8], hold: bool) -> Sink {
    Sink::serve(move |mut stream: TcpStream, _| async move {
        let mut hello = [0; 4_096];
        assert!(stream.read(&mut hello).await.unwrap() > 0);
        stream.write_all(answer).await.unwrap();
        if hold {
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
    })
    .await
}

async fn deliver(sink: &Sink, certificates: Vec<Certificate>) -> Attempt {
    let policy = Policy {
        allow_http: false,
        certificates,
        ..policy()
    };
    let client = Client::with_lookup(policy, Arc::new(Here)).unwrap();
    let url = format!("https://{NAME}:{}/hook", sink.address.port());
    client.deliver(&request(url)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_valid_certificate_of_a_trusted_authority_will_do() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let fine = |_: &mut CertificateParams| {};
    let other_name = |params: &mut CertificateParams| {
        *params = CertificateParams::new(["example.com".to_owned()]).unwrap();
    };
    let over = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    let not_yet = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2900, 1, 1);
        params.not_after = date_time_ymd(2901, 1, 1);
    };
    for (what, sink, outcome) in [
        (
            "a right one",
            secure(ours.server(fine)).await,
            Outcome::Delivered,
        ),
        (
            "an unknown authority",
            secure(theirs.server(fine)).await,
            Outcome::Tls,
        ),
        (
            "another name",
            secure(ours.server(other_name)).await,
            Outcome::Tls,
        ),
        (
            "an expired one",
            secure(ours.server(over)).await,
            Outcome::Tls,
        ),
        (
            "one of the future",
            secure(ours.server(not_yet)).await,
            Outcome::Tls,
        ),
        (
            "no TLS at all",
            plain(b"HTTP/1.1 200 OK\r\n\r\n", true).await,
            Outcome::Tls,
        ),
        (
            "an alert",
            plain(&[21, 3, 3, 0, 2, 2, 40], true).await,
            Outcome::Tls,
        ),
        ("noise", plain(&[0xff; 256], true).await, Outcome::Tls),
        ("silence", plain(b"", true).await, Outcome::Timeout),
        (
            "the end of the connection",
            plain(b"", false).await,
            Outcome::Tls,
        ),
    ] {
        let delivery = deliver(&sink, vec![ours.certificate.clone()]).await;
        println!(
            "{what:<28} {:<9} {}",
            delivery.outcome.name(),
            delivery.reason
        );
        assert_eq!(delivery.outcome, outcome, "{what}: {delivery:?}");
        assert!(delivery.took < CONNECT + SLACK, "{what}: {delivery:?}");
        let delivered = outcome == Outcome::Delivered;
        assert_eq!(sink.seen.requests().len(), usize::from(delivered), "{what}");
        assert_eq!(delivery.reason.is_empty(), delivered, "{what}");
    }
}
