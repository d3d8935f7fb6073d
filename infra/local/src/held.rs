//! `presswork held`: jobs that are held after a restore, for an operator to decide about.

use anyhow::bail;
use clap::{Args, Subcommand};
use config::SettingsArgs;
use schemas::{JobId, Tenant};
use storage::jobs::{Consent, JobRow, JobStore, Suspects};
use storage::{StorageError, concerns_one_row};

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
            let (held, passed_over) = all(&jobs).await?;
            for row in &held {
                println!("{}", line(row));
            }
            println!("{}", summary(held.len()));
            if held.is_empty() {
                println!(
                    "A call whose outcome is unknown is its owner's to decide about: \
                     GET /v1/jobs?state=outcome_unknown lists a tenant's"
                );
            }
            passed_over.end()
        }
        HeldCommand::Release(args) => {
            let (_, jobs) = args.store.open(settings).await?;
            release(&jobs, &args.id).await
        }
        HeldCommand::Drop(args) => {
            let (_, jobs) = args.store.open(settings).await?;
            let (held, mut passed_over) = chosen(&jobs, &args.id).await?;
            for (tenant, id) in held {
                match jobs.drop_restored(&tenant, id).await {
                    Ok(_) => println!("dropped {tenant}/{id}: its outcome stays unknown"),
                    Err(e) => passed_over.add(&tenant, id, e)?,
                }
            }
            passed_over.end()
        }
    }
}

async fn release(jobs: &JobStore, which: &str) -> anyhow::Result<()> {
    let (held, mut passed_over) = chosen(jobs, which).await?;
    for (tenant, id) in held {
        match jobs.release_restored(&tenant, id).await {
            Ok(Some(Consent::Given(_))) => println!("released {tenant}/{id}"),
            Ok(Some(Consent::NotHeld(_)) | None) => println!("{tenant}/{id} is held no more"),
            Err(e) => passed_over.add(&tenant, id, e)?,
        }
    }
    passed_over.end()
}

/// Holds every open job that may have been called. One that cannot be read keeps no other from
/// being held, and is an error at the end.
pub(crate) async fn hold_open(jobs: &JobStore, suspects: Suspects) -> anyhow::Result<()> {
    let (mut open, mut newly) = (0_u64, 0_u64);
    let mut passed_over = PassedOver::default();
    for tenant in store::tenants(jobs, None).await? {
        let mut from = None;
        loop {
            let (page, _, next) = jobs.open_jobs(&tenant, from.as_ref()).await?;
            for job in page {
                open += 1;
                match jobs.hold_restored(&tenant, job.id, suspects).await {
                    Ok(true) => {
                        newly += 1;
                        println!("held {tenant}/{}", job.id);
                    }
                    Ok(false) => {}
                    Err(e) => passed_over.add(&tenant, job.id, e)?,
                }
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
    }
    println!("{open} open jobs looked at, {newly} held now");
    println!("{} in all", summary(all(jobs).await?.0.len()));
    println!(
        "`presswork held list` shows them, `presswork held release ID|all` lets them go on: a job \
         without a stored reply is then called again, and perhaps paid for again."
    );
    passed_over.end()
}

/// All held jobs of all tenants, and what is not known to be one.
pub(crate) async fn all(jobs: &JobStore) -> anyhow::Result<(Vec<JobRow>, PassedOver)> {
    let (mut rows, mut passed_over) = (Vec::new(), PassedOver::default());
    for tenant in store::tenants(jobs, None).await? {
        let held = jobs.restored(&tenant).await?;
        rows.extend(held.rows);
        for (id, error) in held.unread {
            passed_over.add(&tenant, id, error)?;
        }
    }
    Ok((rows, passed_over))
}

async fn chosen(
    jobs: &JobStore,
    which: &str,
) -> anyhow::Result<(Vec<(Tenant, JobId)>, PassedOver)> {
    let wanted = |id: JobId| which == "all" || id.to_string() == which;
    let (held, mut passed_over) = all(jobs).await?;
    let held = held.into_iter().filter(|row| wanted(row.id));
    let held: Vec<_> = held.map(|row| (row.tenant, row.id)).collect();
    // Whoever names a job does not ask after the others.
    passed_over.0.retain(|(id, _)| wanted(*id));
    if held.is_empty() && passed_over.0.is_empty() && which != "all" {
        bail!("no job {which} is held after a restore: `presswork held list` shows them");
    }
    Ok((held, passed_over))
}

/// Jobs that could not be looked at, or not be changed, each with the reason: the others were.
#[derive(Debug, Default)]
pub(crate) struct PassedOver(Vec<(JobId, String)>);

impl PassedOver {
    /// Passes over one job. An error that concerns more than that job comes back.
    fn add(&mut self, tenant: &Tenant, id: JobId, error: StorageError) -> Result<(), StorageError> {
        if !concerns_one_row(&error) {
            return Err(error);
        }
        let why = anyhow::Error::from(error);
        self.0
            .push((id, format!("passed over {tenant}/{id}: {why:#}")));
        Ok(())
    }

    /// One for each of them.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, line)| line.as_str())
    }

    /// Names them, and is an error if there are any.
    fn end(self) -> anyhow::Result<()> {
        for line in self.lines() {
            println!("{line}");
        }
        let (count, jobs) = match self.0.len() {
            0 => return Ok(()),
            1 => (1, "job was"),
            n => (n, "jobs were"),
        };
        bail!(
            "{count} {jobs} passed over. If a newer version wrote them, run this command of that \
             version before any worker starts; no worker calls for a job that it cannot read"
        )
    }
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
        0 => "nothing is held after a restore".to_owned(),
        1 => "1 job is held".to_owned(),
        n => format!("{n} jobs are held"),
    }
}

