//! Deliveries: what was sent, what came back, and again.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::IntoResponse as _;
use futures::{StreamExt as _, TryStreamExt as _};
use http::StatusCode;
use http::request::Parts;
use schemas::webhook::{
    DeliveryPage, DeliveryState, EventId, EventType, Notification, NotificationData,
    RedeliverSince, Redelivered,
};
use schemas::{ProblemKind, Tenant};
use storage::StorageError;
use storage::ambient::random;
use storage::webhooks::{Delivery, Target, Told, Wanted, WebhookRow, WebhookStore};

use super::{LARGEST, PageQuery, WebhookPath, next_cursor, no_such_webhook, of_list};
use crate::app::App;
use crate::body::json_bytes;
use crate::caller::Caller;
use crate::json;
use crate::problem::{Answer, Failure};
use crate::task::finished;

/// Most deliveries that one request begins anew.
const MOST: u64 = 5_000;

/// Deliveries that are begun anew at once.
const AT_ONCE: usize = 16;

/// The `{id}` of a path of deliveries: a webhook's, or `callback`.
#[derive(Clone, Debug)]
pub(crate) struct TargetPath(Target);

impl FromRequestParts<App> for TargetPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        let target = path.ok().and_then(|Path(text)| text.parse().ok());
        target.map(Self).ok_or_else(no_such_webhook)
    }
}

/// The `{id}` and `{event}` of a path.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryPath(Target, EventId);

impl FromRequestParts<App> for DeliveryPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, app).await;
        let read = path.ok().and_then(|Path((target, event))| {
            let (target, event) = (target.parse().ok()?, event.parse().ok()?);
            Some(Self(target, event))
        });
        read.ok_or_else(no_such_delivery)
    }
}

fn no_such_delivery() -> Failure {
    let detail = "You have no delivery with this id to this webhook.";
    Failure::new(ProblemKind::NotFound, detail)
}

/// `GET /v1/webhooks/{id}/deliveries`: newest first. Fetching them keeps a webhook without URL.
pub(crate) async fn index(
    State(app): State<App>,
    caller: Caller,
    TargetPath(target): TargetPath,
    request: Request,
) -> Answer {
    let (limit, from) = PageQuery::read(request.uri().query().unwrap_or_default())?;
    if let Some(row) = webhook(&app, &caller.tenant, &target).await? {
        app.webhooks.fetched(&caller.tenant, &row).await?;
    }
    let all = (None, None);
    let list = app
        .webhooks
        .deliveries(&caller.tenant, &target, all, limit, from.as_ref());
    let (rows, next) = list.await.map_err(|e| of_list(e, from.is_some()))?;
    let deliveries = rows.iter().map(storage::webhooks::DeliveryRow::shown);
    Ok(Json(DeliveryPage {
        deliveries: deliveries.collect(),
        next_cursor: next_cursor(next),
    })
    .into_response())
}

/// The webhook of a target; `None` for callbacks, which have none.
async fn webhook(
    app: &App,
    tenant: &Tenant,
    target: &Target,
) -> Result<Option<WebhookRow>, Failure> {
    match target {
        Target::Callback => Ok(None),
        Target::Webhook(id) => {
            let row = app.webhooks.read(tenant, id).await?;
            row.map(Some).ok_or_else(no_such_webhook)
        }
    }
}

/// The same, if something can be sent to it.
async fn reachable(app: &App, tenant: &Tenant, target: &Target) -> Result<(), Failure> {
    let row = webhook(app, tenant, target).await?;
    let detail = match row {
        Some(row) if row.disabled.is_some() => {
            "The webhook is disabled. Enable it first: PATCH it with {\"enabled\": true}."
        }
        Some(row) if row.url.is_none() => {
            "The webhook has no url: its events are not sent, but fetched from its deliveries."
        }
        _ => return Ok(()),
    };
    Err(Failure::new(ProblemKind::Conflict, detail))
}

/// `GET /v1/webhooks/{id}/deliveries/{event}`.
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    DeliveryPath(target, event): DeliveryPath,
) -> Answer {
    webhook(&app, &caller.tenant, &target).await?;
    let delivery = app
        .webhooks
        .delivery(&caller.tenant, &target, &event)
        .await?;
    let delivery = delivery.ok_or_else(no_such_delivery)?;
    Ok(Json(delivery.row.shown()).into_response())
}

/// `POST /v1/webhooks/{id}/deliveries/{event}/redeliver`: `202`; it is sent again, at once, under
/// the same id, whatever became of it before.
pub(crate) async fn redeliver(
    State(app): State<App>,
    caller: Caller,
    DeliveryPath(target, event): DeliveryPath,
) -> Answer {
    reachable(&app, &caller.tenant, &target).await?;
    let (store, tenant) = (app.webhooks.clone(), caller.tenant);
    let begun = finished(async move {
        match store.delivery(&tenant, &target, &event).await? {
            Some(delivery) => begin_anew(&store, &tenant, delivery).await,
            None => Ok(None),
        }
    });
    let delivery = begun.await?.ok_or_else(no_such_delivery)?;
    Ok((StatusCode::ACCEPTED, Json(delivery.row.shown())).into_response())
}

