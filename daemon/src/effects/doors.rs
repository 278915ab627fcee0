//! The listening sockets of all sessions, behind one task.
//!
//! A task or a registration of its own for each would cost every idle session a kilobyte; here a
//! session costs its socket and an entry in a map.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use claudectl_core::ids::SessionId;
use claudectl_platform::{
    readiness::Readiness,
    socket::{Accepted, QuietListener},
};
use tokio::sync::mpsc;

use crate::proxy::{self, ApiSession};

/// How long to wait when no connection can be accepted.
const PAUSE: Duration = Duration::from_millis(20);

/// What is behind one listening socket.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) listener: QuietListener,
    pub(super) session: Arc<ApiSession>,
}

/// A handle to the task.
#[derive(Debug)]
pub(super) struct Doors(mpsc::UnboundedSender<Order>);

#[derive(Debug)]
enum Order {
    Open(SessionId, Door),
    Close(SessionId),
}

impl Doors {
    /// Starts the task.
    pub(super) fn start() -> io::Result<Self> {
        let readiness = Readiness::new()?;
        // Unbounded, because the engine must not wait and every order is bounded by a session.
        let (sender, orders) = mpsc::unbounded_channel();
        tokio::spawn(run(readiness, orders));
        Ok(Self(sender))
    }

    pub(super) fn open(&self, id: SessionId, door: Door) {
        // The task outlives every handle.
        let _ = self.0.send(Order::Open(id, door));
    }

    pub(super) fn close(&self, id: SessionId) {
        let _ = self.0.send(Order::Close(id));
    }
}

async fn run(readiness: Readiness, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut doors = BTreeMap::new();
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                None => return,
                Some(Order::Open(id, door)) => open(&readiness, &mut doors, id, door),
                Some(Order::Close(id)) => close(&readiness, &mut doors, id),
            },
            tokens = readiness.wait() => match tokens {
                Ok(tokens) => {
                    let mut all_well = true;
                    for token in tokens {
                        all_well &= answer(&doors, token);
                    }
                    if !all_well {
                        // Out of descriptors, most likely, and still ready: do not spin.
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                Err(error) => {
                    tracing::error!("API sockets: {error}");
                    return;
                }
            },
        }
    }
}

fn open(readiness: &Readiness, doors: &mut BTreeMap<SessionId, Door>, id: SessionId, door: Door) {
    match readiness.add(&door.listener, u64::from(id.0)) {
        Ok(()) => drop(doors.insert(id, door)),
        // Dropping the door closes the socket: the session's program gets a clear refusal.
        Err(error) => tracing::error!("session {id}: {error}"),
    }
}

fn close(readiness: &Readiness, doors: &mut BTreeMap<SessionId, Door>, id: SessionId) {
    if let Some(door) = doors.remove(&id)
        && let Err(error) = readiness.remove(&door.listener)
    {
        tracing::warn!("session {id}: {error}");
    }
}

/// Accepts one connection and serves it; false if the kernel has none to give.
fn answer(doors: &BTreeMap<SessionId, Door>, token: u64) -> bool {
    let Some(door) = u32::try_from(token).ok().and_then(|id| doors.get(&SessionId(id))) else {
        return true;
    };
    let session = Arc::clone(&door.session);
    match door.listener.accept() {
        Ok(Accepted::Local(stream)) => drop(tokio::spawn(proxy::serve_unix(stream, session))),
        Ok(Accepted::Tcp(stream)) => drop(tokio::spawn(proxy::serve_tcp(stream, session))),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) => {
            tracing::warn!("session {}: {error}", session.id);
            return false;
        }
    }
    true
}
