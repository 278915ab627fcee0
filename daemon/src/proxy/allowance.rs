//! What the requests of all sessions may take together.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes that are left of a common allowance. They only bound memory, so relaxed ordering is enough.
#[derive(Debug)]
pub struct Allowance(AtomicUsize);

impl Allowance {
    /// All of it is left.
    pub const fn new(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    /// How much is left.
    pub fn left(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Takes these bytes, if so many are left. They are to be given back.
    #[must_use]
    pub fn take(&self, bytes: usize) -> bool {
        self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    /// Returns bytes that were taken.
    pub fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Relaxed);
    }
}
