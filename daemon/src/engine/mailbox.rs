//! The way to the engine.

use std::collections::BTreeMap;

use claudectl_core::{
    command::Command,
    engine::Snapshot,
    error::Refusal,
    event::Event,
    ids::{AccountName, SessionId},
    policy::rules::Why,
};
use claudectl_footprint::finding::{Fingerprint, FingerprintKey};
use claudectl_platform::peer::Peer;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Ask, Reply, events};
use crate::{
    config::Configuration,
    effects::{Arrival, Recognition, TooMany},
    guard::Stray,
    meter::Reading,
    record::State,
};

/// A handle that everything outside the engine holds.
#[derive(Debug, Clone)]
pub struct Mailbox {
    messages: mpsc::Sender<Message>,
    events: mpsc::Sender<Event>,
    changes: watch::Receiver<u64>,
}

/// The engine's ends of the channels.
#[derive(Debug)]
pub struct Receivers {
    pub(super) messages: mpsc::Receiver<Message>,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) arrivals: mpsc::Receiver<Arrival>,
}

#[derive(Debug)]
pub(super) enum Message {
    Ask(Ask),
    Inquire(Inquiry),
}

#[derive(Debug)]
pub(super) enum Inquiry {
    CarriedOut(oneshot::Sender<()>),
    View { place: Option<Place>, reply: oneshot::Sender<View> },
    Reload(oneshot::Sender<Result<Configuration, String>>),
    Recognize { found: Found, reply: oneshot::Sender<Result<Recognition, TooMany>> },
    Strays(Vec<Stray>),
}

/// Credentials that somebody has found, as fingerprints under his key.
#[derive(Debug)]
pub struct Found {
    /// The key.
    pub key: FingerprintKey,
    /// One for each credential.
    pub fingerprints: Vec<Fingerprint>,
}

/// Where a session would be started.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its working directory.
    pub directory: String,
    /// The account that it would name.
    pub account: Option<AccountName>,
}

/// What an outsider may see.
#[derive(Debug)]
pub struct View {
    /// Accounts and sessions.
    pub snapshot: Snapshot,
    /// What each session used.
    pub readings: BTreeMap<SessionId, Reading>,
    /// The configuration.
    pub configuration: Configuration,
    /// The local record.
    pub record: State,
    /// Credentials that the guard noticed outside the daemon.
    pub strays: Vec<Stray>,
    /// What a session in the place that was asked about would get, and why.
    pub here: Option<Result<(AccountName, Why), Refusal>>,
}

/// The engine is gone: the daemon is stopping.
#[derive(Debug, thiserror::Error)]
#[error("claudectld is stopping")]
pub struct Gone;

/// Both ends. `changes` ticks after every event; `events` and `arrivals` are for effects and
/// watchers.
pub fn mailbox(
    changes: watch::Receiver<u64>,
) -> (Mailbox, Receivers, mpsc::Sender<Event>, mpsc::Sender<Arrival>) {
    let (messages, inbox) = mpsc::channel(256);
    let (event_sender, event_inbox) = events();
    let (arrival_sender, arrival_inbox) = mpsc::channel(16);
    let mailbox = Mailbox { messages, events: event_sender.clone(), changes };
    let receivers = Receivers { messages: inbox, events: event_inbox, arrivals: arrival_inbox };
    (mailbox, receivers, event_sender, arrival_sender)
}

impl Mailbox {
    /// Asks for something; the replies come on the channel that is returned, the last one `Done`.
    ///
    /// # Errors
    /// [`Gone`] if the daemon is stopping.
    pub async fn ask(&self, peer: Peer, command: Command) -> Result<mpsc::Receiver<Reply>, Gone> {
        let (replies, receiver) = mpsc::channel(8);
        let ask = Message::Ask(Ask { peer, command, replies });
        self.messages.send(ask).await.map_err(|_| Gone)?;
        Ok(receiver)
    }

    /// What an outsider may see, now; and what a session in this place would get.
    ///
    /// # Errors
    /// [`Gone`] if the daemon is stopping.
    pub async fn view(&self, place: Option<Place>) -> Result<View, Gone> {
        self.inquire(|reply| Inquiry::View { place, reply }).await
    }

    /// Which accounts hold these credentials.
    ///
    /// # Errors
    /// [`Gone`] if the daemon is stopping; the inner error if too much was asked lately.
    pub async fn recognize(&self, found: Found) -> Result<Result<Recognition, TooMany>, Gone> {
        self.inquire(|reply| Inquiry::Recognize { found, reply }).await
    }

    /// Reads the configuration again.
    ///
    /// # Errors
    /// [`Gone`] if the daemon is stopping; the inner error says what is wrong with the file.
    pub async fn reload(&self) -> Result<Result<Configuration, String>, Gone> {
        self.inquire(Inquiry::Reload).await
    }

    /// Waits until everything that was told before was carried out.
    ///
    /// # Errors
    /// [`Gone`] if the daemon is stopping.
    pub async fn carried_out(&self) -> Result<(), Gone> {
        self.inquire(Inquiry::CarriedOut).await
    }

    /// Says that something happened.
    pub async fn tell(&self, event: Event) {
        // If the engine is gone, so is everything that the event could change.
        let _ = self.events.send(event).await;
    }

    /// Waits until everything that was said before is carried out, nothing waits for its wipe, and nothing
    /// would be forgotten; or until the engine is gone.
    pub async fn settled(&self) {
        let mut changes = self.changes();
        while let Ok(view) = self.view(None).await {
            if view.snapshot.is_settled || changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Says what the guard has noticed so far.
    pub async fn report_strays(&self, strays: Vec<Stray>) {
        // If the engine is gone, nobody asks any more.
        let _ = self.messages.send(Message::Inquire(Inquiry::Strays(strays))).await;
    }

    /// Ticks after every event.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    async fn inquire<T>(&self, inquiry: impl FnOnce(oneshot::Sender<T>) -> Inquiry) -> Result<T, Gone> {
        let (reply, answer) = oneshot::channel();
        self.messages.send(Message::Inquire(inquiry(reply))).await.map_err(|_| Gone)?;
        answer.await.map_err(|_| Gone)
    }
}
