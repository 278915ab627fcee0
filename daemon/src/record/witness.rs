//! Looks at what changed, and says it to the record: what was decided does not matter, what happened does.

use std::collections::BTreeMap;

use claudectl_core::{
    account::{Account, Holding},
    command::Command,
    effect::{Answer, Effect},
    engine::Engine,
    event::{DesktopEvent, Event, Sighting},
    footprint::{Removal, Removed},
    ids::{AccountName, SessionId},
    sentence::Cause,
    session::{Session, SessionState},
};
use claudectl_platform::clock;
use claudectl_proto::record::What;

use super::{Record, State};
use crate::effects::Effects;

/// The longest text of others that is written, in bytes.
const LONGEST: usize = 512;

/// Of so many copies that are left a line says where.
const NAMED: usize = 4;

/// What the record needs to know of an event, before the engine takes it.
#[derive(Debug)]
pub struct Occasion {
    /// What somebody asked for.
    asked: &'static str,
    /// Why a session is over, if one is.
    end: &'static str,
    /// A session that somebody else tried to use.
    intruded: Option<SessionId>,
    sighting: Option<Sighting>,
    /// Whether a removal of footprints is over.
    removed: bool,
}

impl Occasion {
    /// What matters of it.
    pub fn of(event: &Event) -> Self {
        let mut occasion = Self {
            asked: "login",
            end: "its process opened another one",
            intruded: None,
            sighting: None,
            removed: matches!(event, Event::FootprintsRemoved { .. }),
        };
        match event {
            Event::Asked { command, .. } => occasion.asked = asked(command),
            Event::SessionStarted { .. } => occasion.asked = "session",
            Event::ProcessExited { .. } => occasion.end = "its process ended",
            Event::TerminalClosed { .. } => occasion.end = "its terminal closed",
            Event::PeerRefused { session } => occasion.intruded = Some(*session),
            Event::Sighted(sighting) => occasion.sighting = Some(sighting.clone()),
            _ => {}
        }
        occasion
    }
}

fn asked(command: &Command) -> &'static str {
    match command {
        Command::BeginLogin(_) => "login",
        Command::SwitchAccount { .. } => "switch",
        Command::LogOut(_) => "logout",
        Command::Seal(_) => "seal",
        Command::Unseal(_) => "unseal",
        Command::OpenSession(_) => "session",
        Command::MoveSession { .. } => "move",
        Command::EndSession { .. } => "end",
    }
}

/// Accounts that were let go at once, without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// How many.
    pub accounts: usize,
    /// How many of them the keyring keeps: they come back.
    pub sealed: usize,
    /// Why.
    pub cause: Cause,
    /// Sessions that this ended.
    pub sessions: usize,
}

/// What happened without being asked for, for whoever tells the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Accounts were let go.
    Departed(Departure),
    /// Footprints were removed, as far as that was possible.
    Removed(Removal),
}

/// Looks on while the engine works.
#[derive(Debug)]
pub struct Witness {
    record: Record,
    /// Accounts that there are.
    accounts: BTreeMap<AccountName, Seen>,
    refusals: Repeats,
    /// Whether accounts were let go since the last desktop event.
    departed: bool,
}

/// How an account was when it was last looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    sealed: bool,
    kept: bool,
}

/// The last refusal, and how often it came in a row.
#[derive(Debug, Default)]
struct Repeats {
    last: (&'static str, String),
    times: u64,
}

impl Repeats {
    /// Whether this one is written: the first, the second, the fourth, … in a row. A loop of refusals
    /// must not push everything else out of the record.
    fn counts(&mut self, what: &'static str, why: &str) -> bool {
        if self.last.0 != what || self.last.1 != why {
            self.last = (what, why.to_owned());
            self.times = 0;
        }
        self.times = self.times.saturating_add(1);
        self.times.is_power_of_two()
    }
}

impl Witness {
    /// Begins to look on.
    pub fn new(mut record: Record) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        record.add(What::Started { version, pid: std::process::id() });
        Self { record, accounts: BTreeMap::new(), refusals: Repeats::default(), departed: false }
    }

