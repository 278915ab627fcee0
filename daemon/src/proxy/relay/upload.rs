//! The way up: the head with the credential, then the body as it comes.

use std::{
    io::IoSlice,
    sync::Arc,
    task::{Context, Poll, ready},
};

use claudectl_platform::memory::SecretPage;

use super::{Cut, Step, kept::Kept};
use crate::gate::Access;
use crate::proxy::{
    allowance::Allowance,
    body::Framing,
    client::Stream,
    head::Flaw,
    inject::{InjectError, Injection},
    scratch::Unsent,
    upstream::Wire,
};

/// One request on its way to the upstream.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    injection: Option<Injection<Arc<SecretPage>>>,
    framing: Framing,
    unsent: Unsent,
    state: State,
    /// The request as far as it was read, while it may have to be sent again.
    kept: Option<Kept<'a>>,
    /// How often anything went.
    moved: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Everything is in the kernel.
    Complete,
    /// The upstream does not take more. It may have answered all the same.
    Refused,
    /// The credential was wiped before it went out.
    Wiped,
}

impl<'a> Upload<'a> {
    /// A request with this head, which lacks the line of the credential.
    pub(super) fn new(head: Vec<u8>, access: &Access, framing: Framing, allowance: &'a Allowance) -> Self {
        let kept = access.may_change().then(|| Kept::new(&head, allowance)).flatten();
        let injection = Some(Injection::new(head, Arc::clone(&access.secret), access.header));
        Self { injection, framing, unsent: Unsent::default(), state: State::Open, kept, moved: 0 }
    }

    /// Bytes of the head, the credential included.
    pub(super) fn head_length(&self) -> usize {
        self.injection.as_ref().map_or(0, Injection::len)
    }

    /// Whether the request can be sent again.
    pub(super) fn can_begin_again(&self) -> bool {
        self.kept.is_some()
    }

    /// Starts again with another credential; what was read already is sent again, too.
    pub(super) fn begin_again(&mut self, access: &Access) {
        let Some(kept) = &self.kept else { return };
        self.injection =
            Some(Injection::new(kept.head().to_vec(), Arc::clone(&access.secret), access.header));
        self.unsent = Unsent::default();
        self.unsent.keep(kept.body());
        self.state = State::Open;
    }

    /// The request will not be sent again.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// What of the request was not read yet.
    pub(super) fn rest(&self) -> Framing {
        self.framing
    }

    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    /// Follows the framing; returns how many of the bytes belong to this request.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> Result<usize, Flaw> {
        let taken = self.framing.advance(bytes, |_| {})?;
        // Too long to be kept: it gets whatever answer there is.
        self.kept.take_if(|kept| !kept.extend(bytes.get(..taken).unwrap_or_default()));
        Ok(taken)
    }

    /// Keeps what was accepted until there is a connection.
    pub(super) fn keep(&mut self, body: &[u8]) {
        self.unsent.keep(body);
    }

    /// Sends what was accepted, behind what is unsent, and keeps what does not go.
    pub(super) fn push(&mut self, cx: &mut Context<'_>, wire: &mut Wire, mut body: &[u8]) {
        while self.unsent.is_empty() && self.state == State::Open {
            match self.send(cx, wire, body) {
                Poll::Ready(Ok(count)) => {
                    body = body.get(count..).unwrap_or_default();
                    if body.is_empty() {
                        return;
                    }
                }
                Poll::Ready(Err(state)) => self.state = state,
                Poll::Pending => break,
            }
        }
        self.unsent.keep(body);
    }

    pub(super) fn poll<S: Stream>(&mut self, step: &mut Step<'_, '_, S>) -> Poll<Result<(), Cut>> {
        loop {
            match self.state {
                State::Open => {}
                State::Complete | State::Refused => return Poll::Ready(Ok(())),
                State::Wiped => return Poll::Ready(Err(Cut::Wiped)),
            }
            if self.injection.is_some() || !self.unsent.is_empty() {
                let unsent = std::mem::take(&mut self.unsent);
                let sent = self.send(step.cx, step.wire, unsent.rest());
                self.unsent = unsent;
                match ready!(sent) {
                    Ok(count) => self.unsent.sent(count),
                    Err(state) => self.state = state,
                }
            } else if self.framing.is_done() {
                self.state = match ready!(step.wire.poll_flush(step.cx)) {
                    Ok(()) => State::Complete,
                    Err(_) => State::Refused,
                };
            } else {
                ready!(self.poll_read(step))?;
            }
        }
    }

    fn poll_read<S: Stream>(&mut self, step: &mut Step<'_, '_, S>) -> Poll<Result<(), Cut>> {
        let Ok(count @ 1..) = ready!(step.client.poll_read(step.cx, step.scratch)) else {
            return Poll::Ready(Err(Cut::ClientGone));
        };
        let bytes = step.scratch.plain.get(..count).unwrap_or_default();
        let taken = self.accept(bytes).map_err(Cut::Request)?;
        let (body, next) = bytes.split_at(taken);
        step.session.meter.sent(taken);
        self.push(step.cx, step.wire, body);
        step.client.keep(next);
        Poll::Ready(Ok(()))
    }

    /// Sends the rest of the head, if there is any, and some of `body`; returns how much of that.
    fn send(&mut self, cx: &mut Context<'_>, wire: &mut Wire, body: &[u8]) -> Poll<Result<usize, State>> {
        let Some(injection) = &mut self.injection else {
            let written = ready!(wire.poll_write(cx, &[IoSlice::new(body)]));
            self.moved += 1;
            return Poll::Ready(written.ok().filter(|count| *count > 0).ok_or(State::Refused));
        };
        let sent = ready!(injection.poll_send(cx, wire, body));
        self.moved += 1;
        Poll::Ready(match sent {
            Ok(count) => {
                self.injection = None;
                Ok(count)
            }
            Err(InjectError::Wiped) => Err(State::Wiped),
            Err(InjectError::Io(error)) => {
                tracing::debug!(%error, "the upstream does not take the request");
                Err(State::Refused)
            }
        })
    }
}
