//! Renewing access tokens: one refresh at a time for each account, ahead of the end and on the first
//! refusal.

use std::time::Duration;

use super::{Engine, logout::REVOCATION, wipe};
use crate::{
    account::{Account, Expiry, Holding, Renewal},
    effect::Effect,
    error::Refusal,
    event::Refreshed,
    ids::{AccountName, Generation, SecretId},
    time::Now,
};

/// The longest before the end that a refresh is due.
const AHEAD: Duration = Duration::from_mins(5);
/// The first and the longest wait after a refresh that failed.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// A token that was refused so soon after it was obtained is refused for another reason than its age.
const PAUSE: Duration = Duration::from_secs(10);

/// Renewed tokens, maybe on their way into the keyring.
#[derive(Debug)]
pub(super) struct Renewed {
    account: AccountName,
    login: Generation,
    expiry: Option<Expiry>,
    renewable: bool,
    /// Empty: as before.
    scopes: Vec<String>,
    at: Duration,
}

impl Renewed {
    /// Whether they are of this login.
    pub(super) fn is_of(&self, account: &AccountName, login: Generation) -> bool {
        self.account == *account && self.login == login
    }
}

/// When an account next wants to be looked at, since boot.
pub(super) fn deadline(account: &Account) -> Option<Duration> {
    account.secret()?;
    let due = match account.renewal {
        Renewal::Due { at, .. } if at < Duration::MAX => Some(at),
        Renewal::Due { .. } | Renewal::Never | Renewal::Running { .. } => None,
    };
    // One that waits already is looked at when its refresh is over.
    let end = account.expiry.filter(|_| !account.is_waiting).map(|expiry| expiry.at);
    due.into_iter().chain(end).min()
}

/// When the next refresh is due: ahead of the end by a fifth of the lifetime, but not by more than five
/// minutes. Never at once, or a server that gives tokens which have ended already were asked without pause.
pub(super) fn next(account: &Account) -> Renewal {
    match account.expiry {
        Some(expiry) if account.obtained.renewable => {
            let ahead = (expiry.lifetime / 5).min(AHEAD);
            let soonest = account.renewed_at.saturating_add(BACKOFF.0);
            Renewal::Due { at: expiry.at.saturating_sub(ahead).max(soonest), failures: 0 }
        }
        // It may still be refused.
        None if account.obtained.renewable => Renewal::Due { at: Duration::MAX, failures: 0 },
        _ => Renewal::Never,
    }
}

impl Engine {
    pub(super) fn renew_what_is_due(&mut self, now: Now) -> Vec<Effect> {
        let due = |account: &&Account| deadline(account).is_some_and(|at| at <= now.since_boot);
        let names: Vec<_> = self.accounts.values().filter(due).map(|account| account.name.clone()).collect();
        names.iter().flat_map(|name| self.renew_or_end(name, now)).collect()
    }

    /// The account holds tokens that it did not hold before: its sessions go on, unless these ended already.
    pub(super) fn go_on(&mut self, name: &AccountName, now: Now) -> Vec<Effect> {
        let Some(account) = self.accounts.get_mut(name) else { return Vec::new() };
        account.is_waiting = account.is_expired(now.since_boot);
        let account = account.clone();
        let mut effects = self.publish(&account);
        effects.extend(self.renew_or_end(name, now));
        effects
    }

    fn renew_or_end(&mut self, name: &AccountName, now: Now) -> Vec<Effect> {
        let Some(account) = self.accounts.get(name) else { return Vec::new() };
        let has_ended = account.is_expired(now.since_boot);
        if has_ended && !account.obtained.renewable {
            return self.reject(name, "its access token ended, and there is no refresh token".into(), now);
        }
        let mut effects = if has_ended { self.wait(name) } else { Vec::new() };
        effects.extend(self.refresh(name, now));
        effects
    }