    /// What is known of the record.
    pub fn state(&self) -> State {
        self.record.state()
    }

    /// Sees what is about to be done.
    pub fn before(&mut self, occasion: &Occasion, effect: &Effect, effects: &Effects) {
        match effect {
            Effect::Answer { answer: Ok(answer), .. } => self.answered(answer),
            Effect::Answer { answer: Err(why), .. } => self.refused(occasion.asked, &why.to_string()),
            Effect::RemoveSession { session } => self.ended(session, occasion.end, effects),
            _ => {}
        }
    }

    /// Sees what became of it all. Says what nobody asked for.
    pub fn after(&mut self, occasion: Occasion, engine: &mut Engine) -> Option<News> {
        if let Some(session) = occasion.intruded.and_then(|id| engine.sessions().get(&id)) {
            let why = format!("another process tried to use session {} of {}", session.id, session.account);
            self.refused("connection", &why);
        }
        let departure = self.compare(engine);
        self.departed |= departure.is_some();
        if let Some(sighting) = occasion.sighting {
            self.sighted(&sighting);
        }
        // One event is never both.
        let removal = engine.removal().filter(|_| occasion.removed).cloned();
        if let Some(removal) = &removal {
            self.removed(removal);
        }
        departure.map(News::Departed).or(removal.map(News::Removed))
    }

    fn removed(&mut self, Removal { cause, outcome, .. }: &Removal) {
        let nothing = Removed::default();
        let (removed, error) = match outcome {
            Ok(removed) => (removed, ""),
            Err(why) => (&nothing, why.as_str()),
        };
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let named = removed.left.iter().take(NAMED);
        self.record.add(What::FootprintsRemoved {
            why: why(*cause),
            removed: count(removed.gone),
            left: count(removed.remaining),
            named: named
                .map(|left| bounded(&format!("{} in {}: {}", left.what, left.place, left.why)))
                .collect(),
            error: bounded(error),
        });
    }

    /// The daemon stops.
    pub fn end(&mut self, engine: &Engine, effects: &Effects) {
        // As many as fit beside what is waiting already.
        for session in engine.sessions().values().take(256) {
            self.ended(session, "claudectld stopped", effects);
        }
        self.record.add(What::Stopped);
    }

    fn answered(&mut self, answer: &Answer) {
        match answer {
            Answer::LoggedIn { account, .. } => self.record.add(What::LoggedIn {
                account: account.name.to_string(),
                kind: account.kind.label().to_owned(),
                upstream: account.obtained.route.upstream.clone(),
            }),
            Answer::SessionOpened { session } => self.record.add(What::SessionOpened {
                session: session.id.to_string(),
                account: session.account.to_string(),
                program: bounded(&session.program),
                directory: bounded(&session.directory),
                pid: session.process.pid,
            }),
            _ => {}
        }
    }

    fn refused(&mut self, what: &'static str, why: &str) {
        let why = bounded(why);
        if self.refusals.counts(what, &why) {
            let times = self.refusals.times;
            self.record.add(What::Refused { what: what.to_owned(), why, times });
        }
    }

    fn ended(&mut self, session: &Session, why: &str, effects: &Effects) {
        let reading = effects.reading(session.id);
        let seconds = clock::wall().saturating_sub(session.opened_at);
        self.record.add(What::SessionEnded {
            session: session.id.to_string(),
            account: session.account.to_string(),
            program: bounded(&session.program),
            directory: bounded(&session.directory),
            why: why.to_owned(),
            seconds: u64::try_from(seconds).unwrap_or(0),
            requests: reading.requests,
            input_tokens: reading.input_tokens,
            output_tokens: reading.output_tokens,
        });
    }

