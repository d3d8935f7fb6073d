//! The budget of a day: the bound on what goes beyond it, several workers, days and crashes.

use std::sync::atomic::{AtomicU64, Ordering};

use storage::Storage;
use storage::ambient::Manual;
use storage::embedded::Store;
use storage::fault::{Fault, Faults, Operation};
use storage::names::TableName;

use super::*;

/// 2026-11-21, ten seconds before it ends.
const LATE: i64 = 1_795_305_590_000;

fn clock(millis: i64) -> Arc<Manual> {
    Arc::new(Manual::at(Timestamp::from_millisecond(millis).unwrap()))
}

#[derive(Debug, Default)]
struct Steps(AtomicU64);

impl Entropy for Steps {
    fn fill(&self, buffer: &mut [u8]) {
        let step = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (at, byte) in buffer.iter_mut().enumerate() {
            *byte = step[at % 8].wrapping_mul(91).wrapping_add(3);
        }
    }
}

struct Bench {
    clock: Arc<Manual>,
    entropy: Arc<Steps>,
    storage: Storage,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = clock(LATE);
        let entropy = Arc::new(Steps::default());
        let store = Store::open(dir.path(), clock.clone(), entropy.clone()).unwrap();
        Self {
            clock,
            entropy,
            storage: store.storage(),
            _dir: dir,
        }
    }

    fn worker(&self, limits: &config::Budget) -> Arc<Daily> {
        let (clock, entropy) = (self.clock.clone(), self.entropy.clone());
        let table = self.storage.table.clone();
        Arc::new(Daily::new(limits.clone(), table, clock, entropy))
    }
}

fn limits(daily: Option<u64>, tenant: Option<u64>) -> config::Budget {
    config::Budget {
        daily_usd: daily,
        tenant_daily_usd: tenant,
        tenants: BTreeMap::from([("rich".to_owned(), 1_000_000)]),
        look_again: Duration::from_secs(4),
    }
}

fn tenant(name: &str) -> Tenant {
    Tenant::from_claim(name)
}

async fn granted(daily: &Arc<Daily>, name: &str, estimate: u64) -> Option<Reservation> {
    match daily.take(&tenant(name), estimate).await.unwrap() {
        Answer::Granted(reservation) => Some(reservation),
        Answer::Over { .. } => None,
    }
}

async fn reason(daily: &Arc<Daily>, name: &str) -> Option<WaitReason> {
    match daily.take(&tenant(name), 0).await.unwrap() {
        Answer::Granted(_) => None,
        Answer::Over { waiting, .. } => Some(waiting.reason),
    }
}

/// Waits for what [`Reservation::settle`] writes beside.
async fn settled(daily: &Arc<Daily>) {
    while daily.state().own.values().any(|own| own.dirty) {
        tokio::task::yield_now().await;
        let _turn = daily.round.lock().await;
    }
}

#[tokio::test]
async fn what_goes_beyond_is_at_most_the_calls_that_are_out() {
    let bench = Bench::new();
    let limits = limits(Some(10_000), None);
    let workers = [bench.worker(&limits), bench.worker(&limits)];
    // 200 jobs ask together. Calls are estimated at 100 and cost 130.
    let asks = (0..200).map(|n| {
        let daily = workers[n % 2].clone();
        tokio::spawn(async move { granted(&daily, "acme", 100).await })
    });
    let mut out = Vec::new();
    for ask in asks.collect::<Vec<_>>() {
        out.extend(ask.await.unwrap());
    }
    // Two workers may each see what was left before the other wrote: 45 questions a round.
    let calls = out.len();
    assert!((100..=145).contains(&calls), "{calls}");
    for reservation in out {
        reservation.settle(Some(130));
    }
    for daily in &workers {
        settled(daily).await;
        assert_eq!(reason(daily, "acme").await, Some(WaitReason::DailyBudget));
    }
    let day = day_of(bench.clock.now());
    let all = spend::of_others(&*bench.storage.table, day, ALL, "nobody").await;
    let all = all.unwrap().value;
    assert_eq!((all.spent, all.reserved), (calls as u64 * 130, 0));
}

