//! logind (`org.freedesktop.login1(5)`): `Lock`, `Unlock`, `LockedHint`, `Active`, the idle hint, the end of
//! sessions; `PrepareForSleep` and `PrepareForShutdown` with a delay inhibitor.

#[path = "logind/leaders.rs"]
mod leaders;
#[path = "logind/look.rs"]
mod look;
#[path = "logind/screens.rs"]
mod screens;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
};

use futures_util::StreamExt as _;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinError, JoinSet},
};
use zbus::{
    Connection, MatchRule, Message, MessageStream, connection, message,
    zvariant::{ObjectPath, Value},
};

use self::{
    leaders::Leaders,
    look::{Seen, Session, inhibit, look},
    screens::Screens,
};
use super::{super::Notice, ANSWER, Delay, Recheck, Silence, Source};
use crate::peer;

const NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
const USER: &str = "org.freedesktop.login1.User";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What logind told so far.
pub(super) struct Logind {
    bus: String,
    notices: mpsc::Sender<Notice>,
    rechecks: mpsc::Sender<Recheck>,
    screens: Screens,
    /// Sessions whose desktop has said that its screen is locked: it will say so again.
    hinted: BTreeSet<String>,
    leaders: Leaders,
    idle: bool,
    /// Since the machine was about to sleep, until it is known to be awake.
    asleep: bool,
    delay: Option<Delay>,
    /// Signals so far. What was seen before a signal is seen again.
    signals: u64,
}

/// What came of looking, and how many signals there had been when it began.
type Looked = (u64, Result<Seen, Silence>);

impl Source for Logind {
    const NAME: &'static str = "logind";

    async fn hear(&mut self) -> Result<(), Silence> {
        let connection = connection::Builder::address(self.bus.as_str())?.build().await?;
        let signals =
            MatchRule::builder().msg_type(message::Type::Signal).sender(NAME)?.path_namespace(PATH)?.build();
        // Listen first, then look: what happens between the two is heard.
        let mut signals = MessageStream::for_match_rule(signals, &connection, None).await?;
        let mut owners = owners(&connection).await?;
        // A delay of a connection that is gone may be gone as well.
        self.delay = inhibit_in_time(&connection).await;
        let mut looks = JoinSet::new();
        self.begin_look(&connection, &mut looks);
        loop {
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    None => return Ok(()),
                    Some(signal) => self.take(&signal?, &connection, &mut looks).await?,
                },
                // logind itself is gone, and its delays with it: one that comes back is asked anew.
                owner = owners.next() => if owner.is_none_or(|owner| is_gone(owner.ok().as_ref())) {
                    return Ok(());
                },
                () = self.leaders.ended() => self.begin_look(&connection, &mut looks),
                looked = next(&mut looks) => self.looked(looked?, &connection, &mut looks).await?,
            }
        }
    }
}

/// Who has logind's name on the bus.
async fn owners(connection: &Connection) -> Result<MessageStream, Silence> {
    const BUS: &str = "org.freedesktop.DBus";
    let changes = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .sender(BUS)?
        .interface(BUS)?
        .member("NameOwnerChanged")?
        .add_arg(NAME)?
        .build();
    Ok(MessageStream::for_match_rule(changes, connection, None).await?)
}

/// Whether a `NameOwnerChanged` says that nobody has the name any more.
fn is_gone(change: Option<&Message>) -> bool {
    let body = change.map(Message::body);
    let owners = body.as_ref().and_then(|body| body.deserialize::<(&str, &str, &str)>().ok());
    owners.is_none_or(|(_, _, new)| new.is_empty())
}

/// A delay, unless logind does not answer: what it says must be heard all the same.
async fn inhibit_in_time(connection: &Connection) -> Option<Delay> {
    tokio::time::timeout(ANSWER, inhibit(connection)).await.ok().flatten()
}

/// The next answer; none as long as nothing was asked.
async fn next(looks: &mut JoinSet<Looked>) -> Result<Looked, JoinError> {
    match looks.join_next().await {
        Some(looked) => looked,
        None => pending().await,
    }
}

impl Logind {
    pub(super) fn new(bus: String, notices: mpsc::Sender<Notice>, rechecks: mpsc::Sender<Recheck>) -> Self {
        Self {
            bus,
            notices,
            rechecks,
            screens: Screens::default(),
            hinted: BTreeSet::new(),
            leaders: Leaders::default(),
            idle: false,
            asleep: false,
            delay: None,
            signals: 0,
        }
    }

    /// On the side, so that nothing is kept from being heard by it.
    fn begin_look(&self, connection: &Connection, looks: &mut JoinSet<Looked>) {
        // One at a time: one that is outdated by its end begins again.
        if looks.is_empty() {
            let (connection, signals) = (connection.clone(), self.signals);
            looks.spawn(async move { (signals, look(&connection).await) });
        }
    }

