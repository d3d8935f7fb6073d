//! `GET /v1/jobs`: the caller's jobs, newest first, by what they are.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{self, HeaderValue};
use jiff::Timestamp;
use schemas::ProblemKind;
use schemas::job::{JobKind, JobPage, State as JobState};
use serde::Deserialize;
use storage::jobs::{JobFilter, Listed};

use crate::app::App;
use crate::caller::Caller;
use crate::problem::{Answer, Failure};
use crate::view::sha256_hex;

/// Jobs on a page unless the caller says.
const PAGE: u8 = 20;

/// Longest cursor that is looked at, in bytes.
const LONGEST_CURSOR: usize = 256;

/// `GET /v1/jobs`: what to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    limit: Option<String>,
    cursor: Option<String>,
    state: Option<String>,
    kind: Option<String>,
    created_from: Option<String>,
    created_to: Option<String>,
}

/// `GET /v1/jobs`: a page of the caller's jobs. A filter that few jobs pass may give a short page,
/// or an empty one, that still has a `next_cursor`.
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query.map_err(|_| {
        let detail = "The query takes limit, cursor, state, kind, created_from and created_to, each \
                      at most once.";
        Failure::new(ProblemKind::InvalidRequest, detail)
    })?;
    let limit = query
        .limit
        .as_deref()
        .map_or(Some(PAGE), |limit| limit.parse().ok());
    let limit = limit.filter(|limit| (1..=100).contains(limit));
    let limit = limit.ok_or_else(|| wrong("limit", "out_of_range", "limit must be 1 to 100."))?;
    let filter = filter(&query)?;
    let mark = mark(&filter);
    let after = query.cursor.as_deref();
    let after = after.map(|cursor| read_cursor(cursor, &mark)).transpose()?;
    let listed = app
        .jobs
        .list(&caller.tenant, &filter, limit.into(), after.as_deref())
        .await?;
    let Listed { jobs, next } = listed.ok_or_else(bad_cursor)?;
    let next_cursor = next.map(|next| URL_SAFE_NO_PAD.encode(format!("{mark}{next}")));
    let link = next_cursor.as_deref().map(|cursor| {
        let link = format!("</v1/jobs?{}>; rel=\"next\"", again(&query, limit, cursor));
        HeaderValue::try_from(link).expect("what was read from a query is escaped")
    });
    let mut response = Json(JobPage { jobs, next_cursor }).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// Reads the filters.
fn filter(query: &ListQuery) -> Result<JobFilter, Failure> {
    let named = |name: &str| serde_json::from_value(serde_json::Value::from(name)).ok();
    let states = query.state.as_deref().map(|states| {
        let states = states.split(',').map(|state| named(state.trim()));
        states.collect::<Option<Vec<JobState>>>().ok_or_else(|| {
            let message = "state must be one or several, parted by commas, of queued, running, \
                           succeeded, failed, cancelled, expired and outcome_unknown.";
            wrong("state", "unknown_value", message)
        })
    });
    let mut states = states.transpose()?.unwrap_or_default();
    // In one order, so that equal filters have equal marks.
    states.sort_by_key(|state| *state as u8);
    states.dedup();
    let kind = query.kind.as_deref().map(|kind| {
        let known = JobKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind);
        let message = "kind must be cv or cover_letter.";
        known.ok_or_else(|| wrong("kind", "unknown_value", message))
    });
    let time = |name: &str, text: &Option<String>| {
        let time = text.as_deref().map(|text| {
            text.parse::<Timestamp>().map_err(|_| {
                let message = format!(
                    "{name} must be a time of RFC 3339, such as 2026-11-21T08:00:00Z; a + has to \
                     be sent as %2B."
                );
                wrong(name, "invalid_value", &message)
            })
        });
        time.transpose()
    };
    Ok(JobFilter {
        states,
        kind: kind.transpose()?,
        from: time("created_from", &query.created_from)?,
        to: time("created_to", &query.created_to)?,
    })
}

/// Stands for the filters in a cursor: eight hexadecimal digits.
fn mark(filter: &JobFilter) -> String {
    sha256_hex(format!("{filter:?}").as_bytes())[..8].to_owned()
}

/// The same query, further on. Times are written anew: they need no escapes then.
fn again(query: &ListQuery, limit: u8, cursor: &str) -> String {
    let mut again = format!("limit={limit}");
    let time = |text: &Option<String>| {
        let time = text.as_deref()?.parse::<Timestamp>().ok()?;
        Some(time.to_string())
    };
    let filters = [
        ("state", query.state.as_ref().map(|it| it.replace(' ', ""))),
        ("kind", query.kind.clone()),
        ("created_from", time(&query.created_from)),
        ("created_to", time(&query.created_to)),
    ];
    for (name, value) in filters {
        if let Some(value) = value {
            again = format!("{again}&{name}={value}");
        }
    }
    format!("{again}&cursor={cursor}")
}

/// Where a cursor goes on, if it was made under these filters.
fn read_cursor(cursor: &str, mark: &str) -> Result<String, Failure> {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .filter(|_| cursor.len() <= LONGEST_CURSOR);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(bad_cursor)?;
    let (made_under, after) = text.split_at_checked(8).ok_or_else(bad_cursor)?;
    if !made_under.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(bad_cursor());
    }
    if made_under != mark {
        let message = "This cursor was made under other filters. Send it with the same state, kind, \
                       created_from and created_to, or leave it out to begin anew.";
        return Err(wrong("cursor", "other_filters", message));
    }
    Ok(after.to_owned())
}

fn bad_cursor() -> Failure {
    let message =
        "cursor must be a next_cursor of this list, unchanged; leave it out to begin anew.";
    wrong("cursor", "invalid_value", message)
}

fn wrong(path: &str, code: &str, message: &str) -> Failure {
    Failure::field(ProblemKind::InvalidRequest, path, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went_or_not_at_all() {
        let mark = mark(&JobFilter::default());
        let cursor = URL_SAFE_NO_PAD.encode(format!("{mark}j~000~x"));
        assert_eq!(read_cursor(&cursor, &mark).unwrap(), "j~000~x");
        let code = |cursor: &str, mark: &str| {
            let refused = read_cursor(cursor, mark).unwrap_err();
            refused.problem().errors[0].code.clone()
        };
        assert_eq!(code(&cursor, "00000000"), "other_filters");
        let short = URL_SAFE_NO_PAD.encode("abc");
        for bad in [
            "%%%",
            "a",
            "_w",
            &"A".repeat(300),
            &short,
            "",
            "w6TDpMOkw6TDpMOk",
        ] {
            assert_eq!(code(bad, &mark), "invalid_value", "{bad}");
        }
    }
}
