//! The desktop: screen lock, suspend, the end of the session. Several sources become one stream of
//! events; whatever any of them says of a lock counts.

use std::{collections::BTreeSet, time::Duration};

use claudectl_core::event::{DesktopEvent, Event, Sighting};
use claudectl_platform::{
    clock,
    desktop::{self, Buses, Delay, Notice},
};

use crate::engine::Mailbox;

/// How long a machine that sleeps or stops is asked to wait. logind's own limit is five seconds
/// (`InhibitDelayMaxSec=`, logind.conf(5)), which an administrator may have raised.
const LETTING_GO: Duration = Duration::from_secs(10);

/// Reports what the desktop tells until the engine is gone.
pub async fn watch(buses: Buses, mailbox: Mailbox) {
    let mut notices = desktop::listen(&buses);
    let mut desktop = Desktop { mailbox, heard: BTreeSet::new(), locked: BTreeSet::new() };
    while let Some(notice) = notices.recv().await {
        desktop.take(notice).await;
    }
}

struct Desktop {
    mailbox: Mailbox,
    heard: BTreeSet<&'static str>,
    /// Screens that are locked. Nothing counts as unlocked before all of them are.
    locked: BTreeSet<String>,
}

impl Desktop {
    async fn take(&mut self, notice: Notice) {
        match notice {
            // What is known already is no event: whoever watches the status would be told for nothing.
            Notice::Heard(source) if self.heard.insert(source) => {
                self.mailbox.tell(Event::SourceHeard { source }).await;
            }
            Notice::Lost(source) if self.heard.remove(source) => {
                self.mailbox.tell(Event::SourceLost { source }).await;
            }
            Notice::Heard(_) | Notice::Lost(_) => {}
            Notice::ScreenLocked(desktop::Sighting { screen, by }) => {
                let repeated = !self.locked.is_empty();
                self.locked.insert(screen);
                // Told to the core each time, and only of a lock: an account may have been logged in since.
                self.report(DesktopEvent::ScreenLocked, by, repeated).await;
            }
            Notice::ScreenUnlocked(desktop::Sighting { screen, by }) => {
                self.locked.remove(&screen);
                if self.locked.is_empty() {
                    self.report(DesktopEvent::ScreenUnlocked, by, false).await;
                }
            }
            Notice::ScreenGone(screen) => drop(self.locked.remove(&screen)),
            Notice::Suspending(delay) => self.before_letting_go(DesktopEvent::Suspending, delay).await,
            Notice::ShuttingDown(delay) => self.before_letting_go(DesktopEvent::ShuttingDown, delay).await,
            Notice::Resumed => {
                let locked = !self.locked.is_empty();
                self.report(DesktopEvent::Resumed { locked }, machine(), false).await;
            }
            Notice::DesktopEnded => self.report(DesktopEvent::DesktopEnded, machine(), false).await,
            Notice::Idle(true) => self.report(DesktopEvent::InputEnded, machine(), false).await,
            Notice::Idle(false) => self.report(DesktopEvent::InputSeen, machine(), false).await,
        }
    }

    /// The machine waits until the delay is dropped.
    async fn before_letting_go(&mut self, what: DesktopEvent, delay: Option<Delay>) {
        let heard = Heard::now(what, machine(), false);
        let took = self.carry_out(&heard).await;
        // A revocation that is under way needs the tokens: they are wiped when it is over. And a daemon that
        // is started after the machine was must know what is left to do.
        // What is told next has to be heard, however slow a disk is.
        let _ = tokio::time::timeout(LETTING_GO, self.mailbox.settled()).await;
        drop(delay);
        self.note(heard, took).await;
    }

    async fn report(&mut self, what: DesktopEvent, by: String, repeated: bool) {
        let heard = Heard::now(what, by, repeated);
        let took = self.carry_out(&heard).await;
        self.note(heard, took).await;
    }

    /// Returns once everything that follows at once has happened: gates are closed, pages wiped.
    async fn carry_out(&self, heard: &Heard) -> Duration {
        let event = if heard.repeated { Event::LockToldAgain } else { Event::Desktop(heard.what) };
        self.mailbox.tell(event).await;
        // If the engine is gone, so is everything that it held.
        let _ = self.mailbox.carried_out().await;
        clock::since_boot().saturating_sub(heard.since_boot)
    }

    async fn note(&self, heard: Heard, took: Duration) {
        tracing::info!("{}: {:?} (acted on within {took:?})", heard.by, heard.what);
        let Heard { what, by, at_milliseconds, repeated, .. } = heard;
        self.mailbox.tell(Event::Sighted(Sighting { what, by, at_milliseconds, took, repeated })).await;
    }
}

/// A desktop event, and when it was heard by both clocks.
struct Heard {
    what: DesktopEvent,
    by: String,
    repeated: bool,
    since_boot: Duration,
    at_milliseconds: i64,
}

impl Heard {
    fn now(what: DesktopEvent, by: String, repeated: bool) -> Self {
        let (since_boot, at_milliseconds) = (clock::since_boot(), clock::wall_milliseconds());
        Self { what, by, repeated, since_boot, at_milliseconds }
    }
}

fn machine() -> String {
    desktop::MACHINE.to_owned()
}
