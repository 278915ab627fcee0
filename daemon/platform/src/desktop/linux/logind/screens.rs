//! Which screens are locked, as logind tells: turned into notices, without a bus.

use std::collections::BTreeMap;

use super::{
    super::super::{Notice, Sighting},
    look::Session,
};

/// What the sessions of one user told.
#[derive(Debug, Default)]
pub(super) struct Screens {
    /// Sessions of this user, as they were last seen; `None` before the first look.
    sessions: Option<BTreeMap<String, Session>>,
    locked: BTreeMap<String, Locked>,
    /// Whether every seat of this user shows somebody else.
    switched_away: bool,
}

/// Why a session counts as locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locked {
    /// It was asked to lock, and its desktop does not say whether it did.
    Asked,
    /// Its desktop says so.
    Hinted,
}

/// The screen that is locked while this user's seats show somebody else.
const SEATS: &str = "seats";

impl Screens {
    /// The signal `Lock`: the desktop is asked to lock. Every one counts, whatever was said before.
    pub(super) fn lock(&mut self, session: &str) -> Vec<Notice> {
        if !self.is_ours(session) {
            return Vec::new();
        }
        let screen = session.to_owned();
        self.locked.entry(screen.clone()).or_insert(Locked::Asked);
        vec![locked(screen, "logind Lock")]
    }

    /// The signal `Unlock`. A desktop that says whether it is locked is believed more.
    pub(super) fn unlock(&mut self, session: &str) -> Vec<Notice> {
        let screen = session.to_owned();
        if self.locked.get(&screen) == Some(&Locked::Asked) {
            self.locked.remove(&screen);
            return vec![unlocked(screen, "logind Unlock")];
        }
        Vec::new()
    }

    /// The property `LockedHint` has changed.
    pub(super) fn hint(&mut self, session: &str, is_locked: bool) -> Vec<Notice> {
        if !self.is_ours(session) {
            return Vec::new();
        }
        let screen = session.to_owned();
        if is_locked {
            self.locked.insert(screen.clone(), Locked::Hinted);
            vec![locked(screen, "logind LockedHint")]
        } else if self.locked.remove(&screen).is_some() {
            vec![unlocked(screen, "logind LockedHint")]
        } else {
            Vec::new()
        }
    }

    /// What is true now; what changed since the last time, while nobody could tell, is told.
    pub(super) fn see(&mut self, sessions: &BTreeMap<String, Session>) -> Vec<Notice> {
        let attended = |sessions: &BTreeMap<String, Session>| sessions.values().any(|one| one.attended);
        let had_any = self.sessions.as_ref().is_some_and(attended);
        self.sessions = Some(sessions.clone());
        let mut notices = Vec::new();
        for (name, session) in sessions {
            let known = self.locked.get(name).copied();
            match (known, session.locked) {
                (None | Some(Locked::Asked), true) => {
                    notices.extend(self.hint(name, true));
                }
                (Some(Locked::Hinted), false) => notices.extend(self.hint(name, false)),
                _ => {}
            }
        }
        // The screen of a session that has ended is nobody's: it is not unlocked by that.
        let gone = self.locked.extract_if(.., |screen, _| !sessions.contains_key(screen));
        notices.extend(gone.map(|(screen, _)| Notice::ScreenGone(screen)));
        notices.extend(self.see_seats(sessions));
        if had_any && !attended(sessions) {
            notices.push(Notice::DesktopEnded);
        }
        notices
    }

    /// Another user's session in front of the machine is as good as a lock.
    fn see_seats(&mut self, sessions: &BTreeMap<String, Session>) -> Option<Notice> {
        let mut seated = sessions.values().filter(|session| session.seated && session.attended).peekable();
        let away = seated.peek().is_some() && !seated.any(|session| session.active);
        let was_away = std::mem::replace(&mut self.switched_away, away);
        match (was_away, away) {
            (false, true) => Some(locked(SEATS.to_owned(), "logind Active")),
            (true, false) => Some(unlocked(SEATS.to_owned(), "logind Active")),
            _ => None,
        }
    }

    /// Before the first look every session counts as ours: better once too often.
    fn is_ours(&self, session: &str) -> bool {
        self.sessions.as_ref().is_none_or(|sessions| sessions.contains_key(session))
    }
}

fn locked(screen: String, by: &str) -> Notice {
    Notice::ScreenLocked(Sighting { screen, by: by.to_owned() })
}

