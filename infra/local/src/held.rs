//! `presswork held`: jobs that are held after a restore, for an operator to decide about.

use anyhow::bail;
use clap::{Args, Subcommand};
use config::SettingsArgs;
use schemas::{JobId, Tenant};
use storage::jobs::{Consent, JobRow, JobStore};

use crate::store::{self, StoreArgs};

/// `presswork held`.
#[derive(Debug, Subcommand)]
pub(crate) enum HeldCommand {
    /// Lists them: job, time of submission, last call
    List(StoreArgs),
    /// Lets jobs go on; those without a stored reply are called again, and perhaps paid for again
    Release(HeldJobArgs),
    /// Gives jobs up: their outcome stays unknown
    Drop(HeldJobArgs),
}

/// Which held job.
#[derive(Debug, Args)]
pub(crate) struct HeldJobArgs {
    /// The job's id, or `all`
    id: String,
    #[command(flatten)]
    store: StoreArgs,
}

/// One command.
pub(crate) async fn run(settings: SettingsArgs, command: HeldCommand) -> anyhow::Result<()> {
    match command {
        HeldCommand::List(args) => {
            let (_, jobs) = args.open(settings).await?;
            let held = all(&jobs).await?;
            for row in &held {
                println!("{}", line(row));
            }
            println!("{}", summary(held.len()));
            Ok(())
        }
        HeldCommand::Release(args) => {
            let (_, jobs) = args.store.open(settings).await?;
            for (tenant, id) in chosen(&jobs, &args).await? {
                match jobs.release_restored(&tenant, id).await? {
                    Some(Consent::Given(_)) => println!("released {tenant}/{id}"),
                    Some(Consent::NotHeld(_)) | None => println!("{tenant}/{id} is held no more"),
                }
            }
            Ok(())
        }
        HeldCommand::Drop(args) => {
            let (_, jobs) = args.store.open(settings).await?;
            for (tenant, id) in chosen(&jobs, &args).await? {
                jobs.drop_restored(&tenant, id).await?;
                println!("dropped {tenant}/{id}: its outcome stays unknown");
            }
            Ok(())
        }
    }
}

/// All held jobs of all tenants.
pub(crate) async fn all(jobs: &JobStore) -> anyhow::Result<Vec<JobRow>> {
    let mut held = Vec::new();
    for tenant in store::tenants(jobs, None).await? {
        held.extend(jobs.restored(&tenant).await?);
    }
    Ok(held)
}

async fn chosen(jobs: &JobStore, args: &HeldJobArgs) -> anyhow::Result<Vec<(Tenant, JobId)>> {
    let wanted = |row: &JobRow| args.id == "all" || row.id.to_string() == args.id;
    let held = all(jobs).await?.into_iter().filter(wanted);
    let held: Vec<_> = held.map(|row| (row.tenant, row.id)).collect();
    if held.is_empty() && args.id != "all" {
        bail!(
            "no job {} is held after a restore: `presswork held list` shows them",
            args.id
        );
    }
    Ok(held)
}

fn line(row: &JobRow) -> String {
    let called = match &row.call {
        Some(call) => format!("last call latched {}", call.at),
        None => "no call known to this store".to_owned(),
    };
    format!(
        "{}/{}  submitted {}  {called}",
        row.tenant, row.id, row.created_at
    )
}

/// How many, in words.
pub(crate) fn summary(count: usize) -> String {
    match count {
        0 => "nothing is held".to_owned(),
        1 => "1 job is held".to_owned(),
        n => format!("{n} jobs are held"),
    }
}
