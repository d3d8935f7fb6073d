//! `presswork poison`: messages that were set aside, for an operator to look at and decide.

use std::time::Duration;

use anyhow::{Context as _, bail};
use config::SettingsArgs;
use schemas::message::JobMessage;
use storage::jobs::JobStore;
use storage::names::QueueName;
use storage::port::Received;
use worker::poison::{SetAside, requeue};

use crate::cli::{PoisonCommand, PoisonMessageArgs, PoisonQueueArgs};

/// While an operator's command looks at messages, nobody else can: they come back by themselves
/// if it is killed.
const LOOK: Duration = Duration::from_secs(30);

/// The most messages that are looked at in one go.
const MOST: usize = 1_000;

/// One command.
pub(crate) async fn run(settings: SettingsArgs, command: PoisonCommand) -> anyhow::Result<()> {
    match command {
        PoisonCommand::List(queue) => {
            let poison = Poison::open(settings, &queue).await?;
            let messages = poison.take().await?;
            for message in &messages {
                println!("{}", line(message));
            }
            println!("{}", summary(messages.len()));
            poison.put_back(messages).await
        }
        PoisonCommand::Show(args) => {
            let poison = Poison::open(settings, &args.queue).await?;
            let (wanted, others) = poison.select(&args).await?;
            for message in &wanted {
                println!("{}", shown(message));
            }
            poison.put_back(wanted).await?;
            poison.put_back(others).await
        }
        PoisonCommand::Requeue(args) => {
            let poison = Poison::open(settings, &args.message.queue).await?;
            let (wanted, others) = poison.select(&args.message).await?;
            poison.put_back(others).await?;
            let mut refused = 0;
            for message in wanted {
                match poison.requeue(&message, args.consent).await {
                    Ok(()) => println!("requeued {}", message.lease.message_id),
                    Err(e) => {
                        refused += 1;
                        eprintln!("{} stays: {e:#}", message.lease.message_id);
                        poison.put_back(vec![message]).await?;
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
            let (wanted, others) = poison.select(&args).await?;
            poison.put_back(others).await?;
            for message in wanted {
                poison.delete(&message).await?;
                println!("dropped {}", message.lease.message_id);
            }
            Ok(())
        }
    }
}

/// A poison queue and the queue whose messages it holds.
struct Poison {
    store: JobStore,
    aside: QueueName,
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
        Ok(Self { store, aside, home })
    }

    /// All messages, oldest first. They are hidden until they are put back.
    async fn take(&self) -> anyhow::Result<Vec<Received>> {
        let queue = &self.store.storage().queue;
        let mut all = Vec::new();
        while all.len() < MOST {
            let messages = queue.receive(self.aside, 32, LOOK).await?;
            if messages.is_empty() {
                break;
            }
            all.extend(messages);
        }
        all.sort_by_key(|message| message.inserted_at);
        Ok(all)
    }

    /// The messages that were asked for, and the others.
    async fn select(
        &self,
        args: &PoisonMessageArgs,
    ) -> anyhow::Result<(Vec<Received>, Vec<Received>)> {
        let all = self.take().await?;
        let wanted = |message: &Received| args.id == "all" || message.lease.message_id == args.id;
        let (wanted, others): (Vec<_>, Vec<_>) = all.into_iter().partition(wanted);
        if wanted.is_empty() && args.id != "all" {
            self.put_back(others).await?;
            bail!(
                "no message {} on queue {}: `presswork poison list` shows them",
                args.id,
                self.aside.as_str()
            );
        }
        Ok((wanted, others))
    }

    async fn put_back(&self, messages: Vec<Received>) -> anyhow::Result<()> {
        let queue = &self.store.storage().queue;
        for message in messages {
            queue
                .extend(self.aside, &message.lease, Duration::ZERO, None)
                .await?;
        }
        Ok(())
    }

    async fn delete(&self, message: &Received) -> anyhow::Result<()> {
        let queue = &self.store.storage().queue;
        Ok(queue.delete(self.aside, &message.lease).await?)
    }

    /// The job moves first, then its message is put, then the copy is deleted: a crash between
    /// leaves one message too many, never one too few.
    async fn requeue(&self, message: &Received, consent: bool) -> anyhow::Result<()> {
        let aside = read(message).context("it is not one of ours")?;
        if let Ok(job) = JobMessage::from_body(&aside.body) {
            requeue(&self.store, &job, consent).await?;
        }
        let queue = &self.store.storage().queue;
        let fresh = JobMessage::from_body(&aside.body)
            .map(|job| JobMessage { forgiven: 0, ..job }.to_body());
        queue
            .send(
                self.home,
                fresh.as_ref().unwrap_or(&aside.body),
                Duration::ZERO,
            )
            .await?;
        self.delete(message).await
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

fn summary(count: usize) -> String {
    match count {
        0 => "nothing is set aside".to_owned(),
        1 => "1 message".to_owned(),
        MOST.. => format!("the first {count} messages; there may be more"),
        n => format!("{n} messages"),
    }
}
