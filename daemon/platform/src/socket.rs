//! Local sockets: between processes of one machine, named by a path.

#[cfg_attr(unix, path = "socket/unix.rs")]
#[cfg_attr(windows, path = "socket/windows.rs")]
mod sys;

#[cfg_attr(target_os = "linux", path = "socket/hang_up/linux.rs")]
#[cfg_attr(target_os = "macos", path = "socket/hang_up/macos.rs")]
#[cfg_attr(windows, path = "socket/hang_up/windows.rs")]
mod hang_up;

use tokio::net::TcpStream;

#[cfg(unix)]
pub(crate) use sys::BACKLOG;
pub use sys::{LocalListener, LocalStream, QuietListener, SocketFile, listening};

/// A connection that a [`QuietListener`] accepted.
#[derive(Debug)]
pub enum Accepted {
    /// From a process of this machine; the kernel can name it.
    Local(LocalStream),
    /// Over loopback TCP; nobody can name it.
    Tcp(TcpStream),
}

/// A connection whose other end may go while nobody reads.
pub trait HangUp {
    /// Completes once the other end closed, or said that it sends no more, however much of what it sent is
    /// unread. Takes nothing from whoever reads. Safe to cancel.
    fn hung_up(&self) -> impl Future<Output = ()> + Send;
}

impl HangUp for LocalStream {
    async fn hung_up(&self) {
        hang_up::local(self).await;
    }
}

impl HangUp for TcpStream {
    async fn hung_up(&self) {
        hang_up::tcp(self).await;
    }
}
