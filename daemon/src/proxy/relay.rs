//! One request and its response, both ways at the same time.

mod download;
mod kept;
mod upload;

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use claudectl_core::event::Event;
use claudectl_platform::clock;

use self::{download::Download, upload::Upload};
use super::{
    ApiSession,
    answer::Answer,
    body::Framing,
    client::{Client, Stream},
    deadline::Deadline,
    head::{Flaw, request::Request},
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
    /// The credential was wiped under the request: the gate says what is next.
    Wiped,
    /// The credential was wiped before the answer could be searched for it.
    Unsearched,
    /// The upstream refused the access token, which may be renewed.
    Refused,
    /// The gate stayed frozen for too long.
    Frozen,
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
    upload: Upload<'a>,
    download: Download,
    answers_head: bool,
    keeps_alive: bool,
    /// How often it may still be sent again.
    again: u8,
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
    standing: Standing,
}

/// How things stand when a response comes.
#[derive(Debug, Default)]
struct Standing {
    /// Whether the upstream has the whole request. A response that comes earlier is the last one on its
    /// connections.
    request_is_complete: bool,
    /// Whether a refused access token is renewed, and the request sent again.
    may_renew: bool,
}

impl<'a> Exchange<'a> {
    /// Prepares the head for the upstream.
    pub(super) fn new(session: &'a ApiSession, access: Arc<Access>, request: &Request<'_>) -> Self {
        let mut head = Vec::with_capacity(2048);
        request.write(access.upstream.base(), access.upstream.host(), &mut head);
        let upload = Upload::new(head, &access, request.body(), &session.allowance);
        session.meter.sent(upload.head_length());
        let (answers_head, keeps_alive) = (request.method() == "HEAD", request.keeps_alive());
        let download = Download::new(answers_head, keeps_alive);
        let open = session.meter.begin(clock::wall());
        let (wire, again) = (None, limits::AGAIN);
        Self { session, access, wire, upload, download, answers_head, keeps_alive, again, _open: open }
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
        loop {
            // What the head goes out with: the gate may have another one when the answer comes.
            let sent = Arc::clone(&self.access);
            let cut = match self.attempt(&sent, client, deadline).await {
                Ok(()) => return self.finish(),
                Err(cut) => cut,
            };
            let renewed = tokio::select! {
                biased;
                renewed = self.renewed(&sent, &cut) => renewed,
                () = client.hung_up() => return Ending::Gone,
            };
            match renewed {
                Some(access) => self.begin_again(access),
                None => return self.end(cut),
            }
        }
    }

    async fn attempt<S: Stream>(
        &mut self,
        sent: &Access,
        client: &mut Client<S>,
        deadline: &mut Deadline,
    ) -> Result<(), Cut> {
        let gate = &self.session.gate;
        let mut superseded = pin!(gate.superseded(sent));
        if self.wire.is_none() {
            let connected = tokio::select! {
                biased;
                () = &mut superseded => return Err(Cut::Superseded),
                () = client.hung_up() => return Err(Cut::ClientGone),
                connected = sent.upstream.connection() => connected,
            };
            self.wire = Some(connected.map_err(|error| Cut::Upstream(error.to_string()))?);
        }
        loop {
            if let Some(outcome) = self.flow(sent, superseded.as_mut(), client, deadline).await {
                return outcome;
            }
            deadline.set(self.session.patience);
            tokio::select! {
                biased;
                () = &mut superseded => return Err(Cut::Superseded),
                () = gate.thawed() => {}
                () = client.hung_up() => return Err(Cut::ClientGone),
                () = poll_fn(|cx| deadline.poll(cx)) => return Err(Cut::Frozen),
            }
        }
    }

