//! The systemd protocols.

use std::{io, path::Path};

use super::handed_over;
use crate::socket::LocalListener;

pub(super) fn listener(at: &Path) -> io::Result<Option<LocalListener>> {
    let socket = listenfd::ListenFd::from_env().take_unix_listener(0)?;
    socket.map(|socket| handed_over::accept(socket.into(), at)).transpose()
}

pub(super) fn notify_ready() -> io::Result<()> {
    sd_notify::notify(&[sd_notify::NotifyState::Ready])
        .map_err(|error| io::Error::new(error.kind(), format!("the supervisor at NOTIFY_SOCKET: {error}")))
}