async fn begin_anew(
    store: &WebhookStore,
    tenant: &Tenant,
    delivery: Delivery,
) -> Result<Option<Delivery>, StorageError> {
    let begun = store.begin_anew(tenant, delivery).await?;
    if let Some(delivery) = &begun {
        let (target, event) = (&delivery.row.target, &delivery.row.event);
        store.enqueue(tenant, target, event, Duration::ZERO).await?;
    }
    Ok(begun)
}

/// `POST /v1/webhooks/{id}/redeliver`: `202`; all that were given up since a time are sent again,
/// and on request those that had gone well too. Up to 5,000 at a time, newest first.
pub(crate) async fn redeliver_since(
    State(app): State<App>,
    caller: Caller,
    TargetPath(target): TargetPath,
    request: Request,
) -> Answer {
    let body = json_bytes(request, LARGEST.min(app.settings.body_limit)).await?;
    let asked: RedeliverSince = json::parse(&body, &[])?;
    reachable(&app, &caller.tenant, &target).await?;
    let (store, tenant) = (app.webhooks.clone(), caller.tenant);
    let done = finished(async move { all_since(&store, &tenant, &target, &asked).await }).await?;
    Ok((StatusCode::ACCEPTED, Json(done)).into_response())
}

async fn all_since(
    store: &WebhookStore,
    tenant: &Tenant,
    target: &Target,
    asked: &RedeliverSince,
) -> Result<Redelivered, StorageError> {
    let (mut redelivered, mut from) = (0, None);
    loop {
        let times = (Some(asked.since), asked.until);
        let page = store.deliveries(tenant, target, times, 500, from.as_ref());
        let (rows, next) = page.await?;
        let oldest = rows.last().map(|row| row.at);
        let wanted = rows.into_iter().filter(|row| match row.state {
            DeliveryState::Failed => true,
            DeliveryState::Succeeded => asked.succeeded_too,
            // Under way by itself, or not sent at all.
            DeliveryState::Pending | DeliveryState::Kept => false,
        });
        let begun: Vec<bool> = futures::stream::iter(wanted)
            .map(|row| async move {
                match store.delivery(tenant, target, &row.event).await? {
                    Some(delivery) => Ok(begin_anew(store, tenant, delivery).await?.is_some()),
                    None => Ok::<_, StorageError>(false),
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        redelivered += begun.into_iter().filter(|begun| *begun).count() as u64;
        from = next;
        let next_until = oldest.filter(|_| from.is_some());
        if from.is_none() || redelivered >= MOST {
            return Ok(Redelivered {
                redelivered,
                next_until,
            });
        }
    }
}

/// `POST /v1/webhooks/{id}/test`: `202` with the delivery of an event `webhook.test`, which goes
/// to this webhook alone.
pub(crate) async fn test(
    State(app): State<App>,
    caller: Caller,
    WebhookPath(id): WebhookPath,
) -> Answer {
    let row = app.webhooks.read(&caller.tenant, &id).await?;
    let row = row.ok_or_else(no_such_webhook)?;
    let target = Target::Webhook(id.clone());
    if row.url.is_some() {
        reachable(&app, &caller.tenant, &target).await?;
    }
    let at = app.clock.now();
    let drawn = u64::from_be_bytes(random(&*app.entropy));
    let event = EventId::new(at, &format!("{id}_test_{drawn:016x}"));
    let data = NotificationData::Webhook {
        webhook_id: id.clone(),
        disabled: None,
    };
    let (kind, subject) = (EventType::WebhookTest, format!("webhooks/{id}"));
    let notification = Notification::new(event.clone(), kind, subject, at, data);
    let told = Told {
        id: event.clone(),
        kind,
        at,
        body: serde_json::to_string(&notification).expect("a notification is always JSON"),
        traceparent: None,
    };
    let kept = row.url.is_none();
    let wanted = [Wanted {
        target: target.clone(),
        url: None,
        kept,
    }];
    let (store, tenant) = (app.webhooks.clone(), caller.tenant);
    let put = finished(async move {
        store.put(&tenant, &told, &wanted).await?;
        if !kept {
            store
                .enqueue(&tenant, &target, &event, Duration::ZERO)
                .await?;
        }
        store.delivery(&tenant, &target, &event).await
    });
    let delivery = put.await?.ok_or_else(no_such_delivery)?;
    Ok((StatusCode::ACCEPTED, Json(delivery.row.shown())).into_response())
}
