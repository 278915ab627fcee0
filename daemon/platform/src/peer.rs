//! Who is at the other end of a local connection, as the kernel tells.

#[cfg_attr(target_os = "linux", path = "peer/linux.rs")]
#[cfg_attr(target_os = "macos", path = "peer/macos.rs")]
#[cfg_attr(windows, path = "peer/windows.rs")]
mod sys;

use std::{io, net::SocketAddr};

use crate::AsDescriptor;

/// The process at the other end, as it was when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its effective user.
    pub uid: u32,
    /// Its process number, as this process sees it.
    pub pid: u32,
}

/// The peer of a connected stream.
///
/// # Errors
/// If the kernel does not name both the user and the process: one is not enough.
pub fn of_stream(stream: &impl AsDescriptor) -> io::Result<Peer> {
    sys::of_stream(stream)
}

/// The peer of a connected stream of the `interprocess` crate.
///
/// # Errors
/// As [`of_stream`].
pub fn of_local_stream(stream: &interprocess::local_socket::tokio::Stream) -> io::Result<Peer> {
    match stream {
        #[cfg(unix)]
        interprocess::local_socket::tokio::Stream::UdSocket(stream) => of_stream(stream),
        #[cfg(windows)]
        interprocess::local_socket::tokio::Stream::NamedPipe(stream) => of_stream(stream),
    }
}

/// The user at the other end of a TCP connection within this machine; `None` where the system does not tell.
///
/// `ours` and `theirs` are the addresses of the two ends. A connection that is closed already is nobody's.
///
/// # Errors
/// If the system tells, and does not name the user of this connection.
pub fn user_of_tcp(ours: SocketAddr, theirs: SocketAddr) -> io::Result<Option<u32>> {
    sys::user_of_tcp(ours, theirs)
}

/// Whether what listens at a socket of ours, as the kernel names it, is ours: of this user, or the supervisor of
/// the whole machine, which made the socket for this user's daemon (launchd; the kernel goes on naming it to
/// whoever connected before the daemon began to listen). That one is root, which no user can keep out.
pub fn listens_for_us(listener: Peer) -> bool {
    listens_for(own_uid(), listener, sys::SUPERVISOR)
}

fn listens_for(own: u32, listener: Peer, supervisor: Option<u32>) -> bool {
    listener.uid == own || supervisor == Some(listener.uid)
}

/// The effective user of this process.
pub fn own_uid() -> u32 {
    sys::own_uid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_user_and_the_machine_s_supervisor_listen_for_us() {
        let by = |uid| Peer { uid, pid: 1 };
        assert!(listens_for(501, by(501), None) && listens_for(501, by(501), Some(0)));
        assert!(listens_for(501, by(0), Some(0)));
        assert!(!listens_for(501, by(0), None), "where each user has a supervisor, root is somebody else");
        assert!(!listens_for(501, by(502), Some(0)) && !listens_for(501, by(502), None));
    }
}
