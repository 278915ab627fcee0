//! A source that is heard on a thread of its own, where its system calls back.

use std::{cell::Cell, thread};

use tokio::sync::mpsc;

use super::{Notice, Sighting};

/// Tells what one source heard of one screen. Telling waits while the channel is full.
#[derive(Debug)]
pub(super) struct Teller {
    notices: mpsc::Sender<Notice>,
    screen: &'static str,
    locked: Cell<bool>,
}

/// Nobody wants to know any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unwanted;

impl Teller {
    pub(super) fn new(notices: mpsc::Sender<Notice>, screen: &'static str) -> Self {
        Self { notices, screen, locked: Cell::new(false) }
    }

    /// Whether anybody wants to know.
    pub(super) fn is_wanted(&self) -> bool {
        !self.notices.is_closed()
    }

    pub(super) fn tell(&self, notice: Notice) -> Result<(), Unwanted> {
        self.notices.blocking_send(notice).map_err(|_| Unwanted)
    }

    /// That nothing is locked is told only after it was.
    pub(super) fn screen(&self, locked: bool, by: &str) -> Result<(), Unwanted> {
        let was_locked = self.locked.replace(locked);
        let sighting = Sighting { screen: self.screen.to_owned(), by: by.to_owned() };
        match (was_locked, locked) {
            (_, true) => self.tell(Notice::ScreenLocked(sighting)),
            (true, false) => self.tell(Notice::ScreenUnlocked(sighting)),
            (false, false) => Ok(()),
        }
    }
}

/// Hears a source until it ends, or until it has something to tell that nobody wants to know.
pub(super) fn hear<S>(screen: &'static str, notices: &mpsc::Sender<Notice>, source: S)
where
    S: FnOnce(Teller) + Send + 'static,
{
    let notices = notices.clone();
    let hearing = move || source(Teller::new(notices, screen));
    // Without a thread nothing is heard, and nothing was said to be.
    drop(thread::Builder::new().name(screen.to_owned()).spawn(hearing));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_lock_is_told_and_an_unlock_only_after_one() {
        let (notices, mut heard) = mpsc::channel(1);
        hear("screen", &notices, |teller| {
            for (locked, by) in [(false, "a"), (true, "b"), (true, "c"), (false, "d"), (false, "e")] {
                teller.screen(locked, by).expect("somebody wants to know");
            }
        });
        drop(notices);
        let mut told = Vec::new();
        while let Some(notice) = heard.recv().await {
            told.push(match notice {
                Notice::ScreenLocked(sighting) => (true, sighting.by),
                Notice::ScreenUnlocked(sighting) => (false, sighting.by),
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(told, [(true, "b".to_owned()), (true, "c".to_owned()), (false, "d".to_owned())]);
    }

    #[test]
    fn a_source_learns_that_nobody_wants_to_know() {
        let (notices, heard) = mpsc::channel(1);
        drop(heard);
        let teller = Teller::new(notices, "screen");
        assert!(!teller.is_wanted());
        assert!(teller.tell(Notice::Resumed).is_err());
    }
}
