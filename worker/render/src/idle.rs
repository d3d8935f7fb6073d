//! Work that threads leave for each other: caches that nobody uses right now.

use std::sync::{Mutex, PoisonError};

/// What is kept; renderings beyond that many at a time start with empty caches.
const MOST: usize = 16;

/// Idle caches of one kind. Each rendering takes one and gives it back.
#[derive(Default)]
pub(crate) struct Idle<T>(Mutex<Vec<T>>);

impl<T: Default> Idle<T> {
    /// A warm one if there is one, else an empty one.
    pub(crate) fn take(&self) -> T {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_default()
    }

    /// Keeps one for the next rendering.
    pub(crate) fn give_back(&self, cache: T) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST {
            idle.push(cache);
        }
    }
}
