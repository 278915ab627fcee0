//! Desktop events: what they do to the accounts.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::{Engine, logout::within};
use crate::{
    effect::Effect,
    error::Refusal,
    event::{DesktopEvent, Sighting},
    ids::AccountName,
    policy::reactions::{Reaction, Trigger},
    sentence::Cause,
    time::Now,
};

/// What is known of the desktop.
#[derive(Debug, Default)]
pub(super) struct Desktop {
    /// Sources that can be heard.
    pub(super) sources: BTreeSet<&'static str>,
    /// From the announcement of a sleep until the machine is known to be awake: nothing is held then
    /// that was not held before.
    pub(super) asleep: bool,
    /// What they told last, oldest first.
    pub(super) sightings: VecDeque<Sighting>,
    /// Whether somebody touches keyboard and pointer.
    pub(super) input: super::idle::Input,
}

/// How many sightings are kept, to be looked at.
const SIGHTINGS: usize = 32;

impl Engine {
    pub(super) fn desktop(&mut self, event: DesktopEvent, now: Now) -> Vec<Effect> {
        match event {
            DesktopEvent::ScreenLocked => self.react(Trigger::ScreenLock, Cause::ScreenLocked, now),
            // Asleep, nothing is loaded: what the lock has sealed waits for the wake from now on.
            DesktopEvent::ScreenUnlocked if self.desktop.asleep => {
                self.seal_for(Cause::ScreenLocked, Cause::Suspending)
            }
            DesktopEvent::ScreenUnlocked => self.thaw(&[Cause::ScreenLocked, Cause::Suspending]),
            DesktopEvent::Suspending => {
                self.desktop.asleep = true;
                let mut effects = self.react(Trigger::Suspend, Cause::Suspending, now);
                self.hurry(now);
                // What the configuration ignores stays in memory, but nothing is sent before the wake.
                effects.extend(self.publish_held());
                effects
            }
            DesktopEvent::Resumed { locked } => {
                self.desktop.asleep = false;
                self.cut_off_at = None;
                // The clock went on in the meantime.
                let mut effects = self.deadline_reached(now);
                effects.extend(self.publish_held());
                effects.extend(self.awake(locked));
                effects
            }
            DesktopEvent::ShuttingDown => {
                let names: Vec<_> = self.accounts.keys().cloned().collect();
                // The desktop ends with the machine.
                let purges = self.purges(Trigger::DesktopEnd);
                let mut effects: Vec<_> =
                    names.iter().flat_map(|name| self.let_go(name, Cause::ShuttingDown, now)).collect();
                effects.extend(self.fail_logins(
                    &given_up(Cause::ShuttingDown),
                    within(Cause::ShuttingDown),
                    now,
                ));
                self.hurry(now);
                if purges {
                    effects.extend(self.remove_footprints(Cause::ShuttingDown));
                }
                effects
            }
            DesktopEvent::InputEnded | DesktopEvent::InputSeen => {
                self.note_input(event == DesktopEvent::InputSeen, now);
                Vec::new()
            }
            DesktopEvent::DesktopEnded => self.react(Trigger::DesktopEnd, Cause::DesktopEnded, now),
        }
    }

    /// What the sleep has sealed comes back. Behind a lock it waits for the unlock, unless a lock is nothing to that
    /// account. What a lock has sealed is not unlocked by a sleep, whatever became of its screen.
    fn awake(&mut self, locked: bool) -> Vec<Effect> {
        if !locked {
            return self.thaw(&[Cause::Suspending]);
        }
        let reactions = self.policy.reactions.clone();
        self.thaw_those(&[Cause::Suspending], |name| {
            reactions.to(Trigger::ScreenLock, name) == Reaction::Ignore
        })
    }

    /// Tells the sessions of every account that is in memory how it is now.
    fn publish_held(&mut self) -> Vec<Effect> {
        let held: Vec<_> =
            self.accounts.values().filter(|account| account.secret().is_some()).cloned().collect();
        held.iter().flat_map(|account| self.publish(account)).collect()
    }

    /// Does what the configuration says: with every account, and then with what other programs left.
    fn react(&mut self, trigger: Trigger, cause: Cause, now: Now) -> Vec<Effect> {
        let purges = self.purges(trigger);
        let mut effects = self.let_go_of_all(trigger, cause, now);
        if purges {
            effects.extend(self.remove_footprints(cause));
        }
        effects
    }

    /// Does with every account, and with every login on its way, what the configuration says.
    pub(super) fn let_go_of_all(&mut self, trigger: Trigger, cause: Cause, now: Now) -> Vec<Effect> {
        let names: Vec<_> = self.accounts.keys().cloned().collect();
        let mut effects: Vec<_> =
            names.iter().flat_map(|name| self.react_with(name, trigger, cause, now)).collect();
        let reactions = &self.policy.reactions;
        let logins = self.logins.iter();
        let given: Vec<_> = logins
            .filter(|(_, login)| reactions.to(trigger, &login.name) != Reaction::Ignore)
            .map(|(id, _)| *id)
            .collect();
        let given = given.into_iter();
        effects.extend(given.flat_map(|login| self.give_up(login, given_up(cause), within(cause), now)));
        effects
    }

    /// Does with one account what the configuration says.
    pub(super) fn react_with(
        &mut self,
        name: &AccountName,
        trigger: Trigger,
        cause: Cause,
        now: Now,
    ) -> Vec<Effect> {
        match self.policy.reactions.to(trigger, name) {
            Reaction::Ignore => Vec::new(),
            Reaction::Purge => self.depart(name, cause, now),
            Reaction::Seal => self.let_go(name, cause, now),
        }
    }

    /// Logs one account out that nobody asked for.
    pub(super) fn depart(&mut self, name: &AccountName, cause: Cause, now: Now) -> Vec<Effect> {
        self.departures.push((name.clone(), cause));
        self.leave(None, std::slice::from_ref(name), cause, now)
    }

    /// Seals an account that is kept; logs one out that only memory has.
    fn let_go(&mut self, name: &AccountName, cause: Cause, now: Now) -> Vec<Effect> {
        if self.accounts.get(name).is_some_and(|account| account.kept) {
            self.seal(name, cause, now)
        } else {
            self.depart(name, cause, now)
        }
    }

    /// Gives every login up.
    pub(super) fn fail_logins(&mut self, why: &Refusal, within: Duration, now: Now) -> Vec<Effect> {
        let logins: Vec<_> = self.logins.keys().copied().collect();
        logins.into_iter().flat_map(|login| self.give_up(login, why.clone(), within, now)).collect()
    }

    pub(super) fn sighted(&mut self, sighting: Sighting) -> Vec<Effect> {
        let sightings = &mut self.desktop.sightings;
        sightings.push_back(sighting);
        if sightings.len() > SIGHTINGS {
            sightings.pop_front();
        }
        Vec::new()
    }

    pub(super) fn source_heard(&mut self, source: &'static str) -> Vec<Effect> {
        self.desktop.sources.insert(source);
        Vec::new()
    }

    pub(super) fn source_lost(&mut self, source: &'static str) -> Vec<Effect> {
        self.desktop.sources.remove(source);
        Vec::new()
    }
}

fn given_up(cause: Cause) -> Refusal {
    Refusal::IntakeFailed(format!("it was given up{}", cause.words()))
}
