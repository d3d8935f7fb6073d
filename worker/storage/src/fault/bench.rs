//! A store for one test: its time stands still, and its calls can be made to fail.

use std::sync::Arc;

use super::Faults;
use crate::ambient::{Manual, System};
use crate::embedded::Store;
use crate::{Clock, Entropy, Storage};

/// An embedded store in a directory of its own, which is gone when this is dropped.
#[derive(Debug)]
pub struct Bench {
    /// The store, with faults.
    pub storage: Storage,
    /// The same without.
    pub plain: Storage,
    /// The switch of the faults: none at first.
    pub faults: Arc<Faults>,
    /// It is the 21st of November 2026, 10 o'clock, until the test says otherwise.
    pub clock: Arc<Manual>,
    _dir: tempfile::TempDir,
}

impl Bench {
    /// A new one, empty.
    ///
    /// # Panics
    /// If there is no directory for it.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let start = "2026-11-21T10:00:00Z".parse().expect("it is RFC 3339");
        let clock = Arc::new(Manual::at(start));
        let store = Store::open(dir.path(), clock.clone(), Arc::new(System::new()))
            .expect("a new store can be opened");
        let faults = Faults::new(1);
        let plain = store.storage();
        Self {
            storage: faults.over(plain.clone()),
            plain,
            faults,
            clock,
            _dir: dir,
        }
    }

    /// Its clock, and chance.
    pub fn ambient(&self) -> (Arc<dyn Clock>, Arc<dyn Entropy>) {
        (self.clock.clone(), Arc::new(System::new()))
    }
}
