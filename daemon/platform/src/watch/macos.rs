//! `EVFILT_VNODE` (`kqueue(2)`): a directory tells of names that come and go, a file of what is written.

use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rustix::fs::{CWD, Mode, OFlags, fstat, openat};

use crate::queue::Queue;

#[derive(Debug)]
pub(super) struct Watch {
    queue: Queue,
    watched: Mutex<Watched>,
}

/// What is open. Closing a descriptor takes it out of the queue.
#[derive(Debug, Default)]
struct Watched {
    next: u64,
    paths: BTreeMap<PathBuf, Open>,
}

#[derive(Debug)]
struct Open {
    token: u64,
    /// Device and number of the file: another one in its place is another one.
    identity: (i32, u64),
    #[allow(dead_code, reason = "watched for as long as it is open")]
    descriptor: OwnedFd,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { queue: Queue::new()?, watched: Mutex::default() })
    }

    pub(super) fn add(&self, directory: &Path) -> io::Result<bool> {
        self.open(directory, OFlags::DIRECTORY)
    }

    pub(super) fn add_file(&self, file: &Path) -> io::Result<bool> {
        self.open(file, OFlags::NONBLOCK)
    }

    fn open(&self, path: &Path, flags: OFlags) -> io::Result<bool> {
        // Neither reads nor waits for anybody, and keeps no volume from being taken out.
        let only_events = OFlags::from_bits_retain(libc::O_EVTONLY.cast_unsigned());
        let flags = flags | only_events | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = openat(CWD, path, flags, Mode::empty())?;
        let found = fstat(&descriptor)?;
        let identity = (found.st_dev, found.st_ino);
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.paths.get(path).is_some_and(|open| open.identity == identity) {
            return Ok(false);
        }
        let token = watched.next;
        self.queue.add_changes(descriptor.as_fd(), token)?;
        watched.next = token.wrapping_add(1);
        watched.paths.insert(path.to_owned(), Open { token, identity, descriptor });
        Ok(true)
    }

    pub(super) async fn changed(&self) -> io::Result<Vec<PathBuf>> {
        loop {
            let tokens = self.queue.wait().await?;
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            let is_told = |open: &Open| tokens.contains(&open.token);
            let told = watched.paths.iter().filter(|(_, open)| is_told(open));
            let changed: Vec<_> = told.map(|(path, _)| path.clone()).collect();
            // What is gone need not stay open.
            watched.paths.retain(|path, open| !is_told(open) || path.symlink_metadata().is_ok());
            if !changed.is_empty() {
                return Ok(changed);
            }
        }
    }
}
