//! Being started by a supervisor: an inherited socket, and telling it that we are ready.

#[cfg_attr(unix, path = "activation/unix.rs")]
#[cfg_attr(windows, path = "activation/windows.rs")]
mod sys;

use std::io;

use crate::socket::LocalListener;

/// The listening socket that a supervisor passed (`sd_listen_fds(3)`), if one did.
///
/// # Errors
/// If what was passed is not a listening Unix socket.
pub fn listener() -> io::Result<Option<LocalListener>> {
    sys::listener()
}

/// Tells the supervisor that clients can connect (`sd_notify(3)`, `READY=1`); does nothing without
/// one.
///
/// # Errors
/// If there is a supervisor and it does not listen.
pub fn notify_ready() -> io::Result<()> {
    sys::notify_ready()
}
