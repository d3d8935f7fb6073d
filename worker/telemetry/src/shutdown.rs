//! The wish to stop: the first SIGTERM or SIGINT asks politely, the second ends the process.

use std::io;
use std::thread;

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Whether this process was asked to stop. Clones share one answer.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// Listens for SIGTERM and SIGINT (Ctrl-C) from now on.
    ///
    /// The first of them requests a shutdown. The next ends the process at once, with exit code
    /// 143 (SIGTERM) or 130 (SIGINT), as a shell reports a process that died of the signal. To be
    /// called once, by `main`, inside a runtime or not.
    pub fn install() -> io::Result<Self> {
        // A runtime and a thread of its own: a second Ctrl-C must work when the program's runtime
        // is stuck, or already being dropped while a blocking task goes on.
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let mut signals = {
            let _inside = runtime.enter();
            Signals::install()?
        };
        let shutdown = Self::manual();
        let token = shutdown.token();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let (name, _) = signals.next().await;
                    tracing::info!("{name} received, shutting down; a second signal ends at once");
                    token.cancel();
                    let (name, exit_code) = signals.next().await;
                    tracing::warn!("{name} received again, ending at once");
                    std::process::exit(exit_code);
                });
            })?;
        Ok(shutdown)
    }

    /// Listens for nothing: a shutdown is requested by [`Shutdown::request`] only.
    pub fn manual() -> Self {
        Self::default()
    }

    /// Requests a shutdown, as the first signal does.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// A token that is cancelled by the request.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Returns once a shutdown is requested, at once if it was before.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal: its name, and the exit code of a process that it ends.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", 143),
            _ = self.interrupt.recv() => ("SIGINT", 130),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    /// After this the child ends by itself, so that it never outlives a broken test for long.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_request_reaches_every_clone() {
        let shutdown = Shutdown::manual();
        let clone = shutdown.clone();
        assert!(!clone.token().is_cancelled());
        shutdown.request();
        clone.requested().await;
        assert!(clone.token().is_cancelled());
    }

    /// The other process of the test below; it does nothing useful by itself.
    #[test]
    #[ignore = "run as a child process by the test of the signals"]
    fn child() {
        let shutdown = Shutdown::install().unwrap();
        println!("\nlistening");
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let asked = async { tokio::time::timeout(PATIENCE, shutdown.requested()).await };
        if runtime.block_on(asked).is_ok() {
            println!("requested");
            // As stuck as a program can be; the second signal has to end it all the same.
            thread::sleep(PATIENCE);
        }
    }

    #[test]
    fn the_first_signal_asks_and_the_second_ends() {
        let check = |first: &str, second: &str, exit_code: i32| {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "shutdown::tests::child",
                    "--ignored",
                    "--nocapture",
                ])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let id = child.id().to_string();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let mut until = |expect: &str| assert!(lines.any(|line| line.unwrap() == expect));
            let kill = |signal: &str| {
                assert!(
                    Command::new("kill")
                        .args(["-s", signal, &id])
                        .status()
                        .unwrap()
                        .success()
                );
            };
            until("listening");
            kill(first);
            until("requested");
            kill(second);
            assert_eq!(child.wait().unwrap().code(), Some(exit_code));
        };
        check("TERM", "TERM", 143);
        check("INT", "INT", 130);
        check("TERM", "INT", 130);
    }
}
