//! Sealing: wiped from memory, kept in the keyring, sessions frozen; and back.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Engine, answer,
    keyring::Entry,
    refuse, renewal,
    session::{rejection, usable},
    wipe,
};
use crate::{
    account::{Account, Expiry, Holding, Kept, Renewal},
    command::Selection,
    effect::{Answer, Effect},
    error::Refusal,
    event::Loaded,
    ids::{AccountName, Generation, RequestId},
    policy,
    sentence::Cause,
    time::Now,
};

/// An unseal that still waits for the keyring.
#[derive(Debug)]
pub(super) struct Unseal {
    pub(super) request: RequestId,
    accounts: Vec<AccountName>,
    waiting: BTreeSet<AccountName>,
    failed: Option<Refusal>,
}

impl Engine {
    pub(super) fn seal_asked(&mut self, request: RequestId, selection: Selection, now: Now) -> Vec<Effect> {
        let all = selection == Selection::All;
        let accounts = match self.selected(selection) {
            Ok(accounts) => accounts,
            Err(why) => return refuse(request, why),
        };
        // With `all`, what cannot be sealed is left alone; by name, it is an error before anything happens.
        if let Some(other) = accounts.iter().find(|account| !account.kept && !all) {
            return refuse(request, Refusal::NotKept(other.name.clone()));
        }
        let names: Vec<_> =
            accounts.into_iter().filter(|account| account.kept).map(|account| account.name).collect();
        let mut effects: Vec<_> = names.iter().flat_map(|name| self.seal(name, Cause::Asked, now)).collect();
        let accounts = names.iter().filter_map(|name| self.accounts.get(name)).cloned().collect();
        effects.extend(answer(request, Answer::Sealed { accounts }));
        effects
    }

    /// Freezes the sessions of a kept account, then wipes it from memory.
    pub(super) fn seal(&mut self, name: &AccountName, cause: Cause, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.accounts.get(name).is_some_and(|account| account.secret().is_some()) {
            // Its copy may be out of date, or have given way to a login that is not finished.
            effects.extend(self.settle_entry(name, now));
        }
        let generation = self.next_generation();
        let Some(account) = self.accounts.get_mut(name).filter(|account| account.kept) else {
            return effects;
        };
        match account.holding {
            Holding::Held { secret } => {
                account.holding = Holding::Sealed { since: now.wall, cause, loading: false };
                account.generation = generation;
                account.is_waiting = false;
                let account = account.clone();
                effects.extend(self.publish(&account));
                effects.push(wipe(secret));
            }
            // On its way back, so what comes is not wanted any more. Or what would thaw by itself is sealed for
            // longer: until the unlock, or by a person.
            Holding::Sealed { loading, cause: before, .. } if loading || outlasts(cause, before) => {
                account.holding = Holding::Sealed { since: now.wall, cause, loading: false };
                account.generation = generation;
                let account = account.clone();
                effects.extend(self.publish(&account));
                effects.extend(self.settle_unseals(name, Some(&Refusal::Sealed(name.clone()))));
            }
            Holding::Sealed { .. } | Holding::Rejected { .. } => {}
        }
        effects
    }

    pub(super) fn unseal_asked(&mut self, request: RequestId, selection: Selection) -> Vec<Effect> {
        let all = selection == Selection::All;
        let accounts = match self.selected(selection) {
            Ok(accounts) => accounts,
            Err(why) => return refuse(request, why),
        };
        // With `all`, what cannot be unsealed is left alone; by name, it is an error before anything happens.
        let rejected = accounts.iter().filter(|_| !all).find_map(rejection);
        if let Some(why) = rejected {
            return refuse(request, why);
        }
        let (mut names, mut waiting, mut effects) = (Vec::new(), BTreeSet::new(), Vec::new());
        for Account { name, .. } in accounts.into_iter().filter(|a| rejection(a).is_none()) {
            if let Some(effect) = self.load(&name) {
                waiting.insert(name.clone());
                effects.extend(effect);
            }
            names.push(name);
        }
        let unseal = Unseal { request, accounts: names, waiting, failed: None };
        self.unseals.push(unseal);
        effects.extend(self.unsealed());
        effects
    }

    /// Thaws what was sealed for one of these causes.
    pub(super) fn thaw(&mut self, causes: &[Cause]) -> Vec<Effect> {
        self.thaw_those(causes, |_| true)
    }

    /// The same, of these accounts only.
    pub(super) fn thaw_those(&mut self, causes: &[Cause], of: impl Fn(&AccountName) -> bool) -> Vec<Effect> {
        let sealed = |account: &&Account| matches!(&account.holding, Holding::Sealed { cause, .. } if causes.contains(cause));
        let those = self.accounts.values().filter(sealed).map(|account| &account.name);
        let names: Vec<_> = those.filter(|name| of(name)).cloned().collect();
        names.iter().filter_map(|name| self.load(name)).flatten().collect()
    }

    /// What was sealed for one cause is sealed for another one from now on.
    pub(super) fn seal_for(&mut self, before: Cause, now: Cause) -> Vec<Effect> {
        let mut changed = Vec::new();
        for account in self.accounts.values_mut() {
            if let Holding::Sealed { cause, .. } = &mut account.holding
                && *cause == before
            {
                *cause = now;
                changed.push(account.clone());
            }
        }
        changed.iter().flat_map(|account| self.publish(account)).collect()
    }

    /// `None` if there is nothing to load; an empty list if it is on its way already.
    fn load(&mut self, name: &AccountName) -> Option<Vec<Effect>> {
        let account = self.accounts.get_mut(name)?;
        match &mut account.holding {
            Holding::Sealed { loading: true, .. } => Some(Vec::new()),
            Holding::Sealed { loading, .. } => {
                *loading = true;
                let generation = account.generation;
                Some(vec![Effect::LoadCredential { account: name.clone(), generation }])
            }
            Holding::Held { .. } | Holding::Rejected { .. } => None,
        }
    }

