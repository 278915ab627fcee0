//! Logging in: receive, check, store, hold.

use std::time::Duration;

use super::{Engine, answer, logout::REVOCATION, refuse, renewal, wipe};
use crate::{
    account::{Account, Before, Expiry, Holding, Login, Obtained, Renewal, Way},
    command::BeginLogin,
    effect::{Answer, Effect},
    error::Refusal,
    event::Loaded,
    ids::{AccountName, Generation, LoginId, RequestId, SecretId},
    time::Now,
};

impl Engine {
    pub(super) fn begin_login(&mut self, request: RequestId, begin: BeginLogin) -> Vec<Effect> {
        let limit = self.policy.max_accounts;
        // Logins on their way count as well: each holds a page and a socket.
        let known = self.accounts.contains_key(&begin.name);
        let taken = self.logins.len() + if known { 0 } else { self.accounts.len() };
        if taken >= limit {
            return refuse(request, Refusal::LimitReached { what: "accounts", limit });
        }
        let BeginLogin { name, kind, way, route, plan, check, keep } = begin;
        let details = Login {
            request,
            name,
            kind,
            way,
            route,
            plan,
            check,
            keep,
            received: None,
            before: Before::Unasked,
        };
        let login = LoginId(self.next_login);
        self.next_login = self.next_login.saturating_add(1);
        self.logins.insert(login, details.clone());
        vec![Effect::ObtainCredential { login, details }]
    }

    pub(super) fn credential_received(
        &mut self,
        login: LoginId,
        secret: SecretId,
        obtained: Obtained,
        now: Now,
    ) -> Vec<Effect> {
        let generation = self.next_generation();
        let awaited = self.logins.get_mut(&login).filter(|details| details.received.is_none());
        let Some(details) = awaited else {
            // The login was given up meanwhile: nobody wants this credential any more.
            return vec![self.discard(secret, None, obtained.revocable, REVOCATION)];
        };
        // Its life counts from here on, however long the upstream and the keyring take.
        details.received = Some(account(details, secret, obtained, generation, now));
        if details.check {
            return vec![Effect::CheckCredential { login, details: details.clone(), secret }];
        }
        self.store_or_hold(login, now)
    }

    pub(super) fn credential_checked(
        &mut self,
        login: LoginId,
        verdict: Result<(), Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        if let Err(why) = verdict {
            return self.login_failed(login, why, now);
        }
        let received = self.logins.get_mut(&login).and_then(|details| details.received.as_mut());
        let Some(account) = received else { return Vec::new() };
        account.checked = true;
        self.store_or_hold(login, now)
    }

    pub(super) fn login_failed(&mut self, login: LoginId, why: Refusal, now: Now) -> Vec<Effect> {
        self.give_up(login, why, REVOCATION, now)
    }

    /// Gives a login up; its tokens may be revoked for so long.
    pub(super) fn give_up(
        &mut self,
        login: LoginId,
        why: Refusal,
        within: Duration,
        now: Now,
    ) -> Vec<Effect> {
        let Some(details) = self.logins.remove(&login) else { return Vec::new() };
        let mut effects = Vec::new();
        if let Some((secret, account)) = details.secret().zip(details.received) {
            effects.push(self.discard(secret, Some(&details.name), account.obtained.revocable, within));
        }
        // The account before stays as it is.
        if let Before::Read(secret) = details.before {
            effects.push(wipe(secret));
        }
        // The keyring may have its copy already, or be about to take it.
        if details.keep {
            effects.extend(self.settle_entry(&details.name, now));
        }
        effects.extend(refuse(details.request, why));
        effects
    }

    /// Reads what the keyring has of the account before; then gives it its copy, if it is to have one.
    fn store_or_hold(&mut self, login: LoginId, now: Now) -> Vec<Effect> {
        if let Some(effect) = self.read_before(login) {
            return vec![effect];
        }
        let details = self.logins.get(&login).filter(|details| details.keep);
        let stored =
            details.and_then(|details| Some((details.received.clone()?, details.secret()?, details.request)));
        match stored {
            Some((account, secret, request)) => vec![self.store(account, secret, Some(request))],
            None => self.hold(login, now),
        }
    }

