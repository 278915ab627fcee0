//! Being started by a supervisor: an inherited socket, and telling it that we are ready.

#[cfg(unix)]
#[path = "activation/handed_over.rs"]
mod handed_over;
#[cfg_attr(target_os = "linux", path = "activation/linux.rs")]
#[cfg_attr(target_os = "macos", path = "activation/macos.rs")]
#[cfg_attr(windows, path = "activation/windows.rs")]
mod sys;

use std::{io, path::Path};

use crate::socket::LocalListener;

/// The listening socket that a supervisor passed (`sd_listen_fds(3)`; on macOS `launch_activate_socket(3)`), if
/// one did: the one at this path, closed to everybody but this user. Asked once.
///
/// # Errors
/// If what was passed is not a listening Unix socket, is bound elsewhere, or what is at the path is another
/// user's.
pub fn listener(at: &Path) -> io::Result<Option<LocalListener>> {
    sys::listener(at)
}

/// Tells the supervisor that clients can connect (`sd_notify(3)`, `READY=1`); does nothing without
/// one.
///
/// # Errors
/// If there is a supervisor and it does not listen.
pub fn notify_ready() -> io::Result<()> {
    sys::notify_ready()
}
