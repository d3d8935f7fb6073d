//! Requests of the Table service: URLs, verbs, and several writes in one (entity group transaction).

use std::fmt::Write as _;
use std::ops::Range;

use azure_core::http::{Method, Request, Url};
use serde_json::json;

use super::super::percent::encoded;
use super::entity;
use crate::port::{ETag, Write};

/// The service signs in this form and knows OData 3 since then.
const VERSION: &str = "2019-02-02";
const JSON: &str = "application/json;odata=minimalmetadata";
/// No JSON text has a line that begins so, since it has one line only.
const BATCH: &str = "batch_presswork";
const CHANGES: &str = "changeset_presswork";
/// A body that would be longer in ASCII is left as it is: a transaction may have 4 MiB.
const LARGEST_ASCII: usize = 1 << 20;

/// Creates a table.
pub(super) fn create(endpoint: &Url, table: &str) -> Request {
    let mut request = new(extended(endpoint, "Tables"), Method::Post);
    let body = json!({"TableName": table}).to_string();
    with_json(&mut request, body);
    request
}

/// Reads one entity.
pub(super) fn get(endpoint: &Url, table: &str, partition: &str, row: &str) -> Request {
    new(extended(endpoint, &key(table, partition, row)), Method::Get)
}

/// Reads entities by their row keys; `from` are the service's own words for where to go on.
pub(super) fn query(
    endpoint: &Url,
    table: &str,
    partition: &str,
    rows: &Range<&str>,
    max: usize,
    from: Option<&(String, Option<String>)>,
) -> Request {
    let mut url = extended(endpoint, &format!("{table}()"));
    let mut filter = format!("PartitionKey eq '{}'", quoted(partition));
    // No key is empty.
    if !rows.start.is_empty() {
        let _ = write!(filter, " and RowKey ge '{}'", quoted(rows.start));
    }
    let _ = write!(filter, " and RowKey lt '{}'", quoted(rows.end));
    let mut pairs = vec![("$filter", filter.as_str())];
    let top = max.to_string();
    pairs.push(("$top", &top));
    if let Some((partition, row)) = from {
        pairs.push(("NextPartitionKey", partition));
        if let Some(row) = row {
            pairs.push(("NextRowKey", row));
        }
    }
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    url.set_query(Some(&pairs.collect::<Vec<_>>().join("&")));
    new(url, Method::Get)
}

/// One write.
pub(super) fn write(endpoint: &Url, table: &str, partition: &str, write: &Write) -> Request {
    let Verb {
        method,
        target,
        condition,
        body,
    } = verb(table, partition, write);
    let mut request = new(extended(endpoint, &target), method);
    if let Some(condition) = condition {
        request.insert_header("if-match", condition);
    }
    if let Some(body) = body {
        with_json(&mut request, body);
    }
    request
}

/// Several writes, all or none (RFC 2046, section 5.1, and Microsoft's "Performing entity group
/// transactions").
pub(super) fn transaction<'a>(
    endpoint: &Url,
    table: &str,
    partition: &str,
    writes: impl Iterator<Item = &'a Write>,
) -> Request {
    let mut text =
        format!("--{BATCH}\r\nContent-Type: multipart/mixed; boundary={CHANGES}\r\n\r\n");
    for write in writes {
        let Verb {
            method,
            target,
            condition,
            body,
        } = verb(table, partition, write);
        let url = extended(endpoint, &target);
        let _ = write!(
            text,
            "--{CHANGES}\r\nContent-Type: application/http\r\n\
             Content-Transfer-Encoding: binary\r\n\r\n{} {url} HTTP/1.1\r\nAccept: {JSON}\r\n\
             Content-Type: application/json\r\nPrefer: return-no-content\r\n\
             DataServiceVersion: 3.0\r\n",
            method.as_str()
        );
        if let Some(condition) = condition {
            let _ = write!(text, "If-Match: {condition}\r\n");
        }
        let _ = write!(text, "\r\n{}\r\n", body.unwrap_or_default());
    }
    let _ = write!(text, "--{CHANGES}--\r\n--{BATCH}--\r\n");
    let mut request = new(extended(endpoint, "$batch"), Method::Post);
    request.insert_header("content-type", format!("multipart/mixed; boundary={BATCH}"));
    request.set_body(in_ascii(text));
    request
}

/// One write as HTTP.
struct Verb {
    method: Method,
    target: String,
    /// The value of If-Match.
    condition: Option<String>,
    body: Option<String>,
}

fn verb(table: &str, partition: &str, write: &Write) -> Verb {
    let body = |row: &str, properties| entity::encode(partition, row, properties).to_string();
    match write {
        Write::Insert(row, properties) => Verb {
            method: Method::Post,
            target: table.to_owned(),
            condition: None,
            body: Some(body(row, properties)),
        },
        Write::Update(row, properties, ETag(etag)) => Verb {
            method: Method::Put,
            target: key(table, partition, row),
            condition: Some(etag.clone()),
            body: Some(body(row, properties)),
        },
        Write::Upsert(row, properties) => Verb {
            method: Method::Put,
            target: key(table, partition, row),
            condition: None,
            body: Some(body(row, properties)),
        },
        Write::Delete(row, etag) => Verb {
            method: Method::Delete,
            target: key(table, partition, row),
            condition: Some(etag.as_ref().map_or("*", |etag| &etag.0).to_owned()),
            body: None,
        },
    }
}