    async fn take(
        &mut self,
        signal: &Message,
        connection: &Connection,
        looks: &mut JoinSet<Looked>,
    ) -> Result<(), Silence> {
        self.signals = self.signals.wrapping_add(1);
        let header = signal.header();
        let member = header.member().map(zbus::names::MemberName::as_str).unwrap_or_default();
        match (header.interface().map(zbus::names::InterfaceName::as_str), member, header.path()) {
            (Some(SESSION), "Lock", Some(session)) => {
                self.told(|screens| screens.lock(name_of(session))).await
            }
            (Some(SESSION), "Unlock", Some(session)) => {
                self.told(|screens| screens.unlock(name_of(session))).await
            }
            (Some(PROPERTIES), "PropertiesChanged", Some(object)) => {
                if let Some(locked) = locked_hint(signal) {
                    self.note_hint(name_of(object), locked);
                    self.told(|screens| screens.hint(name_of(object), locked)).await?;
                }
                self.begin_look(connection, looks);
                Ok(())
            }
            (Some(MANAGER), "PrepareForSleep", _) if signal.body().deserialize()? => {
                self.asleep = true;
                let delay = self.delay.take();
                self.tell(Notice::Suspending(delay)).await
            }
            (Some(MANAGER), "PrepareForShutdown", _) if signal.body().deserialize()? => {
                let delay = self.delay.take();
                self.tell(Notice::ShuttingDown(delay)).await
            }
            (Some(MANAGER), "PrepareForSleep" | "PrepareForShutdown", _) => {
                // It is over, or was called off. What is true now is told before anything goes on.
                self.delay = inhibit_in_time(connection).await;
                self.begin_look(connection, looks);
                Ok(())
            }
            (Some(MANAGER), "SessionNew" | "SessionRemoved" | "UserNew" | "UserRemoved", _) => {
                self.begin_look(connection, looks);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn looked(
        &mut self,
        (signals, seen): Looked,
        connection: &Connection,
        looks: &mut JoinSet<Looked>,
    ) -> Result<(), Silence> {
        let seen = seen?;
        if signals != self.signals {
            // Something was told meanwhile that may contradict it.
            self.begin_look(connection, looks);
            return Ok(());
        }
        self.hinted.retain(|name| seen.sessions.contains_key(name));
        for (name, session) in &seen.sessions {
            self.note_hint(name, session.locked);
        }
        let tells = |(name, session): (&String, &Session)| {
            session.graphical && session.attended && (session.tells || self.hinted.contains(name))
        };
        let heard = seen.sessions.iter().any(tells);
        self.tell(if heard { Notice::Heard(Self::NAME) } else { Notice::Lost(Self::NAME) }).await?;
        if let Some(idle) = seen.idle.filter(|idle| *idle != self.idle) {
            self.idle = idle;
            self.tell(Notice::Idle(idle)).await?;
        }
        self.leaders.watch(seen.sessions.values().filter_map(|session| session.leader));
        self.told(|screens| screens.see(&seen.sessions)).await?;
        if self.asleep && !seen.sleeping {
            self.ask_screen_savers().await;
            self.asleep = false;
            self.tell(Notice::Resumed).await?;
        }
        Ok(())
    }

    fn note_hint(&mut self, session: &str, locked: bool) {
        if locked {
            self.hinted.insert(session.to_owned());
        }
    }

    /// Waits until the screen savers have said whether they are active, but not for ever.
    async fn ask_screen_savers(&self) {
        let (recheck, answered) = oneshot::channel();
        // Where there is no session bus nobody takes the question, and the channel is closed.
        if self.rechecks.try_send(recheck).is_ok() {
            drop(tokio::time::timeout(ANSWER * 2, answered).await);
        }
    }

    async fn told(&mut self, what: impl FnOnce(&mut Screens) -> Vec<Notice>) -> Result<(), Silence> {
        for notice in what(&mut self.screens) {
            self.tell(notice).await?;
        }
        Ok(())
    }

    async fn tell(&self, notice: Notice) -> Result<(), Silence> {
        Ok(self.notices.send(notice).await?)
    }
}

/// What a `PropertiesChanged` says about the lock of a session.
fn locked_hint(signal: &Message) -> Option<bool> {
    let body = signal.body();
    let (interface, changed, _): (&str, BTreeMap<&str, Value<'_>>, Vec<&str>) = body.deserialize().ok()?;
    match changed.get("LockedHint") {
        Some(Value::Bool(locked)) if interface == SESSION => Some(*locked),
        _ => None,
    }
}

/// The user whose sessions count.
fn own_user() -> u32 {
    peer::own_uid()
}

/// The last part of an object's path.
fn name_of<'a>(object: &'a ObjectPath<'_>) -> &'a str {
    object.as_str().rsplit('/').next().unwrap_or_default()
}
