//! The systemd protocols.

use std::io;

use crate::socket::LocalListener;

pub(super) fn listener() -> io::Result<Option<LocalListener>> {
    let Some(listener) = listenfd::ListenFd::from_env().take_unix_listener(0)? else { return Ok(None) };
    listener.set_nonblocking(true)?;
    LocalListener::from_std(listener).map(Some)
}

pub(super) fn notify_ready() -> io::Result<()> {
    sd_notify::notify(&[sd_notify::NotifyState::Ready])
        .map_err(|error| io::Error::new(error.kind(), format!("the supervisor at NOTIFY_SOCKET: {error}")))
}
