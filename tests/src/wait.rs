//! Waiting for events, never for time to pass.

use std::{
    io,
    os::fd::AsFd,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// How long a test waits for an event before it fails. Generous, because machines are noisy; a test
/// that passes never waits that long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A value that threads wait for.
#[derive(Debug, Default)]
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    /// Watches this value.
    pub fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Condvar::new() }
    }

    /// The value, locked.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the value and wakes who waits for it.
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `wanted` finds what it looks for; `None` once `patience` is over.
    pub fn wait_within<R>(
        &self,
        patience: Duration,
        mut wanted: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let deadline = Instant::now() + patience;
        let mut value = self.lock();
        loop {
            if let Some(found) = wanted(&mut value) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            value = self.changed.wait_timeout(value, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// As [`wait_within`](Self::wait_within) with [`PATIENCE`]; fails the test after that.
    pub fn wait<R>(&self, what: &str, wanted: impl FnMut(&mut T) -> Option<R>) -> R {
        self.wait_within(PATIENCE, wanted).unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain for {what}"))
    }
}

/// Waits until a file descriptor can be read (or was hung up); false once `patience` is over.
///
/// # Errors
/// Those of `poll(2)`.
pub fn readable(fd: impl AsFd, patience: Duration) -> io::Result<bool> {
    let timeout = Timespec::try_from(patience).map_err(io::Error::other)?;
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    loop {
        match poll(&mut fds, Some(&timeout)) {
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(result? > 0),
        }
    }
}

/// Waits until a process is gone (or a zombie); at once if it does not exist.
pub fn process_exit(pid: u32) {
    assert!(exits_within(pid, PATIENCE), "process {pid} did not end within {PATIENCE:?}");
}

/// Whether a process is gone (or a zombie) within `patience`.
pub fn exits_within(pid: u32, patience: Duration) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return true };
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    readable(&pidfd, patience).unwrap()
}

/// Waits until `path` exists (or does not, if `present` is false).
pub fn path_presence(path: &Path, present: bool) {
    let directory = path.parent().expect("a path in a directory");
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC).unwrap();
    let flags = AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_MOVE
        | AddWatchFlags::IN_DELETE_SELF;
    if inotify.add_watch(directory, flags).is_err() {
        assert!(!present, "{} is not there", directory.display());
        return;
    }
    while path.symlink_metadata().is_ok() != present {
        let told = readable(&inotify, PATIENCE).unwrap();
        assert!(
            told,
            "{} did not {} within {PATIENCE:?}",
            path.display(),
            if present { "appear" } else { "go" }
        );
        inotify.read_events().unwrap();
    }
}
