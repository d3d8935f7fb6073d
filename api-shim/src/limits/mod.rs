//! How much callers may ask for: requests in a time, and jobs that are not final.
//!
//! Requests go through a bucket of this process, which costs no storage. What it let through is
//! added to the bucket that all replicas share, every `limits.sync`, and the sum of all becomes
//! the state of the own one. So `N` replicas together may let through at most `N` bursts, and `N`
//! times what the rate allows in one `limits.sync`, before they know of each other; then they
//! refuse until that is made up for, and over a longer time the rate holds exactly.
//!
//! Storage that does not answer loosens the limits to those of each replica; it refuses nobody.

mod address;
mod bucket;
mod jobs;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{Allowance, Limited, Rate};
use futures::StreamExt as _;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use schemas::{ProblemKind, Tenant};
use storage::keys::Tier;
use storage::quota::Quotas;
use storage::{Clock, Table};

use crate::caller::{Caller, Who};
use crate::identity::{Admission, Strangers};
use crate::problem::{Failure, chain, whole_seconds};
use bucket::{Bucket, Verdict};
use jobs::{OpenJobs, Taken};

/// Of each address without a credential, where nothing else is configured.
const STRANGER: &str = "60/minute";

/// Most buckets that are kept; each takes about 200 bytes. Full ones go first.
const MOST: usize = 50_000;

/// Buckets that are added to the shared ones at once.
const AT_ONCE: usize = 8;

/// Least time between two sweeps of the shared buckets, and how long one must have been full.
const SWEPT_EVERY: Duration = Duration::from_mins(15);
const FULL_SINCE: Duration = Duration::from_hours(1);

/// The limits of this process.
pub(crate) struct Limits {
    strangers: Option<Rate>,
    unnamed: Option<Rate>,
    tiers: [Option<Rate>; 4],
    hops: u8,
    sync: Duration,
    quotas: Quotas,
    jobs: OpenJobs,
    clock: Arc<dyn Clock>,
    buckets: Mutex<HashMap<String, Bucket>>,
    is_syncing: AtomicBool,
    swept_at: Mutex<Option<Duration>>,
}

/// A request that may go on, and what its answer tells of the limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed(Option<(Rate, Verdict)>);

impl Limits {
    pub(crate) fn new(
        settings: &Admission,
        table: Arc<dyn Table>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let limits = &settings.limits;
        let is_on = limits.enabled != Limited::Off;
        let rate = |allowance: Allowance| match allowance {
            Allowance::Rate(rate) if is_on => Some(rate),
            _ => None,
        };
        // Whoever sits at this machine needs no limit, unless somebody asked for one.
        let at_home = limits.enabled == Limited::Auto && settings.strangers == Strangers::Local;
        let strangers = match limits.anonymous {
            Some(allowance) => rate(allowance),
            None if at_home => None,
            None => rate(config::Allowance::parse(STRANGER).expect("the text above is a rate")),
        };
        let mut jobs = limits.jobs.clone();
        if !is_on {
            jobs.clear();
        } else if at_home && limits.anonymous.is_none() {
            jobs.remove("anonymous");
        }
        let quotas = Quotas::new(table);
        Arc::new(Self {
            strangers,
            unnamed: rate(limits.authenticated.unwrap_or(limits.free)),
            tiers: [limits.free, limits.basic, limits.pro, limits.enterprise].map(rate),
            hops: limits.proxy_hops,
            sync: limits.sync,
            jobs: OpenJobs::new(jobs, quotas.clone(), clock.clone()),
            quotas,
            clock,
            buckets: Mutex::default(),
            is_syncing: AtomicBool::new(false),
            swept_at: Mutex::default(),
        })
    }

    /// Takes one request out of its caller's bucket; a failure is a `429`.
    ///
    /// A tenant has one bucket for each tier of its credentials, however many of these it has.
    pub(crate) fn take(
        self: &Arc<Self>,
        caller: &Caller,
        peer: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Result<Passed, Failure> {
        let (rate, name) = match (&caller.who, caller.tier) {
            (Who::Anonymous, _) => (self.strangers, None),
            (_, None) => (self.unnamed, Some("token")),
            (_, Some(tier)) => (self.tiers[tier as usize], Some(tier.as_str())),
        };
        self.jobs.know(&caller.tenant, class(caller));
        let Some(rate) = rate else {
            return Ok(Passed(None));
        };
        let name = match name {
            Some(class) => format!("t~{}~{class}", caller.tenant),
            None => format!("a~{}", address::of_caller(peer, headers, self.hops)),
        };
        let now = self.clock.monotonic();
        let verdict = {
            let mut buckets = self.buckets();
            if buckets.len() >= MOST {
                make_room(&mut buckets, now);
            }
            buckets.entry(name).or_default().take(rate, now)
        };
        if !verdict.passes {
            return Err(refused(rate, verdict));
        }
        if !self.sync.is_zero() && !self.is_syncing.swap(true, Ordering::AcqRel) {
            tokio::spawn(self.clone().share());
        }
        Ok(Passed(Some((rate, verdict))))
    }

    /// Takes one job more into account, unless its tenant has too many; a failure is a `429`. The
    /// limit is that of the tenant's last request. What is given is to be kept until the job is
    /// stored.
    pub(crate) async fn take_job(&self, tenant: &Tenant) -> Result<Taken<'_>, Failure> {
        self.jobs.take(tenant).await
    }

