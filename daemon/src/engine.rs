//! The one task that owns the core's state.
//!
//! Events come in, effects go out, results come back as events. Nobody else changes anything.

mod ask;
mod mailbox;

use std::{collections::VecDeque, io, time::Duration};

use claudectl_core::{account::Kept, effect::Effect, event::Event, time::Now};
use claudectl_platform::clock::{self, Alarm};
use tokio::sync::{mpsc, watch};

pub use ask::{Ask, Progress, Replies, Reply};
pub use mailbox::{Found, Gone, Mailbox, Place, Receivers, View, mailbox};

use crate::{
    config::Configuration,
    effects::Effects,
    engine::mailbox::{Inquiry, Message},
    guard::Stray,
    notify::Notifier,
    record::{Occasion, Witness},
};

/// The engine and everything it acts through.
#[derive(Debug)]
pub struct Engine {
    core: claudectl_core::engine::Engine,
    effects: Effects,
    configuration: Configuration,
    /// Whether an unused daemon may stop by itself.
    may_retire: bool,
    receivers: Receivers,
    changes: watch::Sender<u64>,
    alarm: Alarm,
    onlookers: Onlookers,
    /// What the guard has noticed so far.
    strays: Vec<Stray>,
}

/// Who looks on, and says what happened.
#[derive(Debug)]
pub struct Onlookers {
    /// For the local record.
    pub witness: Witness,
    /// To the user.
    pub notifier: Notifier,
}

/// The time, by both clocks.
pub fn now() -> Now {
    Now { since_boot: clock::since_boot(), wall: clock::wall() }
}

impl Engine {
    /// An engine that holds nothing.
    ///
    /// # Errors
    /// If the kernel has no alarm to give.
    pub fn new(
        configuration: Configuration,
        effects: Effects,
        may_retire: bool,
        receivers: Receivers,
        changes: watch::Sender<u64>,
        onlookers: Onlookers,
    ) -> io::Result<Self> {
        let policy = policy(&configuration, may_retire);
        let core = claudectl_core::engine::Engine::new(policy, now());
        let alarm = Alarm::new()?;
        let strays = Vec::new();
        let mut engine =
            Self { core, effects, configuration, may_retire, receivers, changes, alarm, onlookers, strays };
        engine.configure();
        Ok(engine)
    }

    /// Takes over accounts that an earlier daemon left in the keyring.
    pub fn found(&mut self, kept: Vec<Kept>) {
        self.carry_out(Event::KeptFound(kept));
    }

    fn configure(&mut self) {
        let config = &self.configuration.config;
        let patience = Duration::from_secs(config.limits.frozen_seconds.get().into());
        self.effects.configure(config.authorization_server.clone(), patience);
    }

    /// Runs until the core says stop; everything is wiped then.
    pub async fn run(mut self) {
        loop {
            let deadline = self.core.deadline();
            let event = tokio::select! {
                // What happened goes before what is asked.
                biased;
                event = self.receivers.events.recv() => event,
                arrival = self.receivers.arrivals.recv() => arrival.map(|arrival| self.effects.keep(arrival)),
                message = self.receivers.messages.recv() => message.and_then(|message| self.translate(message)),
                () = self.alarm.wait_until(deadline) => {
                    self.note_use();
                    Some(Event::DeadlineReached)
                }
            };
            let Some(event) = event else { continue };
            if self.carry_out(event) {
                return self.onlookers.witness.end(&self.core, &self.effects);
            }
        }
    }

    /// The core hears of requests only before it decides that nobody makes any.
    fn note_use(&mut self) {
        for (session, at) in self.effects.last_used(clock::since_boot()) {
            self.carry_out(Event::SessionUsed { session, at });
        }
    }

    /// Handles one event and everything that follows from it at once; true when the daemon stops.
    fn carry_out(&mut self, event: Event) -> bool {
        let mut waiting = VecDeque::from([event]);
        let mut stop = false;
        while let Some(event) = waiting.pop_front() {
            let occasion = Occasion::of(&event);
            for effect in self.core.handle(event, now()) {
                stop |= effect == Effect::Stop;
                self.onlookers.witness.before(&occasion, &effect, &self.effects);
                waiting.extend(self.effects.perform(effect));
            }
            let news = self.onlookers.witness.after(occasion, &mut self.core);
            if let Some(news) = news.filter(|_| self.configuration.config.notify.desktop) {
                self.onlookers.notifier.tell(&news);
            }
        }
        self.changes.send_modify(|version| *version = version.wrapping_add(1));
        stop
    }

    fn translate(&mut self, message: Message) -> Option<Event> {
        match message {
            Message::Ask(ask) => {
                let (request, command) = self.effects.expect_answer(ask);
                Some(Event::Asked { request, command })
            }
            Message::Inquire(Inquiry::CarriedOut(reply)) => {
                let _ = reply.send(());
                None
            }
            Message::Inquire(Inquiry::View { place, reply }) => {
                let _ = reply.send(View {
                    here: place.map(|place| self.core.account_for(&place.directory, place.account.as_ref())),
                    snapshot: self.core.snapshot(),
                    readings: self.effects.readings(),
                    configuration: self.configuration.clone(),
                    record: self.onlookers.witness.state(),
                    strays: self.strays.clone(),
                });
                None
            }
            Message::Inquire(Inquiry::Recognize { found, reply }) => {
                let snapshot = self.core.snapshot();
                let _ = reply.send(self.effects.recognize(&snapshot, &found, clock::since_boot()));
                None
            }
            Message::Inquire(Inquiry::Strays(strays)) => {
                self.strays = strays;
                self.changes.send_modify(|version| *version = version.wrapping_add(1));
                None
            }
            Message::Inquire(Inquiry::Reload(reply)) => {
                let outcome = self.configuration.reload().map_err(|error| error.to_string());
                if let Err(error) = &outcome {
                    tracing::error!("configuration not taken: {error}");
                }
                let policy = policy(&self.configuration, self.may_retire);
                self.configure();
                let _ = reply.send(outcome.map(|()| self.configuration.clone()));
                Some(Event::PolicyLoaded(policy))
            }
        }
    }
}

fn policy(configuration: &Configuration, may_retire: bool) -> claudectl_core::policy::Policy {
    let mut policy = configuration.policy();
    policy.exit_when_unused = policy.exit_when_unused.filter(|_| may_retire);
    policy
}

/// A bounded channel for events: senders wait, nothing is ever lost.
pub fn events() -> (mpsc::Sender<Event>, mpsc::Receiver<Event>) {
    mpsc::channel(1024)
}
