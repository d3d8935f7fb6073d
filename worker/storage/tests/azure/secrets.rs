//! No secret in the log, at the level of traces and for all targets; nor in an error.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use storage::ambient::System;
use storage::azure::Account;
use storage::azurite::{Azurite, KEY, Ports};
use storage::names::{Container, QueueName, TableName};
use storage::port::{Metadata, Properties, PutMode, Write};
use storage::{Clock as _, Storage};
use tracing_subscriber::fmt::MakeWriter;

use crate::{by_key, by_signature, connect};
use storage::azurite::proxy::{Fault, Proxy};

const LONG: Duration = Duration::from_mins(1);

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Each operation once, well or badly; gives what errors and answers would show.
async fn everything(storage: &Storage) -> String {
    let Storage {
        queue,
        table,
        blobs,
    } = storage;
    let mut shown = Vec::new();
    macro_rules! show {
        ($($call:expr),+ $(,)?) => {{
            $(let answer = $call.await;
            shown.push(answer.as_ref().err().map(|error| {
                let source = std::error::Error::source(error).map(ToString::to_string);
                format!("{error} {error:?} {source:?}")
            }));)+
        }};
    }
    let (jobs, pdfs) = (QueueName::Jobs, Container::CvPdfs);
    show!(
        queue.send(jobs, "a", Duration::ZERO),
        queue.peek(jobs, 1),
        queue.count(jobs)
    );
    for message in queue.receive(jobs, 32, LONG).await.unwrap_or_default() {
        let lease = message.lease;
        show!(
            queue.extend(jobs, &lease, LONG, Some("b")),
            queue.delete(jobs, &lease)
        );
    }
    let insert = |row: &str| Write::Insert(row.to_owned(), Properties::new());
    show!(
        table.write(TableName::Jobs, "p", vec![insert("a")]),
        table.write(TableName::Jobs, "p", vec![insert("a"), insert("b")]),
        table.get(TableName::Jobs, "p", "a"),
        table.query(TableName::Jobs, "p", "a".."z", 1, None),
    );
    let (data, labels) = (Bytes::from_static(b"data"), Metadata::new());
    let expires = System::new().now() + LONG;
    show!(
        blobs.put(
            pdfs,
            "t/a",
            data.clone(),
            "a/b",
            &labels,
            PutMode::CreateOnly
        ),
        blobs.put(
            pdfs,
            "t/a",
            data.clone(),
            "a/b",
            &labels,
            PutMode::Overwrite
        ),
        blobs.append(pdfs, "t/log", data),
        blobs.get(pdfs, "t/a"),
        blobs.get_range(pdfs, "t/a", 1..2),
        blobs.head(pdfs, "t/none"),
        blobs.list(pdfs, "t/", 10, None),
        blobs.signed_url(pdfs, "t/a", "a.pdf", expires),
        blobs.delete(pdfs, "t/a"),
    );
    format!("{shown:?}")
}

#[tokio::test]
async fn no_secret_in_a_log_line_or_an_error() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .init();
    let azurite = Azurite::start();
    let proxy = Proxy::to(azurite.ports()).await;
    let mut shown = Vec::new();

    let keyed = by_key(proxy.ports, LONG);
    let account = Account::connect(&keyed, Arc::new(System::new())).unwrap();
    shown.push(format!("{keyed:?} {account:?} {:?}", account.check().await));
    shown.push(everything(&account.storage()).await);
    let signed = by_signature(proxy.ports);
    let account = Account::connect(&signed, Arc::new(System::new())).unwrap();
    shown.push(format!(
        "{signed:?} {account:?} {:?}",
        account.check().await
    ));
    shown.push(everything(&account.storage()).await);

    // Now badly: lost answers, and nobody there at all.
    for settings in [&keyed, &signed] {
        let storage = connect(settings);
        for _ in 0..3 {
            proxy.next("", Fault::LoseAnswer);
            proxy.next("", Fault::Busy);
        }
        shown.push(everything(&storage).await);
    }
    let nobody = Ports {
        blob: 9,
        queue: 9,
        table: 9,
    };
    for settings in [
        by_key(nobody, Duration::from_millis(50)),
        by_signature(nobody),
    ] {
        let storage = connect(&config::AzureStorage {
            timeout: Duration::from_millis(50),
            ..settings
        });
        shown.push(everything(&storage).await);
    }

    let shown = shown.concat();
    let mut secrets = proxy.proofs();
    let url = connect(&keyed).blobs;
    let expires = System::new().now() + LONG;
    let url = url
        .signed_url(Container::CvPdfs, "t/a", "a.pdf", expires)
        .await
        .unwrap()
        .unwrap();
    secrets.extend(url.split("sig=").nth(1).map(str::to_owned));
    assert!(secrets.len() > 50, "{}", secrets.len());
    secrets.push(KEY.to_owned());
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for target in ["typespec_client_core", "hyper_util", "reqwest", "storage"] {
        assert!(
            log.contains(target),
            "{target} logs, or this test sees nothing"
        );
    }
    for secret in secrets {
        // As it went over the wire, and as it would be written elsewhere.
        let bare = secret
            .strip_prefix("SharedKey devstoreaccount1:")
            .unwrap_or(&secret);
        let decoded = bare
            .replace("%2B", "+")
            .replace("%2F", "/")
            .replace("%3D", "=");
        for form in [bare, decoded.as_str()] {
            let line = log.lines().find(|line| line.contains(form));
            assert_eq!(line, None, "a secret was logged");
            assert!(!shown.contains(form), "an error shows a secret");
        }
    }
    assert!(!log.contains("SharedKey devstoreaccount1"), "{log}");
}
