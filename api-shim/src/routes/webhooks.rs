//! Webhooks: who is told of what, and where.

pub(crate) mod deliveries;

use axum::Json;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use schemas::webhook::{
    CallbackSecret, ChangeWebhook, CreateWebhook, Disabled, DisabledReason, Webhook, WebhookId,
    WebhookPage,
};
use schemas::{FieldError, ProblemKind};
use serde::Deserialize;
use storage::StorageError;
use storage::ambient::random;
use storage::port::Continuation;
use storage::webhooks::{CreateError, NewWebhook, Signing, WebhookRow};
use webhook::{Secret, check_url};

use crate::app::App;
use crate::body::{any_bytes, json_bytes};
use crate::caller::{Caller, Scope};
use crate::json;
use crate::operation::{Access, Group, Operation, Route};
use crate::problem::{Answer, Failure};
use crate::task::finished;

/// Larger bodies hold no webhook.
const LARGEST: usize = 64 << 10;

/// Entries on a page unless the caller says.
const PAGE: u8 = 20;

/// Longest cursor that is looked at, in bytes.
const LONGEST_CURSOR: usize = 4_096;

/// All of `/v1/webhooks`.
pub(crate) fn routes() -> Vec<Route> {
    use self::deliveries as of;
    let operation = |method, path, id| {
        let access = Access::Needs(Scope::WebhooksManage);
        Operation::new(method, path, id, Group::Webhooks, access)
    };
    let (get, post) = (
        |path, id| operation(Method::GET, path, id),
        |path, id| operation(Method::POST, path, id),
    );
    let (all, one) = ("/v1/webhooks", "/v1/webhooks/{id}");
    let secret = "/v1/webhooks/callback-secret";
    let rotated = "/v1/webhooks/callback-secret/rotate";
    let (list, delivery) = (
        "/v1/webhooks/{id}/deliveries",
        "/v1/webhooks/{id}/deliveries/{event}",
    );
    let again = "/v1/webhooks/{id}/deliveries/{event}/redeliver";
    vec![
        Route::new(post(all, "createWebhook"), create),
        Route::new(get(all, "listWebhooks"), index),
        Route::new(get(secret, "readCallbackSecret"), callback_secret),
        Route::new(post(rotated, "rotateCallbackSecret"), rotate_callback),
        Route::new(get(one, "readWebhook"), read),
        Route::new(operation(Method::PATCH, one, "changeWebhook"), change),
        Route::new(operation(Method::DELETE, one, "deleteWebhook"), delete),
        Route::new(
            post("/v1/webhooks/{id}/rotate", "rotateWebhookSecret"),
            rotate,
        ),
        Route::new(post("/v1/webhooks/{id}/test", "testWebhook"), of::test),
        Route::new(get(list, "listDeliveries"), of::index),
        Route::new(get(delivery, "readDelivery"), of::read),
        Route::new(post(again, "redeliver"), of::redeliver),
        Route::new(
            post("/v1/webhooks/{id}/redeliver", "redeliverSince"),
            of::redeliver_since,
        ),
    ]
}

/// The `{id}` of a path. What cannot be an id is answered as an id that nobody has.
#[derive(Clone, Debug)]
pub(crate) struct WebhookPath(WebhookId);

impl FromRequestParts<App> for WebhookPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(no_such_webhook)
    }
}

fn no_such_webhook() -> Failure {
    Failure::new(ProblemKind::NotFound, "You have no webhook with this id.")
}

/// `POST /v1/webhooks`: `201` with the webhook and its secret, which is not shown again.
async fn create(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let body = json_bytes(request, LARGEST.min(app.settings.body_limit)).await?;
    let body: CreateWebhook = json::parse(&body, &["metadata"])?;
    refuse(body.faults())?;
    let url = body.url.as_deref();
    let url = url.map(|url| checked(&app, "url", url)).transpose()?;
    let secret = match &body.secret {
        Some(own) => Secret::parse(own).map_err(|e| {
            let message = format!("secret cannot be used: {e}.");
            Failure::field(
                ProblemKind::InvalidRequest,
                "secret",
                "invalid_value",
                &message,
            )
        })?,
        None => fresh_secret(&app),
    };
    let new = NewWebhook {
        url,
        events: body.events,
        metadata: body.metadata,
        description: body.description,
        secret: secret.to_text(),
    };
    let (store, tenant) = (app.webhooks.clone(), caller.tenant);
    let row = finished(async move { store.create(&tenant, new).await }).await;
    let row = row.map_err(|e| match e {
        CreateError::Storage(e) => e.into(),
        CreateError::TooMany(most) => Failure::new(
            ProblemKind::Conflict,
            format!("You have {most} webhooks, which is the limit. Delete one first."),
        ),
    })?;
    let location = HeaderValue::try_from(format!("/v1/webhooks/{}", row.id));
    let location = location.expect("a path of an id is printable ASCII");
    let mut response = Json(with_secret(&app, row)).into_response();
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(unstored(response))
}

