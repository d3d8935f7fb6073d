//! The documents of a result: each by its link, with its hash, its name, and parts of it.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use e2e::backing::Backing;
use e2e::system::System;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

e2e::on_both_storages!(
    every_document_comes_whole_and_in_parts,
    a_signed_link_opens_one_document_and_nothing_else,
);

/// A job of somebody whose name is in another alphabet.
async fn finished(system: &System) -> Value {
    let mut cv = e2e::unique_cv(3);
    cv["full_name"] = "Łucja Żółć \"Ö\"".into();
    let id = system.api.submit(&cv, json!({})).await.unwrap();
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    job
}

fn sha256(bytes: &[u8]) -> String {
    schemas::hex(&Sha256::digest(bytes))
}

async fn every_document_comes_whole_and_in_parts(backing: Backing) {
    let system = System::start(backing, json!({}), &[]);
    let job = finished(&system).await;
    let documents = job["result"]["documents"].as_array().unwrap().clone();
    let names: Vec<_> = documents
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["cv", "cv.json", "resume.json", "report", "page-1.png"]
    );
    for document in &documents {
        let (name, path) = (&document["name"], document["link"].as_str().unwrap());
        let get = |range: Option<&'static str>| {
            let request = system.api.request(Method::GET, path);
            match range {
                Some(range) => request.header("range", range).send(),
                None => request.send(),
            }
        };
        let whole = get(None).await.unwrap();
        assert_eq!(whole.status(), StatusCode::OK, "{name}");
        let header = |name: &str| whole.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("content-type"),
            document["media_type"].as_str().unwrap()
        );
        let disposition = header("content-disposition");
        assert!(disposition.starts_with("attachment;"), "{disposition}");
        assert!(disposition.contains(document["file_name"].as_str().unwrap()));
        let bytes = whole.bytes().await.unwrap();
        assert_eq!(bytes.len() as u64, document["size_bytes"], "{name}");
        assert_eq!(
            sha256(&bytes),
            document["sha256"].as_str().unwrap(),
            "{name}"
        );
        let part = get(Some("bytes=2-5")).await.unwrap();
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{name}");
        let range = part.headers()["content-range"].to_str().unwrap().to_owned();
        assert_eq!(range, format!("bytes 2-5/{}", bytes.len()));
        assert_eq!(part.bytes().await.unwrap(), bytes[2..6], "{name}");
    }
    let text = |name: &str| {
        let path = format!("{}/{name}", job["links"]["result"].as_str().unwrap());
        let api = system.api.clone();
        async move { api.get(&path).await.unwrap().1 }
    };
    assert_eq!(text("cv.json").await["full_name"], "Łucja Żółć \"Ö\"");
    let report = text("report").await;
    assert!(report["layout"][0]["pages"].is_u64(), "{report:#}");
    assert!(report["restored"].is_object(), "{report:#}");
    let usage = &report["usage"];
    assert_eq!(usage, &job["usage"], "{report:#}");
    assert!(usage["input_tokens"].as_u64().unwrap() > 0, "{report:#}");
}

async fn a_signed_link_opens_one_document_and_nothing_else(backing: Backing) {
    let system = System::start(backing, json!({}), &[]);
    let job = finished(&system).await;
    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let plain = plain.build().unwrap();
    let path = job["links"]["result"].as_str().unwrap();
    let answer = plain
        .get(format!("{}{path}", system.server.url))
        .send()
        .await
        .unwrap();
    if system.backing.is_embedded() {
        // No web address of its own: the document itself.
        assert_eq!(answer.status(), StatusCode::OK);
        return;
    }
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let link = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(plain.get(&link).send().await.unwrap().status().is_success());
    let id = job["id"].as_str().unwrap();
    let other = link.replace(&format!("{id}.pdf"), &format!("{id}.unpolished.pdf"));
    let input = link
        .replace("cv-pdfs", "job-inputs")
        .replace(".pdf", ".json");
    for elsewhere in [other, input] {
        assert_ne!(elsewhere, link);
        let status = plain.get(&elsewhere).send().await.unwrap().status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{elsewhere}");
    }
    for method in [Method::PUT, Method::DELETE] {
        let request = plain
            .request(method.clone(), &link)
            .header("x-ms-blob-type", "BlockBlob");
        let status = request.body("x").send().await.unwrap().status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{method}");
    }
    // What the caller has already is not sent again, wherever it is.
    let etag = format!("\"{}\"", job["result"]["sha256"].as_str().unwrap());
    let request = plain.get(format!("{}{path}", system.server.url));
    let same = request.header("if-none-match", etag).send().await.unwrap();
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
}
