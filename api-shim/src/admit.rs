//! What comes before every handler: who calls, whether not too often, and whether they may.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use http::header;

use crate::app::App;
use crate::identity::lacks;
use crate::operation::{Access, Operation};
use crate::problem::Failure;

/// When to come back to a group of routes that is switched off.
const MAINTENANCE: Duration = Duration::from_mins(1);

/// How long the body of a refused request is read, for nothing.
const LINGER: Duration = Duration::from_secs(2);

/// The layer around one operation's handler. The handler takes its [`Caller`](crate::caller::Caller)
/// from here.
pub(crate) async fn admit(
    State((app, operation)): State<(App, Operation)>,
    mut request: Request,
    next: Next,
) -> Response {
    if app.settings.maintenance.contains(operation.group.name()) {
        let detail = "This part of the service is switched off for maintenance. Try again later.";
        let failure = Failure::unavailable(detail, MAINTENANCE);
        return refuse(&app, request, failure).await;
    }
    let Access::Needs(scope) = operation.access else {
        return next.run(request).await;
    };
    let caller = match app.identity.identify(&mut request, operation.group).await {
        Ok(caller) => caller,
        Err(failure) => return refuse(&app, request, failure).await,
    };
    tracing::Span::current().record("tenant", caller.tenant.as_str());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(address)| address.ip());
    let passed = match app.limits.take(&caller, peer, request.headers()) {
        Ok(passed) => passed,
        Err(failure) => return refuse(&app, request, failure).await,
    };
    let mut response = if caller.scopes.contains(&scope) {
        request.extensions_mut().insert(caller);
        next.run(request).await
    } else {
        refuse(&app, request, lacks(scope)).await
    };
    passed.tell(response.headers_mut());
    response
}

/// Says no, after what is still on its way: a connection that is closed under a client that writes
/// shows it a broken pipe in place of the answer.
async fn refuse(app: &App, request: Request, failure: Failure) -> Response {
    // Who asks first sends nothing before the answer (RFC 9110, section 10.1.1).
    if !request.headers().contains_key(header::EXPECT) {
        let mut pieces = request.into_body().into_data_stream();
        let mut left = app.settings.body_limit;
        let rest = async {
            while let Some(Ok(piece)) = pieces.next().await
                && left > piece.len()
            {
                left -= piece.len();
            }
        };
        let _late = tokio::time::timeout(LINGER, rest).await;
    }
    failure.into_response()
}
