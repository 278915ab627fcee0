//! Local sockets: between processes of one machine, named by a path.

#[cfg_attr(unix, path = "socket/unix.rs")]
#[cfg_attr(windows, path = "socket/windows.rs")]
mod sys;

pub use sys::{LocalListener, LocalStream, QuietListener, listening};

/// A connection that a [`QuietListener`] accepted.
#[derive(Debug)]
pub enum Accepted {
    /// From a process of this machine; the kernel can name it.
    Local(LocalStream),
    /// Over loopback TCP; nobody can name it.
    Tcp(tokio::net::TcpStream),
}
