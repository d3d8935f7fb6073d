//! Azurite, Microsoft's emulator of Azure Storage, as a process of a test.
//!
//! It comes from the locked npm package in `infra/azurite`. A test that needs it and does not find
//! it fails and says what to do.

pub mod proxy;
pub mod slow;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use config::{AzureStorage, Config, Secret};

/// The account of every Azurite.
pub const ACCOUNT: &str = "devstoreaccount1";
/// Its key, which is public: it stands in Microsoft's documentation of Azurite.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The key of accounts that nothing but a test ever sees; short, because all of them stand in one
/// environment variable.
const SHARED_KEY: &str = "a2V5";

/// Longest time to start or to stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running Azurite with an account of its own. Dropped, it is killed.
#[derive(Debug)]
pub struct Azurite {
    process: Option<Process>,
    arguments: Vec<String>,
    ports: Ports,
}

/// The ports of its three services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Blobs.
    pub blob: u16,
    /// Queues.
    pub queue: u16,
    /// Tables.
    pub table: u16,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// It ends when this is closed.
    stdin: ChildStdin,
}

impl Azurite {
    /// In memory, on free ports.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn start() -> Self {
        Self::start_with(&["--inMemoryPersistence"])
    }

    /// With its data in a directory, so that it can be [`stop`](Self::stop)ped and
    /// [`start_again`](Self::start_again)ed.
    pub fn start_in(directory: &Path) -> Self {
        Self::start_with(&["--location", directory.to_str().expect("the path is UTF-8")])
    }

    /// With these arguments besides the usual ones.
    pub fn start_with(arguments: &[&str]) -> Self {
        let arguments: Vec<_> = arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .collect();
        let (process, ports) = Process::start(&arguments, Ports::default(), "");
        Self {
            process: Some(process),
            arguments,
            ports,
        }
    }

    /// In memory, with this many empty accounts, so that many tests can share the process.
    pub fn start_with_accounts(accounts: usize) -> Self {
        let arguments = ["--inMemoryPersistence".to_owned()];
        let names: Vec<_> = (0..accounts)
            .map(|n| format!("a{n}:{SHARED_KEY}"))
            .collect();
        let (process, ports) = Process::start(&arguments, Ports::default(), &names.join(";"));
        Self {
            process: Some(process),
            arguments: arguments.into(),
            ports,
        }
    }

    /// The connection string of one of the accounts of
    /// [`start_with_accounts`](Self::start_with_accounts), from 0.
    pub fn account(&self, number: usize) -> String {
        account_string(
            self.ports,
            &format!("a{number}"),
            &format!("AccountKey={SHARED_KEY}"),
        )
    }

    /// Ends it in good order; what it had acknowledged is in its directory.
    pub fn stop(&mut self) {
        let Some(Process { mut child, stdin }) = self.process.take() else {
            return;
        };
        drop(stdin);
        let (tell, told) = mpsc::channel();
        let id = child.id();
        std::thread::spawn(move || tell.send(child.wait()));
        let ended = told.recv_timeout(PATIENCE);
        assert!(
            matches!(ended, Ok(Ok(_))),
            "Azurite, process {id}, does not stop"
        );
    }

    /// Starts it again after [`stop`](Self::stop), on the same ports.
    pub fn start_again(&mut self) {
        self.stop();
        self.process = Some(Process::start(&self.arguments, self.ports, "").0);
    }

    /// The ports of its services.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// A connection string with the account's key.
    pub fn connection_string(&self) -> String {
        connection_string(self.ports, &format!("AccountKey={KEY}"))
    }

    /// Settings with this connection string for all services.
    pub fn settings(&self) -> AzureStorage {
        settings(&self.connection_string())
    }
}

/// A connection string to Azurite on these ports, or to something between. `proof` is its
/// `AccountKey=...` or `SharedAccessSignature=...`.
pub fn connection_string(ports: Ports, proof: &str) -> String {
    account_string(ports, ACCOUNT, proof)
}

fn account_string(ports: Ports, account: &str, proof: &str) -> String {
    let Ports { blob, queue, table } = ports;
    format!(
        "AccountName={account};{proof};BlobEndpoint=http://127.0.0.1:{blob}/{account};\
         QueueEndpoint=http://127.0.0.1:{queue}/{account};\
         TableEndpoint=http://127.0.0.1:{table}/{account}"
    )
}

/// Settings with this connection string for all services, all else as by default.
pub fn settings(connection_string: &str) -> AzureStorage {
    let connection = Some(Secret::new(connection_string));
    AzureStorage {
        queue_table_connection: connection.clone(),
        blob_connection: connection,
        ..Config::default().storage.azure
    }
}

impl Process {
    fn start(arguments: &[String], ports: Ports, accounts: &str) -> (Self, Ports) {
        let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "infra", "azurite"]
            .iter()
            .collect();
        assert!(
            folder.join("node_modules/azurite").exists(),
            "Azurite is not installed: run `npm ci --prefix infra/azurite` first"
        );
        let port = |name: &str, port: u16| [format!("--{name}Port"), port.to_string()];
        let mut command = Command::new("node");
        // Other accounts than the ones that we use.
        command.env_remove("AZURITE_ACCOUNTS");
        if !accounts.is_empty() {
            command.env("AZURITE_ACCOUNTS", accounts);
        }
        let mut child = command
            .arg(folder.join("run.js"))
            .args(["--silent", "--disableTelemetry"])
            .args(port("blob", ports.blob))
            .args(port("queue", ports.queue))
            .args(port("table", ports.table))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("Azurite needs Node.js 20 or newer on the PATH: {error}")
            });
        let stdin = child.stdin.take().expect("standard input is piped");
        let output = child.stdout.take().expect("standard output is piped");
        let process = Self { child, stdin };
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens after the start: the pipe is drained all the same.
                let _ = tell.send(line);
            }
        });
        let mut ports = Ports::default();
        while ports.blob == 0 || ports.queue == 0 || ports.table == 0 {
            let line = told.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("Azurite does not start, see its errors"));
            read_port(&line, &mut ports);
        }
        (process, ports)
    }
}

/// From a line such as `Azurite Blob service is successfully listening at http://127.0.0.1:10000`.
fn read_port(line: &str, ports: &mut Ports) {
    let Some((service, address)) = line.split_once(" service is successfully listening at ") else {
        return;
    };
    let port = address
        .rsplit(':')
        .next()
        .and_then(|port| port.trim().parse().ok())
        .unwrap_or(0);
    match service {
        "Azurite Blob" => ports.blob = port,
        "Azurite Queue" => ports.queue = port,
        "Azurite Table" => ports.table = port,
        _ => {}
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}
