//! The guard: a credential that some program leaves beside the daemon is reported at once, and removed if
//! the configuration says so.
//!
//! Only the catalogue's cheap places are watched, and only what appears while the daemon runs counts: what
//! was there before is for `claudectl audit`, also if its file is written again.

mod alone;
mod look;
mod seen;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use claudectl_footprint::{
    Finding, Location,
    catalog::environment::CONFIG_DIRECTORIES,
    finding::{Fingerprint, FingerprintKey},
    scan::{Lookout, of_systemd},
};
use claudectl_platform::{
    clock,
    desktop::{self, Buses},
    watch::Watch,
};
use tokio::sync::mpsc;

use self::{look::View, seen::Seen};
use crate::{
    config::StrayReaction,
    engine::{Found, Mailbox},
};

/// After a change it is waited so long: a program that writes a file often writes another one.
const PAUSE: Duration = Duration::from_millis(200);

/// So many are remembered.
const MOST: usize = 32;

/// As often it is looked again because there was more to watch.
const MOST_LOOKS: usize = 8;

/// A credential outside the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// What it is, with no more of it than its last characters.
    pub what: String,
    /// Where.
    pub place: String,
    /// The account that holds the same credential.
    pub account: Option<String>,
    /// When it was noticed, in seconds since the Unix epoch.
    pub noticed_at: i64,
    /// Whether it was removed.
    pub removed: bool,
    /// What was done, or why nothing was.
    pub done: String,
}

/// Where the guard hears that a session is started, and of Claude Code's configuration directories in it.
pub type Sessions = mpsc::Sender<Vec<PathBuf>>;

/// What watches.
#[derive(Debug)]
pub struct Guard {
    watch: Watch,
    view: View,
    lookout: Lookout,
    seen: Seen,
    sessions: mpsc::Receiver<Vec<PathBuf>>,
    known: Vec<Stray>,
    /// Whether it has said that not everything is watched.
    complained: bool,
}