    /// Starts the one refresh of an account, unless it is on its way or not due yet, or has to wait for the wake.
    fn refresh(&mut self, name: &AccountName, now: Now) -> Option<Effect> {
        if self.desktop.asleep {
            return None;
        }
        let account = self.accounts.get_mut(name)?;
        let secret = account.secret()?;
        match account.renewal {
            Renewal::Due { at, failures } if at <= now.since_boot => {
                account.renewal = Renewal::Running { failures };
                // Of the login, not of the account: a seal meanwhile must not lose the rotated tokens.
                let generation = account.login;
                Some(Effect::RefreshCredential { account: name.clone(), generation, secret })
            }
            _ => None,
        }
    }

    /// The sessions of an account wait from here on.
    fn wait(&mut self, name: &AccountName) -> Vec<Effect> {
        let Some(account) = self.accounts.get_mut(name).filter(|account| !account.is_waiting) else {
            return Vec::new();
        };
        account.is_waiting = true;
        let account = account.clone();
        self.publish(&account)
    }

    pub(super) fn access_refused(
        &mut self,
        name: &AccountName,
        generation: Generation,
        now: Now,
    ) -> Vec<Effect> {
        let Some(account) = self.accounts.get_mut(name) else { return Vec::new() };
        // Somebody else's request was refused first, and the tokens are new already.
        let is_news = account.generation == generation && account.secret().is_some();
        let is_soon = renewable_from(account).is_none_or(|from| now.since_boot < from);
        if !is_news || is_soon {
            return Vec::new();
        }
        // After a failure its pause stands, however many requests are refused meanwhile.
        if let Renewal::Due { failures: 0, .. } = account.renewal {
            account.renewal = Renewal::Due { at: now.since_boot, failures: 0 };
        }
        // Until its end the token may be good for everybody else: the request that was refused waits by itself.
        let mut effects = if account.is_expired(now.since_boot) { self.wait(name) } else { Vec::new() };
        effects.extend(self.refresh(name, now));
        effects
    }

    pub(super) fn refreshed(
        &mut self,
        name: &AccountName,
        login: Generation,
        outcome: Refreshed,
        now: Now,
    ) -> Vec<Effect> {
        let account = self.accounts.get_mut(name).filter(|account| account.login == login);
        let Some(account) = account else {
            return self.departing_refreshed(name, login, outcome, now);
        };
        match outcome {
            Refreshed::Renewed { secret, lifetime, renewable, scopes } => {
                let (kept, held) = (account.kept, account.secret().is_some());
                let expiry = lifetime.map(|lifetime| Expiry::from_now(lifetime, now));
                let at = now.since_boot;
                let renewed = Renewed { account: name.clone(), login, expiry, renewable, scopes, at };
                match (kept, held) {
                    // Stored before it is used, so that a crash in between ends in a login, not in a loop.
                    (true, _) => self.store_renewed(secret, renewed),
                    (false, true) => self.adopt(secret, &renewed, now),
                    (false, false) => {
                        account.renewal = Renewal::Never;
                        vec![self.discard(secret, Some(name), true, REVOCATION)]
                    }
                }
            }
            Refreshed::Rejected { why } => {
                account.renewal = Renewal::Never;
                self.reject(name, why, now)
            }
            Refreshed::Transient { why, retry_after } => {
                account.renewal_error = Some(why);
                if let Renewal::Running { failures } = account.renewal {
                    let at = now.since_boot.saturating_add(wait_after(failures, retry_after));
                    account.renewal = Renewal::Due { at, failures: failures.saturating_add(1) };
                }
                Vec::new()
            }
        }
    }

    fn store_renewed(&mut self, secret: SecretId, renewed: Renewed) -> Vec<Effect> {
        let Some(account) = self.accounts.get(&renewed.account) else { return Vec::new() };
        let account = with(account.clone(), &renewed);
        self.storing.insert(secret, renewed);
        vec![self.store(account, secret, None)]
    }

