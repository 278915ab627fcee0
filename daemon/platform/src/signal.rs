//! Orders that the operating system carries to the daemon.

#[cfg_attr(unix, path = "signal/unix.rs")]
#[cfg_attr(windows, path = "signal/windows.rs")]
mod sys;

pub use sys::Orders;

/// What the daemon is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Stop: `SIGTERM`, `SIGINT`.
    Stop,
    /// Read the configuration again: `SIGHUP`.
    Reload,
}
