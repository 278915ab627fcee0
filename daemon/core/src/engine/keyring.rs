//! What the OS keyring has of each account, and how it gets what it should have.
//!
//! The keyring works off what it is told in order, so what it was told last is what it ends up with.
//! Whatever comes between a login, a renewal, a seal and a logout of the same account, that is set right
//! by [`Engine::settle_entry`].

use std::collections::VecDeque;

use super::{
    Engine,
    renewal::{self, Renewed},
};
use crate::{
    account::Account,
    effect::Effect,
    error::Refusal,
    ids::{AccountName, Generation, RequestId, SecretId},
    time::Now,
};

/// A copy of an account's credential.
#[derive(Debug, Clone, Copy)]
struct Copy {
    /// The login that it comes from.
    login: Generation,
    /// The pages that it was made from, if this daemon made it.
    secret: Option<SecretId>,
}

/// What the keyring has of an account, or may have.
#[derive(Debug, Default)]
pub(super) struct Entry {
    has: Option<Copy>,
    /// What it was told since and has not answered yet: to take a copy, or to delete what it has.
    told: VecDeque<Option<Copy>>,
}

impl Entry {
    /// One that was found in the keyring.
    pub(super) fn found(login: Generation) -> Self {
        Self { has: Some(Copy { login, secret: None }), told: VecDeque::new() }
    }

    /// What it will have if it obeys.
    fn last(&self) -> Option<Copy> {
        self.told.back().copied().unwrap_or(self.has)
    }

    /// The oldest thing that it was told is answered.
    fn answered(&mut self, obeyed: bool) {
        let told = self.told.pop_front().flatten();
        // One that refused may have taken it all the same if there was none before.
        self.has = if obeyed { told } else { self.has.or(told.map(|copy| Copy { secret: None, ..copy })) };
    }
}

impl Engine {
    /// Gives the keyring a credential.
    pub(super) fn store(&mut self, account: Account, secret: SecretId, request: Option<RequestId>) -> Effect {
        let copy = Copy { login: account.login, secret: Some(secret) };
        self.entries.entry(account.name.clone()).or_default().told.push_back(Some(copy));
        Effect::StoreCredential { account: Box::new(account), secret, request }
    }

    /// Deletes what the keyring has of an account; how many answers it takes until that one is known.
    pub(super) fn delete(&mut self, name: &AccountName) -> (Effect, usize) {
        let entry = self.entries.entry(name.clone()).or_default();
        entry.told.push_back(None);
        let answers = entry.told.iter().filter(|told| told.is_none()).count();
        (Effect::DeleteStored { account: name.clone() }, answers)
    }

    /// What the keyring has of an account was loaded into these pages.
    pub(super) fn note_loaded(&mut self, name: &AccountName, secret: SecretId) {
        if let Some(copy) = self.entries.get_mut(name).and_then(|entry| entry.has.as_mut()) {
            copy.secret = Some(secret);
        }
    }

    /// Whether the keyring is being given what memory does not have any more.
    pub(super) fn has_copies_on_their_way(&self) -> bool {
        let is_sealed = |name| self.accounts.get(name).is_some_and(|account| account.secret().is_none());
        self.entries.iter().any(|(name, entry)| entry.told.iter().any(Option::is_some) && is_sealed(name))
    }

    /// Whether the keyring may have something of an account.
    pub(super) fn may_be_stored(&self, name: &AccountName) -> bool {
        self.entries.contains_key(name)
    }

    /// Lets the keyring have what the account of this name has now: its credential, or nothing.
    pub(super) fn settle_entry(&mut self, name: &AccountName, now: Now) -> Vec<Effect> {
        let last = self.entries.get(name).and_then(Entry::last);
        let Some(account) = self.accounts.get(name).filter(|account| account.kept) else {
            return if last.is_some() { vec![self.delete(name).0] } else { Vec::new() };
        };
        match self.newest(account) {
            Some((secret, account)) if last.and_then(|copy| copy.secret) != Some(secret) => {
                vec![self.store(account, secret, None)]
            }
            None if last.map(|copy| copy.login) != Some(account.login) => {
                let why = "its copy in the keyring was lost to a login that was not finished";
                self.reject(name, why.to_owned(), now)
            }
            _ => Vec::new(),
        }
    }

    /// The newest credential of an account that memory has, and what is known of it: nobody uses it before the
    /// keyring has it.
    fn newest(&self, account: &Account) -> Option<(SecretId, Account)> {
        let held = account.secret()?;
        let is_its = |renewed: &Renewed| renewed.is_of(&account.name, account.login);
        let renewed = self.storing.iter().find(|(_, renewed)| is_its(renewed));
        let newest = renewed.map(|(secret, renewed)| (*secret, renewal::with(account.clone(), renewed)));
        Some(newest.unwrap_or_else(|| (held, account.clone())))
    }

    /// The keyring has its copy, or not.
    pub(super) fn stored(&mut self, secret: SecretId, outcome: Result<(), Refusal>, now: Now) -> Vec<Effect> {
        if self.stopping {
            return Vec::new();
        }
        let is_meant = |entry: &Entry| entry.told.iter().flatten().any(|copy| copy.secret == Some(secret));
        let entry = self.entries.iter_mut().find(|(_, entry)| is_meant(entry));
        let name = entry.map(|(name, entry)| {
            entry.answered(outcome.is_ok());
            name.clone()
        });
        if let Some(renewed) = self.storing.remove(&secret) {
            return self.renewed_stored(secret, &renewed, outcome.err(), now);
        }
        let waits = self.logins.iter().find(|(_, login)| login.secret() == Some(secret)).map(|(id, _)| *id);
        match (waits, outcome) {
            (Some(login), Ok(())) => self.hold(login, now),
            (Some(login), Err(why)) => self.login_failed(login, why, now),
            (None, outcome) => name.map_or_else(Vec::new, |name| self.settled(&name, outcome, now)),
        }
    }

    /// What the keyring said to a copy that was to set it right.
    fn settled(&mut self, name: &AccountName, outcome: Result<(), Refusal>, now: Now) -> Vec<Effect> {
        let Some(account) = self.accounts.get_mut(name) else { return Vec::new() };
        if account.secret().is_none() {
            return self.settle_entry(name, now);
        }
        // Not once more: it is tried again when the account is sealed or renewed.
        account.kept_stale = outcome.err().map(|why| why.to_string());
        Vec::new()
    }

    /// The keyring deleted its copy, or not.
    pub(super) fn stored_deleted(
        &mut self,
        name: &AccountName,
        outcome: &Result<(), String>,
        now: Now,
    ) -> Vec<Effect> {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.answered(outcome.is_ok());
            if entry.told.is_empty() && entry.has.is_none() {
                self.entries.remove(name);
            }
        }
        if let (Err(why), Some(account)) =
            (outcome, self.accounts.get_mut(name).filter(|account| !account.kept))
        {
            // Not silently: the next daemon would find it as this account.
            account.kept_stale = Some(format!("the copy of an earlier login could not be deleted: {why}"));
        }
        self.departing_deleted(name, outcome, now)
    }
}
