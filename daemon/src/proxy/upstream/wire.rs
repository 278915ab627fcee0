//! A connection to an upstream, plain or TLS.

use std::{
    io::{self, IoSlice, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use rustls::ClientConnection;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::proxy::scratch::Scratch;

/// The longest TLS record, and then some.
const RECORD: usize = 18 * 1024;

/// A connection to an upstream.
#[derive(Debug)]
pub(crate) enum Wire {
    /// Plain TCP, on this machine.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<Tls>),
}

/// TLS over TCP, after the handshake.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(super) stream: TcpStream,
    pub(super) session: ClientConnection,
}

impl Wire {
    /// Reads into the scratch buffer behind its first `offset` bytes; returns how many. 0 is the end.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        offset: usize,
    ) -> Poll<io::Result<usize>> {
        let plain = scratch.plain.get_mut(offset..).unwrap_or_default();
        match self {
            Self::Plain(stream) => poll_read(stream, cx, plain),
            Self::Tls(tls) => tls.poll_read(cx, plain, &mut scratch.cipher),
        }
    }

    /// Writes; returns how much was taken. What TLS took may still wait for [`Self::poll_flush`].
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(tls) => tls.poll_write(cx, slices),
        }
    }

    /// Whether the upstream neither closed the connection nor said anything unasked. Leaves what is in
    /// the clear in the scratch buffer alone.
    pub(in crate::proxy) fn is_quiet(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> bool {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(tls) => &mut tls.stream,
        };
        poll_read(stream, cx, &mut scratch.cipher).is_pending()
    }

    /// Ready once everything that was taken is in the kernel.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(tls) => tls.poll_flush(cx),
        }
    }
}

impl Tls {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        plain: &mut [u8],
        cipher: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if let Some(count) = self.decrypted(plain)? {
                return Poll::Ready(Ok(count));
            }
            // Whatever is read now, and the record that began before, has room in `plain`.
            let most = plain.len().saturating_sub(RECORD).min(cipher.len());
            let cipher = cipher.get_mut(..most).unwrap_or_default();
            let count = ready!(poll_read(&mut self.stream, cx, cipher))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            let filled = self.decrypt(cipher.get(..count).unwrap_or_default(), plain)?;
            if self.session.wants_write()
                && let Poll::Ready(Err(error)) = self.poll_flush(cx)
            {
                return Poll::Ready(Err(error));
            }
            if filled > 0 {
                return Poll::Ready(Ok(filled));
            }
        }
    }

    fn decrypt(&mut self, mut cipher: &[u8], plain: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while !cipher.is_empty() && self.session.read_tls(&mut cipher)? > 0 {
            self.session.process_new_packets().map_err(io::Error::other)?;
            filled += self.decrypted(plain.get_mut(filled..).unwrap_or_default())?.unwrap_or(0);
        }
        Ok(filled)
    }

    /// What rustls has decrypted: `None` for nothing yet, 0 for the end.
    fn decrypted(&mut self, plain: &mut [u8]) -> io::Result<Option<usize>> {
        match self.session.reader().read(plain) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let taken = self.session.writer().write_vectored(slices)?;
        match self.poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Socket { stream: &mut self.stream, cx }) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Reads once.
pub(in crate::proxy) fn poll_read(
    stream: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    into: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(into);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

/// The socket as rustls writes to it.
struct Socket<'a, 'b> {
    stream: &'a mut TcpStream,
    cx: &'a mut Context<'b>,
}

impl Write for Socket<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match Pin::new(&mut *self.stream).poll_write_vectored(self.cx, slices) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
