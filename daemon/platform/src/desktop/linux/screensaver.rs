//! Screen savers on the session bus: `ActiveChanged`, whatever the desktop calls its interface.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
};

use futures_util::StreamExt as _;
use tokio::{sync::mpsc, task::JoinSet};
use zbus::{Connection, MatchRule, Message, MessageStream, connection, message};

use super::{
    super::{Notice, Sighting},
    ANSWER, Recheck, Silence, Source,
};

/// Names and object paths of the screen savers that are known. The signal is heard from others, too.
const KNOWN: [(&str, &str); 7] = [
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    // Where some have the same; most have both.
    ("org.freedesktop.ScreenSaver", "/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.kde.screensaver", "/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
];

/// The bus itself.
const BUS: &str = "org.freedesktop.DBus";
/// More interfaces than there are desktops: what is told beyond it still locks, but is not remembered.
const MOST_SCREENS: usize = 32;

/// What the screen savers told so far.
pub(super) struct ScreenSavers {
    bus: String,
    notices: mpsc::Sender<Notice>,
    rechecks: mpsc::Receiver<Recheck>,
    /// Who waits for the answers that are on their way.
    waiting: Vec<Recheck>,
    /// Interfaces that say that they are active.
    active: BTreeSet<String>,
    /// Signals of each interface so far. What a screen saver answered before its signal is asked again.
    signals: BTreeMap<String, u64>,
}

/// What came of a question.
enum Asked {
    /// Which of the known screen savers are there.
    Present(Vec<(&'static str, &'static str)>),
    /// Whether this one is active, and how many signals there had been when it was asked.
    Active { name: &'static str, path: &'static str, signals: u64, active: Option<bool> },
}

type Questions = JoinSet<Result<Asked, Silence>>;

impl Source for ScreenSavers {
    const NAME: &'static str = "screen saver";

    async fn hear(&mut self) -> Result<(), Silence> {
        let connection = connection::Builder::address(self.bus.as_str())?.build().await?;
        // Listen first, then look: what happens between the two is heard.
        let locks = MatchRule::builder().msg_type(message::Type::Signal).member("ActiveChanged")?.build();
        let mut locks = MessageStream::for_match_rule(locks, &connection, None).await?;
        let owners = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(BUS)?
            .member("NameOwnerChanged")?
            .build();
        let mut owners = MessageStream::for_match_rule(owners, &connection, None).await?;
        let mut questions = JoinSet::new();
        look(&connection, &mut questions);
        loop {
            tokio::select! {
                biased;
                signal = locks.next() => match signal {
                    None => return Ok(()),
                    Some(signal) => self.take(&signal?).await?,
                },
                change = owners.next() => match change {
                    None => return Ok(()),
                    Some(change) => if concerns_known(&change?) {
                        look(&connection, &mut questions);
                    },
                },
                Some(recheck) = self.rechecks.recv() => {
                    self.waiting.push(recheck);
                    look(&connection, &mut questions);
                }
                answer = next(&mut questions) => self.answered(answer?, &connection, &mut questions).await?,
            }
        }
    }
}

/// The next answer; none as long as nothing was asked.
async fn next(questions: &mut Questions) -> Result<Asked, Silence> {
    match questions.join_next().await {
        Some(answer) => answer?,
        None => pending().await,
    }
}

/// Asks which screen savers there are; on the side, so that nothing is kept from being heard by it.
fn look(connection: &Connection, questions: &mut Questions) {
    let connection = connection.clone();
    questions.spawn(async move { present(&connection).await.map(Asked::Present) });
}

impl ScreenSavers {
    pub(super) fn new(bus: String, notices: mpsc::Sender<Notice>, rechecks: mpsc::Receiver<Recheck>) -> Self {
        Self {
            bus,
            notices,
            rechecks,
            waiting: Vec::new(),
            active: BTreeSet::new(),
            signals: BTreeMap::new(),
        }
    }

    async fn take(&mut self, signal: &Message) -> Result<(), Silence> {
        let header = signal.header();
        let interface = header.interface().map(|name| name.as_str().to_owned()).unwrap_or_default();
        let Ok(active) = signal.body().deserialize::<bool>() else { return Ok(()) };
        if !interface.to_ascii_lowercase().ends_with(".screensaver") {
            return Ok(());
        }
        if self.signals.len() < MOST_SCREENS || self.signals.contains_key(&interface) {
            let signals = self.signals.entry(interface.clone()).or_default();
            *signals = signals.wrapping_add(1);
        }
        self.is(interface, active).await
    }

    /// A screen saver says what it is. Each lock is told, an unlock only of what was locked.
    async fn is(&mut self, interface: String, active: bool) -> Result<(), Silence> {
        let sighting = Sighting { screen: interface.clone(), by: interface.clone() };
        if active {
            if self.active.len() < MOST_SCREENS {
                self.active.insert(interface);
            }
            self.notices.send(Notice::ScreenLocked(sighting)).await?;
        } else if self.active.remove(&interface) {
            self.notices.send(Notice::ScreenUnlocked(sighting)).await?;
        }
        Ok(())
    }

    async fn answered(
        &mut self,
        answer: Asked,
        connection: &Connection,
        questions: &mut Questions,
    ) -> Result<(), Silence> {
        match answer {
            Asked::Present(present) => {
                let heard = !present.is_empty();
                let notice = if heard { Notice::Heard(Self::NAME) } else { Notice::Lost(Self::NAME) };
                self.notices.send(notice).await?;
                for (name, path) in present {
                    self.ask(name, path, connection, questions);
                }
            }
            Asked::Active { name, path, signals, .. } if signals != self.signals_of(interface(name)) => {
                self.ask(name, path, connection, questions);
            }
            Asked::Active { name, active, .. } => {
                let interface = interface(name);
                // Some implement nothing but the signal, and some never answer.
                let changed = active.filter(|active| *active != self.active.contains(interface));
                if let Some(active) = changed {
                    self.is(interface.to_owned(), active).await?;
                }
            }
        }
        if questions.is_empty() {
            for recheck in self.waiting.drain(..) {
                // Who asked may have given up.
                let _ = recheck.send(());
            }
        }
        Ok(())
    }

    fn ask(
        &self,
        name: &'static str,
        path: &'static str,
        connection: &Connection,
        questions: &mut Questions,
    ) {
        let (connection, signals) = (connection.clone(), self.signals_of(interface(name)));
        questions.spawn(async move {
            let active = is_active(&connection, name, path).await;
            Ok(Asked::Active { name, path, signals, active })
        });
    }

    fn signals_of(&self, interface: &str) -> u64 {
        self.signals.get(interface).copied().unwrap_or(0)
    }
}

fn concerns_known(change: &Message) -> bool {
    let body = change.body();
    let name = body.deserialize::<(&str, &str, &str)>().map(|(name, _, _)| name).unwrap_or_default();
    KNOWN.iter().any(|(known, _)| *known == name)
}

async fn present(connection: &Connection) -> Result<Vec<(&'static str, &'static str)>, Silence> {
    let mut present = Vec::new();
    for known in KNOWN {
        let path = "/org/freedesktop/DBus";
        let asked = connection.call_method(Some(BUS), path, Some(BUS), "NameHasOwner", &(known.0,)).await?;
        if asked.body().deserialize::<bool>()? {
            present.push(known);
        }
    }
    Ok(present)
}

async fn is_active(connection: &Connection, name: &'static str, path: &'static str) -> Option<bool> {
    let question = connection.call_method(Some(name), path, Some(interface(name)), "GetActive", &());
    match tokio::time::timeout(ANSWER, question).await {
        Ok(Ok(answer)) => answer.body().deserialize::<bool>().ok(),
        _ => None,
    }
}

/// The interface is called like the service, but for KDE's old name.
fn interface(name: &'static str) -> &'static str {
    if name == "org.kde.screensaver" { "org.freedesktop.ScreenSaver" } else { name }
}
