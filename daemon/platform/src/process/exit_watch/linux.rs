//! `pidfd_open(2)`.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags},
};

use super::super::{Process, gone, identify, recycled};
use crate::queue::{Often, Queue};

#[derive(Debug)]
pub(super) struct ExitWatch(Queue);

/// A descriptor that is closed leaves the queue.
#[derive(Debug)]
pub(super) struct Key {
    #[allow(dead_code, reason = "in the queue for as long as it is open")]
    pidfd: OwnedFd,
}

impl ExitWatch {
    pub(super) fn new() -> io::Result<Self> {
        Queue::new().map(Self)
    }

    pub(super) fn add(&self, process: Process, token: u64) -> io::Result<Key> {
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw).ok_or_else(|| gone(process.pid))?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|error| match error {
            Errno::SRCH => gone(process.pid),
            error => error.into(),
        })?;
        // The descriptor means whatever has the number now and for ever; now look who that is.
        if identify(process.pid)? != process {
            return Err(recycled(process.pid));
        }
        self.0.add(pidfd.as_fd(), token, Often::Once)?;
        Ok(Key { pidfd })
    }

    pub(super) fn ready(&self) -> io::Result<Vec<u64>> {
        self.0.ready()
    }

    pub(super) async fn wait(&self) -> io::Result<Vec<u64>> {
        self.0.wait().await
    }
}