    /// The tokens of a sealed account that this login takes the place of are only in the keyring.
    fn read_before(&mut self, login: LoginId) -> Option<Effect> {
        let generation = self.next_generation();
        let details = self.logins.get_mut(&login).filter(|details| details.before == Before::Unasked)?;
        let is_sealed = |account: &&Account| matches!(account.holding, Holding::Sealed { .. });
        let account = self.accounts.get(&details.name).filter(is_sealed);
        if !account.is_some_and(|account| account.obtained.revocable) {
            details.before = Before::Nothing;
            return None;
        }
        details.before = Before::Asked(generation);
        Some(Effect::LoadCredential { account: details.name.clone(), generation })
    }

    /// The login that asked the keyring under this number.
    pub(super) fn asks_before(&self, generation: Generation) -> Option<LoginId> {
        let is_its = |(_, details): &(&LoginId, &Login)| details.before == Before::Asked(generation);
        self.logins.iter().find(is_its).map(|(login, _)| *login)
    }

    /// The login goes on, with what the keyring had of the account before.
    pub(super) fn before_read(
        &mut self,
        login: LoginId,
        outcome: Result<Loaded, Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        let Some(details) = self.logins.get_mut(&login) else { return Vec::new() };
        match outcome {
            Ok(loaded) => details.before = Before::Read(loaded.secret),
            Err(why) => {
                details.before = Before::Nothing;
                let name = details.name.clone();
                self.note_valid(&name, format!("the tokens could not be read: {why}"));
            }
        }
        self.store_or_hold(login, now)
    }

    /// The login is complete: the account holds its credential from here on.
    pub(super) fn hold(&mut self, login: LoginId, now: Now) -> Vec<Effect> {
        let Some(Login { request, name, received: Some(account), before, .. }) = self.logins.remove(&login)
        else {
            return Vec::new();
        };
        let old = self.accounts.insert(name.clone(), account);
        let is_default = self.default.get_or_insert_with(|| name.clone()) == &name;
        let mut effects = self.go_on(&name, now);
        let replaced = old.is_some();
        // What the account had before is worth nothing from now on.
        if let Some((secret, old)) = old.as_ref().and_then(Account::secret).zip(old) {
            effects.push(self.discard(secret, Some(&name), old.obtained.revocable, REVOCATION));
        }
        if let Before::Read(secret) = before {
            effects.push(self.discard(secret, Some(&name), true, REVOCATION));
        }
        effects.extend(self.settle_entry(&name, now));
        effects.extend(self.settle_unseals(&name, None));
        if let Some(account) = self.accounts.get(&name).cloned() {
            effects.extend(answer(request, Answer::LoggedIn { account, is_default, replaced }));
        }
        effects
    }

    /// Nobody wants this credential: it is revoked where that is possible, and wiped. A logout of its account
    /// meanwhile waits for it.
    pub(super) fn discard(
        &mut self,
        secret: SecretId,
        of: Option<&AccountName>,
        revocable: bool,
        within: Duration,
    ) -> Effect {
        // A daemon that stops does not stay to hear the answer.
        if !revocable || self.stopping {
            return wipe(secret);
        }
        // The wipe follows the revocation, which needs the tokens.
        self.discarded.insert(secret, of.cloned());
        Effect::RevokeCredential { secret, within }
    }
}

/// The account that a login makes, once it is complete.
fn account(login: &Login, secret: SecretId, obtained: Obtained, generation: Generation, now: Now) -> Account {
    let authority = match &login.way {
        Way::HandOver => None,
        Way::Authorize { authority, .. } => Some(authority.clone()),
        Way::Gateway { url, .. } => Some(url.clone()),
    };
    let mut account = Account {
        name: login.name.clone(),
        kind: login.kind,
        authority,
        expiry: obtained.lifetime.map(|lifetime| Expiry::from_now(lifetime, now)),
        obtained,
        holding: Holding::Held { secret },
        generation,
        login: generation,
        checked: false,
        logged_in_at: now.wall,
        kept: login.keep,
        kept_stale: None,
        renewal: Renewal::Never,
        renewal_error: None,
        renewed_at: now.since_boot,
        is_waiting: false,
    };
    account.renewal = renewal::next(&account);
    account
}