impl Guard {
    /// Watches from now on; `None`, with the reason in the log, if nobody can.
    pub fn new(
        home: Option<PathBuf>,
        config: Option<OsString>,
        state: Option<PathBuf>,
        sessions: mpsc::Receiver<Vec<PathBuf>>,
    ) -> Option<Self> {
        let home = home.filter(|home| home.is_absolute())?;
        let seen = Seen::since(clock::wall());
        match Watch::new().and_then(|watch| Ok((watch, FingerprintKey::random()?))) {
            Ok((watch, key)) => {
                let view = View { home, config, directories: Vec::new(), key, state };
                let lookout = Lookout::default();
                Some(Self { watch, view, lookout, seen, sessions, known: Vec::new(), complained: false })
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
            guard.look(&buses, &mailbox).await;
            while guard.wait().await {
                tokio::time::sleep(PAUSE).await;
                guard.look(&buses, &mailbox).await;
            }
            tracing::warn!("nobody watches for credentials outside the daemon any more");
        }
        std::future::pending::<()>().await;
    }

    /// Waits until it is worth looking again; `false` if nobody tells any more.
    async fn wait(&mut self) -> bool {
        loop {
            tokio::select! {
                changed = self.watch.changed() => match changed {
                    Ok(paths) if paths.iter().any(|path| self.lookout.matters(path)) => return true,
                    Ok(_) => {}
                    Err(_) => return false,
                },
                Some(directories) = self.sessions.recv() => {
                    for directory in directories {
                        self.take_directory(directory);
                    }
                    // Variables may have changed, of which nobody tells.
                    return true;
                }
            }
        }
    }

    fn take_directory(&mut self, directory: PathBuf) {
        let known = &mut self.view.directories;
        if !known.contains(&directory) {
            known.push(directory);
            known.drain(..known.len().saturating_sub(MOST));
        }
    }

    /// Credentials that appeared among the variables of the user's systemd, if there is one.
    async fn look_at_variables(&mut self, buses: &Buses) -> Vec<Finding> {
        let Ok(variables) = desktop::user_variables(buses).await else { return Vec::new() };
        for (name, value) in variables.iter().filter_map(|variable| variable.split_once('=')) {
            let directory = PathBuf::from(value);
            if CONFIG_DIRECTORIES.contains(&name) && directory.is_absolute() {
                self.take_directory(directory);
            }
        }
        let mut found = of_systemd(variables.iter().map(|variable| variable.as_str()), &self.view.key);
        found.retain(|finding| finding.kind.works_alone());
        self.seen.appeared_in_variables(found)
    }

    /// Looks, and looks again if that led to more that has to be watched: something may have come there in
    /// between.
    async fn look(&mut self, buses: &Buses, mailbox: &Mailbox) {
        let held = self.look_at_variables(buses).await;
        for _ in 0..MOST_LOOKS {
            let view = self.view.clone();
            let Ok(Some(audit)) = tokio::task::spawn_blocking(move || look::look(&view)).await else {
                return;
            };
            let mut appeared = self.seen.appeared(audit.findings, &self.lookout, audit.gaps.is_empty());
            self.lookout = audit.lookout;
            let watches_more = self.watch_all();
            appeared.extend(held.iter().cloned());
            self.tell(appeared, buses, mailbox).await;
            if !watches_more {
                return;
            }
        }
    }

    /// Whether anything is watched that was not before.
    fn watch_all(&mut self) -> bool {
        let directories = self.lookout.directories().map(|directory| self.watch.add(directory));
        let files = self.lookout.files();
        let added: Vec<_> = directories.chain(files.iter().map(|file| self.watch.add_file(file))).collect();
        let refused = added.iter().filter_map(|added| added.as_ref().err());
        // One that is gone by now is watched when it comes back.
        if let Some(why) = refused.into_iter().find(|error| error.kind() != std::io::ErrorKind::NotFound)
            && !self.complained
        {
            self.complained = true;
            tracing::warn!("not every place is watched for credentials: {why}");
        }
        added.into_iter().any(|added| added.unwrap_or(false))
    }

    async fn tell(&mut self, mut appeared: Vec<Finding>, buses: &Buses, mailbox: &Mailbox) {
        if appeared.is_empty() && self.known.is_empty() {
            return;
        }
        let Ok(state) = mailbox.view(None).await else { return };
        let config = state.configuration.config;
        let purges = config.guard.stray == StrayReaction::Purge;
        self.recognize(&mut appeared, mailbox).await;
        let (held, stored): (Vec<_>, Vec<_>) =
            appeared.into_iter().partition(|finding| variable(finding).is_some());
        let view = self.view.clone();
        let acted = tokio::task::spawn_blocking(move || look::act(&view, stored, purges)).await;
        let mut strays = acted.unwrap_or_default();
        for finding in &held {
            strays.push(act_on_variable(finding, purges, buses).await);
        }
        if let Some(is_new) = self.take_note(strays) {
            mailbox.report_strays(self.known.clone()).await;
            if is_new && config.notify.desktop {
                notify(buses, purges).await;
            }
        }
    }

    /// Notes whose they are, as far as the daemon holds them.
    async fn recognize(&self, appeared: &mut [Finding], mailbox: &Mailbox) {
        let may_be = |finding: &&mut Finding| finding.kind.may_be_an_accounts();
        let mut findings: Vec<&mut Finding> = appeared.iter_mut().filter(may_be).collect();
        let fingerprints: Vec<Fingerprint> = findings.iter().map(|finding| finding.fingerprint).collect();
        if fingerprints.is_empty() {
            return;
        }
        let found = Found { key: self.view.key.clone(), fingerprints };
        if let Ok(Ok(recognition)) = mailbox.recognize(found).await {
            for (finding, account) in findings.iter_mut().zip(recognition.accounts) {
                finding.account = account.map(|name| name.to_string());
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

/// The name of the variable in which it is, if it is in none of the files.
fn variable(finding: &Finding) -> Option<&str> {
    if let Location::Variable { name, .. } = &finding.location { Some(name) } else { None }
}

async fn act_on_variable(finding: &Finding, purges: bool, buses: &Buses) -> Stray {
    let Some(name) = variable(finding).filter(|_| purges) else { return look::left(finding) };
    match desktop::unset_user_variable(buses, name).await {
        Ok(()) => look::stray(finding, true, "unset, and gone when it was asked for again".to_owned()),
        Err(why) => look::stray(finding, false, format!("it could not be unset: {why}")),
    }
}

async fn notify(buses: &Buses, purges: bool) {
    let told = if purges {
        "It was to be removed: claudectl status."
    } else {
        "claudectl audit shows it, claudectl purge removes it."
    };
    // Nobody shows notifications on most servers: that is nothing to complain of.
    let _ = desktop::notify(buses, "claudectl: a credential was left outside the daemon", told).await;
}

/// Whether it is one of them; one that was removed is gone, so another one is new.
fn is_in(strays: &[Stray], stray: &Stray) -> bool {
    strays.iter().any(|other| (&other.what, &other.place) == (&stray.what, &stray.place) && !other.removed)
}
