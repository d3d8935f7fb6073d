//! Who wants to hear of a job before it ends: remembered for a moment, so that jobs of tenants who
//! do not care cost nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schemas::event::Event;
use schemas::webhook::EventType;
use schemas::{JobId, Tenant};

use super::WebhookStore;
use crate::Clock;
use crate::port::Result;

/// How long an answer counts. Who subscribes meanwhile hears of the beginnings with the end.
const FRESH: Duration = Duration::from_secs(5);

/// Tenants that are remembered at once.
const MOST: usize = 10_000;

/// What tenants want to hear of, as it was a moment ago. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Interest {
    store: WebhookStore,
    clock: Arc<dyn Clock>,
    known: Arc<Mutex<BTreeMap<Tenant, Known>>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    until: Duration,
    queued: bool,
    running: bool,
}

impl Interest {
    /// An empty memory over a store.
    pub fn new(store: WebhookStore, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            known: Arc::default(),
        }
    }

    /// Puts a hint on the queue `notifications` that a job was accepted ([`EventType::JobQueued`])
    /// or begun ([`EventType::JobRunning`]), if its tenant wants to know. One query for a tenant
    /// every five seconds, and one message where somebody wants it.
    pub async fn hint(&self, tenant: &Tenant, job: JobId, kind: EventType) -> Result<()> {
        let known = self.known(tenant).await?;
        let wanted = match kind {
            EventType::JobQueued => known.queued,
            EventType::JobRunning => known.running,
            _ => false,
        };
        if !wanted {
            return Ok(());
        }
        let jobs = &self.store.jobs;
        let subject = format!("/tenants/{tenant}/jobs/{job}");
        let now = self.store.clock.now();
        let event = jobs.event(Event::JOB_CHANGED, subject, now);
        jobs.notify(&event).await
    }

    async fn known(&self, tenant: &Tenant) -> Result<Known> {
        let now = self.clock.monotonic();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.get(tenant).filter(|known| known.until > now) {
                return Ok(*known);
            }
        }
        let webhooks = self.store.all(tenant).await?;
        let wants = |kind| {
            webhooks.iter().any(|webhook| {
                webhook.disabled.is_none()
                    && (webhook.events.is_empty() || webhook.events.contains(&kind))
            })
        };
        let fresh = Known {
            until: now + FRESH,
            queued: wants(EventType::JobQueued),
            running: wants(EventType::JobRunning),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, known| known.until > now);
        }
        if known.len() < MOST {
            known.insert(tenant.clone(), fresh);
        }
        Ok(fresh)
    }
}
