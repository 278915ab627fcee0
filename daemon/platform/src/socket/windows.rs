//! Not yet: pipes come with their access list. Until then there is no listener and no connection,
//! and the types say so.

use std::{
    io,
    net::SocketAddr,
    os::windows::io::{AsHandle, BorrowedHandle},
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Accepted;
use crate::Unsupported;

const WHY: Unsupported = Unsupported("a local socket");

/// A listening socket that tasks wait on.
#[derive(Debug)]
pub enum LocalListener {}

/// A connection.
#[derive(Debug)]
pub enum LocalStream {}

/// The file of a bound socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketFile {}

impl SocketFile {
    /// The one at this path.
    ///
    /// # Errors
    /// Always: pipes have none.
    pub fn at(_path: &Path) -> io::Result<Self> {
        Err(WHY.into())
    }
}

/// The process that listens at this path, if any.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`].
pub fn listening(_path: &Path) -> io::Result<Option<u32>> {
    Err(WHY.into())
}

/// A listening socket that costs nothing while nobody calls.
#[derive(Debug)]
pub enum QuietListener {}

impl LocalListener {
    /// Listens at this path.
    ///
    /// # Errors
    /// Always, so far.
    pub fn bind(_path: impl AsRef<Path>) -> io::Result<Self> {
        Err(WHY.into())
    }

    /// The next connection, and where it is from.
    ///
    /// # Errors
    /// Never, because there is no listener.
    #[allow(clippy::unused_async, reason = "other systems wait here")]
    pub async fn accept(&self) -> io::Result<(LocalStream, SocketAddr)> {
        match *self {}
    }
}

impl LocalStream {
    /// Connects to the socket at this path.
    ///
    /// # Errors
    /// Always, so far.
    #[allow(clippy::unused_async, reason = "other systems wait here")]
    pub async fn connect(_path: impl AsRef<Path>) -> io::Result<Self> {
        Err(WHY.into())
    }

    /// Waits until there is something to read.
    ///
    /// # Errors
    /// Never, because there is no connection.
    #[allow(clippy::unused_async, reason = "other systems wait here")]
    pub async fn readable(&self) -> io::Result<()> {
        match *self {}
    }

    /// Reads what there is.
    ///
    /// # Errors
    /// Never, because there is no connection.
    pub fn try_read(&self, _buffer: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl QuietListener {
    /// Listens at this path.
    ///
    /// # Errors
    /// Always, so far.
    pub fn local(_path: &Path) -> io::Result<Self> {
        Err(WHY.into())
    }

    /// Listens on a free port of 127.0.0.1, and says which.
    ///
    /// # Errors
    /// Always, so far.
    pub fn loopback() -> io::Result<(Self, u16)> {
        Err(WHY.into())
    }

    /// Accepts one connection, if one waits.
    ///
    /// # Errors
    /// Never, because there is no listener.
    pub fn accept(&self) -> io::Result<Accepted> {
        match *self {}
    }
}

impl AsHandle for LocalStream {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        match *self {}
    }
}

impl AsHandle for QuietListener {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        match *self {}
    }
}

impl AsyncRead for LocalStream {
    fn poll_read(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match *self {}
    }
}

impl AsyncWrite for LocalStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}
