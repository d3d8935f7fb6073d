//! `presswork poison`: messages that were set aside, for an operator to look at and decide.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use config::SettingsArgs;
use schemas::message::JobMessage;
use storage::names::QueueName;
use storage::port::Received;
use worker::poison::{SetAside, requeue};

use crate::aside::{Aside, summary};
use crate::store::StoreArgs;

/// `presswork poison`.
#[derive(Debug, Subcommand)]
pub(crate) enum PoisonCommand {
    /// Lists them: id, time, job, reason
    List(PoisonQueueArgs),
    /// Shows one whole
    Show(PoisonMessageArgs),
    /// Puts one back to work: its job goes on from where it stood
    Requeue(RequeueArgs),
    /// Deletes one; its job stays as it is
    Drop(PoisonMessageArgs),
}

/// Which poison queue, and where it is.
#[derive(Debug, Args)]
pub(crate) struct PoisonQueueArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Notifications instead of jobs
    #[arg(long)]
    notifications: bool,
}

/// `presswork poison requeue`.
#[derive(Debug, Args)]
pub(crate) struct RequeueArgs {
    #[command(flatten)]
    message: PoisonMessageArgs,
    /// Agrees to pay for another call where the outcome of the last one is unknown
    #[arg(long)]
    consent: bool,
}

/// Which message.
#[derive(Debug, Args)]
pub(crate) struct PoisonMessageArgs {
    /// The message's id, as `poison list` shows it, or `all`
    id: String,
    #[command(flatten)]
    queue: PoisonQueueArgs,
}

/// One command.
pub(crate) async fn run(settings: SettingsArgs, command: PoisonCommand) -> anyhow::Result<()> {
    match command {
        PoisonCommand::List(queue) => {
            let poison = Poison::open(settings, &queue).await?;
            let messages = poison.aside.take().await?;
            for message in &messages {
                println!("{}", line(message));
            }
            println!("{}", summary(messages.len()));
            poison.aside.put_back(messages).await
        }
        PoisonCommand::Show(args) => {
            let poison = Poison::open(settings, &args.queue).await?;
            let (wanted, others) = poison.aside.select(&args.id).await?;
            for message in &wanted {
                println!("{}", shown(message));
            }
            poison.aside.put_back(wanted).await?;
            poison.aside.put_back(others).await
        }
        PoisonCommand::Requeue(args) => {
            let poison = Poison::open(settings, &args.message.queue).await?;
            let (wanted, others) = poison.aside.select(&args.message.id).await?;
            poison.aside.put_back(others).await?;
            let mut refused = 0;
            for message in wanted {
                match poison.requeue(&message, args.consent).await {
                    Ok(()) => println!("requeued {}", message.lease.message_id),
                    Err(e) => {
                        refused += 1;
                        eprintln!("{} stays: {e:#}", message.lease.message_id);
                        poison.aside.put_back(vec![message]).await?;
                    }
                }
            }
            if refused > 0 {
                bail!("{refused} could not be requeued");
            }
            Ok(())
        }
        PoisonCommand::Drop(args) => {
            let poison = Poison::open(settings, &args.queue).await?;
            let (wanted, others) = poison.aside.select(&args.id).await?;
            poison.aside.put_back(others).await?;
            for message in wanted {
                poison.aside.delete(&message).await?;
                println!("dropped {}", message.lease.message_id);
            }
            Ok(())
        }
    }
}

/// A poison queue and the queue whose messages it holds.
struct Poison {
    aside: Aside,
    home: QueueName,
}

impl Poison {
    async fn open(settings: SettingsArgs, args: &PoisonQueueArgs) -> anyhow::Result<Self> {
        let (_, store) = args.store.open(settings).await?;
        let (aside, home) = if args.notifications {
            (QueueName::NotificationsPoison, QueueName::Notifications)
        } else {
            (QueueName::JobsPoison, QueueName::Jobs)
        };
        let aside = Aside {
            store,
            name: aside,
            command: "poison",
        };
        Ok(Self { aside, home })
    }

    /// The job moves first, then its message is put, then the copy is deleted: a crash between
    /// leaves one message too many, never one too few.
    async fn requeue(&self, message: &Received, consent: bool) -> anyhow::Result<()> {
        let (aside, store) = (read(message), &self.aside.store);
        let aside = aside.context("it is not one of ours")?;
        if let Ok(job) = JobMessage::from_body(&aside.body) {
            requeue(store, &job, consent).await?;
        }
        let queue = &store.storage().queue;
        let fresh = JobMessage::from_body(&aside.body)
            .map(|job| JobMessage { forgiven: 0, ..job }.to_body());
        queue
            .send(
                self.home,
                fresh.as_ref().unwrap_or(&aside.body),
                Duration::ZERO,
            )
            .await?;
        self.aside.delete(message).await
    }
}

fn read(message: &Received) -> Option<SetAside> {
    serde_json::from_str(&message.body).ok()
}

fn line(message: &Received) -> String {
    let aside = read(message);
    let job = aside
        .as_ref()
        .and_then(|aside| JobMessage::from_body(&aside.body).ok());
    let job = job.map_or_else(
        || "-".to_owned(),
        |job| format!("{}/{}", job.tenant, job.job_id),
    );
    let reason = aside.map_or_else(|| "not one of ours".to_owned(), |aside| aside.reason);
    format!(
        "{}  {}  {job}  {reason}",
        message.lease.message_id, message.inserted_at
    )
}

fn shown(message: &Received) -> String {
    let (id, at) = (&message.lease.message_id, message.inserted_at);
    let rest = match read(message) {
        Some(SetAside {
            reason,
            dequeue_count,
            body,
        }) => format!("reason    {reason}\ndequeues  {dequeue_count}\nbody      {body}"),
        None => format!("body      {}", message.body),
    };
    format!("id        {id}\nset aside {at}\n{rest}")
}