    /// Accounts that are not there any more, or not in memory.
    fn compare(&mut self, engine: &mut Engine) -> Option<Departure> {
        let causes = engine.departures();
        let mut departure = Departures::default();
        let gone = |name: &&AccountName| !engine.accounts().contains_key(*name);
        for name in self.accounts.keys().filter(gone).cloned().collect::<Vec<_>>() {
            let cause = causes.iter().find(|(departed, _)| *departed == name).map(|(_, cause)| *cause);
            self.gone(engine, &name, cause.unwrap_or(Cause::Asked), &mut departure);
        }
        for account in engine.accounts().values() {
            self.changed(account, &mut departure);
        }
        departure.0
    }

    fn gone(&mut self, engine: &Engine, name: &AccountName, cause: Cause, departure: &mut Departures) {
        let sessions = logged_out(engine, name);
        let seen = self.accounts.remove(name).unwrap_or_default();
        // A stop takes nothing out of the keyring: the next daemon finds it there.
        let stays = cause == Cause::Stopping && seen.kept;
        let account = name.to_string();
        if !stays {
            let sessions = u64::try_from(sessions).unwrap_or(u64::MAX);
            self.record.add(What::LoggedOut { account, why: why(cause), sessions });
        } else if !seen.sealed {
            self.record.add(What::Sealed { account, why: why(cause) });
        }
        departure.add(cause, sessions, stays);
    }

    fn changed(&mut self, account: &Account, departure: &mut Departures) {
        let cause = match account.holding {
            Holding::Sealed { cause, .. } => Some(cause),
            Holding::Held { .. } | Holding::Rejected { .. } => None,
        };
        let now = Seen { sealed: cause.is_some(), kept: account.kept };
        let before = self.accounts.insert(account.name.clone(), now);
        match (before.map(|seen| seen.sealed), cause) {
            (Some(false), Some(cause)) => {
                self.record.add(What::Sealed { account: account.name.to_string(), why: why(cause) });
                departure.add(cause, 0, true);
            }
            (Some(true), None) if account.secret().is_some() => {
                self.record.add(What::Unsealed { account: account.name.to_string() });
            }
            _ => {}
        }
    }

    fn sighted(&mut self, sighting: &Sighting) {
        // That somebody is at the keyboard, or not, is nobody's business afterwards.
        let is_input = matches!(sighting.what, DesktopEvent::InputEnded | DesktopEvent::InputSeen);
        let departed = std::mem::take(&mut self.departed);
        // The same from another source is no news, unless it ended something that the first had not.
        if !is_input && (departed || !sighting.repeated) {
            self.record.add(What::Desktop {
                what: sighting.what.word().to_owned(),
                by: bounded(&sighting.by),
                took_microseconds: u64::try_from(sighting.took.as_micros()).unwrap_or(u64::MAX),
            });
        }
    }
}

/// What was let go without being asked, all in all.
#[derive(Default)]
struct Departures(Option<Departure>);

impl Departures {
    fn add(&mut self, cause: Cause, sessions: usize, sealed: bool) {
        if cause != Cause::Asked {
            let all = self.0.get_or_insert(Departure { accounts: 0, sealed: 0, cause, sessions: 0 });
            all.accounts += 1;
            all.sealed += usize::from(sealed);
            all.sessions += sessions;
        }
    }
}

fn why(cause: Cause) -> String {
    cause.words().trim_start().to_owned()
}

/// Sessions that wait for a new login of this account.
fn logged_out(engine: &Engine, name: &AccountName) -> usize {
    let waits = |session: &&Session| {
        session.account == *name && matches!(session.state, SessionState::LoggedOut { .. })
    };
    engine.sessions().values().filter(waits).count()
}

fn bounded(text: &str) -> String {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_refusals_is_written_ever_more_seldom() {
        let mut refusals = Repeats::default();
        let written = (0..1000).filter(|_| refusals.counts("login", "the key is wrong")).count();
        assert_eq!(written, 10);
        assert!(refusals.counts("login", "the upstream is away"), "another reason is news");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(bounded(&"ä".repeat(1000)).len(), 512);
        assert_eq!(bounded(&format!("x{}", "ä".repeat(1000))).len(), 511);
    }
}
