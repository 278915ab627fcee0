//! The only file of the relay that reads secrets: it writes the credential from its locked page
//! between two parts of the request, compares capabilities, and finds echoes.
//!
//! On a plain connection the kernel copies from the page. On a TLS connection rustls copies it into the
//! record and encrypts that in place. Nothing else ever holds it.

use std::{
    io::{self, IoSlice},
    ops::{Deref, Range},
    task::{Context, Poll, ready},
};

use claudectl_core::{credential::Header, secret::Secret};
use claudectl_platform::memory::SecretPage;
use subtle::ConstantTimeEq;

use super::{
    scrub::{self, Scrubbed},
    upstream::Wire,
};

/// What follows the credential: the end of its line, and of the head.
const TAIL: &[u8] = b"\r\n\r\n";

/// A head on its way to the upstream.
#[derive(Debug)]
pub(super) struct Injection<P> {
    head: Vec<u8>,
    secret: P,
    secret_length: usize,
    sent: usize,
}

/// Why a head did not go out.
#[derive(Debug)]
pub(super) enum InjectError {
    /// The credential was wiped meanwhile.
    Wiped,
    /// The upstream is gone.
    Io(io::Error),
}

impl<P: Deref<Target = SecretPage>> Injection<P> {
    /// A head whose last line is the field of the credential.
    pub(super) fn new(mut head: Vec<u8>, secret: P, header: Header) -> Self {
        head.extend_from_slice(match header {
            Header::XApiKey => b"x-api-key: ".as_slice(),
            Header::Bearer => b"Authorization: Bearer ",
        });
        let secret_length = secret.len();
        Self { head, secret, secret_length, sent: 0 }
    }

    /// Bytes of the head, the credential included.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.secret_length + TAIL.len()
    }

    /// Sends the head, and as much of `body` as goes along with it: returns how much that was. The
    /// page is exposed for one attempt at a time, none of which blocks.
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        wire: &mut Wire,
        body: &[u8],
    ) -> Poll<Result<usize, InjectError>> {
        let length = self.len();
        while self.sent < length {
            let Self { head, secret, sent, .. } = self;
            let attempt = secret.expose(|secret| {
                let slices = after([head, secret, TAIL, body], *sent).map(IoSlice::new);
                wire.poll_write(cx, &slices)
            });
            match attempt {
                None => return Poll::Ready(Err(InjectError::Wiped)),
                Some(written) => match ready!(written) {
                    Ok(0) => return Poll::Ready(Err(InjectError::Io(io::ErrorKind::WriteZero.into()))),
                    Ok(count) => self.sent += count,
                    Err(error) => return Poll::Ready(Err(InjectError::Io(error))),
                },
            }
        }
        Poll::Ready(Ok(self.sent - length))
    }
}

/// The parts of a message without the bytes that were sent.
fn after(parts: [&[u8]; 4], mut sent: usize) -> [&[u8]; 4] {
    parts.map(|part| {
        let skipped = sent.min(part.len());
        sent -= skipped;
        part.get(skipped..).unwrap_or_default()
    })
}

/// Whether one of the values that a request presents is the session's capability. Takes the same time
/// wherever they differ.
pub(super) fn is_capability<'a>(
    capability: &Secret<String>,
    mut presented: impl Iterator<Item = &'a [u8]>,
) -> bool {
    let capability = capability.expose().as_bytes();
    presented.any(|value| bool::from(value.ct_eq(capability)))
}

/// Covers echoes of the credential in a head; `None` once it was wiped.
pub(super) fn cover(secret: &SecretPage, head: &mut [u8]) -> Option<usize> {
    secret.expose(|credential| scrub::cover_whole(credential, head))
}

/// Covers echoes of the credential in a body; `None` once it was wiped.
pub(super) fn scrub(
    secret: &SecretPage,
    wire: &mut [u8],
    runs: &[Range<usize>],
    last: bool,
) -> Option<Scrubbed> {
    secret.expose(|credential| scrub::scrub(credential, wire, runs, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_where_a_partial_write_ended() {
        let parts: [&[u8]; 4] = [b"head", b"secret", b"\r\n", b"body"];
        let whole = parts.concat();
        for sent in 0..=whole.len() {
            assert_eq!(after(parts, sent).concat(), &whole[sent..]);
        }
    }

    #[test]
    fn capabilities() {
        let capability = Secret::new("TESTCAPABILITY".to_owned());
        let presents =
            |values: &[&'static str]| is_capability(&capability, values.iter().map(|value| value.as_bytes()));
        assert!(presents(&["other", "TESTCAPABILITY"]));
        assert!(!presents(&[]) && !presents(&["", "TESTCAPABILIT", "TESTCAPABILITY1"]));
    }
}
