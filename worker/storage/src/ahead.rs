//! What goes ahead where operations have to wait for each other.
//!
//! An adapter that bounds how much it asks of its service turns operations away when too many wait.
//! That is right for new requests, whose callers hear of it and come back. It would be wrong for work
//! that was accepted: the lease of a job in hand would run out and its paid reply be lost, because
//! others ask for new jobs. And health checks are to tell how the service does, not how many wait.

use std::future::Future;

tokio::task_local! {
    static AHEAD: ();
}

/// Does something whose storage operations go ahead of others, and are never turned away for their
/// number: whoever does so sees to it himself that they are few. Tasks that it spawns do not inherit
/// it.
pub fn ahead<F: Future>(what: F) -> impl Future<Output = F::Output> {
    AHEAD.scope((), what)
}

/// Whether this is part of something that goes ahead.
pub(crate) fn is_ahead() -> bool {
    AHEAD.try_with(|()| ()).is_ok()
}
