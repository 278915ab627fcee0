//! The session's end of a connection.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use claudectl_platform::socket::HangUp;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    limits,
    scratch::{Scratch, Unsent},
    upstream::poll_read,
};

/// A stream to the session: its own Unix socket, or loopback TCP.
pub(super) trait Stream: AsyncRead + AsyncWrite + HangUp + Unpin + Send + Sync {}

impl<S: AsyncRead + AsyncWrite + HangUp + Unpin + Send + Sync> Stream for S {}

/// A connection of the session.
#[derive(Debug)]
pub(super) struct Client<S> {
    stream: S,
    /// What was read and belongs to the next request.
    inbox: Vec<u8>,
}

impl<S: Stream> Client<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, inbox: Vec::new() }
    }

    /// Moves what was read ahead to the start of the scratch buffer; returns how much that is.
    pub(super) fn unkeep(&mut self, scratch: &mut Scratch) -> usize {
        let inbox = std::mem::take(&mut self.inbox);
        match scratch.plain.get_mut(..inbox.len()) {
            Some(start) => start.copy_from_slice(&inbox),
            None => return 0,
        }
        inbox.len()
    }

    /// Keeps bytes for later.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
    }

    /// Takes what was read ahead, or else reads, into the scratch buffer; returns how much. 0 is the
    /// end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
    ) -> Poll<io::Result<usize>> {
        match self.unkeep(scratch) {
            0 => self.poll_read_behind(cx, scratch, 0),
            count => Poll::Ready(Ok(count)),
        }
    }

    /// Reads into the scratch buffer behind its first `offset` bytes; returns how much. 0 is the end.
    pub(super) fn poll_read_behind(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        offset: usize,
    ) -> Poll<io::Result<usize>> {
        poll_read(&mut self.stream, cx, scratch.plain.get_mut(offset..).unwrap_or_default())
    }

    /// Completes once the client is gone, however much it sent that nobody has read. For requests that
    /// wait: unlike [`Self::poll_gone`] it has to be waited for anew each time.
    pub(super) async fn hung_up(&self) {
        self.stream.hung_up().await;
    }

    /// Ready once the client is gone. What it sends meanwhile is kept, within bounds.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<()> {
        while self.inbox.len() < limits::READ_AHEAD {
            let room = scratch.plain.get_mut(..limits::READ_AHEAD).unwrap_or_default();
            match ready!(poll_read(&mut self.stream, cx, room)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(count) => self.inbox.extend_from_slice(room.get(..count).unwrap_or_default()),
            }
        }
        Poll::Pending
    }

    /// Sends head and body at once and keeps what does not go.
    pub(super) fn send(
        &mut self,
        cx: &mut Context<'_>,
        head: &[u8],
        body: &[u8],
        unsent: &mut Unsent,
    ) -> io::Result<()> {
        let mut sent = 0;
        while sent < head.len() + body.len() && unsent.is_empty() {
            let slices = [after(head, sent), after(body, sent.saturating_sub(head.len()))].map(IoSlice::new);
            match Pin::new(&mut self.stream).poll_write_vectored(cx, &slices) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => sent += count,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        unsent.keep(after(head, sent));
        unsent.keep(after(body, sent.saturating_sub(head.len())));
        Ok(())
    }

    /// Ready once nothing is unsent.
    pub(super) fn poll_sent(&mut self, cx: &mut Context<'_>, unsent: &mut Unsent) -> Poll<io::Result<()>> {
        while !unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, unsent.rest()))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            unsent.sent(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more will be sent.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn after(bytes: &[u8], sent: usize) -> &[u8] {
    bytes.get(sent..).unwrap_or_default()
}
