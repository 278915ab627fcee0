//! Idle connections to one upstream.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
};

use tokio::time::{Instant, sleep};

use super::Wire;
use crate::proxy::{
    limits,
    scratch::{self, Scratch},
};

/// Idle connections, the one that was used last on top.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    wires: Vec<(Wire, Instant)>,
    is_watched: bool,
}

impl Pool {
    /// An idle connection that was used just now, without waiting.
    pub(in crate::proxy) fn take_recent(&self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Option<Wire> {
        let now = Instant::now();
        let is_recent = |(_, since): &mut (Wire, Instant)| now - *since < limits::POOL_TRUST;
        loop {
            let (mut wire, _) = self.with(|idle| idle.wires.pop_if(is_recent))?;
            if wire.is_quiet(cx, scratch) {
                return Some(wire);
            }
        }
    }

    /// An idle connection that the upstream has not closed.
    pub(super) async fn take(&self) -> Option<Wire> {
        while let Some((mut wire, since)) = self.with(|idle| idle.wires.pop()) {
            if since.elapsed() >= limits::POOL_TIME {
                continue;
            }
            // The runtime looks at the sockets before this goes on: then a closed one is known.
            tokio::task::yield_now().await;
            if poll_fn(|cx| Poll::Ready(scratch::with(|scratch| wire.is_quiet(cx, scratch)))).await {
                return Some(wire);
            }
        }
        None
    }

    /// Keeps a connection for the next request.
    pub(in crate::proxy) fn put(self: &Arc<Self>, wire: Wire) {
        let watch = self.with(|idle| {
            if idle.wires.len() < limits::POOL_SIZE {
                idle.wires.push((wire, Instant::now()));
            }
            !std::mem::replace(&mut idle.is_watched, true)
        });
        if watch {
            tokio::spawn(close_idle(Arc::downgrade(self)));
        }
    }

    fn with<R>(&self, work: impl FnOnce(&mut Idle) -> R) -> R {
        work(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes what was idle for too long. Whether anything is left.
    fn prune(&self) -> bool {
        let now = Instant::now();
        self.with(|idle| {
            idle.wires.retain(|(_, since)| now - *since < limits::POOL_TIME);
            idle.wires.shrink_to_fit();
            idle.is_watched = !idle.wires.is_empty();
            idle.is_watched
        })
    }
}

async fn close_idle(pool: Weak<Pool>) {
    loop {
        sleep(limits::POOL_TIME / 2).await;
        if !pool.upgrade().is_some_and(|pool| pool.prune()) {
            return;
        }
    }
}
