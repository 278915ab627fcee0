//! One purge of a user at a time, and one that is killed is finished by the next: the guard's and
//! `claudectl purge` use the same lock and the same journal.

use std::path::Path;

use claudectl_footprint::{plan::FileStep, purge::Journal};
use claudectl_platform::permissions::{LockError, LockFile, private_directory};

use super::look::View;

/// The right to change files.
pub(super) struct Alone {
    journal: Journal,
    _lock: LockFile,
}

impl Alone {
    /// Finishes what a killed purge had begun, and notes what is about to be done.
    ///
    /// # Errors
    /// Why nothing may be changed now, as a sentence.
    pub(super) fn begin(view: &View, steps: &[FileStep]) -> Result<Self, String> {
        let refused = |why: &dyn std::fmt::Display| format!("nothing was done: {why}");
        let state = view.state.as_deref().ok_or_else(|| refused(&"there is no directory for its journal"))?;
        let lock = lock(state).map_err(|why| refused(&why))?;
        let journal = Journal::within(state);
        journal.finish(&view.key).and_then(|()| journal.begin(steps)).map_err(|why| refused(&why))?;
        Ok(Self { journal, _lock: lock })
    }

    /// Everything that was noted is done.
    pub(super) fn end(self) {
        if let Err(why) = self.journal.end() {
            // The next purge finds nothing left to finish, and removes it.
            tracing::warn!("the journal of the guard stays: {why}");
        }
    }
}

fn lock(state: &Path) -> Result<LockFile, String> {
    private_directory(state).map_err(|why| why.to_string())?;
    let own = std::process::id().to_string();
    LockFile::acquire(&state.join("purge.lock"), &own).map_err(|error| match error {
        LockError::Held { content } => format!("another purge runs (pid {content})"),
        other => other.to_string(),
    })
}
