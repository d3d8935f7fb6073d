//! Signed URLs by the account's key, fetched by a client that knows nothing else.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Method, StatusCode};
use storage::Clock as _;
use storage::ambient::System;
use storage::azurite::Azurite;
use storage::names::Container;
use storage::port::{Metadata, PutMode};

use crate::{by_signature, connect, unique};

const PDFS: Container = Container::CvPdfs;

#[tokio::test]
async fn a_url_reads_one_blob_until_its_end() {
    let azurite = Azurite::start();
    let blobs = connect(&azurite.settings()).blobs;
    let path = format!("{}/a b'+%25\u{e9}.pdf", unique());
    for path in [&path, &format!("{path}.other")] {
        let (data, labels) = (Bytes::from_static(b"content"), Metadata::new());
        blobs
            .put(
                PDFS,
                path,
                data,
                "application/pdf",
                &labels,
                PutMode::CreateOnly,
            )
            .await
            .unwrap();
    }
    let now = System::new().now();
    let url = async |expires| {
        let url = blobs
            .signed_url(PDFS, &path, "CV Zo\u{eb} \"Z\".pdf", expires)
            .await;
        url.unwrap().expect("the key signs")
    };
    let http = Client::builder().no_proxy().build().unwrap();
    let status = async |method: Method, url: &str| {
        let request = http
            .request(method, url)
            .header("x-ms-blob-type", "BlockBlob");
        request.body("other").send().await.unwrap().status()
    };

    let good = url(now + Duration::from_mins(10)).await;
    let answer = http.get(&good).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let disposition = "attachment; filename=\"CV Zo_ _Z_.pdf\"; \
                       filename*=UTF-8''CV%20Zo%C3%AB%20%22Z%22.pdf";
    assert_eq!(answer.headers()["content-disposition"], disposition);
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert_eq!(answer.bytes().await.unwrap(), "content");

    let expired = url(now - Duration::from_secs(5)).await;
    assert_eq!(
        status(Method::GET, &expired).await,
        StatusCode::FORBIDDEN,
        "expired"
    );
    let (bare, query) = good.split_once('?').unwrap();
    for (method, url) in [
        (Method::GET, format!("{bare}.other?{query}")),
        (Method::GET, bare.to_owned()),
        (Method::GET, good.replace("sp=r", "sp=rw")),
        (Method::GET, good.replace("attachment", "inline")),
        (Method::PUT, good.clone()),
        (Method::DELETE, good.clone()),
    ] {
        let status = status(method.clone(), &url).await;
        assert!(status.is_client_error(), "{method} {url}: {status}");
    }
    assert_eq!(
        blobs.get(PDFS, &path).await.unwrap().data,
        "content",
        "unchanged"
    );
    // It is the signature that is refused above, and nothing else.
    assert_eq!(status(Method::GET, &good).await, StatusCode::OK);
}

#[tokio::test]
async fn a_signature_signs_no_other() {
    let azurite = Azurite::start();
    let blobs = connect(&by_signature(azurite.ports())).blobs;
    let expires = System::new().now() + Duration::from_mins(10);
    assert_eq!(
        blobs.signed_url(PDFS, "a", "a.pdf", expires).await.unwrap(),
        None
    );
}