#[tokio::test]
async fn a_tenant_has_its_own_budget() {
    let bench = Bench::new();
    let daily = bench.worker(&limits(None, Some(50)));
    granted(&daily, "acme", 50).await.unwrap().settle(Some(50));
    let over = Some(WaitReason::TenantDailyBudget);
    assert_eq!(reason(&daily, "acme").await, over);
    assert_eq!(reason(&daily, "beta").await, None);
    granted(&daily, "rich", 999_999).await.unwrap().settle(None);
    assert_eq!(reason(&daily, "rich").await, None);
}

#[tokio::test]
async fn what_was_not_used_comes_back_and_what_a_dead_worker_reserved_does_not() {
    let bench = Bench::new();
    let limits = limits(Some(100), None);
    let daily = bench.worker(&limits);
    let refused = granted(&daily, "acme", 100).await.unwrap();
    assert!(granted(&daily, "acme", 1).await.is_none());
    refused.settle(Some(0));
    let lost = granted(&daily, "acme", 100).await.unwrap();
    // The worker dies while the call is out; another one sees what it had reserved.
    drop(lost);
    let other = bench.worker(&limits);
    assert!(granted(&other, "acme", 1).await.is_none());
}

#[tokio::test]
async fn the_day_turns_by_the_tables_clock() {
    let bench = Bench::new();
    let daily = bench.worker(&limits(Some(100), None));
    let out = granted(&daily, "acme", 100).await.unwrap();
    let Answer::Over { after, waiting } = daily.take(&tenant("acme"), 1).await.unwrap() else {
        panic!("nothing is left");
    };
    assert_eq!(waiting.until.to_string(), "2026-11-22T00:00:00Z");
    let look = Duration::from_secs(4);
    assert!((look / 2..=look).contains(&after), "{after:?}");
    // Shortly before midnight, the wait is for midnight.
    bench.clock.pass(Duration::from_secs(9));
    let Answer::Over { after, .. } = daily.take(&tenant("acme"), 1).await.unwrap() else {
        panic!("nothing is left");
    };
    assert!(after >= Duration::from_secs(1), "{after:?}");
    bench.clock.pass(Duration::from_secs(1));
    let today = granted(&daily, "acme", 10).await.unwrap();
    // Yesterday's call counts for yesterday.
    out.settle(Some(500));
    settled(&daily).await;
    assert_eq!(reason(&daily, "acme").await, None);
    today.settle(Some(100));
    assert_eq!(reason(&daily, "acme").await, Some(WaitReason::DailyBudget));
}

#[tokio::test]
async fn a_worker_whose_clock_is_ahead_spends_of_the_tables_day() {
    let bench = Bench::new();
    let limits = limits(Some(100), None);
    let _out = granted(&bench.worker(&limits), "acme", 100).await.unwrap();
    let ahead = clock(LATE + 600_000);
    let (table, entropy) = (bench.storage.table.clone(), bench.entropy.clone());
    let other = Arc::new(Daily::new(limits, table, ahead, entropy));
    let over = Some(WaitReason::DailyBudget);
    assert_eq!(reason(&other, "acme").await, over);
}

#[tokio::test]
async fn a_budget_of_nothing_stops_everything() {
    let bench = Bench::new();
    let daily = bench.worker(&limits(Some(0), None));
    assert_eq!(reason(&daily, "acme").await, Some(WaitReason::DailyBudget));
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_counts_nothing_twice() {
    let mut bench = Bench::new();
    let faults = Faults::new(7);
    bench.storage = faults.over(bench.storage);
    let daily = bench.worker(&limits(Some(1_000), None));
    granted(&daily, "acme", 100)
        .await
        .unwrap()
        .settle(Some(100));
    settled(&daily).await;
    for fault in [Fault::LoseAnswer, Fault::Refuse] {
        faults.script(Operation::Write(TableName::Tenants), 1, fault);
        assert!(daily.take(&tenant("acme"), 50).await.is_err(), "{fault:?}");
    }
    granted(&daily, "acme", 200)
        .await
        .unwrap()
        .settle(Some(300));
    settled(&daily).await;
    let day = day_of(bench.clock.now());
    let all = spend::of_others(&*bench.storage.table, day, ALL, "nobody").await;
    let all = all.unwrap().value;
    assert_eq!((all.spent, all.reserved), (400, 0));
}
