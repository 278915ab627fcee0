//! Sealing: wiped from memory, kept in the keyring, sessions frozen; and back.

use std::{collections::BTreeSet, time::Duration};

use super::{Engine, answer, refuse, renewal, wipe};
use crate::{
    account::{Account, Expiry, Holding, Kept, Renewal},
    command::Selection,
    effect::{Answer, Effect},
    error::Refusal,
    event::Loaded,
    ids::{AccountName, Generation, RequestId},
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
        let generation = self.next_generation();
        let Some(account) = self.accounts.get_mut(name).filter(|account| account.kept) else {
            return Vec::new();
        };
        match account.holding {
            Holding::Held { secret } => {
                account.holding = Holding::Sealed { since: now.wall, cause, loading: false };
                account.generation = generation;
                account.is_waiting = false;
                let account = account.clone();
                let mut effects = self.publish(&account);
                effects.push(wipe(secret));
                effects
            }
            // On its way back: what comes is not wanted any more.
            Holding::Sealed { .. } => {
                account.holding = Holding::Sealed { since: now.wall, cause, loading: false };
                account.generation = generation;
                self.load_failed(name, &Refusal::Sealed(name.clone()))
            }
            Holding::Rejected { .. } => Vec::new(),
        }
    }

    pub(super) fn unseal_asked(&mut self, request: RequestId, selection: Selection) -> Vec<Effect> {
        let accounts = match self.selected(selection) {
            Ok(accounts) => accounts,
            Err(why) => return refuse(request, why),
        };
        let names: Vec<_> = accounts.into_iter().map(|account| account.name).collect();
        let mut unseal = Unseal { request, accounts: names.clone(), waiting: BTreeSet::new(), failed: None };
        let mut effects = Vec::new();
        for name in names {
            if let Some(effect) = self.load(&name) {
                unseal.waiting.insert(name);
                effects.extend(effect);
            }
        }
        self.unseals.push(unseal);
        effects.extend(self.unsealed());
        effects
    }

    /// Thaws what was sealed for one of these causes.
    pub(super) fn thaw(&mut self, causes: &[Cause]) -> Vec<Effect> {
        let sealed = |account: &&Account| matches!(&account.holding, Holding::Sealed { cause, .. } if causes.contains(cause));
        let names: Vec<_> =
            self.accounts.values().filter(sealed).map(|account| account.name.clone()).collect();
        names.iter().filter_map(|name| self.load(name)).flatten().collect()
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
                self.load_failed(name, &why)
            }
        }
    }

    fn load_failed(&mut self, name: &AccountName, why: &Refusal) -> Vec<Effect> {
        for unseal in &mut self.unseals {
            if unseal.waiting.remove(name) {
                unseal.failed.get_or_insert_with(|| why.clone());
            }
        }
        self.unsealed()
    }

    fn thawed(&mut self, name: &AccountName, loaded: Loaded, now: Now) -> Vec<Effect> {
        let generation = self.next_generation();
        let Some(account) = self.accounts.get_mut(name) else { return vec![wipe(loaded.secret)] };
        let Loaded { secret, obtained, obtained_at } = loaded;
        account.holding = Holding::Held { secret };
        account.generation = generation;
        // What this daemon knew before is by the clock that nobody sets.
        let known = account.expiry.filter(|expiry| expiry.obtained_at == obtained_at).map(|expiry| expiry.at);
        account.expiry = obtained.lifetime.map(|lifetime| {
            let at = end(lifetime, obtained_at, now);
            Expiry { at: known.map_or(at, |known| known.min(at)), lifetime, obtained_at }
        });
        account.obtained = obtained;
        account.renewed_at = now.since_boot;
        account.renewal = renewal::next(account);
        // One that ended in the keyring is renewed before its sessions go on.
        account.is_waiting = account.is_expired(now.since_boot) && account.renewal != Renewal::Never;
        let account = account.clone();
        let mut effects = self.publish(&account);
        effects.extend(self.renew_what_is_due(now));
        for unseal in &mut self.unseals {
            unseal.waiting.remove(name);
        }
        effects.extend(self.unsealed());
        effects
    }

    /// Answers the unseals that wait for nothing more.
    fn unsealed(&mut self) -> Vec<Effect> {
        let done: Vec<_> = self.unseals.extract_if(.., |unseal| unseal.waiting.is_empty()).collect();
        let answers = done.into_iter().flat_map(|Unseal { request, accounts, failed, .. }| match failed {
            Some(why) => refuse(request, why),
            None => {
                let accounts = accounts.iter().filter_map(|name| self.accounts.get(name)).cloned().collect();
                answer(request, Answer::Unsealed { accounts })
            }
        });
        answers.collect()
    }

    /// Accounts that an earlier daemon kept: they are sealed until somebody unseals them.
    pub(super) fn kept_found(&mut self, found: Vec<Kept>, now: Now) -> Vec<Effect> {
        for kept in found {
            let generation = self.next_generation();
            if kept.is_default && self.default.is_none() {
                self.default = Some(kept.name.clone());
            }
            self.accounts.entry(kept.name.clone()).or_insert_with(|| Account {
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
                renewed_at: now.since_boot,
                is_waiting: false,
            });
        }
        Vec::new()
    }
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
