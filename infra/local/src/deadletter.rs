//! `presswork deadletter`: deliveries to webhooks that were given up.

use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use config::SettingsArgs;
use std::sync::Arc;
use storage::ambient::System;
use storage::names::QueueName;
use storage::port::Received;
use storage::webhooks::WebhookStore;
use storage::{Clock, Entropy};
use worker::DeadLetter;

use crate::aside::{Aside, summary};
use crate::store::StoreArgs;

/// `presswork deadletter`.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetterCommand {
    /// Lists them: id, time, webhook, event, reason
    List(StoreArgs),
    /// Shows one whole, with the record of its delivery
    Show(LetterArgs),
    /// Sends one again, with its schedule from the start
    Requeue(LetterArgs),
    /// Deletes one; the record of its delivery stays
    Drop(LetterArgs),
}

/// Which dead letter.
#[derive(Debug, Args)]
pub(crate) struct LetterArgs {
    /// The letter's id, as `deadletter list` shows it, or `all`
    id: String,
    #[command(flatten)]
    store: StoreArgs,
}

/// One command.
pub(crate) async fn run(settings: SettingsArgs, command: DeadLetterCommand) -> anyhow::Result<()> {
    match command {
        DeadLetterCommand::List(args) => {
            let letters = Letters::open(settings, &args).await?;
            let messages = letters.aside.take().await?;
            for message in &messages {
                println!("{}", line(message));
            }
            println!("{}", summary(messages.len()));
            letters.aside.put_back(messages).await
        }
        DeadLetterCommand::Show(args) => {
            let letters = Letters::open(settings, &args.store).await?;
            let (wanted, others) = letters.aside.select(&args.id).await?;
            for message in &wanted {
                letters.show(message).await?;
            }
            letters.aside.put_back(wanted).await?;
            letters.aside.put_back(others).await
        }
        DeadLetterCommand::Requeue(args) => {
            let letters = Letters::open(settings, &args.store).await?;
            let (wanted, others) = letters.aside.select(&args.id).await?;
            letters.aside.put_back(others).await?;
            for message in wanted {
                let there = letters.requeue(&message).await?;
                let id = &message.lease.message_id;
                println!("{} {id}", if there { "requeued" } else { "gone" });
            }
            Ok(())
        }
        DeadLetterCommand::Drop(args) => {
            let letters = Letters::open(settings, &args.store).await?;
            let (wanted, others) = letters.aside.select(&args.id).await?;
            letters.aside.put_back(others).await?;
            for message in wanted {
                letters.aside.delete(&message).await?;
                println!("dropped {}", message.lease.message_id);
            }
            Ok(())
        }
    }
}

/// The queue of dead letters, and the records of their deliveries.
struct Letters {
    aside: Aside,
    store: WebhookStore,
}

impl Letters {
    async fn open(settings: SettingsArgs, args: &StoreArgs) -> anyhow::Result<Self> {
        let (loaded, jobs) = args.open(settings).await?;
        let ambient = Arc::new(System::new());
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
        let store = WebhookStore::new(jobs.clone(), clock, entropy, &loaded.config.webhooks);
        let aside = Aside {
            store: jobs,
            name: QueueName::DeadLetters,
            command: "deadletter",
        };
        Ok(Self { aside, store })
    }

    async fn show(&self, message: &Received) -> anyhow::Result<()> {
        let (id, at) = (&message.lease.message_id, message.inserted_at);
        println!("id        {id}\ngiven up  {at}");
        let Some(letter) = read(message) else {
            println!("body      {}", message.body);
            return Ok(());
        };
        println!(
            "tenant    {}\nwebhook   {}\nevent     {}\ntype      {}\nattempts  {}\nreason    {}",
            letter.tenant,
            letter.target,
            letter.event,
            letter.kind.as_str(),
            letter.tries,
            letter.reason
        );
        let delivery = self
            .store
            .delivery(&letter.tenant, &letter.target, &letter.event);
        match delivery.await? {
            Some(delivery) => println!("{}", serde_json::to_string_pretty(&delivery.row.shown())?),
            None => println!("its record is gone"),
        }
        Ok(())
    }

    /// The delivery is begun anew first, then the letter is deleted. `false`: its record is gone.
    async fn requeue(&self, message: &Received) -> anyhow::Result<bool> {
        let letter = read(message).context("it is not one of ours")?;
        let DeadLetter {
            tenant,
            target,
            event,
            ..
        } = &letter;
        let begun = match self.store.delivery(tenant, target, event).await? {
            Some(delivery) => self.store.begin_anew(tenant, delivery).await?,
            None => None,
        };
        if begun.is_some() {
            self.store
                .enqueue(tenant, target, event, Duration::ZERO)
                .await?;
        }
        self.aside.delete(message).await?;
        Ok(begun.is_some())
    }
}

fn read(message: &Received) -> Option<DeadLetter> {
    serde_json::from_str(&message.body).ok()
}

fn line(message: &Received) -> String {
    let (id, at) = (&message.lease.message_id, message.inserted_at);
    match read(message) {
        Some(letter) => format!(
            "{id}  {at}  {}/{}  {}  {}",
            letter.tenant, letter.target, letter.event, letter.reason
        ),
        None => format!("{id}  {at}  not one of ours"),
    }
}
