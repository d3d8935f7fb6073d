//! `presswork listen`: shows the events of a tenant and forwards them to a local address.
//!
//! The server cannot reach a developer's machine, so the command fetches: it makes a webhook without
//! URL for as long as it runs, and posts what it finds there, signed as the server would sign it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use schemas::webhook::{
    CreateWebhook, DeliveryPage, EventId, EventType, Webhook, WebhookDelivery, WebhookId,
};
use storage::Clock as _;
use storage::ambient::System;
use telemetry::Shutdown;
use webhook::{Secret, sign};

use crate::client::{checked, url};
use crate::key::ServerArgs;
use crate::out;

/// How often the server is asked.
const LOOK: Duration = Duration::from_millis(300);

/// After a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// `presswork listen`.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Post each event there too, signed, such as http://127.0.0.1:3000/hook
    #[arg(long, value_name = "URL", value_parser = url)]
    forward: Option<String>,
    /// Only these types, with commas between, such as job.succeeded,job.failed [default: all]
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = event_type)]
    events: Vec<EventType>,
    #[command(flatten)]
    to: ServerArgs,
}

fn event_type(text: &str) -> Result<EventType, String> {
    let known = EventType::ALL.iter().find(|kind| kind.as_str() == text);
    known.copied().ok_or_else(|| {
        let names: Vec<_> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// Listens until it is asked to stop; then its webhook goes.
pub(crate) async fn run(args: ListenArgs) -> anyhow::Result<()> {
    let shutdown = Shutdown::install()?.token();
    let server = Server::new(&args)?;
    let webhook = server.subscribe(args.events).await?;
    let secret = webhook
        .secret
        .clone()
        .context("a new webhook has a secret")?;
    let from = &args.to.server;
    let to = args
        .forward
        .as_ref()
        .map_or_else(String::new, |url| format!(" and forwards to {url}"));
    println!("listens to {from}{to}; signed with {secret}");
    let listening = server.listen(&webhook.id, &secret, args.forward.as_deref());
    let ended = tokio::select! {
        ended = listening => ended,
        () = shutdown.cancelled() => Ok(()),
    };
    server.unsubscribe(&webhook.id).await?;
    ended
}

struct Server {
    http: reqwest::Client,
    url: String,
    key: Option<HeaderValue>,
    clock: System,
}

impl Server {
    fn new(args: &ListenArgs) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            url: args.to.server.clone(),
            key: args.to.key.authorization()?,
            clock: System::new(),
        })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.header(AUTHORIZATION, key.clone()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let response = request.send().await;
        let response = response.with_context(|| format!("no server answers at {}", self.url))?;
        checked(response).await
    }

    async fn subscribe(&self, events: Vec<EventType>) -> anyhow::Result<Webhook> {
        let create = CreateWebhook {
            pull: true,
            events,
            description: Some("presswork listen".to_owned()),
            ..CreateWebhook::default()
        };
        let post = self.request(Method::POST, "/v1/webhooks").json(&create);
        let webhook = self.send(post).await?.json().await;
        webhook.context("the server's answer is not a webhook")
    }

    async fn unsubscribe(&self, id: &WebhookId) -> anyhow::Result<()> {
        let delete = self.request(Method::DELETE, &format!("/v1/webhooks/{id}"));
        let left = self.send(delete).await;
        left.with_context(|| format!("webhook {id} stays for a day"))?;
        Ok(())
    }

    async fn listen(
        &self,
        id: &WebhookId,
        secret: &str,
        forward: Option<&str>,
    ) -> anyhow::Result<()> {
        let secret = Secret::parse(secret).context("the server's secret cannot be read")?;
        let mut known = BTreeSet::new();
        loop {
            match self.unseen(id, &mut known).await {
                Ok(events) => {
                    for event in events {
                        let told = match forward {
                            Some(url) => self.forward(url, &event, &secret).await,
                            None => String::new(),
                        };
                        let (at, kind) = (event.created_at, event.kind.as_str());
                        println!("{at}  {kind}  {}  {told}", event.id);
                    }
                    if out::has_failed() {
                        return Ok(());
                    }
                    tokio::time::sleep(LOOK).await;
                }
                Err(e) => {
                    eprintln!("{e:#}; trying again");
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        }
    }

    /// Events that were not shown yet, oldest first.
    async fn unseen(
        &self,
        id: &WebhookId,
        known: &mut BTreeSet<EventId>,
    ) -> anyhow::Result<Vec<WebhookDelivery>> {
        let mut unseen = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/webhooks/{id}/deliveries?limit=100{cursor}");
            let page = self.send(self.request(Method::GET, &path)).await?;
            ensure!(
                page.status() == StatusCode::OK,
                "the server answered {}",
                page.status()
            );
            let page: DeliveryPage = page.json().await.context("the answer is no page")?;
            let count = page.deliveries.len();
            let fresh: Vec<_> = page
                .deliveries
                .into_iter()
                .filter(|event| !known.contains(&event.id))
                .collect();
            // Behind a page with something known there is nothing new.
            let all_new = fresh.len() == count;
            unseen.extend(fresh);
            match page.next_cursor.filter(|_| all_new) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        known.extend(unseen.iter().map(|event| event.id.clone()));
        unseen.reverse();
        Ok(unseen)
    }

    /// Posts an event as the server would, and says what came of it.
    async fn forward(&self, url: &str, event: &WebhookDelivery, secret: &Secret) -> String {
        let at = self.clock.now();
        let (id, body) = (event.id.as_str(), event.request_body.clone());
        let signature = sign(id, at, body.as_bytes(), std::slice::from_ref(secret));
        let post = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.as_second())
            .header("webhook-signature", signature)
            .body(body);
        match post.send().await {
            Ok(response) => format!("forwarded: {}", response.status().as_u16()),
            Err(e) if e.is_connect() => "not forwarded: nobody listens there".to_owned(),
            Err(_) => "not forwarded: no answer".to_owned(),
        }
    }
}
