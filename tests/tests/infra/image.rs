//! The programs in the root of the image, as its user, without a container engine: the same script
//! that fills the image assembles the root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{self, Server, with_model};
use e2e::{eventually, unique_cv};
use openai::fake::{Script, Server as Fake};
use serde_json::json;
use storage::names::QueueName;

use crate::text::root;

/// The user of the image.
const USER: &str = "65532";

/// Jobs under way when a worker is asked to stop.
const JOBS: usize = 40;

/// The root of an image, assembled anew.
struct Image(tempfile::TempDir);

impl Image {
    fn assemble() -> Self {
        let place = tempfile::tempdir().unwrap();
        let made = process::run(
            Command::new(root().join("infra/docker/rootfs.sh"))
                .arg(process::program("presswork"))
                .arg(place.path().join("root")),
        );
        assert!(made.status.success(), "{}", made.err);
        Self(place)
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    /// The same command inside the root, with the same settings, as the image's user.
    fn inside(&self, command: &Command) -> Command {
        let name = Path::new(command.get_program()).file_name().unwrap();
        let mut inside = Command::new(root().join("infra/docker/run.sh"));
        inside.arg(self.root());
        inside.arg(Path::new("/usr/local/bin").join(name));
        inside.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside.env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt");
        inside
    }

    fn run(&self, name: &str, arguments: &[&str]) -> process::Output {
        process::run(&mut self.inside(process::command(name).args(arguments)))
    }
}

/// A line of `/proc/PID/status`.
fn status(server: &Server, field: &str) -> String {
    let path = format!("/proc/{}/status", server.id());
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.unwrap().trim_start_matches(':').trim().to_owned()
}

#[test]
fn one_file_is_three_programs() {
    let image = Image::assemble();
    for name in ["presswork", "worker", "api-shim"] {
        let said = image.run(name, &["--version"]);
        assert!(said.status.success(), "{name}: {}", said.err);
        assert!(said.out.starts_with(&format!("{name} ")), "{}", said.out);
    }
    // The image holds the program, what it loads, and a few small files; nobody can write to it.
    let mut beside = 0;
    let mut folders = vec![image.root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                folders.push(path);
            } else if meta.is_file() && !path.ends_with("presswork") {
                beside += meta.len();
            }
        }
    }
    assert!(beside < 6_000_000, "{beside} bytes beside the program");
    let refused = image.run("presswork", &["demo", "--out", "/data"]);
    assert!(!refused.status.success(), "{}", refused.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_stop_under_load_loses_nothing() {
    let image = Image::assemble();
    let backing = Backing::azurite();
    let script: Script = serde_json::from_value(json!({"latency": "700ms"})).unwrap();
    let model = Fake::start(([127, 0, 0, 1], 0).into(), script).unwrap();
    let shim = Server::start(&mut image.inside(&backing.part("api-shim", &[])));
    let worker = || {
        let settings = [("worker.concurrency", "8")];
        let mut command = backing.part("worker", &settings);
        with_model(&mut command, &model.base_url());
        Server::spawn(&mut image.inside(&command))
    };
    let (first, second) = (worker(), worker());

    let ready = format!("{}/readyz", shim.url);
    let well = image.run("presswork", &["health", "--endpoint", &ready]);
    assert!(well.status.success(), "{}", well.err);
    let nobody = image.run(
        "presswork",
        &["health", "--endpoint", "http://127.0.0.1:9/"],
    );
    assert_eq!(nobody.status.code(), Some(1), "{}", nobody.err);

    let api = Api::new(&shim.url);
    let mut ids = Vec::new();
    for number in 0..JOBS as u64 {
        let id = api.submit(&unique_cv(number), json!({})).await.unwrap();
        ids.push(id);
    }
    // Both have calls out, and most jobs still wait.
    let counters = async || model.counters();
    eventually("calls are out", counters, |c| c.received >= 12).await;
    for server in [&shim, &first, &second] {
        assert_eq!(status(server, "CapEff"), "0000000000000000");
        assert_eq!(status(server, "NoNewPrivs"), "1");
    }
    if status_of_this_process_is_root() {
        let uids = status(&first, "Uid");
        assert!(uids.split_whitespace().all(|id| id == USER), "{uids}");
    }
    // Where no mount namespace can be made, `run.sh` falls back to a plain chroot, and says so.
    let namespace = process::run(Command::new("unshare").args(["--mount", "true"]));
    let plain = status_of_this_process_is_root() && !namespace.status.success();
    let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", first.id())).unwrap();
    let of_root = mounts
        .lines()
        .find(|line| line.split(' ').nth(1) == Some("/"));
    let options = of_root.map_or("", |line| line.split(' ').nth(3).unwrap());
    assert!(
        plain || options.split(',').any(|option| option == "ro"),
        "{options}"
    );

    #[allow(clippy::disallowed_methods, reason = "the time of a real process")]
    let asked = Instant::now();
    let (ended, log) = tokio::task::spawn_blocking(|| first.terminate())
        .await
        .unwrap();
    let took = asked.elapsed();
    assert!(ended.success(), "{ended}\n{log}");
    // The grace period of these settings is thirty seconds.
    assert!(took < Duration::from_secs(30), "{took:?}\n{log}");
    assert!(!log.contains("grace period is over"), "{log}");

    for id in &ids {
        let job = api.ended(id).await.unwrap();
        let end = (&job["state"], &job["model_calls"]);
        assert_eq!(end, (&json!("succeeded"), &json!(1)), "{job:#}");
    }
    let counters = model.counters();
    assert_eq!(
        (counters.received, counters.accepted),
        (JOBS as u64, JOBS as u64)
    );
    let queue = backing.storage().await.queue;
    assert_eq!(queue.count(QueueName::JobsPoison).await.unwrap(), 0);
    let (ended, log) = tokio::task::spawn_blocking(|| second.terminate())
        .await
        .unwrap();
    assert!(ended.success(), "{ended}\n{log}");
    println!("stopped under load in {took:?}, {JOBS} jobs, {JOBS} calls");
}

fn status_of_this_process_is_root() -> bool {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let uid = text.lines().find_map(|line| line.strip_prefix("Uid:"));
    uid.unwrap().split_whitespace().nth(1) == Some("0")
}
