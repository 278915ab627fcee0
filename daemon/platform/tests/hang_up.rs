//! The end of a connection that nobody reads from.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a failed step is a failed test, and nothing here is an interface"
)]

use std::{future::Future, time::Duration};

use claudectl_platform::socket::{HangUp, LocalStream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

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
