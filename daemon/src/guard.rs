//! The guard: a credential that some program leaves beside the daemon is reported at once, and removed if
//! the configuration says so.
//!
//! Only the catalogue's cheap places are watched, and only what changes while the daemon runs counts: what
//! was there before is for `claudectl audit`.

mod look;

use std::{path::PathBuf, time::Duration};

use claudectl_footprint::finding::FingerprintKey;
use claudectl_platform::{
    clock,
    desktop::{self, Buses},
    watch::Watch,
};

use crate::{config::StrayReaction, engine::Mailbox};

/// After a change it is waited so long: a program that writes a file often writes another one.
const PAUSE: Duration = Duration::from_millis(200);

/// A credential outside the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// What it is, with no more of it than its last characters.
    pub what: String,
    /// Where.
    pub place: String,
    /// When it was noticed, in seconds since the Unix epoch.
    pub noticed_at: i64,
    /// Whether it was removed.
    pub removed: bool,
    /// What was done, or why nothing was.
    pub done: String,
}

/// What watches.
#[derive(Debug)]
pub struct Guard {
    home: PathBuf,
    watch: Watch,
    key: FingerprintKey,
    started_at: i64,
    known: Vec<Stray>,
}

impl Guard {
    /// Watches from now on; `None`, with the reason in the log, if nobody can.
    pub fn new(home: Option<PathBuf>) -> Option<Self> {
        let home = home.filter(|home| home.is_absolute())?;
        let started_at = clock::wall();
        match Watch::new().and_then(|watch| Ok((watch, FingerprintKey::random()?))) {
            Ok((watch, key)) => {
                let guard = Self { home, watch, key, started_at, known: Vec::new() };
                guard.watch_directories();
                Some(guard)
            }
            Err(why) => {
                tracing::info!("nobody watches for credentials outside the daemon: {why}");
                None
            }
        }
    }

    /// Goes on until the daemon ends.
    pub async fn run(guard: Option<Self>, buses: Buses, mailbox: Mailbox) {
        if let Some(mut guard) = guard {
            while let Ok(()) = guard.watch.changed().await {
                guard.look(&buses, &mailbox).await;
            }
            tracing::warn!("nobody watches for credentials outside the daemon any more");
        }
        std::future::pending::<()>().await;
    }

    fn watch_directories(&self) {
        for directory in look::directories(&self.home) {
            // One that is not there yet is watched when it comes.
            let _ = self.watch.add(&directory);
        }
    }

    async fn look(&mut self, buses: &Buses, mailbox: &Mailbox) {
        tokio::time::sleep(PAUSE).await;
        self.watch_directories();
        let Ok(view) = mailbox.view(None).await else { return };
        let config = view.configuration.config;
        let purges = config.guard.stray == StrayReaction::Purge;
        let (home, key, since) = (self.home.clone(), self.key.clone(), self.started_at);
        let looked = tokio::task::spawn_blocking(move || look::look(&home, key, since, purges)).await;
        let is_new = self.take_note(looked.unwrap_or_default());
        if let Some(is_new) = is_new {
            mailbox.report_strays(self.known.clone()).await;
            if is_new && config.notify.desktop {
                notify(buses, purges).await;
            }
        }
    }

    /// Remembers what was found, and forgets what is gone; whether anything is new, `None` if nothing is
    /// different.
    fn take_note(&mut self, found: Vec<Stray>) -> Option<bool> {
        let before = self.known.len();
        self.known.retain(|old| old.removed || is_in(&found, old));
        let is_gone = self.known.len() < before;
        let new: Vec<_> = found.into_iter().filter(|stray| !is_in(&self.known, stray)).collect();
        for stray in &new {
            tracing::warn!("{} in {:?}: {}", stray.what, stray.place, stray.done);
        }
        let is_new = !new.is_empty();
        self.known.extend(new);
        self.known.drain(..self.known.len().saturating_sub(MOST));
        (is_new || is_gone).then_some(is_new)
    }
}

async fn notify(buses: &Buses, purges: bool) {
    let told = if purges {
        "It was to be removed: claudectl status."
    } else {
        "claudectl audit shows it, claudectl purge removes it."
    };
    // Nobody shows notifications on most servers: that is nothing to complain of.
    let _ = desktop::notify(buses, "claudectl: a credential was left in a file", told).await;
}

/// So many are remembered.
const MOST: usize = 32;

/// Whether it is one of them; one that was removed is gone, so another one is new.
fn is_in(strays: &[Stray], stray: &Stray) -> bool {
    strays.iter().any(|other| (&other.what, &other.place) == (&stray.what, &stray.place) && !other.removed)
}
