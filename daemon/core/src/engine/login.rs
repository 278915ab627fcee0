//! Logging in: receive, check, hold.

use super::{Engine, refuse, wipe};
use crate::{
    account::{Account, Login},
    command::BeginLogin,
    effect::{Answer, Effect},
    error::Refusal,
    ids::{LoginId, RequestId, SecretId},
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
        let BeginLogin { name, kind, route, check } = begin;
        let details = Login { request, name, kind, route, check, secret: None };
        let login = LoginId(self.next_login);
        self.next_login = self.next_login.saturating_add(1);
        self.logins.insert(login, details.clone());
        vec![Effect::ReceiveCredential { login, details }]
    }

    pub(super) fn credential_received(&mut self, login: LoginId, secret: SecretId, now: Now) -> Vec<Effect> {
        match self.logins.get_mut(&login) {
            Some(details) if details.secret.is_none() => {
                details.secret = Some(secret);
                if details.check {
                    return vec![Effect::CheckCredential { login, details: details.clone(), secret }];
                }
            }
            // The login was given up meanwhile: nobody wants this credential any more.
            _ => return vec![wipe(secret)],
        }
        self.hold(login, false, now)
    }

    pub(super) fn credential_checked(
        &mut self,
        login: LoginId,
        verdict: Result<(), Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        match verdict {
            Ok(()) => self.hold(login, true, now),
            Err(why) => self.login_failed(login, why),
        }
    }

    pub(super) fn login_failed(&mut self, login: LoginId, why: Refusal) -> Vec<Effect> {
        let Some(details) = self.logins.remove(&login) else { return Vec::new() };
        let mut effects: Vec<_> = details.secret.map(wipe).into_iter().collect();
        effects.extend(refuse(details.request, why));
        effects
    }

    /// The login is complete: the account holds its credential from here on.
    fn hold(&mut self, login: LoginId, checked: bool, now: Now) -> Vec<Effect> {
        let Some(Login { request, name, kind, route, secret: Some(secret), .. }) = self.logins.remove(&login)
        else {
            return Vec::new();
        };
        let generation = self.next_generation();
        let account = Account { name, kind, route, secret, generation, checked, logged_in_at: now.wall };
        let old = self.accounts.insert(account.name.clone(), account.clone());
        let is_default = self.default.get_or_insert_with(|| account.name.clone()) == &account.name;
        let mut effects = self.reopen_sessions(&account);
        effects.extend(old.as_ref().map(|old| wipe(old.secret)));
        let answer = Answer::LoggedIn { account, is_default, replaced: old.is_some() };
        effects.push(Effect::Answer { request, answer: Ok(answer) });
        effects
    }
}
