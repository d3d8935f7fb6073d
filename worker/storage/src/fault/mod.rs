//! Faults on purpose: a decorator over any storage, decided by a seed or by a script.
//!
//! Each call of each operation is decided by the seed, the operation and how manieth call of it
//! this is, so that the order in which tasks happen to run changes nothing.

mod bench;
mod decide;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use crate::operation::Operation;
pub use bench::Bench;

use crate::Storage;
use crate::around::{Hook, around};
use crate::port::{Result, StorageError};

/// How many injected faults are remembered.
const HISTORY: usize = 10_000;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No effect, and the answer is [`StorageError::Unavailable`].
    Refuse,
    /// No effect, and the answer is [`StorageError::Throttled`].
    Throttle,
    /// The effect takes place, but the answer is lost: [`StorageError::Unavailable`].
    LoseAnswer,
    /// The call takes effect only after this time.
    Delay(Duration),
    /// The effect takes place at once, but the answer comes only after this time.
    DelayAnswer(Duration),
}

/// How often things go wrong: probabilities from 0 to 1, whose sum is at most 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Of [`Fault::Refuse`].
    pub refuse: f64,
    /// Of [`Fault::Throttle`].
    pub throttle: f64,
    /// Of [`Fault::LoseAnswer`].
    pub lose_answer: f64,
    /// Of [`Fault::Delay`].
    pub delay: f64,
    /// Of [`Fault::DelayAnswer`].
    pub delay_answer: f64,
    /// Delays are drawn from zero up to this.
    pub longest_delay: Duration,
}

/// A fault that was injected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// Into which operation.
    pub operation: Operation,
    /// Into how manieth call of it, from 1.
    pub call: u64,
    /// What went wrong.
    pub fault: Fault,
}

/// The switch of all faults of one decorated storage. Starts with none.
pub struct Faults {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    everywhere: Rates,
    rates: BTreeMap<Operation, Rates>,
    scripts: BTreeMap<(Operation, u64), Fault>,
    calls: BTreeMap<Operation, u64>,
    history: VecDeque<Injected>,
}

impl Faults {
    /// A switch whose decisions all follow from `seed`.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            seed,
            state: Mutex::default(),
        })
    }

    /// Decorates the three ports. [`Queue::wait`](crate::Queue::wait) is left alone: it promises
    /// nothing that could fail.
    pub fn over(self: &Arc<Self>, inner: Storage) -> Storage {
        around(inner, self.clone())
    }

    /// From now on every operation fails at these rates, but for those with rates of their own.
    pub fn set_all(&self, rates: Rates) {
        self.lock().everywhere = rates;
    }

    /// From now on this operation fails at these rates.
    pub fn set(&self, operation: Operation, rates: Rates) {
        self.lock().rates.insert(operation, rates);
    }

    /// The `nth` call of this operation from now on (1 is the next) meets this fault, whatever
    /// the rates are.
    pub fn script(&self, operation: Operation, nth: u64, fault: Fault) {
        let mut state = self.lock();
        let call = state.calls.get(&operation).copied().unwrap_or(0) + nth;
        state.scripts.insert((operation, call), fault);
    }

    /// From now on nothing goes wrong: rates and scripts are forgotten, counts and history stay.
    pub fn off(&self) {
        let mut state = self.lock();
        state.everywhere = Rates::default();
        state.rates.clear();
        state.scripts.clear();
    }

    /// How often an operation has been called, refused calls included.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.lock().calls.get(&operation).copied().unwrap_or(0)
    }

    /// The last 10,000 faults, oldest first.
    pub fn history(&self) -> Vec<Injected> {
        self.lock().history.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, operation: Operation) -> (u64, Option<Fault>) {
        let mut state = self.lock();
        let call = {
            let calls = state.calls.entry(operation).or_default();
            *calls += 1;
            *calls
        };
        let fault = state.scripts.remove(&(operation, call)).or_else(|| {
            let rates = state.rates.get(&operation).unwrap_or(&state.everywhere);
            decide::draw(self.seed, &operation.to_string(), call, rates)
        });
        if let Some(fault) = fault {
            if state.history.len() == HISTORY {
                state.history.pop_front();
            }
            state.history.push_back(Injected {
                operation,
                call,
                fault,
            });
        }
        (call, fault)
    }
}

impl Hook for Faults {
    /// Makes a call, with what is decided for it. A refused call is never begun.
    async fn around<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let (nth, fault) = self.decide(operation);
        let injected = |what: &str| {
            StorageError::unavailable(format!("injected fault: {operation}, call {nth}: {what}"))
        };
        match fault {
            None => call.await,
            Some(Fault::Refuse) => Err(injected("refused")),
            Some(Fault::Throttle) => Err(StorageError::Throttled { retry_after: None }),
            Some(Fault::LoseAnswer) => {
                // Whatever it was: nobody learns of it.
                let _ = call.await;
                Err(injected("answer lost"))
            }
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                call.await
            }
            Some(Fault::DelayAnswer(time)) => {
                let answer = call.await;
                tokio::time::sleep(time).await;
                answer
            }
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
