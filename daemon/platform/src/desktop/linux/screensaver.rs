//! Screen savers on the session bus: `ActiveChanged`, whatever the desktop calls its interface.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use zbus::{Connection, MatchRule, Message, MessageStream, connection, message};

use super::{super::Notice, Silence};

/// What this source is called.
pub(super) const SOURCE: &str = "screen saver";

/// How long a screen saver may take to say whether it is active.
const ANSWER: Duration = Duration::from_secs(1);

/// Names and object paths of the screen savers that are known. The signal is heard from others, too.
const KNOWN: [(&str, &str); 6] = [
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.kde.screensaver", "/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
];

/// Hears it until the bus goes away.
pub(super) async fn hear(bus: String, notices: mpsc::Sender<Notice>) -> Result<(), Silence> {
    let connection = connection::Builder::address(bus.as_str())?.build().await?;
    // Listen first, then look: what happens between the two is heard.
    let locks = MatchRule::builder().msg_type(message::Type::Signal).member("ActiveChanged")?.build();
    let mut locks = MessageStream::for_match_rule(locks, &connection, None).await?;
    let owners = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .sender("org.freedesktop.DBus")?
        .member("NameOwnerChanged")?
        .build();
    let mut owners = MessageStream::for_match_rule(owners, &connection, None).await?;
    look(&connection, &notices).await?;
    loop {
        tokio::select! {
            biased;
            signal = locks.next() => match signal {
                None => return Ok(()),
                Some(signal) => if tells_lock(&signal?) {
                    notices.send(Notice::ScreenLocked).await?;
                },
            },
            change = owners.next() => match change {
                None => return Ok(()),
                Some(change) => if concerns_known(&change?) {
                    look(&connection, &notices).await?;
                },
            },
        }
    }
}

/// Whether a signal says that the screen was locked.
fn tells_lock(signal: &Message) -> bool {
    let header = signal.header();
    let interface = header.interface().map(|name| name.as_str().to_ascii_lowercase()).unwrap_or_default();
    interface.ends_with(".screensaver") && signal.body().deserialize::<bool>().unwrap_or(false)
}

fn concerns_known(change: &Message) -> bool {
    let body = change.body();
    let name = body.deserialize::<(&str, &str, &str)>().map(|(name, _, _)| name).unwrap_or_default();
    KNOWN.iter().any(|(known, _)| *known == name)
}

/// Tells whether there is a screen saver, and whether it is active already.
async fn look(connection: &Connection, notices: &mpsc::Sender<Notice>) -> Result<(), Silence> {
    let mut present = Vec::new();
    for known in KNOWN {
        let bus = Some("org.freedesktop.DBus");
        let asked =
            connection.call_method(bus, "/org/freedesktop/DBus", bus, "NameHasOwner", &(known.0,)).await?;
        if asked.body().deserialize::<bool>()? {
            present.push(known);
        }
    }
    notices.send(if present.is_empty() { Notice::Lost(SOURCE) } else { Notice::Heard(SOURCE) }).await?;
    for (name, path) in present {
        // On the side: one that is slow to answer must not keep us from hearing the others.
        let (connection, notices) = (connection.clone(), notices.clone());
        tokio::spawn(async move {
            if is_active(&connection, name, path).await {
                // If nobody listens any more, nothing is held either.
                drop(notices.send(Notice::ScreenLocked).await);
            }
        });
    }
    Ok(())
}

/// Asks a screen saver. Some implement nothing but the signal, and some never answer.
async fn is_active(connection: &Connection, name: &'static str, path: &'static str) -> bool {
    let question = connection.call_method(Some(name), path, Some(interface(name)), "GetActive", &());
    match tokio::time::timeout(ANSWER, question).await {
        Ok(Ok(answer)) => answer.body().deserialize::<bool>().unwrap_or(false),
        _ => false,
    }
}

/// The interface is called like the service, but for KDE's old name.
fn interface(name: &'static str) -> &'static str {
    if name == "org.kde.screensaver" { "org.freedesktop.ScreenSaver" } else { name }
}
