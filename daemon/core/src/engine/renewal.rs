//! Renewing access tokens: one refresh at a time for each account, ahead of the end and on the first
//! refusal.

use std::time::Duration;

use super::{Engine, login::discard, wipe};
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

/// Renewed tokens on their way into the keyring.
#[derive(Debug)]
pub(super) struct Renewed {
    account: AccountName,
    login: Generation,
    lifetime: Option<Duration>,
    renewable: bool,
}

/// When an account next wants to be looked at, since boot.
pub(super) fn deadline(account: &Account) -> Option<Duration> {
    account.secret()?;
    let due = match account.renewal {
        Renewal::Due { at, .. } => Some(at),
        Renewal::Never | Renewal::Running { .. } => None,
    };
    // One that waits already is looked at when its refresh is over.
    let end = account.expiry.filter(|_| !account.is_waiting).map(|expiry| expiry.at);
    due.into_iter().chain(end).min()
}

/// When the next refresh is due: ahead of the end by a fifth of the lifetime, but not by more than five
/// minutes.
pub(super) fn next(account: &Account) -> Renewal {
    match account.expiry {
        Some(expiry) if account.obtained.renewable => {
            let ahead = (expiry.lifetime / 5).min(AHEAD);
            Renewal::Due { at: expiry.at.saturating_sub(ahead), failures: 0 }
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

    /// Starts the one refresh of an account, unless it is on its way or not due yet.
    fn refresh(&mut self, name: &AccountName, now: Now) -> Option<Effect> {
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
        if let Renewal::Due { failures, .. } = account.renewal {
            account.renewal = Renewal::Due { at: now.since_boot, failures };
        }
        let mut effects = self.wait(name);
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
        match (outcome, account) {
            // Logged out or logged in anew meanwhile: what came is nobody's, so it must not stay valid.
            (Refreshed::Renewed { secret, .. }, None) => discard(secret, true),
            (Refreshed::Renewed { secret, lifetime, renewable }, Some(account)) => {
                let (kept, held) = (account.kept, account.secret().is_some());
                let renewed = Renewed { account: name.clone(), login, lifetime, renewable };
                match (kept, held) {
                    // Stored before it is used, so that a crash in between ends in a login, not in a loop.
                    (true, _) => self.store_renewed(secret, renewed, now),
                    (false, true) => self.adopt(secret, renewed, now),
                    (false, false) => discard(secret, true),
                }
            }
            (Refreshed::Rejected { why }, Some(_)) => self.reject(name, why, now),
            (Refreshed::Transient { why, retry_after }, Some(account)) => {
                account.renewal_error = Some(why);
                if let Renewal::Running { failures } = account.renewal {
                    let at = now.since_boot.saturating_add(wait_after(failures, retry_after));
                    account.renewal = Renewal::Due { at, failures: failures.saturating_add(1) };
                }
                Vec::new()
            }
            (Refreshed::Rejected { .. } | Refreshed::Transient { .. }, None) => Vec::new(),
        }
    }

    fn store_renewed(&mut self, secret: SecretId, renewed: Renewed, now: Now) -> Vec<Effect> {
        let Some(account) = self.accounts.get(&renewed.account) else { return Vec::new() };
        let account = with(account.clone(), &renewed, now);
        self.storing.insert(secret, renewed);
        vec![Effect::StoreCredential { account: Box::new(account), secret, request: None }]
    }

    pub(super) fn renewed_stored(
        &mut self,
        secret: SecretId,
        renewed: Renewed,
        failure: Option<Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        let name = &renewed.account;
        let account = self.accounts.get_mut(name).filter(|account| account.login == renewed.login);
        let Some(account) = account else {
            // Logged out while the keyring was busy; what it was given must not stay behind.
            let mut effects = discard(secret, true);
            effects.extend(self.restore_stored(renewed.account));
            return effects;
        };
        account.kept_stale = failure.map(|why| why.to_string());
        if account.secret().is_some() {
            return self.adopt(secret, renewed, now);
        }
        // Sealed meanwhile: the keyring is where it belongs.
        *account = with(account.clone(), &renewed, now);
        vec![wipe(secret)]
    }

    /// The account uses the renewed tokens from here on; the old ones are wiped.
    fn adopt(&mut self, secret: SecretId, renewed: Renewed, now: Now) -> Vec<Effect> {
        let generation = self.next_generation();
        let Some(account) = self.accounts.get_mut(&renewed.account) else { return Vec::new() };
        let old = account.secret();
        *account = with(account.clone(), &renewed, now);
        account.holding = Holding::Held { secret };
        account.generation = generation;
        account.is_waiting = false;
        let account = account.clone();
        let mut effects = self.publish(&account);
        effects.extend(old.map(wipe));
        effects
    }

    /// The account cannot go on: its sessions get the sentence, its credential is wiped.
    fn reject(&mut self, name: &AccountName, why: String, now: Now) -> Vec<Effect> {
        let generation = self.next_generation();
        let Some(account) = self.accounts.get_mut(name) else { return Vec::new() };
        let old = account.secret();
        account.generation = generation;
        account.renewal = Renewal::Never;
        account.holding = Holding::Rejected { since: now.wall, why };
        let was_kept = std::mem::replace(&mut account.kept, false);
        let account = account.clone();
        let mut effects = self.publish(&account);
        effects.extend(old.map(wipe));
        if was_kept {
            effects.push(Effect::DeleteStored { account: account.name });
        }
        effects
    }
}

/// The account with what the renewed tokens change.
fn with(mut account: Account, renewed: &Renewed, now: Now) -> Account {
    account.obtained.renewable = renewed.renewable;
    account.obtained.lifetime = renewed.lifetime;
    account.expiry = renewed.lifetime.map(|lifetime| Expiry {
        at: now.since_boot.saturating_add(lifetime),
        lifetime,
        obtained_at: now.wall,
    });
    account.renewal_error = None;
    account.renewed_at = now.since_boot;
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