    pub(super) fn renewed_stored(
        &mut self,
        secret: SecretId,
        renewed: &Renewed,
        failure: Option<Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        let name = &renewed.account;
        let account = self.accounts.get_mut(name).filter(|account| account.login == renewed.login);
        let account = match account {
            Some(account) if account.kept => account,
            left => {
                // Rejected or logged in anew while the keyring was busy: what it was given must not stay.
                if let Some(rejected) = left {
                    rejected.renewal = Renewal::Never;
                }
                let mut effects = vec![self.discard(secret, Some(name), true, REVOCATION)];
                effects.extend(self.settle_entry(name, now));
                return effects;
            }
        };
        account.kept_stale = failure.map(|why| why.to_string());
        if account.secret().is_some() {
            return self.adopt(secret, renewed, now);
        }
        if account.kept_stale.is_none() {
            // Sealed meanwhile: the keyring is where it belongs.
            *account = with(account.clone(), renewed);
        } else {
            // Only the earlier tokens are left; they are renewed when they are loaded.
            account.renewal = Renewal::Never;
        }
        let mut effects = vec![wipe(secret)];
        effects.extend(self.settle_entry(name, now));
        effects
    }

    /// The renewed tokens of an account that leaves while the keyring takes them.
    pub(super) fn take_renewed(&mut self, account: &Account) -> Option<SecretId> {
        let is_its = |renewed: &Renewed| renewed.is_of(&account.name, account.login);
        let secret = *self.storing.iter().find(|(_, renewed)| is_its(renewed))?.0;
        self.storing.remove(&secret).map(|_| secret)
    }

    /// The account uses the renewed tokens from here on; the old ones are wiped.
    fn adopt(&mut self, secret: SecretId, renewed: &Renewed, now: Now) -> Vec<Effect> {
        let generation = self.next_generation();
        let Some(account) = self.accounts.get_mut(&renewed.account) else { return Vec::new() };
        let old = account.secret();
        *account = with(account.clone(), renewed);
        account.holding = Holding::Held { secret };
        account.generation = generation;
        let mut effects = self.go_on(&renewed.account, now);
        effects.extend(old.map(wipe));
        effects
    }

    /// The account cannot go on: its sessions get the sentence, and no copy of its credential stays.
    pub(super) fn reject(&mut self, name: &AccountName, why: String, now: Now) -> Vec<Effect> {
        let generation = self.next_generation();
        let Some(account) = self.accounts.get_mut(name) else { return Vec::new() };
        let (old, revocable) = (account.secret(), account.obtained.revocable);
        account.generation = generation;
        // One that is on its way may still bring tokens, which are to go then.
        if !matches!(account.renewal, Renewal::Running { .. }) {
            account.renewal = Renewal::Never;
        }
        account.is_waiting = false;
        account.kept = false;
        account.holding = Holding::Rejected { since: now.wall, why: why.clone() };
        let account = account.clone();
        let mut effects = self.publish(&account);
        // Its access token may still be good.
        effects.extend(old.map(|secret| self.discard(secret, Some(name), revocable, REVOCATION)));
        effects.extend(self.settle_entry(name, now));
        effects.extend(self.settle_unseals(name, Some(&Refusal::LoginNeeded { account: account.name, why })));
        effects
    }
}

/// The account with what the renewed tokens change.
pub(super) fn with(mut account: Account, renewed: &Renewed) -> Account {
    account.obtained.renewable = renewed.renewable;
    account.obtained.lifetime = renewed.expiry.map(|expiry| expiry.lifetime);
    account.expiry = renewed.expiry;
    if !renewed.scopes.is_empty() {
        account.obtained.profile.scopes.clone_from(&renewed.scopes);
    }
    account.renewal_error = None;
    account.renewed_at = renewed.at;
    account.renewal = next(&account);
    account
}

fn wait_after(failures: u32, retry_after: Option<Duration>) -> Duration {
    let doubled = BACKOFF.0.saturating_mul(2_u32.saturating_pow(failures)).min(BACKOFF.1);
    retry_after.map_or(doubled, |asked| asked.clamp(doubled, LONGEST_WAIT.max(doubled)))
}

/// Since when a refused request may be answered by a renewal.
pub(super) fn renewable_from(account: &Account) -> Option<Duration> {
    account.obtained.renewable.then(|| account.renewed_at.saturating_add(PAUSE))
}
