//! One kernel queue for many descriptors: waiting on all of them costs one task.

#[cfg_attr(target_os = "linux", path = "queue/linux.rs")]
#[cfg_attr(target_os = "macos", path = "queue/macos.rs")]
mod sys;

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::{Arc, OnceLock},
};

use tokio::io::{Interest, unix::AsyncFd};

pub(crate) use sys::Often;

/// `epoll(7)` or `kqueue(2)`.
#[derive(Debug)]
pub(crate) struct Queue {
    kernel: Arc<OwnedFd>,
    /// Made at the first wait, because only then there must be a runtime.
    registered: OnceLock<AsyncFd<Arc<OwnedFd>>>,
}

impl Queue {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { kernel: Arc::new(sys::create()?), registered: OnceLock::new() })
    }

    /// Reports `token` when the descriptor becomes readable.
    pub(crate) fn add(&self, descriptor: BorrowedFd<'_>, token: u64, often: Often) -> io::Result<()> {
        sys::add(self.kernel.as_fd(), descriptor, token, often)
    }

    pub(crate) fn remove(&self, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        sys::remove(self.kernel.as_fd(), descriptor)
    }

    /// Reports `token`, once, when the process ends.
    #[cfg(target_os = "macos")]
    pub(crate) fn add_exit(&self, pid: rustix::process::Pid, token: u64) -> io::Result<()> {
        sys::add_exit(self.kernel.as_fd(), pid, token)
    }

    /// Reports `token` whenever the file is written, removed or renamed, or a name in the directory comes or
    /// goes.
    #[cfg(target_os = "macos")]
    pub(crate) fn add_changes(&self, descriptor: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        sys::add_changes(self.kernel.as_fd(), descriptor, token)
    }

    #[cfg(target_os = "macos")]
    pub(crate) fn remove_exit(&self, pid: rustix::process::Pid) -> io::Result<()> {
        sys::remove_exit(self.kernel.as_fd(), pid)
    }

    /// The same queue, to take something out of it later.
    #[cfg(target_os = "macos")]
    pub(crate) fn share(&self) -> Self {
        Self { kernel: Arc::clone(&self.kernel), registered: OnceLock::new() }
    }

    /// Tokens of what is ready now. Never blocks.
    pub(crate) fn ready(&self) -> io::Result<Vec<u64>> {
        sys::ready(self.kernel.as_fd())
    }

    /// Waits until something is ready; what still is at the next call is told again.
    pub(crate) async fn wait(&self) -> io::Result<Vec<u64>> {
        let registered = self.registered()?;
        loop {
            // Ready as far as the runtime knows until `ready` finds nothing, because the queue may
            // hold more than one call tells.
            let mut guard = registered.readable().await?;
            let tokens = self.ready()?;
            if !tokens.is_empty() {
                return Ok(tokens);
            }
            guard.clear_ready();
        }
    }

    fn registered(&self) -> io::Result<&AsyncFd<Arc<OwnedFd>>> {
        if self.registered.get().is_none() {
            let kernel = Arc::clone(&self.kernel);
            // SAFETY: the descriptor is open for as long as anybody has the `Arc`.
            let registered = unsafe { AsyncFd::register_with_interest(kernel, Interest::READABLE)? };
            // Lost against another thread: theirs is as good.
            let _ = self.registered.set(registered);
        }
        self.registered.get().ok_or_else(|| io::Error::other("the queue is not registered"))
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kernel.as_fd()
    }
}

impl AsRawFd for Queue {
    fn as_raw_fd(&self) -> RawFd {
        self.kernel.as_raw_fd()
    }
}
