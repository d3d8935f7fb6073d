//! `presswork poison`: messages that were set aside, for an operator to look at and decide.

use std::time::Duration;

use anyhow::{Context as _, bail};
use config::SettingsArgs;
use schemas::message::JobMessage;
use storage::jobs::JobStore;
use storage::names::QueueName;
use storage::port::Received;
use worker::poison::{SetAside, requeue};

use crate::cli::{PoisonCommand, PoisonQueueArgs};

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

/// A queue of messages that wait for an operator, and the command that looks at it.
pub(crate) struct Aside {
    pub(crate) store: JobStore,
    pub(crate) name: QueueName,
    pub(crate) command: &'static str,
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

impl Aside {
    /// All messages, oldest first. They are hidden until they are put back.
    pub(crate) async fn take(&self) -> anyhow::Result<Vec<Received>> {
        let queue = &self.store.storage().queue;
        let mut all = Vec::new();
        while all.len() < MOST {
            let messages = queue.receive(self.name, 32, LOOK).await?;
            if messages.is_empty() {
                break;
            }
            all.extend(messages);
        }
        all.sort_by_key(|message| message.inserted_at);
        Ok(all)
    }

    /// The messages that were asked for, and the others.
    pub(crate) async fn select(&self, id: &str) -> anyhow::Result<(Vec<Received>, Vec<Received>)> {
        let all = self.take().await?;
        let wanted = |message: &Received| id == "all" || message.lease.message_id == id;
        let (wanted, others): (Vec<_>, Vec<_>) = all.into_iter().partition(wanted);
        if wanted.is_empty() && id != "all" {
            self.put_back(others).await?;
            bail!(
                "no message {id} on queue {}: `presswork {} list` shows them",
                self.name.as_str(),
                self.command
            );
        }
        Ok((wanted, others))
    }

    pub(crate) async fn put_back(&self, messages: Vec<Received>) -> anyhow::Result<()> {
        let queue = &self.store.storage().queue;
        for message in messages {
            queue
                .extend(self.name, &message.lease, Duration::ZERO, None)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn delete(&self, message: &Received) -> anyhow::Result<()> {
        let queue = &self.store.storage().queue;
        Ok(queue.delete(self.name, &message.lease).await?)
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

pub(crate) fn summary(count: usize) -> String {
    match count {
        0 => "nothing is set aside".to_owned(),
        1 => "1 message".to_owned(),
        MOST.. => format!("the first {count} messages; there may be more"),
        n => format!("{n} messages"),
    }
}
