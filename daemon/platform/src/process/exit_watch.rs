//! When processes end, without polling.

#[cfg_attr(target_os = "linux", path = "exit_watch/linux.rs")]
#[cfg_attr(target_os = "macos", path = "exit_watch/macos.rs")]
#[cfg_attr(windows, path = "exit_watch/windows.rs")]
mod sys;

use std::io;

use super::Process;

/// Waits for any of many processes to end. Each costs a kernel entry, none a task.
#[derive(Debug)]
pub struct ExitWatch(sys::ExitWatch);

/// One process that is watched. Dropping it ends the watch.
#[must_use = "a process is watched for as long as its key lives"]
#[derive(Debug)]
pub struct WatchKey {
    #[allow(dead_code, reason = "ends the watch when it is dropped")]
    key: sys::Key,
}

impl ExitWatch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// If there is no descriptor left.
    pub fn new() -> io::Result<Self> {
        sys::ExitWatch::new().map(Self)
    }

    /// Reports `token`, once, when this process has ended; at once if it has ended unreaped.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if it is gone, or another process has its number by now.
    pub fn add(&self, process: Process, token: u64) -> io::Result<WatchKey> {
        Ok(WatchKey { key: self.0.add(process, token)? })
    }

    /// Ends a watch. What was ready before is not reported any more.
    pub fn remove(&self, key: WatchKey) {
        drop(key);
    }

    /// Tokens of the processes that ended since they were last told. Never blocks, and tells a few
    /// hundred at a time.
    ///
    /// # Errors
    /// If the kernel fails.
    pub fn ready(&self) -> io::Result<Vec<u64>> {
        self.0.ready()
    }

    /// As [`ready`](Self::ready), but waits until there is one. Safe to cancel. For a tokio runtime
    /// with I/O enabled.
    ///
    /// # Errors
    /// If the kernel fails.
    pub async fn wait(&self) -> io::Result<Vec<u64>> {
        self.0.wait().await
    }
}
