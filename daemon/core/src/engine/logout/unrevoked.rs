//! Tokens that the server did not revoke, or not in time.

use super::{Departure, HASTY_REVOCATION, UNREVOKED};
use crate::{
    credential::Part,
    effect::Effect,
    engine::{Engine, wipe},
    error::Refusal,
    event::Revocation,
    ids::AccountName,
    time::Now,
};

impl Engine {
    /// The next receipt of the account names the tokens that the server did not revoke.
    pub(super) fn note_unrevoked(&mut self, name: AccountName, revocations: Vec<Revocation>) {
        let failed = revocations.into_iter().filter(|revocation| revocation.outcome.is_err());
        let unrevoked = self.unrevoked.entry(name).or_default();
        unrevoked.extend(failed.take(UNREVOKED.saturating_sub(unrevoked.len())));
    }

    /// Earlier tokens of an account are not known to be revoked.
    pub(in crate::engine) fn note_valid(&mut self, name: &AccountName, why: String) {
        let Some(account) = self.accounts.get(name) else { return };
        let endpoint = account.authority.clone().unwrap_or_default();
        let revocation = Revocation { part: Part::Refresh, endpoint, outcome: Err(why) };
        self.note_unrevoked(name.clone(), vec![revocation]);
    }

    /// The machine is about to sleep or to stop: whatever needs tokens in memory is over soon.
    pub(in crate::engine) fn hurry(&mut self, now: Now) {
        let needs = |departure: &Departure| departure.is_loading || !departure.revoking.is_empty();
        let is_needed = self.leaving().any(|departure| needs(departure)) || !self.discarded.is_empty();
        self.cut_off_at = is_needed.then(|| now.since_boot.saturating_add(HASTY_REVOCATION));
    }

    /// Wipes what revocations still hold when the machine does not wait any longer.
    pub(in crate::engine) fn cut_off(&mut self, now: Now) -> Vec<Effect> {
        if self.cut_off_at.is_none_or(|at| now.since_boot < at) {
            return Vec::new();
        }
        self.cut_off_at = None;
        let why = || "the machine did not wait until the server answered".to_owned();
        let mut effects = Vec::new();
        let mut unread = Vec::new();
        for departure in self.leaving() {
            if departure.is_loading {
                unread.push((departure.account.name.clone(), departure.account.generation));
            }
            for secret in std::mem::take(&mut departure.revoking) {
                departure.note_not_revoked(Part::Refresh, why());
                effects.push(wipe(secret));
            }
        }
        for (name, generation) in unread {
            let outcome = Err(Refusal::Resource(why()));
            effects.extend(self.departing_loaded(&name, generation, outcome, now));
        }
        for (secret, of) in std::mem::take(&mut self.discarded) {
            effects.push(wipe(secret));
            if let Some(name) = of {
                self.note_valid(&name, why());
            }
        }
        effects
    }
}