fn new(url: Url, method: Method) -> Request {
    let mut request = Request::new(url, method);
    request.insert_header("x-ms-version", VERSION);
    request.insert_header("dataserviceversion", "3.0;NetFx");
    request.insert_header("maxdataserviceversion", "3.0;NetFx");
    request.insert_header("accept", JSON);
    request
}

fn with_json(request: &mut Request, body: String) {
    request.insert_header("content-type", "application/json");
    request.insert_header("prefer", "return-no-content");
    request.set_body(in_ascii(body));
}

/// Writes what is not ASCII, which stands in JSON strings only, as JSON escapes (RFC 8259,
/// section 7). Azurite decodes each piece of a body by itself, and a character that falls between
/// two is lost.
fn in_ascii(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    let mut ascii = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    if ascii.len() > LARGEST_ASCII {
        text
    } else {
        ascii
    }
}

fn extended(endpoint: &Url, target: &str) -> Url {
    let mut url = endpoint.clone();
    let path = format!("{}/{target}", endpoint.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

fn key(table: &str, partition: &str, row: &str) -> String {
    let part = |text: &str| encoded(&quoted(text));
    format!(
        "{table}(PartitionKey='{}',RowKey='{}')",
        part(partition),
        part(row)
    )
}

/// For a text between single quotes: a quote in it is doubled, and ends nothing.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Properties;

    fn endpoint() -> Url {
        "http://127.0.0.1:10002/devstoreaccount1".parse().unwrap()
    }

    #[test]
    fn keys_are_only_data() {
        let check = |row: &str, expect: &str| {
            let request = get(&endpoint(), "jobs", "p", row);
            let expect = format!("/devstoreaccount1/jobs(PartitionKey='p',RowKey='{expect}')");
            assert_eq!(request.url().path(), expect, "{row}");
            assert_eq!(request.url().query(), None);
        };
        check("o~1", "o~1");
        check("it's", "it%27%27s");
        check("',RowKey='x", "%27%27%2CRowKey%3D%27%27x");
        check("..", "..");
        check("a b%41+\u{e9}", "a%20b%2541%2B%C3%A9");
    }

    #[test]
    fn ranges_are_filters() {
        let check = |rows: Range<&str>, expect: &str| {
            let request = query(&endpoint(), "jobs", "it's", &rows, 7, None);
            let found: Vec<_> = request.url().query_pairs().collect();
            assert_eq!(found[0].1, expect);
            assert_eq!((&*found[1].0, &*found[1].1), ("$top", "7"));
        };
        check(
            "a".."b",
            "PartitionKey eq 'it''s' and RowKey ge 'a' and RowKey lt 'b'",
        );
        check(""..":", "PartitionKey eq 'it''s' and RowKey lt ':'");
        check(
            "' or '".."x",
            "PartitionKey eq 'it''s' and RowKey ge ''' or ''' and RowKey lt 'x'",
        );
    }

    #[test]
    fn bodies_are_ascii_unless_they_are_large() {
        let check = |text: &str, expect: &str| assert_eq!(in_ascii(text.to_owned()), expect);
        check("{\"a\":\"b\"}", "{\"a\":\"b\"}");
        check("\"Zo\u{eb} \u{1f600}\"", "\"Zo\\u00eb \\ud83d\\ude00\"");
        let large = "\u{20ac}".repeat(LARGEST_ASCII / 6 + 1);
        check(&large, &large);
    }

    #[test]
    fn a_transaction_is_multipart() {
        let writes = [
            Write::Insert("a".to_owned(), Properties::new()),
            Write::Delete("b".to_owned(), Some(ETag("W/\"1\"".to_owned()))),
        ];
        let request = transaction(&endpoint(), "jobs", "p", writes.iter());
        let body = bytes::Bytes::from(request.body());
        let expect = "\
--batch_presswork
Content-Type: multipart/mixed; boundary=changeset_presswork

--changeset_presswork
Content-Type: application/http
Content-Transfer-Encoding: binary

POST http://127.0.0.1:10002/devstoreaccount1/jobs HTTP/1.1
Accept: application/json;odata=minimalmetadata
Content-Type: application/json
Prefer: return-no-content
DataServiceVersion: 3.0

{\"PartitionKey\":\"p\",\"RowKey\":\"a\"}
--changeset_presswork
Content-Type: application/http
Content-Transfer-Encoding: binary

DELETE http://127.0.0.1:10002/devstoreaccount1/jobs(PartitionKey='p',RowKey='b') HTTP/1.1
Accept: application/json;odata=minimalmetadata
Content-Type: application/json
Prefer: return-no-content
DataServiceVersion: 3.0
If-Match: W/\"1\"


--changeset_presswork--
--batch_presswork--
";
        assert_eq!(String::from_utf8_lossy(&body).replace("\r\n", "\n"), expect);
    }
}
