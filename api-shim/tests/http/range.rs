//! Parts of a document, and the conditions of asking for it.

use reqwest::{Method, Response, StatusCode};
use schemas::ProblemKind;

use crate::server::{Server, header, problem};

const PDF: &[u8] = b"%PDF-1.7 not really";
/// The tag that the harness gives its document.
const SIZE: usize = PDF.len();

async fn asked(server: &Server, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = server.request(method, path);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_range_of_a_document_is_sent_alone() {
    let server = Server::start().await;
    let job = server.submit().await;
    server.succeed(job.id, PDF).await;
    let path = job.links.result.as_str();
    let whole = asked(&server, Method::GET, path, &[]).await;
    assert_eq!(header(&whole, "accept-ranges"), Some("bytes"));
    let etag = header(&whole, "etag").unwrap().to_owned();
    let check = async |range: &str, want: &[u8], at: &str| {
        let response = asked(&server, Method::GET, path, &[("range", range)]).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(header(&response, "content-range"), Some(at), "{range}");
        assert_eq!(header(&response, "etag"), Some(etag.as_str()), "{range}");
        let length = want.len().to_string();
        assert_eq!(header(&response, "content-length"), Some(length.as_str()));
        assert!(header(&response, "content-disposition").is_some());
        assert_eq!(response.bytes().await.unwrap(), want, "{range}");
    };
    check("bytes=0-3", b"%PDF", &format!("bytes 0-3/{SIZE}")).await;
    check("bytes=5-", &PDF[5..], &format!("bytes 5-18/{SIZE}")).await;
    check("bytes=-6", b"really", &format!("bytes 13-18/{SIZE}")).await;
    check("bytes=13-9999", b"really", &format!("bytes 13-18/{SIZE}")).await;

    for outside in ["bytes=19-", "bytes=500-600", "bytes=-0"] {
        let response = asked(&server, Method::GET, path, &[("range", outside)]).await;
        let at = format!("bytes */{SIZE}");
        assert_eq!(header(&response, "content-range"), Some(at.as_str()));
        problem(response, ProblemKind::RangeNotSatisfiable, outside).await;
    }
    // What need not be heeded is not.
    for ignored in ["bytes=3-1", "bytes=0-1,4-5", "lines=1-2", "bytes"] {
        let response = asked(&server, Method::GET, path, &[("range", ignored)]).await;
        assert_eq!(response.status(), StatusCode::OK, "{ignored}");
        assert_eq!(response.bytes().await.unwrap(), PDF, "{ignored}");
    }
    let head = asked(&server, Method::HEAD, path, &[("range", "bytes=0-3")]).await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(header(&head, "content-length"), Some("19"));
    let json = format!("/v1/jobs/{}/result/cv.json", job.id);
    let part = asked(&server, Method::GET, &json, &[("range", "bytes=0-0")]).await;
    assert_eq!(part.bytes().await.unwrap(), b"{".as_slice());
}

#[tokio::test]
async fn conditions_come_before_ranges() {
    let server = Server::start().await;
    let job = server.submit().await;
    server.succeed(job.id, PDF).await;
    let path = job.links.result.as_str();
    let whole = asked(&server, Method::GET, path, &[]).await;
    let etag = header(&whole, "etag").unwrap().to_owned();
    let weak = format!("W/{etag}");
    let range = ("range", "bytes=0-3");
    let check = async |headers: &[(&str, &str)], want: u16| {
        let response = asked(&server, Method::GET, path, headers).await;
        assert_eq!(response.status().as_u16(), want, "{headers:?}");
    };
    check(&[range, ("if-range", &etag)], 206).await;
    check(&[range, ("if-range", &weak)], 200).await;
    check(&[range, ("if-range", "\"other\"")], 200).await;
    check(&[range, ("if-range", "Sat, 21 Nov 2026 08:00:00 GMT")], 200).await;
    check(&[range, ("if-none-match", &etag)], 304).await;
    check(&[range, ("if-none-match", "\"other\"")], 206).await;
    check(&[("if-match", &etag)], 200).await;
    check(&[("if-match", "*")], 200).await;
    check(&[("if-match", &weak)], 412).await;
    check(&[range, ("if-match", "\"other\"")], 412).await;
}
