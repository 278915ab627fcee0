//! What is looked at, and how far that has got.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// What is looked at. Everything is given: the scan itself asks no environment.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// The home directory.
    pub home: &'a Path,
    /// The variables of the shell that asks.
    pub variables: Vec<(&'a OsStr, &'a OsStr)>,
    /// Claude Code's configuration directories that are known otherwise, such as those of sessions.
    pub directories: &'a [PathBuf],
    /// Where the shell is: the project is looked at from there. `None`: no project.
    pub working_directory: Option<&'a Path>,
    /// Where the kernel shows processes, `/proc`. `None`: processes are not looked at.
    pub processes: Option<&'a Path>,
    /// Where the programs are that know of variables and keychains (systemctl, tmux, security, reg,
    /// cmdkey, launchctl). Empty: none is asked.
    pub programs: Vec<PathBuf>,
    /// The operating system, as [`std::env::consts::OS`] names it.
    pub system: &'a str,
    /// Only the places that cost next to nothing.
    pub cheap_only: bool,
}

impl<'a> Scope<'a> {
    /// The value of a variable; one that is set to nothing counts as not set.
    pub(super) fn variable(&self, name: &str) -> Option<&'a OsStr> {
        self.variables
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| *value)
            .filter(|value| !value.is_empty())
    }

    /// A variable that is an absolute path.
    pub(super) fn directory(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// Whether places of these systems can be here. Files are looked for everywhere: a home can be
    /// shared by several systems.
    pub(super) fn runs_on(&self, platforms: crate::catalog::Platforms) -> bool {
        match self.system {
            "macos" => platforms.macos,
            "windows" => platforms.windows,
            _ => platforms.linux,
        }
    }
}

/// How much was looked at, for whoever watches.
#[derive(Debug, Default)]
pub struct Meter {
    files: AtomicU64,
    bytes: AtomicU64,
    processes: AtomicU64,
}

impl Meter {
    /// Files that were opened.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Bytes that were read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Processes that were looked at.
    pub fn processes(&self) -> u64 {
        self.processes.load(Ordering::Relaxed)
    }

    pub(super) fn file(&self, bytes: u64) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn process(&self) {
        self.processes.fetch_add(1, Ordering::Relaxed);
    }
}
