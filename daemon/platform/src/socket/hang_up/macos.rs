//! `EV_EOF` (`kqueue(2)`), by a registration of its own: what is there to read can be passed over in it, and
//! still be read from the stream.

use std::{future::pending, io, os::fd::AsFd};

use tokio::{
    io::{Interest, unix::AsyncFd},
    net::{TcpStream, UnixStream},
};

pub(super) async fn local(stream: &UnixStream) {
    watch(stream).await;
}

pub(super) async fn tcp(stream: &TcpStream) {
    watch(stream).await;
}

async fn watch(stream: &(impl AsFd + Sync)) {
    if end(stream).await.is_err() {
        // No descriptor is left to watch with: it is noticed when something is written.
        pending::<()>().await;
    }
}

async fn end(stream: &(impl AsFd + Sync)) -> io::Result<()> {
    let own = stream.as_fd().try_clone_to_owned()?;
    // SAFETY: the descriptor is owned by what it is registered in, and open for as long.
    let watch = unsafe { AsyncFd::register_with_interest(own, Interest::READABLE)? };
    loop {
        let mut found = watch.readable().await?;
        if found.ready().is_read_closed() {
            return Ok(());
        }
        found.clear_ready();
    }
}
