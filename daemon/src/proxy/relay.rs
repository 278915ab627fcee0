//! One request and its response, both ways at the same time.

mod download;
mod upload;

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use self::{download::Download, upload::Upload};
use super::{
    ApiSession,
    answer::Answer,
    body::Framing,
    client::{Client, Stream},
    deadline::Deadline,
    head::{Flaw, request::Request},
    inject::Injection,
    limits,
    scratch::{self, Scratch},
    upstream::Wire,
};
use crate::{
    gate::{Access, GateState},
    meter::OpenStream,
};

/// Why an exchange ends before its response is complete.
#[derive(Debug)]
pub(super) enum Cut {
    /// The session's program closed the connection.
    ClientGone,
    /// The rest of the request cannot be relayed.
    Request(Flaw),
    /// The upstream is gone, or cannot be reached.
    Upstream(String),
    /// The upstream's answer cannot be relayed.
    Response(Flaw),
    /// The gate was closed, or opened for another login.
    Superseded,
    /// Nothing moved for too long.
    Silent,
}

/// What the client's connection is good for after an exchange.
#[derive(Debug)]
pub(super) enum Ending {
    /// The next request.
    Reusable,
    /// Nothing: it is closed, after the client heard everything.
    Last,
    /// Nothing: it is closed at once.
    Gone,
    /// This answer, behind this rest of the request.
    Answer(Answer, Framing),
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    session: &'a ApiSession,
    access: Arc<Access>,
    wire: Option<Wire>,
    upload: Upload,
    download: Download,
    _open: OpenStream<'a>,
}

/// What both directions work with.
struct Step<'a, 'b, S> {
    cx: &'a mut Context<'b>,
    client: &'a mut Client<S>,
    wire: &'a mut Wire,
    scratch: &'a mut Scratch,
    session: &'a ApiSession,
    access: &'a Access,
    /// Whether the upstream has the whole request. A response that comes earlier is the last one on its
    /// connections.
    request_is_complete: bool,
}

impl<'a> Exchange<'a> {
    /// Prepares the head for the upstream.
    pub(super) fn new(session: &'a ApiSession, access: Arc<Access>, request: &Request<'_>) -> Self {
        let mut head = Vec::with_capacity(2048);
        request.write(access.upstream.base(), access.upstream.host(), &mut head);
        let injection = Injection::new(head, Arc::clone(&access.secret), access.kind);
        session.meter.sent(injection.len());
        let download = Download::new(request.method() == "HEAD", request.keeps_alive());
        let open = session.meter.begin(claudectl_platform::clock::wall());
        let upload = Upload::new(injection, request.body());
        Self { session, access, wire: None, upload, download, _open: open }
    }

    /// Sends the head, and what came with it, if a connection is at hand; keeps the rest.
    pub(super) fn start<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Client<S>,
        scratch: &mut Scratch,
        rest: std::ops::Range<usize>,
    ) -> Result<(), Flaw> {
        let taken = self.upload.accept(scratch.plain.get(rest.clone()).unwrap_or_default())?;
        client.keep(scratch.plain.get(rest.start + taken..rest.end).unwrap_or_default());
        self.session.meter.sent(taken);
        self.wire = self.access.upstream.pool().take_recent(cx, scratch);
        let body = scratch.plain.get(rest.start..rest.start + taken).unwrap_or_default();
        match &mut self.wire {
            Some(wire) => self.upload.push(cx, wire, body),
            None => self.upload.keep(body),
        }
        Ok(())
    }

    /// Carries it through.
    pub(super) async fn run<S: Stream>(
        mut self: Box<Self>,
        client: &mut Client<S>,
        deadline: &mut Deadline,
    ) -> Ending {
        let access = Arc::clone(&self.access);
        let mut superseded = pin!(self.session.gate.superseded(&access));
        if self.wire.is_none() {
            let connected = tokio::select! {
                biased;
                () = &mut superseded => return self.end(Cut::Superseded),
                connected = access.upstream.connection() => connected,
            };
            match connected {
                Ok(wire) => self.wire = Some(wire),
                Err(error) => return self.end(Cut::Upstream(error.to_string())),
            }
        }
        let mut moved = None;
        let outcome = poll_fn(|cx| {
            if superseded.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Cut::Superseded));
            }
            if let Poll::Ready(outcome) = scratch::with(|scratch| self.poll(cx, client, scratch)) {
                return Poll::Ready(outcome);
            }
            let now = Some(self.upload.moved() + self.download.moved());
            if std::mem::replace(&mut moved, now) != now {
                deadline.set(limits::IDLE_TIME);
            }
            deadline.poll(cx).map(|()| Err(Cut::Silent))
        });
        match outcome.await {
            Ok(()) => self.finish(),
            Err(cut) => self.end(cut),
        }
    }

    fn poll<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Client<S>,
        scratch: &mut Scratch,
    ) -> Poll<Result<(), Cut>> {
        let Some(wire) = &mut self.wire else { return Poll::Ready(Err(Cut::Silent)) };
        let (session, access) = (self.session, &*self.access);
        let mut step = Step { cx, client, wire, scratch, session, access, request_is_complete: false };
        if let Poll::Ready(Err(cut)) = self.upload.poll(&mut step) {
            return Poll::Ready(Err(cut));
        }
        step.request_is_complete = self.upload.is_complete();
        let down = self.download.poll(&mut step);
        if down.is_ready() || !self.upload.is_complete() {
            return down;
        }
        step.client.poll_gone(step.cx, step.scratch).map(|()| Err(Cut::ClientGone))
    }

    /// The response is complete.
    fn finish(&mut self) -> Ending {
        let is_complete = self.upload.is_complete();
        if let (Some(wire), true) = (self.wire.take(), is_complete && self.download.leaves_upstream_open()) {
            self.access.upstream.pool().put(wire);
        }
        if is_complete && self.download.leaves_client_open() { Ending::Reusable } else { Ending::Last }
    }

    /// The response will not be complete: an answer of our own takes its place, if nothing of it went
    /// to the client yet.
    fn end(&self, cut: Cut) -> Ending {
        tracing::debug!(session = %self.session.id, ?cut, "a request was cut");
        if self.download.has_begun() {
            return Ending::Gone;
        }
        let rest = if self.download.leaves_client_open() { self.upload.rest() } else { Framing::UntilClose };
        let answer = match cut {
            Cut::ClientGone => return Ending::Gone,
            Cut::Request(flaw) => return Ending::Answer(Answer::flaw(flaw), Framing::UntilClose),
            Cut::Upstream(why) => Answer::no_upstream(&why),
            Cut::Response(flaw) => Answer::no_upstream(&format!(
                "the answer of {} is not relayed: {flaw}",
                self.access.upstream.host()
            )),
            Cut::Silent => {
                Answer::no_upstream(&format!("{} did not answer in time", self.access.upstream.host()))
            }
            Cut::Superseded => match &**self.session.gate.load() {
                GateState::Closed { sentence } => Answer::closed(sentence),
                GateState::Open(_) => {
                    Answer::no_upstream("the account was logged in anew meanwhile; try again")
                }
            },
        };
        Ending::Answer(answer, rest)
    }
}
