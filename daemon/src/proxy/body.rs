//! Where a body ends. Bodies pass verbatim; these parsers only follow them.

mod chunked;

use std::ops::Range;

use self::chunked::Chunked;
use super::head::Flaw;

/// How the rest of a body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Nothing is left of it.
    Done,
    /// This many bytes are left.
    Length(u64),
    /// Chunks are left (RFC 9112, section 7.1).
    Chunks(Chunked),
    /// Whatever comes until the connection is closed.
    UntilClose,
}

impl Framing {
    /// A body of this many bytes.
    pub fn length(length: u64) -> Self {
        if length == 0 { Self::Done } else { Self::Length(length) }
    }

    /// The chunks of a request. Trailers are refused: the API takes none, and a trailer could carry
    /// what a head must not.
    pub fn request_chunks() -> Self {
        Self::Chunks(Chunked::new(false))
    }

    /// The chunks of a response, trailers included.
    pub fn response_chunks() -> Self {
        Self::Chunks(Chunked::new(true))
    }

    /// Whether the body is complete.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Follows `wire` and returns how many of its bytes belong to the body. The ranges of `wire` that
    /// are content (or trailers) are given to `content` in order.
    ///
    /// # Errors
    /// [`Flaw::Chunk`] or [`Flaw::Trailers`].
    pub fn advance(&mut self, wire: &[u8], mut content: impl FnMut(Range<usize>)) -> Result<usize, Flaw> {
        match self {
            Self::Done => Ok(0),
            Self::UntilClose => {
                content(0..wire.len());
                Ok(wire.len())
            }
            Self::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(wire.len());
                content(0..taken);
                *self = Self::length(left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX)));
                Ok(taken)
            }
            Self::Chunks(chunks) => {
                let taken = chunks.advance(wire, content)?;
                if chunks.is_done() {
                    *self = Self::Done;
                }
                Ok(taken)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a parser makes of `wire` when it is fed in pieces: content, bytes taken, outcome.
    fn follow(mut framing: Framing, wire: &[u8], pieces: &[usize]) -> (Vec<u8>, usize, Result<bool, Flaw>) {
        let (mut content, mut taken, mut cuts) = (Vec::new(), 0, pieces.iter().cycle());
        while taken < wire.len() && !framing.is_done() {
            let end = (taken + cuts.next().unwrap()).min(wire.len());
            let piece = &wire[taken..end];
            match framing.advance(piece, |range| content.extend_from_slice(&piece[range])) {
                Ok(count) => taken += count,
                Err(flaw) => return (content, taken, Err(flaw)),
            }
        }
        (content, taken, Ok(framing.is_done()))
    }

    fn encode(chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut wire = Vec::new();
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\n\r\n");
        wire
    }

    fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)
    }

    fn pieces() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(1_usize..20, 1..6)
    }

    proptest! {
        #[test]
        fn chunks_are_read_the_same_however_they_are_split(chunks in chunks(), pieces in pieces(), rest in any::<Vec<u8>>()) {
            let mut wire = encode(&chunks);
            let length = wire.len();
            wire.extend_from_slice(&rest);
            prop_assert_eq!(follow(Framing::request_chunks(), &wire, &pieces), (chunks.concat(), length, Ok(true)));
        }

        #[test]
        fn nonsense_gets_the_same_verdict_however_it_is_split(
            wire in prop::collection::vec(prop::sample::select(&b"0123456789abcdefg;\r\n\r\n x:"[..]), 0..200),
            pieces in pieces(),
        ) {
            let (_, _, whole) = follow(Framing::response_chunks(), &wire, &[usize::MAX / 2]);
            let (_, _, split) = follow(Framing::response_chunks(), &wire, &pieces);
            prop_assert_eq!(whole, split);
        }

        #[test]
        fn a_length_is_followed_exactly(body in any::<Vec<u8>>(), rest in any::<Vec<u8>>(), pieces in pieces()) {
            let wire = [body.clone(), rest].concat();
            let framing = Framing::length(u64::try_from(body.len()).unwrap());
            prop_assert_eq!(follow(framing, &wire, &pieces), (body.clone(), body.len(), Ok(true)));
        }
    }
}
