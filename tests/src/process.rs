//! The programs of this workspace as child processes.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use crate::{PATIENCE, eventually};

/// The path of a program, built beside this test.
///
/// # Panics
/// If it is not there: `cargo build --workspace` makes it.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let mut dir = test.parent().expect("a file has a directory");
    if dir.ends_with("deps") {
        dir = dir.parent().expect("deps is in the target directory");
    }
    let path = dir.join(name);
    assert!(
        path.exists(),
        "{name} is not built: run `cargo build --workspace` first"
    );
    path
}

/// A command with nothing of our environment that could change its settings.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(program(name));
    let ours = [
        "PRESSWORK_",
        "OPENAI_",
        "AZURE_",
        "CV_",
        "LOG_",
        "ENVIRONMENT",
        "JWT_SECRET_KEY",
        "RATE_LIMIT_",
        "SECRET_KEY",
    ];
    for (key, _) in std::env::vars_os() {
        if ours
            .iter()
            .any(|prefix| key.to_string_lossy().starts_with(prefix))
        {
            command.env_remove(key);
        }
    }
    command
}

/// What a finished command said.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    Output {
        status: output.status,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A running server program. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Its base URL; empty for a worker, which has none.
    pub url: String,
    log: Arc<Mutex<String>>,
    /// Ends when the program has closed its standard error.
    reading: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a program that says on standard output where it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut server = Self::spawn(command);
        let out = server
            .child
            .stdout
            .take()
            .expect("standard output is piped");
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some(at) = line.find("http://") {
                    let url = line[at..].split_whitespace().next().unwrap_or_default();
                    // Nobody listens after the first line: the pipe is drained all the same.
                    let _ = tell.send(url.trim_end_matches(['.', ',', ';']).to_owned());
                }
            }
        });
        if let Ok(url) = told.recv_timeout(PATIENCE) {
            server.url = url;
            return server;
        }
        panic!(
            "the program does not say where it listens:\n{}",
            server.kill()
        );
    }

    /// Starts a program that listens nowhere.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let err = child.stderr.take().expect("standard error is piped");
        let log = Arc::new(Mutex::new(String::new()));
        let shared = log.clone();
        let reading = std::thread::spawn(move || {
            let mut err = BufReader::new(err);
            let mut line = Vec::new();
            while err.read_until(b'\n', &mut line).is_ok_and(|size| size > 0) {
                let mut log = shared.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self {
            child,
            url: String::new(),
            log,
            reading: Some(reading),
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process is gone.
    pub fn has_ended(&self) -> bool {
        // A zombie, not waited for yet, is gone as well; the state stands after the name's bracket.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        !stat.is_ok_and(|stat| {
            stat.rsplit_once(") ")
                .is_some_and(|(_, rest)| !rest.starts_with('Z'))
        })
    }

    /// Waits until the process is gone by itself.
    ///
    /// # Panics
    /// If that takes longer than [`PATIENCE`].
    pub async fn gone(&self) {
        let gone = async || self.has_ended();
        eventually("the process is gone by itself", gone, |gone| *gone).await;
    }

    /// What it has logged so far.
    pub fn logged(&self) -> String {
        let log = self.log.lock();
        log.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// SIGKILL: no warning, no clean-up. Gives what it logged.
    pub fn kill(mut self) -> String {
        let _ = self.child.kill();
        self.child.wait().expect("a child can be waited for");
        self.log()
    }

    /// SIGKILL, while the handle stays; the log is lost.
    pub fn kill_now(&self) {
        signal("-KILL", self.child.id());
    }

    /// SIGSTOP: it stands still until it is killed.
    pub fn pause_now(&self) {
        signal("-STOP", self.child.id());
    }

    /// SIGTERM, without waiting for the end.
    pub fn terminate_now(&self) {
        signal("-TERM", self.child.id());
    }

    /// SIGTERM, and the time to finish. Gives its status and what it logged.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        // It may have ended already.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            signal("-TERM", self.child.id());
        }
        let status = self.child.wait().expect("a child can be waited for");
        (status, self.log())
    }

    fn log(&mut self) -> String {
        if let Some(reading) = self.reading.take() {
            reading.join().expect("the reading thread does not panic");
        }
        self.logged()
    }
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill")
        .args([name, &process.to_string()])
        .status();
    assert!(
        sent.expect("`kill` is there").success(),
        "no process {process}"
    );
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets a program talk to a fake model.
pub fn with_model(command: &mut Command, base_url: &str) {
    command
        .env("OPENAI_API_KEY", "sk-test-not-a-key")
        .env("OPENAI_BASE_URL", base_url);
}