fn unlocked(screen: String, by: &str) -> Notice {
    Notice::ScreenUnlocked(Sighting { screen, by: by.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(all: &[(&str, Session)]) -> BTreeMap<String, Session> {
        all.iter().map(|(name, session)| ((*name).to_owned(), session.clone())).collect()
    }

    fn words(notices: &[Notice]) -> Vec<String> {
        let word = |notice: &Notice| match notice {
            Notice::ScreenLocked(sighting) => format!("locked {} by {}", sighting.screen, sighting.by),
            Notice::ScreenUnlocked(sighting) => format!("unlocked {} by {}", sighting.screen, sighting.by),
            other => format!("{other:?}"),
        };
        notices.iter().map(word).collect()
    }

    fn screen(locked: bool) -> Session {
        Session {
            attended: true,
            leader: None,
            graphical: true,
            seated: true,
            active: true,
            locked,
            tells: true,
        }
    }

    #[test]
    fn every_lock_counts_and_an_unlock_only_where_the_desktop_does_not_know_better() {
        let mut screens = Screens::default();
        screens.see(&sessions(&[("_31", screen(false))]));
        let one = "_31";
        assert_eq!(words(&screens.lock(one)), ["locked _31 by logind Lock"]);
        assert_eq!(words(&screens.lock(one)), ["locked _31 by logind Lock"]);
        assert_eq!(words(&screens.unlock(one)), ["unlocked _31 by logind Unlock"]);
        screens.lock(one);
        assert_eq!(words(&screens.hint(one, true)), ["locked _31 by logind LockedHint"]);
        assert!(screens.unlock(one).is_empty(), "the desktop still says that it is locked");
        assert_eq!(words(&screens.hint(one, false)), ["unlocked _31 by logind LockedHint"]);
        assert!(screens.hint(one, false).is_empty());
    }

    #[test]
    fn what_changed_while_nobody_listened_is_told_once() {
        let mut screens = Screens::default();
        assert!(screens.see(&sessions(&[("_31", screen(false))])).is_empty());
        let locked = sessions(&[("_31", screen(true))]);
        assert_eq!(words(&screens.see(&locked)), ["locked _31 by logind LockedHint"]);
        assert!(screens.see(&locked).is_empty());
        let unlocked = screens.see(&sessions(&[("_31", screen(false))]));
        assert_eq!(words(&unlocked), ["unlocked _31 by logind LockedHint"]);
    }

    #[test]
    fn a_desktop_without_a_hint_stays_locked_when_it_is_looked_at() {
        let mut screens = Screens::default();
        let open = sessions(&[("_31", screen(false))]);
        screens.see(&open);
        screens.lock("_31");
        assert!(screens.see(&open).is_empty());
        assert_eq!(screens.unlock("_31").len(), 1);
    }

    #[test]
    fn the_sessions_of_others_are_no_business_of_ours() {
        let mut screens = Screens::default();
        assert_eq!(screens.lock("_39").len(), 1, "before the first look: better once too often");
        screens.see(&sessions(&[("_31", screen(false))]));
        assert!(screens.lock("_39").is_empty() && screens.hint("_39", true).is_empty());
    }

    #[test]
    fn switching_to_another_user_is_a_lock() {
        let mut screens = Screens::default();
        let remote = Session { seated: false, active: true, ..screen(false) };
        screens.see(&sessions(&[("_31", screen(false)), ("_32", remote.clone())]));
        let away = Session { active: false, ..screen(false) };
        let seen = screens.see(&sessions(&[("_31", away), ("_32", remote)]));
        assert_eq!(words(&seen), ["locked seats by logind Active"]);
        assert_eq!(
            words(&screens.see(&sessions(&[("_31", screen(false))]))),
            ["unlocked seats by logind Active"]
        );
    }

    #[test]
    fn the_end_of_the_last_session_is_told_once_and_unlocks_nothing() {
        let mut screens = Screens::default();
        assert!(screens.see(&sessions(&[])).is_empty(), "there was none");
        screens.see(&sessions(&[("_31", screen(true)), ("_32", screen(false))]));
        assert_eq!(words(&screens.see(&sessions(&[("_32", screen(false))]))), ["ScreenGone(\"_31\")"]);
        assert_eq!(words(&screens.see(&sessions(&[]))), ["DesktopEnded"]);
        assert!(screens.see(&sessions(&[])).is_empty());
    }

    #[test]
    fn a_session_of_a_service_can_be_locked_but_nobody_is_there() {
        let mut screens = Screens::default();
        let service = Session { attended: false, graphical: false, seated: false, ..screen(false) };
        screens.see(&sessions(&[("_31", screen(false)), ("c2", service.clone())]));
        assert_eq!(screens.lock("c2").len(), 1);
        assert_eq!(words(&screens.see(&sessions(&[("c2", service)]))), ["DesktopEnded"]);
        assert_eq!(screens.unlock("c2").len(), 1);
    }
}