#[cfg(test)]
mod tests {
    use schemas::job::JobInput;
    use storage::fault::Bench;
    use storage::jobs::{RowState, Submission};
    use storage::names::{TableName, row as key};
    use storage::port::Write;

    use super::*;

    async fn submit(jobs: &JobStore, tenant: &Tenant) -> JobId {
        let cv = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
        let input = JobInput::of(schemas::cv::normalise(&cv).unwrap().cv);
        let submitted = jobs.submit(Submission::new(tenant.clone(), input)).await;
        submitted.unwrap().row().id
    }

    async fn overwrite(jobs: &JobStore, tenant: &Tenant, id: JobId, columns: serde_json::Value) {
        let columns = columns.as_object().unwrap().clone();
        let write = vec![Write::Upsert(key::job(id), columns)];
        let table = &jobs.storage().table;
        let written = table.write(TableName::Jobs, tenant.as_str(), write);
        written.await.unwrap();
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_keeps_no_other_job_from_being_held_or_released() {
        let bench = Bench::new();
        let (clock, entropy) = bench.ambient();
        let settings = config::Config::for_tests().worker;
        let jobs = JobStore::new(bench.plain.clone(), clock, entropy, &settings);
        let (a, b) = (Tenant::from_claim("a"), Tenant::from_claim("b"));
        let (damaged, newer) = (submit(&jobs, &a).await, submit(&jobs, &a).await);
        let readable = [(&a, submit(&jobs, &a).await), (&b, submit(&jobs, &b).await)];
        let columns = serde_json::json!({ "state": "Jane" });
        overwrite(&jobs, &a, damaged, columns).await;
        overwrite(&jobs, &a, newer, serde_json::json!({ "schema": 99 })).await;

        let error = hold_open(&jobs, Suspects::All).await.unwrap_err();
        assert!(
            error.to_string().starts_with("2 jobs were passed over"),
            "{error}"
        );
        let state = async |(tenant, id): (&Tenant, JobId)| {
            let row = jobs.read(tenant, id).await.unwrap().unwrap().row;
            (row.state, row.restored)
        };
        for job in readable {
            assert_eq!(state(job).await, (RowState::OutcomeUnknown, true));
        }
        let (held, passed_over) = all(&jobs).await.unwrap();
        assert_eq!(held.len(), 2);
        let lines = passed_over.lines().collect::<Vec<_>>().join("\n");
        for part in [&damaged.to_string(), &newer.to_string(), "newer version"] {
            assert!(lines.contains(part), "{lines}");
        }
        assert!(!lines.contains("Jane"), "{lines}");

        // One that is named goes without a word of the others; one that cannot be read does not.
        release(&jobs, &readable[1].1.to_string()).await.unwrap();
        assert_eq!(state(readable[1]).await, (RowState::Queued, false));
        assert!(release(&jobs, &damaged.to_string()).await.is_err());
        assert!(release(&jobs, "all").await.is_err());
        assert_eq!(state(readable[0]).await, (RowState::Queued, false));
    }
}
