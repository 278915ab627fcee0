//! logind (`org.freedesktop.login1(5)`): `Lock`, `LockedHint`, and `PrepareForSleep` with a delay
//! inhibitor.

use std::{collections::BTreeMap, os::fd::OwnedFd};

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use zbus::{
    Connection, MatchRule, Message, MessageStream, connection, message,
    zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

use super::{super::Notice, Delay, Silence};
use crate::peer;

/// What this source is called.
pub(super) const SOURCE: &str = "logind";

const NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// logind's description of a login session: id, uid, user name, seat, path.
type Listed = (String, u32, String, String, OwnedObjectPath);

struct Logind {
    connection: Connection,
    notices: mpsc::Sender<Notice>,
    delay: Option<Delay>,
}

/// Hears it until the bus goes away.
pub(super) async fn hear(bus: String, notices: mpsc::Sender<Notice>) -> Result<(), Silence> {
    let connection = connection::Builder::address(bus.as_str())?.build().await?;
    let signals =
        MatchRule::builder().msg_type(message::Type::Signal).sender(NAME)?.path_namespace(PATH)?.build();
    // Listen first, then look: what happens between the two is heard.
    let mut signals = MessageStream::for_match_rule(signals, &connection, None).await?;
    let delay = inhibit(&connection).await.ok();
    let mut logind = Logind { connection, notices, delay };
    logind.look().await?;
    while let Some(signal) = signals.next().await {
        logind.take(&signal?).await?;
    }
    Ok(())
}

impl Logind {
    async fn take(&mut self, signal: &Message) -> Result<(), Silence> {
        let header = signal.header();
        let member = header.member().map(zbus::names::MemberName::as_str).unwrap_or_default();
        match (header.interface().map(zbus::names::InterfaceName::as_str), member, header.path()) {
            (Some(SESSION), "Lock", Some(session)) => self.locked(session).await,
            (Some(PROPERTIES), "PropertiesChanged", Some(session)) if tells_lock(signal) => {
                self.locked(session).await
            }
            (Some(MANAGER), "PrepareForSleep", _) => self.sleeps(signal.body().deserialize()?).await,
            (Some(MANAGER), "SessionNew" | "SessionRemoved", _) => self.look().await,
            _ => Ok(()),
        }
    }

    /// A login session was locked. One that cannot be asked whose it is counts as ours.
    async fn locked(&self, session: &ObjectPath<'_>) -> Result<(), Silence> {
        let user: Result<(u32, OwnedObjectPath), Silence> = self.property(session, "User").await;
        if user.map_or(true, |(uid, _)| uid == peer::own_uid()) {
            self.notices.send(Notice::ScreenLocked).await?;
        }
        Ok(())
    }

    async fn sleeps(&mut self, begins: bool) -> Result<(), Silence> {
        if begins {
            self.notices.send(Notice::Suspending(self.delay.take())).await?;
        } else {
            self.delay = inhibit(&self.connection).await.ok();
        }
        Ok(())
    }

    /// Tells whether this user has a screen that can be locked, and whether it is locked already.
    async fn look(&self) -> Result<(), Silence> {
        let (name, manager) = (Some(NAME), Some(MANAGER));
        let listed = self.connection.call_method(name, PATH, manager, "ListSessions", &()).await?;
        let sessions: Vec<Listed> = listed.body().deserialize()?;
        let mut heard = false;
        for (_, uid, _, _, session) in sessions {
            if uid != peer::own_uid() {
                continue;
            }
            let kind: String = self.property(&session, "Type").await.unwrap_or_default();
            heard |= matches!(kind.as_str(), "x11" | "wayland" | "mir");
            if self.property(&session, "LockedHint").await.unwrap_or(false) {
                self.notices.send(Notice::ScreenLocked).await?;
            }
        }
        self.notices.send(if heard { Notice::Heard(SOURCE) } else { Notice::Lost(SOURCE) }).await?;
        Ok(())
    }

    async fn property<T>(&self, session: &ObjectPath<'_>, property: &str) -> Result<T, Silence>
    where
        T: TryFrom<OwnedValue>,
        T::Error: std::error::Error + Send + Sync + 'static,
    {
        let question = (SESSION, property);
        let answer =
            self.connection.call_method(Some(NAME), session, Some(PROPERTIES), "Get", &question).await?;
        Ok(T::try_from(answer.body().deserialize::<OwnedValue>()?)?)
    }
}

/// Whether a `PropertiesChanged` says that a session is locked now.
fn tells_lock(signal: &Message) -> bool {
    let body = signal.body();
    let changed = body.deserialize::<(&str, BTreeMap<&str, Value<'_>>, Vec<&str>)>();
    changed.is_ok_and(|(interface, changed, _)| {
        interface == SESSION && changed.get("LockedHint") == Some(&Value::Bool(true))
    })
}

async fn inhibit(connection: &Connection) -> Result<Delay, Silence> {
    let how = ("sleep", "claudectl", "Credentials are wiped before the machine sleeps", "delay");
    let answer = connection.call_method(Some(NAME), PATH, Some(MANAGER), "Inhibit", &how).await?;
    let inhibitor: zbus::zvariant::OwnedFd = answer.body().deserialize()?;
    Ok(Delay { inhibitor: OwnedFd::from(inhibitor) })
}
