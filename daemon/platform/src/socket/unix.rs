//! Unix domain sockets (`unix(7)`).

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, TcpListener},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{
            fs::MetadataExt as _,
            net::{UnixListener, UnixStream},
        },
    },
    path::Path,
};

use super::Accepted;
use crate::peer;

/// A listening socket that tasks wait on.
pub type LocalListener = tokio::net::UnixListener;
/// A connection.
pub type LocalStream = tokio::net::UnixStream;

/// The file of a bound socket. As long as somebody has it, no other one has its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketFile {
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// The one at this path.
    ///
    /// # Errors
    /// If there is none.
    pub fn at(path: &Path) -> io::Result<Self> {
        let found = path.symlink_metadata()?;
        Ok(Self { device: found.dev(), inode: found.ino() })
    }
}

/// The process that listens at this path, if any: a socket without one is stale.
///
/// # Errors
/// What `connect(2)` says, but that nobody listens.
pub fn listening(path: &Path) -> io::Result<Option<u32>> {
    match UnixStream::connect(path) {
        Ok(stream) => peer::of_stream(&stream).map(|peer| Some(peer.pid)),
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A listening socket that costs nothing while nobody calls: no task waits on it, one
/// [`Readiness`](crate::readiness::Readiness) watches them all.
#[derive(Debug)]
pub struct QuietListener(Kind);

/// Connections that may wait to be accepted: a thousand requests at once are no attack, and the 128 of the
/// standard library would have the kernel reset some of them. The kernel caps it (`listen(2)`).
pub(crate) const BACKLOG: i32 = 4096;

#[derive(Debug)]
enum Kind {
    Local(UnixListener),
    Tcp(TcpListener),
}

impl QuietListener {
    /// Listens at this path.
    ///
    /// # Errors
    /// What `bind(2)` says.
    pub fn local(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        rustix::net::listen(&listener, BACKLOG)?;
        listener.set_nonblocking(true)?;
        Ok(Self(Kind::Local(listener)))
    }

    /// Listens on a free port of 127.0.0.1, and says which.
    ///
    /// # Errors
    /// What `bind(2)` says.
    pub fn loopback() -> io::Result<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        rustix::net::listen(&listener, BACKLOG)?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok((Self(Kind::Tcp(listener)), port))
    }

    /// Accepts one connection, if one waits; never blocks.
    ///
    /// # Errors
    /// `WouldBlock` if none waits; else what `accept(2)` says.
    pub fn accept(&self) -> io::Result<Accepted> {
        match &self.0 {
            Kind::Local(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Accepted::Local(LocalStream::from_std(stream)?))
            }
            Kind::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Accepted::Tcp(tokio::net::TcpStream::from_std(stream)?))
            }
        }
    }
}

impl AsFd for QuietListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Kind::Local(listener) => listener.as_fd(),
            Kind::Tcp(listener) => listener.as_fd(),
        }
    }
}
