//! Serves the connections of a session: who may ask, and what becomes of a request.

use std::{
    future::poll_fn,
    ops::Range,
    sync::Arc,
    task::{Context, Poll, ready},
};

use claudectl_core::event::Event;
use claudectl_platform::{peer, process, socket::LocalStream};
use tokio::{net::TcpStream, time::timeout};

use super::{
    ApiSession,
    answer::{Answer, send},
    body::Framing,
    client::{Client, Stream},
    deadline::Deadline,
    head::{self, Extent, Flaw, request::Request},
    inject, limits,
    relay::{Ending, Exchange},
    scratch::{self, Scratch},
};
use crate::gate::GateState;

/// Serves one connection to a session's API socket until it ends. The peer must be the session's
/// own process (or a descendant, where the session allows it): anybody else gets 403.
pub async fn serve_unix(stream: LocalStream, session: Arc<ApiSession>) {
    if may_use(&stream, &session) {
        serve(Client::new(stream), &session).await;
        return;
    }
    tracing::warn!(session = %session.id, "another process tried to use the session");
    if session.events.send(Event::PeerRefused { session: session.id }).await.is_err() {
        tracing::warn!(session = %session.id, "nobody records the refused peer: the daemon is stopping");
    }
    refuse(Client::new(stream)).await;
}

/// Serves one connection to a session's loopback port until it ends. Every request must carry the
/// session's capability: others get 401. Without one in the session, nothing goes through.
pub async fn serve_tcp(stream: TcpStream, session: Arc<ApiSession>) {
    if session.capability.is_none() {
        tracing::error!(session = %session.id, "a session over TCP has no capability");
        return;
    }
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection is gone already");
        return;
    }
    serve(Client::new(stream), &session).await;
}

/// What the kernel says about the peer. A missing fact is a refusal.
fn may_use(stream: &LocalStream, session: &ApiSession) -> bool {
    let Ok(peer) = peer::of_stream(stream) else { return false };
    let own = process::Process { pid: session.process.pid, started: session.process.started };
    let is_own = || process::identify(peer.pid).is_ok_and(|process| process == own);
    let descends = || session.children && process::descends_from(peer.pid, own);
    peer.uid == peer::own_uid() && (is_own() || descends())
}

/// Answers a peer that may not ask, once it has asked.
async fn refuse<S: Stream>(mut client: Client<S>) {
    let asked = poll_fn(|cx| scratch::with(|scratch| client.poll_read(cx, scratch)));
    if matches!(timeout(limits::LINGER_TIME, asked).await, Ok(Ok(1..))) {
        send::answer(&mut client, &Answer::not_yours(), Framing::UntilClose, false).await;
    }
}

/// What a request comes to.
enum Next<'a> {
    /// Nothing: the client is gone.
    Gone,
    /// An answer of our own, behind this rest of the request.
    Answer { answer: Answer, rest: Framing, answers_head: bool },
    /// It waits for the thaw; it is kept with the client.
    Wait,
    /// It goes to the upstream.
    Relay { exchange: Box<Exchange<'a>>, answers_head: bool },
}

async fn serve<S: Stream>(mut client: Client<S>, session: &ApiSession) {
    let mut deadline = Deadline::after(limits::HEAD_TIME);
    let mut may_wait = true;
    loop {
        let mut has_begun = false;
        let next = poll_fn(|cx| {
            let next = scratch::with(|scratch| begin(cx, &mut client, session, scratch, may_wait));
            match next {
                Ok(next) => Poll::Ready(next),
                Err(length) => late(cx, length, &mut deadline, &mut has_begun),
            }
        });
        let next = next.await;
        may_wait = !matches!(next, Next::Wait);
        let go_on = match next {
            Next::Gone => false,
            Next::Wait => match thawed(&client, session).await {
                Thaw::Gone => false,
                Thaw::InTime => {
                    may_wait = true;
                    true
                }
                Thaw::TooLate => true,
            },
            Next::Answer { answer, rest, answers_head } => {
                send::answer(&mut client, &answer, rest, answers_head).await
            }
            Next::Relay { exchange, answers_head } => match exchange.run(&mut client, &mut deadline).await {
                Ending::Reusable => true,
                Ending::Gone => false,
                Ending::Last => send::linger(&mut client).await,
                Ending::Answer(answer, rest) => send::answer(&mut client, &answer, rest, answers_head).await,
            },
        };
        if !go_on {
            return;
        }
        deadline.set(limits::IDLE_TIME);
    }
}

