//! What was there before, so that only what appears is told.

use std::{collections::BTreeSet, path::PathBuf};

use claudectl_footprint::{Finding, Location, finding::Fingerprint, scan::Lookout};

/// One credential in one file. The fingerprint's key lives no longer than the guard.
type Copy = (PathBuf, Fingerprint);

/// One credential in one variable.
type Held = (String, Fingerprint);

/// Copies that were there before the guard, or before it knew of their place.
#[derive(Debug)]
pub(super) struct Seen {
    before: BTreeSet<Copy>,
    started_at: i64,
    /// In variables; `None` before the first look at them.
    held: Option<BTreeSet<Held>>,
}

impl Seen {
    /// Nothing is known of what was there at this time, in seconds since the Unix epoch.
    pub(super) fn since(started_at: i64) -> Self {
        Self { before: BTreeSet::new(), started_at, held: None }
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

    /// The same for variables: what the first look finds was there before.
    pub(super) fn appeared_in_variables(&mut self, found: Vec<Finding>) -> Vec<Finding> {
        let there: BTreeSet<Held> = found.iter().filter_map(held).collect();
        let held_before = self.held.get_or_insert_with(|| there.clone());
        held_before.retain(|variable| there.contains(variable));
        let is_new = |finding: &Finding| held(finding).is_some_and(|held| !held_before.contains(&held));
        found.into_iter().filter(is_new).collect()
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

fn held(finding: &Finding) -> Option<Held> {
    match &finding.location {
        Location::Variable { name, .. } => Some((name.clone(), finding.fingerprint)),
        _ => None,
    }
}

fn copy(finding: &Finding) -> Option<Copy> {
    match &finding.location {
        Location::Stored(stored) => Some((stored.path.clone(), finding.fingerprint)),
        _ => None,
    }
}
