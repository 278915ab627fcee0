//! What was there before, so that only what appears is told.

use std::{collections::BTreeSet, path::PathBuf};

use claudectl_footprint::{Finding, Location, finding::Fingerprint, scan::Lookout};

/// One credential in one file. The fingerprint's key lives no longer than the guard.
type Copy = (PathBuf, Fingerprint);

/// Copies that were there before the guard, or before it knew of their place.
#[derive(Debug)]
pub(super) struct Seen {
    before: BTreeSet<Copy>,
    started_at: i64,
}

impl Seen {
    /// Nothing is known of what was there at this time, in seconds since the Unix epoch.
    pub(super) fn since(started_at: i64) -> Self {
        Self { before: BTreeSet::new(), started_at }
    }

    /// What of it appeared since, in a place that was `watched` or in a file that was written since. The rest
    /// was there before, and stays so until it is gone, which only `complete` findings tell.
    pub(super) fn appeared(
        &mut self,
        found: Vec<Finding>,
        watched: &Lookout,
        complete: bool,
    ) -> Vec<Finding> {
        if complete {
            let there: BTreeSet<Copy> = found.iter().filter_map(copy).collect();
            self.before.retain(|copy| there.contains(copy));
        }
        found.into_iter().filter(|finding| self.is_new(finding, watched)).collect()
    }

    fn is_new(&mut self, finding: &Finding, watched: &Lookout) -> bool {
        let Some(copy) = copy(finding).filter(|copy| !self.before.contains(copy)) else { return false };
        let is_fresh = finding.changed_at.is_some_and(|at| at >= self.started_at);
        let is_new = is_fresh || watched.matters(&copy.0);
        if !is_new {
            self.before.insert(copy);
        }
        is_new
    }
}

fn copy(finding: &Finding) -> Option<Copy> {
    match &finding.location {
        Location::Stored(stored) => Some((stored.path.clone(), finding.fingerprint)),
        _ => None,
    }
}
