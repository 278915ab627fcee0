//! Removes what other programs left, when the core says so: `claudectl purge`, started beside the daemon.
//! It walks through the home directory and has the genuine client log out, and neither belongs into the
//! process that holds credentials. The daemon waits for it, and for nobody else.

mod debt;
mod program;
mod verdict;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use claudectl_core::{event::Event, footprint::Removed};
use tokio::sync::mpsc;

use self::{debt::Debt, program::Program, verdict::Failure};
use crate::engine::Mailbox;

/// How long it is waited for the wipe. Whatever takes longer is bounded by itself.
const WIPE: Duration = Duration::from_secs(30);

/// What may pass is tried again: another purge runs, the home is not mounted yet.
const TRIES: usize = 3;
/// So long after the try before it.
const PAUSE: Duration = Duration::from_secs(10);

/// Where things are.
#[derive(Debug)]
pub struct Places {
    /// Whose footprints.
    pub home: PathBuf,
    /// The daemon's runtime directory.
    pub runtime: PathBuf,
    /// The daemon's state directory: what is owed is noted there, for the next daemon.
    pub state: Option<PathBuf>,
    /// All that the program gets of the environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// The way to the task that has footprints removed. It never makes anybody wait.
#[derive(Debug)]
pub struct Remover(Option<mpsc::UnboundedSender<()>>);

struct Work {
    debt: Debt,
    program: Program,
    mailbox: Mailbox,
}

impl Remover {
    /// Starts the task. `wanted`: whether the configuration says so now; what an earlier daemon owes is
    /// forgotten if not. Without a home there is nothing to remove, and that is said when it is asked for.
    pub fn start(places: Option<Places>, wanted: bool, mailbox: Mailbox) -> Self {
        let Some(places) = places else { return Self(None) };
        let work = Work { debt: Debt::within(places.state.clone()), program: Program::new(places), mailbox };
        let (orders, mut inbox) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            work.begin(wanted).await;
            while inbox.recv().await.is_some() {
                let outcome = work.remove().await;
                work.mailbox.tell(Event::FootprintsRemoved { outcome }).await;
            }
        });
        Self(Some(orders))
    }

    /// Has them removed; the answer is what is known already, if nobody can.
    pub fn remove(&self) -> Option<Event> {
        let sent = self.0.as_ref().is_some_and(|orders| orders.send(()).is_ok());
        let outcome = || Err("there is no home directory to look in: set HOME".to_owned());
        (!sent).then(|| Event::FootprintsRemoved { outcome: outcome() })
    }
}

impl Work {
    async fn begin(&self, wanted: bool) {
        match self.debt.is_open().await {
            true if wanted => self.mailbox.tell(Event::FootprintsOwed).await,
            true => self.debt.settle().await,
            false => {}
        }
    }

    async fn remove(&self) -> Result<Removed, String> {
        self.debt.note().await;
        self.mailbox.tell(Event::FootprintsNoted).await;
        // Nothing here may slow the wipe down.
        let _ = tokio::time::timeout(WIPE, self.mailbox.settled()).await;
        let outcome = self.try_some_times().await;
        match &outcome {
            Ok(removed) => {
                tracing::info!("footprints: {} removed, {} left", removed.gone, removed.remaining);
                self.debt.settle().await;
            }
            Err(why) => tracing::error!("footprints were not removed: {why}"),
        }
        outcome
    }

    async fn try_some_times(&self) -> Result<Removed, String> {
        for _ in 1..TRIES {
            match self.program.run().await {
                Err(Failure::Refused(why)) => tracing::warn!("footprints are tried again: {why}"),
                Err(failure) => return Err(failure.to_string()),
                Ok(removed) => return Ok(removed),
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.program.run().await.map_err(|failure| failure.to_string())
    }
}
