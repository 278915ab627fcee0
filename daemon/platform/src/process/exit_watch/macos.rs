//! `EVFILT_PROC` (`kqueue(2)`).

use std::io;

use rustix::process::Pid;

use super::super::{Process, gone, identify, recycled};
use crate::queue::Queue;

#[derive(Debug)]
pub(super) struct ExitWatch(Queue);

#[derive(Debug)]
pub(super) struct Key {
    queue: Queue,
    pid: Pid,
}

impl ExitWatch {
    pub(super) fn new() -> io::Result<Self> {
        Queue::new().map(Self)
    }

    pub(super) fn add(&self, process: Process, token: u64) -> io::Result<Key> {
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw).ok_or_else(|| gone(process.pid))?;
        self.0.add_exit(pid, token).map_err(|error| match error.raw_os_error() {
            Some(libc::ESRCH) => gone(process.pid),
            _ => error,
        })?;
        let key = Key { queue: self.0.share(), pid };
        // The queue means whatever has the number now and for ever; now look who that is.
        if identify(process.pid)? != process {
            return Err(recycled(process.pid));
        }
        Ok(key)
    }

    pub(super) fn ready(&self) -> io::Result<Vec<u64>> {
        self.0.ready()
    }

    pub(super) async fn wait(&self) -> io::Result<Vec<u64>> {
        self.0.wait().await
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // Told already is out of the queue already.
        let _ = self.queue.remove_exit(self.pid);
    }
}
