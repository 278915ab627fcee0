//! Removing footprints: never two at once, never for no reason, never forgotten.

use claudectl_core::{event::Event, footprint::Removed};

use crate::world::World;

/// What is known of removals of footprints.
#[derive(Debug, Default)]
pub(crate) struct Removal {
    /// Whether they are being removed now.
    pub(crate) running: bool,
    /// Whether the next daemon would know.
    pub(crate) noted: bool,
    /// Whether there is a reason to do so (anew).
    pub(crate) due: bool,
}

impl World {
    pub(crate) fn begin_removal(&mut self) {
        assert!(!self.removal.running, "two removals at once");
        assert!(self.policy.footprints, "the configuration does not say so");
        assert!(std::mem::take(&mut self.removal.due), "removed for no reason");
        (self.removal.running, self.removal.noted) = (true, false);
    }

    pub(crate) fn footprints_noted(&mut self) {
        if self.removal.running {
            self.removal.noted = true;
            self.feed(Event::FootprintsNoted);
        }
    }

    pub(crate) fn footprints_removed(&mut self) {
        self.footprints_noted();
        if std::mem::take(&mut self.removal.running) {
            self.feed(Event::FootprintsRemoved { outcome: Ok(Removed::default()) });
            // What the configuration has switched off meanwhile is not done any more.
            self.removal.due &= self.policy.footprints;
            assert!(!self.removal.due, "a purge meanwhile is forgotten");
        }
    }

    /// What an earlier daemon did not get to the end of, the next one begins anew.
    pub(crate) fn finish_removal_of_before(&mut self) {
        (self.removal.due, self.removal.running) = (self.removal.running && self.policy.footprints, false);
        let is_owed = self.removal.due;
        if is_owed {
            self.feed(Event::FootprintsOwed);
            assert!(self.removal.running, "what is owed is forgotten");
        }
    }
}
