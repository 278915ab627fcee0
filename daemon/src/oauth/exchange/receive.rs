//! Receives an answer. What passes through the thread's scratch buffer is overwritten there at once.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll, ready},
};

use zeroize::{Zeroize, Zeroizing};

use super::{Answer, BODY, ExchangeError};
use crate::proxy::{
    body::Framing,
    head::{self, Extent, Flaw, response::Response},
    limits,
    scratch::{self, Scratch},
    upstream::Wire,
};

/// Most interim responses (1xx) before the answer.
const INTERIM: usize = 8;

/// Why no answer was received.
pub(super) enum ReceiveError {
    Io(io::Error),
    Flaw(Flaw),
    TooLong,
}

impl ReceiveError {
    /// The same, of this server.
    pub(super) fn of(self, origin: String) -> ExchangeError {
        match self {
            Self::Io(error) => ExchangeError::Broken(origin, error),
            Self::Flaw(flaw) => ExchangeError::Flaw(origin, flaw),
            Self::TooLong => ExchangeError::TooLong(origin),
        }
    }
}

impl From<Flaw> for ReceiveError {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

/// Receives one answer.
pub(super) async fn answer(wire: &mut Wire) -> Result<Answer, ReceiveError> {
    let mut receiver = Receiver::Head { bytes: Zeroizing::new(Vec::with_capacity(ROOM)), interim: 0 };
    while let Step::More = poll_fn(|cx| scratch::with(|scratch| receiver.poll(cx, wire, scratch))).await? {}
    match receiver {
        Receiver::Body { answer, .. } => Ok(answer),
        Receiver::Head { .. } => Err(ReceiveError::Io(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// A head that is not complete, and all that one read can add to it.
const ROOM: usize = limits::HEAD + limits::SCRATCH;

enum Receiver {
    /// The head is on its way.
    Head { bytes: Zeroizing<Vec<u8>>, interim: usize },
    /// The body is.
    Body { answer: Answer, framing: Framing },
}

enum Step {
    More,
    Done,
}

impl Receiver {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        wire: &mut Wire,
        scratch: &mut Scratch,
    ) -> Poll<Result<Step, ReceiveError>> {
        let count = ready!(wire.poll_read(cx, scratch, 0)).map_err(ReceiveError::Io)?;
        let plain = scratch.plain.get_mut(..count).unwrap_or_default();
        let step = if count == 0 { self.end() } else { self.take(plain) };
        plain.zeroize();
        Poll::Ready(step)
    }

    fn take(&mut self, wire: &[u8]) -> Result<Step, ReceiveError> {
        match self {
            Self::Body { answer, framing } => follow(answer, framing, wire),
            Self::Head { bytes, interim } => {
                bytes.extend_from_slice(wire);
                let Some((mut answer, mut framing, end)) = first_final(bytes, interim)? else {
                    return Ok(Step::More);
                };
                let step = follow(&mut answer, &mut framing, bytes.get(end..).unwrap_or_default())?;
                *self = Self::Body { answer, framing };
                Ok(step)
            }
        }
    }

    /// The server closed.
    fn end(&self) -> Result<Step, ReceiveError> {
        match self {
            Self::Body { framing: Framing::UntilClose, .. } => Ok(Step::Done),
            _ => Err(ReceiveError::Io(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

/// The answer that the first head in `bytes` begins that is no interim one, and where that head ends.
fn first_final(
    bytes: &mut Vec<u8>,
    interim: &mut usize,
) -> Result<Option<(Answer, Framing, usize)>, ReceiveError> {
    while let Extent::Complete(end) = head::extent(bytes)? {
        let mut room = head::room();
        let response = Response::parse(bytes.get(..end).unwrap_or_default(), &mut room)?;
        if !response.is_interim() {
            return Ok(Some((Answer::new(&response), response.body(false), end)));
        }
        *interim += 1;
        if *interim > INTERIM {
            return Err(Flaw::TooLarge.into());
        }
        bytes.drain(..end);
    }
    Ok(None)
}

fn follow(answer: &mut Answer, framing: &mut Framing, wire: &[u8]) -> Result<Step, ReceiveError> {
    let mut fits = true;
    framing.advance(wire, |content| {
        let content = wire.get(content).unwrap_or_default();
        if answer.body.len() + content.len() <= BODY {
            answer.body.extend_from_slice(content);
        } else {
            fits = false;
        }
    })?;
    match framing.is_done() {
        _ if !fits => Err(ReceiveError::TooLong),
        true => Ok(Step::Done),
        false => Ok(Step::More),
    }
}
