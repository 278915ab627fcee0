//! Many idle listeners at the price of one task.

#[cfg_attr(unix, path = "readiness/unix.rs")]
#[cfg_attr(windows, path = "readiness/windows.rs")]
mod sys;

use std::io;

use crate::AsDescriptor;

/// Waits for any of many listening sockets to have a connection to accept.
///
/// Ten thousand idle sessions cost a kernel entry each, not a task each.
#[derive(Debug)]
pub struct Readiness(sys::Readiness);

impl Readiness {
    /// An empty set.
    ///
    /// # Errors
    /// If there is no descriptor left.
    pub fn new() -> io::Result<Self> {
        sys::Readiness::new().map(Self)
    }

    /// Reports `token` for as long as the listener has something to accept. A listener that is
    /// closed leaves the set by itself.
    ///
    /// # Errors
    /// If it is in the set already, or the kernel cannot wait for it.
    pub fn add(&self, listener: &impl AsDescriptor, token: u64) -> io::Result<()> {
        self.0.add(listener, token)
    }

    /// Takes a listener out of the set.
    ///
    /// # Errors
    /// If it is not in it.
    pub fn remove(&self, listener: &impl AsDescriptor) -> io::Result<()> {
        self.0.remove(listener)
    }

    /// Tokens of the listeners that have something to accept now. Never blocks, and tells a few
    /// hundred at a time.
    ///
    /// # Errors
    /// If the kernel fails.
    pub fn ready(&self) -> io::Result<Vec<u64>> {
        self.0.ready()
    }

    /// As [`ready`](Self::ready), but waits until there is one. Accept until that would block, or
    /// be told again. Safe to cancel. For a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// If the kernel fails.
    pub async fn wait(&self) -> io::Result<Vec<u64>> {
        self.0.wait().await
    }
}
