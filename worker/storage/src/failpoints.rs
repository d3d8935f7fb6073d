//! Fail points: places where a test makes this process die, stop, or lose an answer.
//!
//! They exist only with the feature `failpoints` and in builds with debug assertions; elsewhere
//! [`hit`] and [`arm`] are empty. The variable `FAILPOINTS` arms them when the program starts, in
//! the syntax of the crate `fail`: `submit:insert:after=1*off->return(kill)` does it at the second
//! time. What can be asked for:
//!
//! | | |
//! |---|---|
//! | `return(kill)` | SIGKILL, without any clean-up |
//! | `return(term)` | SIGTERM to itself; the work goes on |
//! | `return(lost)` | of an `after` point: the effect has taken place and its answer is lost |
//! | `return(note)` | only a line in the log |

use std::future::Future;

use crate::port::Result;

/// The effects of a submission, each with a point `NAME:before` and `NAME:after`.
pub const SUBMIT: [&str; 3] = ["submit:put_input", "submit:insert", "submit:enqueue"];

/// Arms the points that the environment names, for as long as the process lives.
pub fn arm() {
    #[cfg(all(feature = "failpoints", debug_assertions))]
    std::mem::forget(fail::FailScenario::setup());
}

/// Runs an effect between its two points.
pub(crate) async fn around<T>(name: &str, effect: impl Future<Output = Result<T>>) -> Result<T> {
    hit(name, "before");
    let answer = effect.await;
    if hit(name, "after") {
        return Err(crate::StorageError::unavailable("the answer got lost"));
    }
    answer
}

/// Passes the point `NAME:WHEN`. `true`: the answer of what just happened is lost.
#[cfg(all(feature = "failpoints", debug_assertions))]
pub fn hit(name: &str, when: &str) -> bool {
    use rustix::process::{Signal, getpid, kill_process};

    let point = format!("{name}:{when}");
    match fail::eval(&point, |what| what).flatten().as_deref() {
        None => false,
        Some("lost") => true,
        Some("note") => {
            tracing::info!(point, "reached");
            false
        }
        Some("term") => {
            tracing::warn!(point, "asked to stop on purpose");
            let sent = kill_process(getpid(), Signal::TERM);
            assert!(sent.is_ok(), "no process can lack itself: {sent:?}");
            // Other threads see the signal meanwhile, on a busy machine too: what follows here comes
            // after it.
            std::thread::sleep(std::time::Duration::from_secs(1));
            false
        }
        Some("kill") => {
            tracing::warn!(point, "killed on purpose");
            let killed = kill_process(getpid(), Signal::KILL);
            unreachable!("the process outlived its end: {killed:?}")
        }
        Some(other) => {
            panic!("fail point {point} knows `kill`, `term`, `lost` and `note`, and not `{other}`")
        }
    }
}

/// Nothing: this build has no fail points.
#[cfg(not(all(feature = "failpoints", debug_assertions)))]
pub fn hit(_: &str, _: &str) -> bool {
    false
}
