//! Looking, and what has to outlive a purge that is killed.

use std::{
    cell::Cell,
    fs, io,
    path::{Path, PathBuf},
};

use claudectl_footprint::{
    catalog,
    finding::FingerprintKey,
    plan::FileStep,
    purge::{Journal, put_back},
    scan::{self, Audit, Meter, Needles, Scope},
};
use claudectl_platform::{
    directories,
    permissions::{LockError, LockFile, private_directory},
};

use crate::{Context, args, error::Error};

/// Looks, with one key for all of it: equal credentials are known as equal.
pub(in crate::commands) struct Looker {
    home: PathBuf,
    state: PathBuf,
    key: FingerprintKey,
    /// What the looks so far searched running text for.
    needles: Cell<Needles>,
    journal: Journal,
}

/// One purge of this user at a time. Leaves no directory behind that is empty.
pub(in crate::commands) struct Alone {
    lock: Option<LockFile>,
    /// The directories that were made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl Drop for Alone {
    fn drop(&mut self) {
        drop(self.lock.take());
        for directory in &self.made {
            // Not if it holds anything: that is somebody's.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// The names of all places of the catalogue.
pub(in crate::commands) fn places() -> Vec<&'static str> {
    catalog::places().map(|place| place.id).collect()
}

impl Looker {
    pub(in crate::commands) fn new(context: &Context) -> Result<Self, Error> {
        let environment = &context.environment;
        let home = environment.absolute_home()?;
        let state = directories::state(environment.get("XDG_STATE_HOME"), environment.home())?;
        let key = FingerprintKey::random().map_err(|error| failed(&error))?;
        let needles = Cell::default();
        Ok(Self { home, journal: Journal::within(&state), state, key, needles })
    }

    pub(in crate::commands) fn home(&self) -> &Path {
        &self.home
    }

    /// What `claudectl adopt --undo` needs.
    pub(in crate::commands) fn adopted(&self) -> PathBuf {
        self.state.join("adopted.journal")
    }

    pub(in crate::commands) fn key(&self) -> &FingerprintKey {
        &self.key
    }

    /// # Errors
    /// If another purge of this user runs.
    pub(in crate::commands) fn lock(&self) -> Result<Alone, Error> {
        let is_missing = |path: &&Path| path.symlink_metadata().is_err();
        let made = self.state.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        if let Some(above) = self.state.parent() {
            fs::create_dir_all(above).map_err(|error| failed(&error))?;
        }
        private_directory(&self.state)?;
        let own = std::process::id().to_string();
        let lock = LockFile::acquire(&self.state.join("purge.lock"), &own).map_err(|error| match error {
            LockError::Held { content } => Error::new(format!("another purge runs (pid {content})")),
            other => Error::new("the purge could not be locked").because(&other),
        })?;
        Ok(Alone { lock: Some(lock), made })
    }

    /// Finishes what a killed purge had begun.
    pub(in crate::commands) fn finish_interrupted(&self) -> Result<(), Error> {
        self.journal.finish(&self.key).map_err(|error| failed(&error))
    }

    pub(in crate::commands) fn begin(&self, files: &[FileStep]) -> Result<(), Error> {
        if files.is_empty() { Ok(()) } else { self.journal.begin(files).map_err(|error| failed(&error)) }
    }

    pub(in crate::commands) fn end(&self) -> Result<(), Error> {
        self.journal.end().map_err(|error| failed(&error))
    }

    /// Everything that there is now; before that, grants are put back that a killed purge left waiting
    /// beside a credential file.
    pub(in crate::commands) fn look_first(&self, context: &Context) -> Result<Audit, Error> {
        let audit = self.look(context)?;
        let mut waited = false;
        for directory in &audit.directories {
            waited |= put_back(&directory.join(".credentials.json")).map_err(|error| failed(&error))?;
        }
        if waited { self.look(context) } else { Ok(audit) }
    }

    /// Everything that there is now.
    pub(in crate::commands) fn look(&self, context: &Context) -> Result<Audit, Error> {
        let environment = &context.environment;
        let working_directory = args::working_directory();
        let processes = Path::new("/proc");
        let scope = Scope {
            home: &self.home,
            variables: environment
                .iter()
                .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
                .collect(),
            directories: &[],
            working_directory: Some(working_directory.as_path()).filter(|path| path.is_absolute()),
            processes: Some(processes).filter(|path| path.join("self/environ").exists()),
            programs: environment.search_path(),
            system: std::env::consts::OS,
            cheap_only: false,
        };
        let mut audit = scan::audit_again(&scope, &Meter::default(), self.key.clone(), self.needles.take())
            .map_err(|error| Error::new("your home could not be looked at").because(&error))?;
        self.needles.set(std::mem::take(&mut audit.needles));
        Ok(audit)
    }
}

fn failed(error: &io::Error) -> Error {
    Error::new("the purge could not begin").because(error)
}
