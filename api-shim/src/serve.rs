//! The accept loop: connections in, requests to the router, and a stop that loses nobody.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::files;
use crate::router::router;

/// Largest request head in bytes; a larger one is `431`.
const HEAD_LIMIT: usize = 64 * 1024;

/// Most fields in a request's head; with more it is `431`.
const FIELD_LIMIT: usize = 100;

/// The pause after an accept for which the process had no file or memory left.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(500);

/// What is told to a connection over the limit, before it has said anything.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\n\
    content-length: 146\r\n\
    cache-control: no-store\r\n\
    retry-after: 2\r\n\
    connection: close\r\n\r\n\
    {\"type\":\"/problems/unavailable\",\"title\":\"Service unavailable\",\"status\":503,\
    \"detail\":\"Too many connections are open. Try again later, over fewer.\"}";

/// Serves HTTP/1.1 until `shutdown` is cancelled, then finishes the open requests within `grace`.
///
/// Waits by `Prefer: wait` end at once then; connections still open after `grace` are cut. The
/// only error is a listener that can never accept again.
///
/// HTTP/1.1 only: its heads have a time limit from the first moment of a connection, so that slow
/// clients are shut out. HTTP/2 ends at the proxy in front, which also brings the TLS that
/// browsers ask for.
///
/// At most `max_connections` of the settings are open at once, fewer where the process may not open
/// so many files; whoever comes then is told to come back. Handlers find the other end's address as
/// `ConnectInfo<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: CancellationToken,
    grace: Duration,
) -> io::Result<()> {
    let most = files::connections(app.settings.max_connections);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(app.settings.header_timeout)
        .max_headers(FIELD_LIMIT)
        .max_buf_size(HEAD_LIMIT);
    let service = TowerToHyperService::new(router(app.closing_with(shutdown.clone())));
    let (graceful, tasks, cut) = (
        GracefulShutdown::new(),
        TaskTracker::new(),
        CancellationToken::new(),
    );
    let mut is_full = false;
    loop {
        let (stream, peer) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener) => accepted?,
        };
        if tasks.len() >= most {
            if !is_full {
                tracing::warn!(
                    most,
                    "all {most} connections are taken; further ones are turned away"
                );
            }
            is_full = true;
            turn_away(&stream);
            continue;
        }
        // Said again only after there has been room for a while.
        is_full = is_full && tasks.len() > most - most / 8;
        // Answers are written whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let service = service.clone();
        let with_peer = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            service.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), with_peer);
        let (connection, cut) = (graceful.watch(connection), cut.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                ended = connection => {
                    // A client that went away or spoke no HTTP: nothing to mend here.
                    if let Err(e) = ended {
                        tracing::debug!("a connection ended: {}", crate::problem::chain(&e));
                    }
                }
            }
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            open = tasks.len(),
            "open requests are cut: the grace period is over"
        );
        cut.cancel();
    }
    tasks.wait().await;
    Ok(())
}

/// Says why, without waiting for anything. A new socket's buffer has room for it.
fn turn_away(stream: &TcpStream) {
    let _ = stream.try_write(FULL);
    // What has come already would make closing a reset, which may overtake the answer.
    let _ = stream.try_read(&mut [0; 16 * 1024]);
}

/// The next connection. Passing errors are passed over.
async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    loop {
        match listener.accept().await {
            Ok(accepted) => return Ok(accepted),
            Err(e) => match e.kind() {
                ConnectionAborted | ConnectionRefused | ConnectionReset => {}
                InvalidInput => return Err(e),
                _ => {
                    tracing::error!("no connection can be accepted: {e}");
                    tokio::time::sleep(OUT_OF_RESOURCES).await;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_turned_away_gets_a_whole_problem() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
        let problem: schemas::Problem = serde_json::from_str(body).unwrap();
        assert_eq!(problem.kind, schemas::ProblemKind::Unavailable);
        assert_eq!(problem.title, problem.kind.title());
    }
}
