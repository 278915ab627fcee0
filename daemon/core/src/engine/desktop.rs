//! Desktop events: what they do to the accounts.

use super::Engine;
use crate::{
    effect::Effect, error::Refusal, event::DesktopEvent, policy::Reaction, sentence::Cause, time::Now,
};

impl Engine {
    pub(super) fn desktop(&mut self, event: DesktopEvent, now: Now) -> Vec<Effect> {
        let (reaction, cause) = match event {
            DesktopEvent::ScreenLocked => (self.policy.on_screen_lock, Cause::ScreenLocked),
            DesktopEvent::Suspending => (self.policy.on_suspend, Cause::Suspending),
        };
        match reaction {
            Reaction::Ignore => Vec::new(),
            Reaction::Purge => {
                let why = Refusal::IntakeFailed(format!("it was given up{}", cause.words()));
                self.leave_all(cause, &why, now)
            }
        }
    }

    /// Logs every account out and gives every login up.
    pub(super) fn leave_all(&mut self, cause: Cause, why: &Refusal, now: Now) -> Vec<Effect> {
        let names: Vec<_> = self.accounts.keys().cloned().collect();
        let mut effects: Vec<_> = names.iter().flat_map(|name| self.leave(name, cause, now).1).collect();
        let logins: Vec<_> = self.logins.keys().copied().collect();
        effects.extend(logins.into_iter().flat_map(|login| self.login_failed(login, why.clone())));
        effects
    }

    pub(super) fn source_heard(&mut self, source: &'static str) -> Vec<Effect> {
        self.sources.insert(source);
        Vec::new()
    }

    pub(super) fn source_lost(&mut self, source: &'static str) -> Vec<Effect> {
        self.sources.remove(source);
        Vec::new()
    }
}