/// What to list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PageQuery {
    limit: Option<u8>,
    cursor: Option<String>,
}

impl PageQuery {
    fn read(query: &str) -> Result<(usize, Option<Continuation>), Failure> {
        let parts: http::uri::Uri = format!("/?{query}").parse().map_err(|_| bad_query())?;
        let Query(Self { limit, cursor }) = Query::try_from_uri(&parts).map_err(|_| bad_query())?;
        let limit = limit.unwrap_or(PAGE);
        if !(1..=100).contains(&limit) {
            let (kind, message) = (ProblemKind::InvalidRequest, "limit must be 1 to 100.");
            return Err(Failure::field(kind, "limit", "out_of_range", message));
        }
        let from = cursor.as_deref().map(read_cursor).transpose()?;
        Ok((limit.into(), from))
    }
}

fn bad_query() -> Failure {
    let detail = "The query takes limit (1 to 100) and cursor (from next_cursor), each once.";
    Failure::new(ProblemKind::InvalidRequest, detail)
}

fn read_cursor(cursor: &str) -> Result<Continuation, Failure> {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .filter(|_| cursor.len() <= LONGEST_CURSOR);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Continuation).ok_or_else(bad_cursor)
}

fn bad_cursor() -> Failure {
    Failure::field(
        ProblemKind::InvalidRequest,
        "cursor",
        "invalid_value",
        "cursor must be a next_cursor of this list, unchanged; leave it out to begin anew.",
    )
}

fn next_cursor(next: Option<Continuation>) -> Option<String> {
    next.map(|Continuation(next)| URL_SAFE_NO_PAD.encode(next))
}

/// A cursor of another list is the caller's fault.
fn of_list(error: StorageError, with_cursor: bool) -> Failure {
    match error {
        StorageError::Invalid(_) if with_cursor => bad_cursor(),
        error => error.into(),
    }
}

/// `GET /v1/webhooks`.
async fn index(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let (limit, from) = PageQuery::read(request.uri().query().unwrap_or_default())?;
    let list = app.webhooks.list(&caller.tenant, limit, from.as_ref());
    let (rows, next) = list.await.map_err(|e| of_list(e, from.is_some()))?;
    let now = app.clock.now();
    let webhooks = rows.iter().map(|row| row.shown(now)).collect();
    let next_cursor = next_cursor(next);
    Ok(Json(WebhookPage {
        webhooks,
        next_cursor,
    })
    .into_response())
}

/// `GET /v1/webhooks/{id}`.
async fn read(State(app): State<App>, caller: Caller, WebhookPath(id): WebhookPath) -> Answer {
    let row = app.webhooks.read(&caller.tenant, &id).await?;
    let row = row.ok_or_else(no_such_webhook)?;
    Ok(Json(row.shown(app.clock.now())).into_response())
}

/// `PATCH /v1/webhooks/{id}`: what is absent stays as it is.
async fn change(
    State(app): State<App>,
    caller: Caller,
    WebhookPath(id): WebhookPath,
    request: Request,
) -> Answer {
    let body = json_bytes(request, LARGEST.min(app.settings.body_limit)).await?;
    let body: ChangeWebhook = json::parse(&body, &["metadata"])?;
    refuse(body.faults())?;
    let url = body.url.as_deref();
    let url = url.map(|url| checked(&app, "url", url)).transpose()?;
    let known = app.webhooks.read(&caller.tenant, &id).await?;
    let known = known.ok_or_else(no_such_webhook)?;
    if url.is_some() && known.url.is_none() {
        let message = "This webhook has no url: its events are fetched. Create another one.";
        return Err(Failure::field(
            ProblemKind::InvalidRequest,
            "url",
            "conflict",
            message,
        ));
    }
    let (store, tenant) = (app.webhooks.clone(), caller.tenant);
    let changed = finished(async move {
        let change = |row: &mut WebhookRow, now| {
            apply(row, &body, url.as_deref(), now);
            true
        };
        store.change(&tenant, &id, change).await
    });
    let row = changed.await?.ok_or_else(no_such_webhook)?;
    Ok(Json(row.shown(app.clock.now())).into_response())
}

fn apply(row: &mut WebhookRow, body: &ChangeWebhook, url: Option<&str>, now: jiff::Timestamp) {
    if let Some(url) = url {
        row.url = Some(url.to_owned());
    }
    if let Some(events) = &body.events {
        row.events.clone_from(events);
    }
    if let Some(metadata) = &body.metadata {
        row.metadata.clone_from(metadata);
    }
    if let Some(description) = &body.description {
        row.description = Some(description.clone());
    }
    match (body.enabled, &row.disabled) {
        (Some(true), _) => (row.disabled, row.failing_since) = (None, None),
        (Some(false), None) => {
            row.disabled = Some(Disabled {
                at: now,
                reason: DisabledReason::Owner,
                note: "Its owner disabled it.".to_owned(),
            });
        }
        _ => {}
    }
    row.updated_at = now;
}

