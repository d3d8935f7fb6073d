//! The accept loop: connections in, requests to the router, and a stop that loses nobody.

use std::io;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::router::router;

/// Largest request head in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// The pause after an accept for which the process had no file or memory left.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(500);

/// Serves HTTP/1.1 until `shutdown` is cancelled, then finishes the open requests within `grace`.
///
/// Waits by `Prefer: wait` end at once then; connections still open after `grace` are cut. The
/// only error is a listener that can never accept again.
///
/// HTTP/1.1 only: its heads have a time limit from the first moment of a connection, so that slow
/// clients are shut out. HTTP/2 ends at the proxy in front, which also brings the TLS that
/// browsers ask for.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: CancellationToken,
    grace: Duration,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(app.settings.header_timeout)
        .max_buf_size(HEAD_LIMIT);
    let service = TowerToHyperService::new(router(app.closing_with(shutdown.clone())));
    let (graceful, tasks, cut) = (
        GracefulShutdown::new(),
        TaskTracker::new(),
        CancellationToken::new(),
    );
    loop {
        let stream = tokio::select! {
            () = shutdown.cancelled() => break,
            stream = accept(&listener) => stream?,
        };
        // Answers are written whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
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

/// The next connection. Passing errors are passed over.
async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok(stream),
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
