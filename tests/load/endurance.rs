//! One worker dies and one is stopped; the storage account goes away.

use std::time::Duration;

use e2e::backing::Backing;

use crate::deployment::Deployment;

/// Only what is wrong is of interest.
const QUIET: [(&str, &str); 1] = [("log.level", "warn")];

fn deployment(backing: Backing) -> Deployment {
    Deployment::new(backing, "300ms", &QUIET)
}

/// One worker is killed after a third of the jobs, the other is stopped after two thirds; each
/// time a new one takes its place.
pub(crate) async fn split(backing: Backing, jobs: u64) -> anyhow::Result<()> {
    let deployment = deployment(backing);
    let _shim = deployment.shim();
    let (first, second) = (deployment.worker(), deployment.worker());
    let mut workers = Vec::new();
    let mut accepted = Vec::new();
    println!("| what | figure |\n|---|---|");
    for number in 0..jobs {
        accepted.push(deployment.submit(number).await?);
        if number == jobs / 3 {
            first.kill_now();
            workers.push(deployment.worker());
        }
        if number == jobs * 2 / 3 {
            second.terminate_now();
            workers.push(deployment.worker());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let finish = deployment.finish(&accepted).await?;
    let (status, _) = second.terminate();
    println!("| the worker that was asked to stop | {status} |");
    finish.whole()
}

/// The storage account is away for a time in the middle of the work.
pub(crate) async fn outage(jobs: u64, seconds: u64) -> anyhow::Result<()> {
    let mut deployment = deployment(Backing::lasting_azurite());
    let shim = deployment.shim();
    let workers = [deployment.worker(), deployment.worker()];
    println!("| what | figure |\n|---|---|");
    let mut accepted = Vec::new();
    for number in 0..jobs {
        if number == jobs / 2 {
            deployment.backing.azurite_mut().stop();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            deployment.backing.azurite_mut().start_again();
        }
        accepted.push(deployment.submit(number).await?);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let finish = deployment.finish(&accepted).await?;
    for worker in workers {
        let (status, log) = worker.terminate();
        println!(
            "| a worker's log | {} lines, {status} |",
            log.lines().count()
        );
        for line in log.lines().take(12) {
            eprintln!("{line}");
        }
    }
    let (_, log) = shim.terminate();
    println!("| the shim's log | {} lines |", log.lines().count());
    finish.whole()
}
