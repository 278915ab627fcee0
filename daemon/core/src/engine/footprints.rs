//! When what other programs left goes, too: whenever an event purges accounts by policy, and the
//! configuration says `footprints`. One removal at a time.

use super::Engine;
use crate::{
    effect::Effect,
    footprint::{Removal, Removed},
    ids::AccountName,
    policy::reactions::{Reaction, Trigger},
    sentence::Cause,
    time::Now,
};

/// What is known of the removals.
#[derive(Debug, Default)]
pub(super) struct Footprints {
    /// Why one is being carried out.
    pub(super) running: Option<Cause>,
    /// Whether the next daemon would know of it.
    noted: bool,
    /// Why another one has to follow: what it has looked at already may have changed since.
    again: Option<Cause>,
    /// The last one that is over.
    pub(super) last: Option<Removal>,
}

impl Footprints {
    /// Whether nothing is lost if this daemon gets no further.
    pub(super) fn are_noted(&self) -> bool {
        self.running.is_none() || self.noted
    }
}

impl Engine {
    /// Whether a trigger purges in general, whoever is logged in, or one of the accounts that are.
    pub(super) fn purges(&self, trigger: Trigger) -> bool {
        let in_general = self.policy.reactions.in_general(trigger) == Reaction::Purge;
        in_general || self.purges_one_of(trigger, self.accounts.keys())
    }

    /// Whether a trigger purges one of these accounts.
    pub(super) fn purges_one_of<'a>(
        &self,
        trigger: Trigger,
        mut names: impl Iterator<Item = &'a AccountName>,
    ) -> bool {
        names.any(|name| self.policy.reactions.to(trigger, name) == Reaction::Purge)
    }

    /// Removes them, if the configuration says so.
    pub(super) fn remove_footprints(&mut self, cause: Cause) -> Vec<Effect> {
        if !self.policy.footprints {
            return Vec::new();
        }
        if self.footprints.running.is_some() {
            self.footprints.again = Some(cause);
            return Vec::new();
        }
        (self.footprints.running, self.footprints.noted) = (Some(cause), false);
        vec![Effect::RemoveFootprints { cause }]
    }

    pub(super) fn footprints_noted(&mut self) -> Vec<Effect> {
        self.footprints.noted = true;
        Vec::new()
    }

    pub(super) fn footprints_removed(&mut self, outcome: Result<Removed, String>, now: Now) -> Vec<Effect> {
        let Some(cause) = self.footprints.running.take() else { return Vec::new() };
        self.footprints.last = Some(Removal { cause, at: now.wall, outcome });
        let again = self.footprints.again.take().filter(|_| !self.stopping);
        again.map(|cause| self.remove_footprints(cause)).unwrap_or_default()
    }

    /// The last removal that is over.
    pub fn removal(&self) -> Option<&Removal> {
        self.footprints.last.as_ref()
    }
}
