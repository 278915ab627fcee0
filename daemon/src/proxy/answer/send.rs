//! Sends an answer so that the client hears it: what it still sends is read and dropped, since
//! closing a socket with unread bytes would take the answer back.

use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
};

use tokio::time::timeout;

use super::Answer;
use crate::proxy::{
    body::Framing,
    client::{Client, Stream},
    limits,
    scratch::{self, Scratch, Unsent},
};

/// Sends an answer, and drops the rest of the request, or everything, if the rest is
/// [`Framing::UntilClose`]. Whether the connection may be used again.
pub(in crate::proxy) async fn answer<S: Stream>(
    client: &mut Client<S>,
    answer: &Answer,
    mut rest: Framing,
    answers_head: bool,
) -> bool {
    let close = rest == Framing::UntilClose;
    let mut unsent = Unsent::default();
    unsent.keep(&answer.encode(answers_head, close));
    let sent = poll_fn(|cx| client.poll_sent(cx, &mut unsent));
    if !matches!(timeout(limits::LINGER_TIME, sent).await, Ok(Ok(()))) {
        return false;
    }
    let finish = async { !close && drop_rest(client, &mut rest).await || hang_up(client).await };
    timeout(limits::DRAIN_TIME, finish).await.unwrap_or(false)
}

/// Says that nothing more comes, and waits for the client to close. The connection is over: false.
pub(in crate::proxy) async fn linger<S: Stream>(client: &mut Client<S>) -> bool {
    timeout(limits::DRAIN_TIME, hang_up(client)).await.unwrap_or(false)
}

async fn hang_up<S: Stream>(client: &mut Client<S>) -> bool {
    let shut = poll_fn(|cx| client.poll_shutdown(cx));
    if matches!(timeout(limits::LINGER_TIME, shut).await, Ok(Ok(()))) {
        drop_rest(client, &mut Framing::UntilClose).await;
    }
    false
}

/// Reads and drops a body, within bounds of size and silence. Whether it was complete.
async fn drop_rest<S: Stream>(client: &mut Client<S>, rest: &mut Framing) -> bool {
    let mut dropped = 0;
    while !rest.is_done() && dropped < limits::DRAIN {
        let more = poll_fn(|cx| scratch::with(|scratch| poll_drop(cx, client, scratch, rest)));
        match timeout(limits::LINGER_TIME, more).await {
            Ok(Some(count)) => dropped += count,
            Ok(None) | Err(_) => return false,
        }
    }
    rest.is_done()
}

/// Drops what comes next; `None` if nothing does, or if it is not a body.
fn poll_drop<S: Stream>(
    cx: &mut Context<'_>,
    client: &mut Client<S>,
    scratch: &mut Scratch,
    rest: &mut Framing,
) -> Poll<Option<usize>> {
    let Ok(count @ 1..) = ready!(client.poll_read(cx, scratch)) else { return Poll::Ready(None) };
    let bytes = scratch.plain.get(..count).unwrap_or_default();
    let taken = rest.advance(bytes, |_| {}).ok();
    client.keep(bytes.get(taken.unwrap_or(count)..).unwrap_or_default());
    Poll::Ready(taken)
}
