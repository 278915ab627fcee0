//! Accounts that nobody uses, and logins that last too long. What counts is the clock since boot, which
//! goes on while the machine sleeps and which nobody can set (threat T12); over a restart only the wall clock tells.

use std::time::Duration;

use super::Engine;
use crate::{
    account::{Account, Holding},
    effect::Effect,
    ids::{AccountName, Generation, SessionId},
    policy::reactions::{Reaction, Trigger},
    sentence::Cause,
    time::Now,
};

/// Whether somebody touches keyboard and pointer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Nobody tells: only requests count.
    #[default]
    Unknown,
    /// Somebody does.
    Seen,
    /// Nobody does, since then (since boot).
    EndedAt(Duration),
}

/// How an account was used. All times since boot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Activity {
    /// Of the account; another one is another login.
    login: Generation,
    /// When it was first seen here, and how old its login was by then.
    seen: (Duration, Duration),
    /// When it was last used.
    last: Duration,
}

impl Engine {
    pub(super) fn note_input(&mut self, seen: bool, now: Now) {
        self.desktop.input = if seen { Input::Seen } else { Input::EndedAt(now.since_boot) };
    }

    pub(super) fn session_used(&mut self, session: SessionId, at: Duration) -> Vec<Effect> {
        let account = self.sessions.get(&session).map(|session| &session.account);
        if let Some(activity) = account.and_then(|name| self.activity.get_mut(name)) {
            activity.last = activity.last.max(at);
        }
        Vec::new()
    }

    /// Somebody wanted it back: that is a use.
    pub(super) fn note_thawed(&mut self, name: &AccountName, now: Now) {
        if let Some(activity) = self.activity.get_mut(name) {
            activity.last = now.since_boot;
        }
    }

    /// A login begins a new life; an account that is gone has none.
    pub(super) fn note_logins(&mut self, now: Now) {
        let accounts = &self.accounts;
        self.activity.retain(|name, activity| {
            accounts.get(name).is_some_and(|account| account.login == activity.login)
        });
        for (name, account) in accounts {
            if !self.activity.contains_key(name) {
                let seen = (now.since_boot, age(account, now));
                let new = Activity { login: account.login, seen, last: now.since_boot };
                self.activity.insert(name.clone(), new);
            }
        }
    }

    /// When the next account is idle, or its login at its end.
    pub(super) fn next_end(&self) -> Option<Duration> {
        let idle = self.activity.iter().filter_map(|(name, activity)| self.idle_at(name, activity));
        let ends = self.activity.values().filter_map(|activity| self.ends_at(activity));
        idle.chain(ends).min()
    }

    /// Lets go of what is due.
    pub(super) fn end_what_is_due(&mut self, now: Now) -> Vec<Effect> {
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now.since_boot);
        let mut ended = Vec::new();
        let mut idle = Vec::new();
        for (name, activity) in &self.activity {
            if due(self.ends_at(activity)) {
                ended.push(name.clone());
            } else if due(self.idle_at(name, activity)) {
                idle.push(name.clone());
            }
        }
        let mut effects: Vec<_> =
            ended.iter().flat_map(|name| self.depart(name, Cause::LifetimeOver, now)).collect();
        let purges = self.purges_one_of(Trigger::Idle, idle.iter());
        effects.extend(idle.iter().flat_map(|name| self.react_with(name, Trigger::Idle, Cause::Idle, now)));
        if purges {
            effects.extend(self.remove_footprints(Cause::Idle));
        }
        effects
    }

    fn idle_at(&self, name: &AccountName, activity: &Activity) -> Option<Duration> {
        let idle_after = self.policy.idle_after?;
        // What is not in memory is not idle.
        self.accounts.get(name)?.secret()?;
        if self.policy.reactions.to(Trigger::Idle, name) == Reaction::Ignore {
            return None;
        }
        let last = match self.desktop.input {
            Input::Seen => return None,
            Input::EndedAt(at) => activity.last.max(at),
            Input::Unknown => activity.last,
        };
        Some(last.saturating_add(idle_after))
    }

    fn ends_at(&self, activity: &Activity) -> Option<Duration> {
        let (seen, age) = activity.seen;
        Some(seen.saturating_add(self.policy.login_lifetime?.saturating_sub(age)))
    }
}

/// How old a login is when it is first seen. Of one that an earlier daemon made only the wall clock tells: if
/// that was set back, the login is as old as can be.
fn age(account: &Account, now: Now) -> Duration {
    match account.holding {
        Holding::Sealed { cause: Cause::Restarted, .. } => {
            let age = now.wall.saturating_sub(account.logged_in_at);
            u64::try_from(age).map_or(Duration::MAX, Duration::from_secs)
        }
        _ => Duration::ZERO,
    }
}
