//! One control connection: its process is known, its place can be taken away, and a client that
//! never says a word is dropped.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use claudectl_platform::{clock, peer::Peer, socket::LocalStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};
use tonic::transport::server::Connected;

use super::places::{Places, Ticket};

/// How long a client may take to say its first word.
const FIRST_WORD: Duration = Duration::from_secs(10);

/// A stream of bytes from a process of this user.
#[derive(Debug)]
pub(super) struct Connection {
    stream: LocalStream,
    peer: Peer,
    ticket: Ticket,
    silent: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(stream: LocalStream, peer: Peer, places: &Arc<Places>) -> Self {
        let ticket = places.take(peer.pid, clock::since_boot());
        Self { stream, peer, ticket, silent: Some(Box::pin(tokio::time::sleep(FIRST_WORD))) }
    }

    /// Whether the connection is over although its client did not close it.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let silent = self.silent.as_mut().is_some_and(|silent| silent.as_mut().poll(context).is_ready());
        silent || self.ticket.place.is_lost(context.waker())
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over(context) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.silent = None;
            self.ticket.place.note_use(clock::since_boot());
        }
        poll
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
