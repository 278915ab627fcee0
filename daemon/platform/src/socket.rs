//! Local sockets: between processes of one machine, named by a path.

#[cfg_attr(unix, path = "socket/unix.rs")]
#[cfg_attr(windows, path = "socket/windows.rs")]
mod sys;

#[cfg_attr(target_os = "linux", path = "socket/hang_up/linux.rs")]
#[cfg_attr(target_os = "macos", path = "socket/hang_up/macos.rs")]
#[cfg_attr(windows, path = "socket/hang_up/windows.rs")]
mod hang_up;

use tokio::net::TcpStream;

pub use sys::{LocalListener, LocalStream, QuietListener, listening};

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

#[cfg(all(test, unix))]
mod tests {
    use std::{future::Future, time::Duration};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn tcp() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (near, listener.accept().await.unwrap().0)
    }

    async fn is_noticed(hung_up: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::from_secs(10), hung_up).await.is_ok()
    }

    /// Whether it completes although nothing happens.
    async fn is_premature(hung_up: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::from_millis(20), hung_up).await.is_ok()
    }

    async fn the_end_is_noticed_and_the_bytes_before_it_stay<S>(near: S, mut far: S)
    where
        S: HangUp + AsyncReadExt + AsyncWriteExt + Unpin,
    {
        let mut near = near;
        far.write_all(b"first").await.unwrap();
        assert!(!is_premature(near.hung_up()).await, "bytes are no end");
        let mut read = [0; 2];
        near.read_exact(&mut read).await.unwrap();
        far.write_all(b"second").await.unwrap();
        assert!(!is_premature(near.hung_up()).await, "more bytes are no end");
        drop(far);
        assert!(is_noticed(near.hung_up()).await && is_noticed(near.hung_up()).await);
        let mut rest = String::new();
        near.read_to_string(&mut rest).await.unwrap();
        assert_eq!((&read, rest.as_str()), (b"fi", "rstsecond"));
    }

    #[tokio::test]
    async fn the_end_of_a_local_stream() {
        let (near, far) = LocalStream::pair().unwrap();
        the_end_is_noticed_and_the_bytes_before_it_stay(near, far).await;
    }

    #[tokio::test]
    async fn the_end_of_a_tcp_stream() {
        let (near, far) = tcp().await;
        the_end_is_noticed_and_the_bytes_before_it_stay(near, far).await;
    }
}