/// What became of a wait.
enum Thaw {
    /// The gate is not frozen any more.
    InTime,
    /// It still is: the request gets its sentence.
    TooLate,
    /// The client gave up.
    Gone,
}

async fn thawed<S: Stream>(client: &Client<S>, session: &ApiSession) -> Thaw {
    tokio::select! {
        biased;
        () = session.gate.thawed() => Thaw::InTime,
        () = client.hung_up() => Thaw::Gone,
        () = tokio::time::sleep(session.patience) => Thaw::TooLate,
    }
}

/// Reads a head and decides. Without a complete one: how much of it there is.
fn begin<'a, S: Stream>(
    cx: &mut Context<'_>,
    client: &mut Client<S>,
    session: &'a ApiSession,
    scratch: &mut Scratch,
    may_wait: bool,
) -> Result<Next<'a>, usize> {
    let mut length = client.unkeep(scratch);
    loop {
        match head::extent(scratch.plain.get(..length).unwrap_or_default()) {
            Ok(Extent::Partial) => {}
            Ok(Extent::Complete(end)) => {
                return Ok(decide(cx, client, session, scratch, end..length, may_wait));
            }
            Err(flaw) => return Ok(refused(flaw)),
        }
        match client.poll_read_behind(cx, scratch, length) {
            Poll::Ready(Ok(count @ 1..)) => length += count,
            Poll::Ready(_) => return Ok(Next::Gone),
            Poll::Pending => {
                client.keep(scratch.plain.get(..length).unwrap_or_default());
                return Err(length);
            }
        }
    }
}

/// Waits on: a head that began has its own deadline.
fn late<'a>(
    cx: &mut Context<'_>,
    length: usize,
    deadline: &mut Deadline,
    has_begun: &mut bool,
) -> Poll<Next<'a>> {
    if length > 0 && !std::mem::replace(has_begun, true) {
        deadline.set(limits::HEAD_TIME);
    }
    ready!(deadline.poll(cx));
    Poll::Ready(match length {
        0 => Next::Gone,
        _ => Next::Answer { answer: Answer::too_slow(), rest: Framing::UntilClose, answers_head: false },
    })
}

fn refused<'a>(flaw: Flaw) -> Next<'a> {
    Next::Answer { answer: Answer::flaw(flaw), rest: Framing::UntilClose, answers_head: false }
}

/// Decides about a complete head. `rest` of the scratch buffer is what came behind it.
fn decide<'a, S: Stream>(
    cx: &mut Context<'_>,
    client: &mut Client<S>,
    session: &'a ApiSession,
    scratch: &mut Scratch,
    rest: Range<usize>,
    may_wait: bool,
) -> Next<'a> {
    let mut room = head::room();
    let next = match Request::parse(scratch.plain.get(..rest.start).unwrap_or_default(), &mut room) {
        Ok(request) => route(session, &request, may_wait),
        Err(flaw) => return refused(flaw),
    };
    match next {
        Next::Relay { mut exchange, answers_head } => match exchange.start(cx, client, scratch, rest) {
            Ok(()) => Next::Relay { exchange, answers_head },
            Err(flaw) => refused(flaw),
        },
        Next::Wait => {
            client.keep(scratch.plain.get(..rest.end).unwrap_or_default());
            Next::Wait
        }
        local => {
            client.keep(scratch.plain.get(rest).unwrap_or_default());
            local
        }
    }
}

/// Where a request goes: nowhere, or to the account's upstream.
fn route<'a>(session: &'a ApiSession, request: &Request<'_>, may_wait: bool) -> Next<'a> {
    let answers_head = request.method() == "HEAD";
    let rest = if request.keeps_alive() { request.body() } else { Framing::UntilClose };
    let local = Answer::local(request);
    if let Some(capability) = &session.capability
        && !inject::is_capability(capability, request.presented())
    {
        // The genuine client's first sign of life carries no credential: it is answered, and that is all.
        let answer = local.filter(|_| answers_head).unwrap_or_else(Answer::no_capability);
        return Next::Answer { answer, rest: Framing::UntilClose, answers_head };
    }
    if let Some(answer) = local {
        return Next::Answer { answer, rest, answers_head };
    }
    match &**session.gate.load() {
        GateState::Frozen { .. } if may_wait => Next::Wait,
        GateState::Closed { sentence } | GateState::Frozen { sentence, .. } => {
            Next::Answer { answer: Answer::closed(sentence), rest, answers_head }
        }
        GateState::Open(access) => {
            let exchange = Box::new(Exchange::new(session, Arc::clone(access), request));
            Next::Relay { exchange, answers_head }
        }
    }
}