/// `DELETE /v1/webhooks/{id}`: `204`, and its deliveries go with it.
async fn delete(State(app): State<App>, caller: Caller, WebhookPath(id): WebhookPath) -> Answer {
    let (store, tenant) = (app.webhooks.clone(), caller.tenant);
    let there = finished(async move { store.delete(&tenant, &id).await }).await?;
    if there {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(no_such_webhook())
    }
}

/// `POST /v1/webhooks/{id}/rotate`: a new secret; the one before signs beside it for a while.
async fn rotate(
    State(app): State<App>,
    caller: Caller,
    WebhookPath(id): WebhookPath,
    request: Request,
) -> Answer {
    let secret = asked_secret(&app, request).await?;
    let (store, tenant) = (app.webhooks.clone(), caller.tenant);
    let rotated = finished(async move { store.rotate(&tenant, &id, &secret).await });
    let row = rotated.await?.ok_or_else(no_such_webhook)?;
    Ok(unstored(Json(with_secret(&app, row)).into_response()))
}

/// `GET /v1/webhooks/callback-secret`: what signs the events of jobs with a `callback_url`.
async fn callback_secret(State(app): State<App>, caller: Caller) -> Answer {
    let fresh = fresh_secret(&app).to_text();
    let signing = app.webhooks.callback_secret(&caller.tenant, &fresh).await?;
    Ok(shown_signing(&app, signing))
}

/// `POST /v1/webhooks/callback-secret/rotate`.
async fn rotate_callback(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let secret = asked_secret(&app, request).await?;
    let (store, tenant) = (app.webhooks.clone(), caller.tenant);
    let rotated = finished(async move { store.rotate_callback_secret(&tenant, &secret).await });
    let signing = rotated.await?;
    Ok(shown_signing(&app, signing))
}

fn shown_signing(app: &App, signing: Signing) -> Response {
    let now = app.clock.now();
    let shown = CallbackSecret {
        secret: signing.secret,
        old_secret_until: signing.old_secret_until.filter(|until| *until > now),
    };
    unstored(Json(shown).into_response())
}

/// The secret that a rotation brings with it, or a new one.
async fn asked_secret(app: &App, request: Request) -> Result<String, Failure> {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Asked {
        secret: Option<String>,
    }
    let body = any_bytes(request, LARGEST.min(app.settings.body_limit)).await?;
    let asked = if body.is_empty() {
        Asked::default()
    } else {
        json::parse(&body, &[])?
    };
    match asked.secret {
        None => Ok(fresh_secret(app).to_text()),
        Some(own) => {
            let read = Secret::parse(&own).map_err(|e| {
                let message = format!("secret cannot be used: {e}.");
                Failure::field(
                    ProblemKind::InvalidRequest,
                    "secret",
                    "invalid_value",
                    &message,
                )
            });
            Ok(read?.to_text())
        }
    }
}

fn fresh_secret(app: &App) -> Secret {
    Secret::generate(random(&*app.entropy))
}

fn with_secret(app: &App, row: WebhookRow) -> Webhook {
    let mut shown = row.shown(app.clock.now());
    shown.secret = Some(row.secret);
    shown
}

/// An answer with a secret in it is for nobody's cache.
fn unstored(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, no_store);
    response
}

fn refuse(faults: Vec<FieldError>) -> Result<(), Failure> {
    match faults.first() {
        None => Ok(()),
        Some(first) => {
            let detail = first.message.clone();
            Err(Failure::new(ProblemKind::InvalidRequest, detail).with_errors(faults))
        }
    }
}

/// A URL that events may be posted to, by what can be said before its name is looked up.
pub(crate) fn checked(app: &App, path: &str, url: &str) -> Result<String, Failure> {
    match check_url(url, &app.settings.outgoing) {
        Ok(url) => Ok(url.to_string()),
        Err(fault) => {
            let message = format!("{path} cannot be used: {fault}.");
            let kind = ProblemKind::InvalidRequest;
            Err(Failure::field(kind, path, "forbidden_url", &message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_take_limit_and_cursor_alone() {
        let check = |query: &str, want: Option<usize>| {
            assert_eq!(
                PageQuery::read(query).ok().map(|(limit, _)| limit),
                want,
                "{query}"
            );
        };
        check("", Some(20));
        check("limit=7", Some(7));
        check(&format!("cursor={}", URL_SAFE_NO_PAD.encode("x")), Some(20));
        for wrong in [
            "limit=0",
            "limit=101",
            "limit=x",
            "cursor=%25",
            "page=2",
            "limit=1&limit=2",
        ] {
            check(wrong, None);
        }
    }
}
