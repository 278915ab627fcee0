//! One connection to the listener: one request, one answer.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};
use zeroize::{Zeroize, Zeroizing};

use super::{
    Callback, Received, Reply,
    listener::{CALLBACK, Desk},
};
use crate::{
    oauth::page::{OUTCOME, Page},
    proxy::{
        body::Framing,
        head::{self, Extent, request::Request},
    },
};

/// Longest request, head and body, in bytes.
const REQUEST: usize = 16 * 1024;

/// How long a request may take to come.
const TIME: Duration = Duration::from_secs(10);

/// How long the outcome is waited for once it was asked for: longer than the exchange of a code takes.
const OUTCOME_TIME: Duration = Duration::from_secs(100);

/// What a connection showed.
pub(super) enum Shown {
    /// How the sign-in ended.
    Outcome,
    /// Anything else, or nothing.
    Other,
}

/// What a request wants.
enum Wanted {
    /// Brings a response.
    Callback(Received),
    /// Wants to know how it ended.
    Outcome,
    /// Gets an answer at once.
    Refused(Page),
}

/// Answers one request. Whoever is slow, talks nonsense or too much is cut off.
pub(super) async fn serve(mut stream: TcpStream, desk: Arc<Desk>) -> Shown {
    let Ok(Ok(wanted)) = timeout(TIME, read(&mut stream, &desk)).await else { return Shown::Other };
    let (answer, shown) = match wanted {
        Wanted::Callback(received) => (callback(received, &desk).await, Shown::Other),
        Wanted::Outcome => match outcome(&desk).await {
            Some(page) => (page.answer(), Shown::Outcome),
            None => (Page::not_yet().answer(), Shown::Other),
        },
        Wanted::Refused(page) => (page.answer(), Shown::Other),
    };
    match timeout(TIME, send(stream, &answer)).await {
        Ok(Ok(())) => shown,
        Ok(Err(_)) | Err(_) => Shown::Other,
    }
}

/// Reads the request into one buffer that never moves and is overwritten.
async fn read(stream: &mut TcpStream, desk: &Desk) -> io::Result<Wanted> {
    let mut buffer = Zeroizing::new(vec![0; REQUEST]);
    let mut filled = 0;
    loop {
        let received = buffer.get(..filled).unwrap_or_default();
        if let Some(wanted) = understand(received, &desk.host) {
            return Ok(wanted);
        }
        let free = buffer.get_mut(filled..).unwrap_or_default();
        if free.is_empty() {
            return Ok(Wanted::Refused(Page::too_large()));
        }
        match stream.read(free).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
}

/// What the request wants; `None` while it is not complete.
fn understand(received: &[u8], host: &str) -> Option<Wanted> {
    let end = match head::extent(received) {
        Ok(Extent::Partial) => return None,
        Ok(Extent::Complete(end)) => end,
        Err(_) => return Some(Wanted::Refused(Page::nonsense())),
    };
    let (head, body) = received.split_at_checked(end)?;
    let mut room = head::room();
    let Ok(request) = Request::parse(head, &mut room) else {
        return Some(Wanted::Refused(Page::nonsense()));
    };
    // A page elsewhere that had its name point here (DNS rebinding) cannot forge this.
    if request.field("host").is_none_or(|named| named != host.as_bytes()) {
        return Some(Wanted::Refused(Page::misdirected()));
    }
    match (request.path(), request.method()) {
        (CALLBACK, "GET") => {
            let query = request.target().split_once('?').map_or("", |(_, query)| query);
            Some(callback_of(query.as_bytes()))
        }
        (CALLBACK, "POST") => form(&request, body),
        (OUTCOME, "GET") => Some(Wanted::Outcome),
        (CALLBACK | OUTCOME, _) => Some(Wanted::Refused(Page::nonsense())),
        _ => Some(Wanted::Refused(Page::not_here())),
    }
}

/// A response that came as a form (OAuth 2.0 Form Post Response Mode).
fn form(request: &Request<'_>, body: &[u8]) -> Option<Wanted> {
    let is_form = request.field("content-type").is_some_and(|kind| {
        let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    });
    match request.body() {
        Framing::Length(length) if is_form => {
            let length = usize::try_from(length).ok().filter(|length| *length < REQUEST);
            let Some(length) = length else { return Some(Wanted::Refused(Page::too_large())) };
            body.get(..length).map(callback_of)
        }
        _ => Some(Wanted::Refused(Page::nonsense())),
    }
}

fn callback_of(encoded: &[u8]) -> Wanted {
    match Received::parse(encoded) {
        Ok(received) => Wanted::Callback(received),
        Err(_) => Wanted::Refused(Page::nonsense()),
    }
}

/// Hands the response over, and turns the verdict into an answer.
async fn callback(received: Received, desk: &Desk) -> Vec<u8> {
    let digest = received.digest;
    let (reply, verdict) = oneshot::channel();
    if desk.callbacks.send(Callback { received, reply }).await.is_ok()
        && let Ok(reply) = verdict.await
    {
        return match reply {
            Reply::Taken => Page::to_outcome(),
            Reply::Page(page) => page.answer(),
        };
    }
    // Another was taken before. A browser sends a form twice when somebody presses a button that a script has
    // pressed already, or reloads: it is shown what became of the first.
    if desk.taken.get().is_some_and(|taken| taken.as_ref() == digest.as_ref()) {
        return Page::to_outcome();
    }
    Page::already().answer()
}

async fn outcome(desk: &Desk) -> Option<Arc<Page>> {
    // It is only there to be waited for once somebody answered.
    if !desk.callbacks.is_closed() {
        return None;
    }
    let mut told = desk.outcome.clone();
    let page = timeout(OUTCOME_TIME, told.wait_for(Option::is_some)).await.ok()?.ok()?;
    page.clone()
}

async fn send(mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    // Until the browser has closed, too: what it still sends must not cut off what it reads.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    rest.zeroize();
    Ok(())
}