    pub(super) fn loaded(
        &mut self,
        name: &AccountName,
        generation: Generation,
        outcome: Result<Loaded, Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        if let Some(login) = self.asks_before(generation) {
            return self.before_read(login, outcome, now);
        }
        if self.departs(name, generation) {
            return self.departing_loaded(name, generation, outcome, now);
        }
        let is_wanted = |account: &Account| account.generation == generation && account.secret().is_none();
        let wanted = self.accounts.get(name).is_some_and(is_wanted);
        match outcome {
            Ok(loaded) if !wanted => vec![wipe(loaded.secret)],
            Ok(loaded) => self.thawed(name, loaded, now),
            Err(_) if !wanted => Vec::new(),
            Err(why) => {
                if let Some(Holding::Sealed { loading, .. }) =
                    self.accounts.get_mut(name).map(|account| &mut account.holding)
                {
                    *loading = false;
                }
                self.settle_unseals(name, Some(&why))
            }
        }
    }

    /// The unseals that wait for this account need not any longer: it is held, or this is why not.
    pub(super) fn settle_unseals(&mut self, name: &AccountName, failure: Option<&Refusal>) -> Vec<Effect> {
        for unseal in &mut self.unseals {
            if unseal.waiting.remove(name) && unseal.failed.is_none() {
                unseal.failed = failure.cloned();
            }
        }
        self.unsealed()
    }

    fn thawed(&mut self, name: &AccountName, loaded: Loaded, now: Now) -> Vec<Effect> {
        let generation = self.next_generation();
        let Loaded { secret, obtained, obtained_at } = loaded;
        self.note_loaded(name, secret);
        self.note_thawed(name, now);
        let Some(account) = self.accounts.get_mut(name) else { return vec![wipe(secret)] };
        account.holding = Holding::Held { secret };
        account.generation = generation;
        let known = account.expiry;
        account.expiry = obtained.lifetime.map(|lifetime| {
            let at = end(lifetime, obtained_at, now);
            let at = match known {
                // What this daemon knew before is by the clock that nobody sets.
                Some(known) if known.obtained_at == obtained_at => known.at.min(at),
                // An earlier one, since the keyring did not take the last: it is renewed before it is used.
                Some(_) => now.since_boot,
                None => at,
            };
            Expiry { at, lifetime, obtained_at }
        });
        account.obtained = obtained;
        // A refresh that began before the seal is still the only one, and the pause after a failure stands.
        let is_begun =
            matches!(account.renewal, Renewal::Running { .. } | Renewal::Due { failures: 1.., .. });
        if !is_begun {
            account.renewal = renewal::next(account);
        }
        let mut effects = self.go_on(name, now);
        effects.extend(self.settle_unseals(name, None));
        effects
    }

    /// Answers the unseals that wait for nothing more.
    fn unsealed(&mut self) -> Vec<Effect> {
        let done: Vec<_> = self.unseals.extract_if(.., |unseal| unseal.waiting.is_empty()).collect();
        let answers = done.into_iter().flat_map(|Unseal { request, accounts, failed, .. }| {
            // The first of them may have been sealed or logged out again.
            let held = accounts.iter().map(|name| policy::choose(Some(name), None, &self.accounts));
            let held: Result<Vec<_>, _> = held.map(|account| account.and_then(usable).cloned()).collect();
            match failed.map_or(held, Err) {
                Ok(accounts) => answer(request, Answer::Unsealed { accounts }),
                Err(why) => refuse(request, why),
            }
        });
        answers.collect()
    }

    /// Accounts that an earlier daemon kept: they are sealed until somebody unseals them.
    pub(super) fn kept_found(&mut self, found: Vec<Kept>, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        for kept in found {
            let (name, generation) = (kept.name.clone(), self.next_generation());
            self.entries.entry(name.clone()).or_insert_with(|| Entry::found(generation));
            if kept.is_default && self.default.is_none() {
                self.default = Some(name.clone());
            }
            self.accounts.entry(name.clone()).or_insert_with(|| found_account(kept, generation, now));
            // Unless somebody was quicker and logged it in without keeping it.
            effects.extend(self.settle_entry(&name, now));
        }
        effects
    }
}

/// The account that an earlier daemon kept.
fn found_account(kept: Kept, generation: Generation, now: Now) -> Account {
    Account {
        name: kept.name,
        kind: kept.kind,
        authority: kept.authority,
        obtained: kept.obtained,
        holding: Holding::Sealed { since: now.wall, cause: Cause::Restarted, loading: false },
        generation,
        login: generation,
        checked: true,
        logged_in_at: kept.logged_in_at,
        kept: true,
        kept_stale: None,
        expiry: None,
        renewal: Renewal::Never,
        renewal_error: None,
        // Some time ago: the first refusal is reason enough for a renewal.
        renewed_at: Duration::ZERO,
        is_waiting: false,
    }
}

/// Whether what is sealed for `before` stays so for longer because of `cause`.
fn outlasts(cause: Cause, before: Cause) -> bool {
    cause == Cause::Asked || (cause == Cause::ScreenLocked && before == Cause::Suspending)
}

/// When an access token from the keyring ends, since boot. A clock that was set back must not make it
/// live longer: then it has ended.
fn end(lifetime: Duration, obtained_at: i64, now: Now) -> Duration {
    match u64::try_from(now.wall.saturating_sub(obtained_at)) {
        Ok(age) => {
            let left = lifetime.saturating_sub(Duration::from_secs(age));
            now.since_boot.saturating_add(left)
        }
        Err(_) => now.since_boot,
    }
}
