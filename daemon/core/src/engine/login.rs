//! Logging in: receive, check, store, hold.

use std::time::Duration;

use super::{Engine, refuse, renewal, wipe};
use crate::{
    account::{Account, Expiry, Holding, Login, Obtained, Renewal, Way},
    command::BeginLogin,
    effect::{Answer, Effect},
    error::Refusal,
    ids::{AccountName, Generation, LoginId, RequestId, SecretId},
    time::Now,
};

/// How long it may take to revoke what a login that failed was given.
const REVOCATION: Duration = Duration::from_secs(11);

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
        let details =
            Login { request, name, kind, way, route, plan, check, keep, received: None, checked: false };
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
        match self.logins.get_mut(&login) {
            Some(details) if details.received.is_none() => {
                details.received = Some((secret, obtained));
                if details.check {
                    return vec![Effect::CheckCredential { login, details: details.clone(), secret }];
                }
            }
            // The login was given up meanwhile: nobody wants this credential any more.
            _ => return discard(secret, obtained.revocable),
        }
        self.store_or_hold(login, now)
    }

    pub(super) fn credential_checked(
        &mut self,
        login: LoginId,
        verdict: Result<(), Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        match (verdict, self.logins.get_mut(&login)) {
            (Err(why), _) => self.login_failed(login, why),
            (Ok(()), None) => Vec::new(),
            (Ok(()), Some(details)) => {
                details.checked = true;
                self.store_or_hold(login, now)
            }
        }
    }

    pub(super) fn login_failed(&mut self, login: LoginId, why: Refusal) -> Vec<Effect> {
        let Some(details) = self.logins.remove(&login) else { return Vec::new() };
        let mut effects = Vec::new();
        if let Some((secret, obtained)) = details.received {
            // The keyring may have its copy already, or be about to take it.
            if details.keep {
                effects.extend(self.restore_stored(details.name));
            }
            effects.extend(discard(secret, obtained.revocable));
        }
        effects.extend(refuse(details.request, why));
        effects
    }

    /// Lets the keyring have what the account of this name has now: its credential, or nothing.
    pub(super) fn restore_stored(&self, name: AccountName) -> Option<Effect> {
        Some(match self.accounts.get(&name).filter(|account| account.kept) {
            Some(account) => match account.secret() {
                Some(secret) => {
                    Effect::StoreCredential { account: Box::new(account.clone()), secret, request: None }
                }
                // Sealed: what the keyring has may be the only copy.
                None => return None,
            },
            None => Effect::DeleteStored { account: name },
        })
    }

    /// The keyring has its copy, or not.
    pub(super) fn stored(&mut self, secret: SecretId, outcome: Result<(), Refusal>, now: Now) -> Vec<Effect> {
        if let Some(renewed) = self.storing.remove(&secret) {
            return self.renewed_stored(secret, renewed, outcome.err(), now);
        }
        let is_of = |login: &Login| login.received.as_ref().is_some_and(|(held, _)| *held == secret);
        let waiting = self.logins.iter().find(|(_, login)| is_of(login)).map(|(id, _)| *id);
        match (waiting, outcome) {
            (Some(login), Ok(())) => self.hold(login, now),
            (Some(login), Err(why)) => self.login_failed(login, why),
            // The login was given up while the keyring was busy: what follows it there sets that right.
            (None, _) => Vec::new(),
        }
    }

    /// Gives the keyring its copy first, if it is to have one.
    fn store_or_hold(&mut self, login: LoginId, now: Now) -> Vec<Effect> {
        let Some(details) = self.logins.get(&login).filter(|details| details.keep).cloned() else {
            return self.hold(login, now);
        };
        let (request, generation) = (details.request, self.next_generation());
        match account(details, generation, now) {
            Some((account, secret)) => {
                vec![Effect::StoreCredential { account: Box::new(account), secret, request: Some(request) }]
            }
            None => Vec::new(),
        }
    }

    /// The login is complete: the account holds its credential from here on.
    fn hold(&mut self, login: LoginId, now: Now) -> Vec<Effect> {
        let Some(details) = self.logins.remove(&login) else { return Vec::new() };
        let (request, generation) = (details.request, self.next_generation());
        let Some((account, _)) = account(details, generation, now) else { return Vec::new() };
        let old = self.accounts.insert(account.name.clone(), account.clone());
        let is_default = self.default.get_or_insert_with(|| account.name.clone()) == &account.name;
        let mut effects = self.publish(&account);
        let replaced = old.is_some();
        effects.extend(old.into_iter().flat_map(|old| replace(old, &account)));
        let answer = Answer::LoggedIn { account, is_default, replaced };
        effects.push(Effect::Answer { request, answer: Ok(answer) });
        effects
    }
}

/// What becomes of the credential that an account had before: it is worth nothing from now on.
fn replace(old: Account, new: &Account) -> Vec<Effect> {
    let mut effects = old.secret().map_or_else(Vec::new, |secret| discard(secret, old.obtained.revocable));
    if old.kept && !new.kept {
        effects.push(Effect::DeleteStored { account: old.name });
    }
    effects
}

/// Nobody wants this credential: it is revoked where that is possible, and wiped.
pub(super) fn discard(secret: SecretId, revocable: bool) -> Vec<Effect> {
    // The wipe follows the revocation, which needs the tokens.
    if revocable { vec![Effect::RevokeCredential { secret, within: REVOCATION }] } else { vec![wipe(secret)] }
}

/// The account that a complete login makes.
fn account(login: Login, generation: Generation, now: Now) -> Option<(Account, SecretId)> {
    let (secret, obtained) = login.received?;
    let expiry = obtained.lifetime.map(|lifetime| Expiry {
        at: now.since_boot.saturating_add(lifetime),
        lifetime,
        obtained_at: now.wall,
    });
    let authority = match login.way {
        Way::HandOver => None,
        Way::Authorize { authority, .. } => Some(authority),
        Way::Gateway { url, .. } => Some(url),
    };
    let mut account = Account {
        name: login.name,
        kind: login.kind,
        authority,
        obtained,
        holding: Holding::Held { secret },
        generation,
        login: generation,
        checked: login.checked,
        logged_in_at: now.wall,
        kept: login.keep,
        kept_stale: None,
        expiry,
        renewal: Renewal::Never,
        renewal_error: None,
        renewed_at: now.since_boot,
        is_waiting: false,
    };
    account.renewal = renewal::next(&account);
    Some((account, secret))
}