    /// Shares what was let through until nothing is left to share.
    async fn share(self: Arc<Self>) {
        loop {
            let used: Vec<(String, Duration)> = {
                let mut buckets = self.buckets();
                let used = buckets.iter_mut();
                used.filter_map(|(name, bucket)| Some((name.clone(), bucket.unshared()?)))
                    .collect()
            };
            if used.is_empty() {
                self.is_syncing.store(false, Ordering::Release);
                // Somebody may have come in between.
                let more = self.buckets().values().any(Bucket::has_unshared);
                if !more || self.is_syncing.swap(true, Ordering::AcqRel) {
                    return;
                }
                continue;
            }
            let adds = used.into_iter().map(|(name, used)| self.add(name, used));
            let adds = futures::stream::iter(adds).buffer_unordered(AT_ONCE);
            adds.for_each(|()| std::future::ready(())).await;
            self.sweep().await;
            tokio::time::sleep(self.sync).await;
        }
    }

    async fn add(&self, name: String, used: Duration) {
        let added = self.quotas.add(&name, used, self.clock.now()).await;
        let now = self.clock.monotonic();
        let mut buckets = self.buckets();
        let Some(bucket) = buckets.get_mut(&name) else {
            return;
        };
        match added {
            Ok(taken) => bucket.learn(taken, now),
            Err(e) => {
                bucket.give_back(used);
                tracing::debug!("a limit is not shared with other replicas: {}", chain(&e));
            }
        }
    }

    async fn sweep(&self) {
        let now = self.clock.monotonic();
        {
            let mut swept = self.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
            let last = *swept.get_or_insert(now);
            if now.saturating_sub(last) < SWEPT_EVERY {
                return;
            }
            *swept = Some(now);
        }
        if let Err(e) = self.quotas.sweep(self.clock.now() - FULL_SINCE).await {
            tracing::debug!("old limits are not swept: {}", chain(&e));
        }
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the buckets that are full again; if a flood of addresses leaves none such, all that have
/// been shared.
fn make_room(buckets: &mut HashMap<String, Bucket>, now: Duration) {
    buckets.retain(|_, bucket| bucket.has_unshared() || !bucket.is_full(now));
    if buckets.len() >= MOST {
        buckets.retain(|_, bucket| bucket.has_unshared());
    }
    if buckets.len() >= MOST {
        buckets.clear();
    }
}

fn refused(rate: Rate, verdict: Verdict) -> Failure {
    let detail = format!(
        "You may send {}. Wait for the time that Retry-After names.",
        Allowance::Rate(rate)
    );
    let mut failure =
        Failure::new(ProblemKind::TooManyRequests, detail).retry_after(verdict.retry_after);
    for (name, value) in fields(rate, verdict) {
        failure = failure.with_header(name, value);
    }
    failure
}

impl Passed {
    /// Tells the caller where the limit stands.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        if let Some((rate, verdict)) = self.0 {
            headers.extend(fields(rate, verdict));
        }
    }
}

/// The fields of draft-ietf-httpapi-ratelimit-headers-06, the last one with a field for each.
fn fields(rate: Rate, verdict: Verdict) -> [(HeaderName, HeaderValue); 4] {
    let policy = format!(
        "{};w={};burst={}",
        rate.count,
        rate.per.as_secs(),
        rate.burst
    );
    let policy = HeaderValue::try_from(policy).expect("it is printable ASCII");
    let reset = if verdict.full_in.is_zero() {
        0
    } else {
        whole_seconds(verdict.full_in)
    };
    [
        (
            HeaderName::from_static("ratelimit-limit"),
            rate.burst.get().into(),
        ),
        (
            HeaderName::from_static("ratelimit-remaining"),
            verdict.remaining.into(),
        ),
        (HeaderName::from_static("ratelimit-reset"), reset.into()),
        (HeaderName::from_static("ratelimit-policy"), policy),
    ]
}

/// The name of a caller's class in `limits.jobs`.
fn class(caller: &Caller) -> &'static str {
    match caller.who {
        Who::Anonymous => "anonymous",
        _ => caller.tier.unwrap_or(Tier::Free).as_str(),
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}
