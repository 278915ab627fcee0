//! Logins that are not complete when their account is logged out.

use super::REVOCATION;
use crate::{
    account::Before,
    command::Selection,
    effect::Effect,
    engine::Engine,
    error::Refusal,
    ids::{AccountName, LoginId},
    time::Now,
};

impl Engine {
    /// Logins that are not complete are logged out as well, or they would be complete right after.
    pub(super) fn logins_on_their_way(&self, selection: &Selection) -> Vec<(LoginId, AccountName)> {
        let is_meant = |name: &AccountName| match selection {
            Selection::All => true,
            Selection::Default => self.default.as_ref() == Some(name),
            Selection::Named(names) => names.contains(name),
        };
        let logins = self.logins.iter().map(|(id, login)| (*id, login.name.clone()));
        logins.filter(|(_, name)| is_meant(name)).collect()
    }

    /// What is only a login on its way is no account that could be missing.
    pub(super) fn without_logins(&self, selection: Selection) -> Selection {
        let Selection::Named(mut names) = selection else { return selection };
        let is_login = |name: &AccountName| self.logins.values().any(|login| login.name == *name);
        names.retain(|name| self.accounts.contains_key(name) || !is_login(name));
        Selection::Named(names)
    }

    /// Ends a login that is not complete. What it received by now goes as the credential of an account does: it
    /// is in the receipt.
    pub(super) fn call_off(&mut self, login: LoginId, now: Now) -> Vec<Effect> {
        let Some(details) = self.logins.get_mut(&login) else { return Vec::new() };
        let name = details.name.clone();
        let is_alone = !self.accounts.contains_key(&name);
        let received = details.received.take_if(|_| is_alone);
        let before = std::mem::replace(&mut details.before, Before::Nothing);
        let mut effects = Vec::new();
        if let Before::Read(secret) = before {
            effects.push(self.discard(secret, Some(&name), true, REVOCATION));
        }
        let why = Refusal::IntakeFailed("the account was logged out meanwhile".into());
        effects.extend(self.give_up(login, why, REVOCATION, now));
        if let Some(account) = received {
            self.accounts.insert(name, account);
        }
        effects
    }
}