    /// Moves bytes both ways; `None` once the gate is frozen.
    async fn flow<S: Stream>(
        &mut self,
        sent: &Access,
        mut superseded: Pin<&mut impl Future<Output = ()>>,
        client: &mut Client<S>,
        deadline: &mut Deadline,
    ) -> Option<Result<(), Cut>> {
        let mut moved = None;
        poll_fn(|cx| {
            if superseded.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Err(Cut::Superseded)));
            }
            if self.stands_still() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(outcome) = scratch::with(|scratch| self.poll(sent, cx, client, scratch)) {
                return Poll::Ready(Some(outcome));
            }
            let now = Some(self.upload.moved() + self.download.moved());
            if std::mem::replace(&mut moved, now) != now {
                deadline.set(limits::IDLE_TIME);
            }
            deadline.poll(cx).map(|()| Some(Err(Cut::Silent)))
        })
        .await
    }

    /// Whether the gate is frozen. Takes up the credential that it is open with otherwise: echoes of
    /// the one before, which is wiped, cannot be looked for.
    fn stands_still(&mut self) -> bool {
        match &**self.session.gate.load() {
            GateState::Frozen { .. } => true,
            GateState::Open(now) if now.generation != self.access.generation => {
                // A head that still waits has the old page, and says so when it is sent.
                self.access = Arc::clone(now);
                false
            }
            GateState::Open(_) | GateState::Closed { .. } => false,
        }
    }

    fn poll<S: Stream>(
        &mut self,
        sent: &Access,
        cx: &mut Context<'_>,
        client: &mut Client<S>,
        scratch: &mut Scratch,
    ) -> Poll<Result<(), Cut>> {
        let Some(wire) = &mut self.wire else { return Poll::Ready(Err(Cut::Silent)) };
        let (session, access) = (self.session, &*self.access);
        let mut step = Step { cx, client, wire, scratch, session, access, standing: Standing::default() };
        if let Poll::Ready(Err(cut)) = self.upload.poll(&mut step) {
            return Poll::Ready(Err(cut));
        }
        let may_renew = self.again > 0 && self.upload.can_begin_again() && is_renewable(sent, access);
        step.standing = Standing { request_is_complete: self.upload.is_complete(), may_renew };
        let down = self.download.poll(&mut step);
        if self.download.has_begun() {
            self.upload.forget();
        }
        if down.is_ready() || !self.upload.is_complete() {
            return down;
        }
        step.client.poll_gone(step.cx, step.scratch).map(|()| Err(Cut::ClientGone))
    }

    /// The credential to send the request again with, if it can be.
    async fn renewed(&self, sent: &Access, cut: &Cut) -> Option<Arc<Access>> {
        let can = self.again > 0 && self.upload.can_begin_again() && !self.download.has_begun();
        if !can || !matches!(cut, Cut::Refused | Cut::Wiped) {
            return None;
        }
        if let GateState::Open(now) = &**self.session.gate.load()
            && now.generation != sent.generation
        {
            // Renewed while the request was out, or before its head went.
            return sent.is_of(&now.account, now.login).then(|| Arc::clone(now));
        }
        if matches!(cut, Cut::Refused) {
            let (account, generation) = (sent.account.clone(), sent.generation);
            self.session.events.send(Event::AccessRefused { account, generation }).await.ok()?;
        }
        tokio::time::timeout(self.session.patience, self.session.gate.renewed(sent)).await.ok()?
    }

    fn begin_again(&mut self, access: Arc<Access>) {
        self.again -= 1;
        self.wire = None;
        self.upload.begin_again(&access);
        self.download = Download::new(self.answers_head, self.keeps_alive);
        self.access = access;
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
        let was_refused = matches!(cut, Cut::Refused);
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
            Cut::Superseded | Cut::Wiped | Cut::Unsearched | Cut::Refused | Cut::Frozen => {
                match &**self.session.gate.load() {
                    GateState::Closed { sentence } | GateState::Frozen { sentence, .. } => {
                        Answer::closed(sentence)
                    }
                    GateState::Open(now) if was_refused && self.access.is_of(&now.account, now.login) => {
                        Answer::no_upstream("the access token was refused and could not be renewed in time")
                    }
                    GateState::Open(_) => {
                        Answer::no_upstream("the account was logged in anew meanwhile; try again")
                    }
                }
            }
        };
        Ending::Answer(answer, rest)
    }
}

/// Whether a refusal is answered by a renewal: of a token that was renewed since it was sent, always; of one
/// that was just obtained, never, because that is refused for another reason than its age.
fn is_renewable(sent: &Access, now: &Access) -> bool {
    let is_old = |from| sent.generation != now.generation || from <= clock::since_boot();
    now.renewable_from.is_some_and(is_old)
}
