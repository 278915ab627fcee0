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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::proxy::{self, ApiSession};

/// How long to wait when no connection can be accepted.
const PAUSE: Duration = Duration::from_millis(20);

/// How long to wait when the kernel cannot say whether one waits.
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// Most connections of one session. A thousand requests at once are no attack.
const OF_ONE: usize = 2048;

/// How many connections there may be: over a port other users can make some, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    of_all: usize,
    of_one: usize,
}

/// What is behind one listening socket.
#[derive(Debug)]
struct Door {
    listener: QuietListener,
    session: Arc<ApiSession>,
    places: Arc<Semaphore>,
}

/// A handle to the task.
#[derive(Debug)]
pub(super) struct Doors {
    orders: mpsc::UnboundedSender<Order>,
    of_one: usize,
}

#[derive(Debug)]
enum Order {
    Open(SessionId, Door),
    Close(SessionId),
}

impl Places {
    /// As many as so many descriptors allow: a connection has one to the upstream beside it, a quarter is for
    /// everything else, and one session never gets all of them.
    pub(super) fn of(open_files: Option<u64>) -> Self {
        let open_files = open_files.and_then(|limit| usize::try_from(limit).ok());
        let of_all = (open_files.unwrap_or(usize::MAX) / 8 * 3).min(Semaphore::MAX_PERMITS);
        Self { of_all, of_one: (of_all / 4 * 3).min(OF_ONE) }
    }
}

impl Doors {
    /// Starts the task.
    pub(super) fn start(places: Places) -> io::Result<Self> {
        let readiness = Readiness::new()?;
        // Unbounded, because the engine must not wait and every order is bounded by a session.
        let (sender, orders) = mpsc::unbounded_channel();
        tokio::spawn(run(readiness, orders, Arc::new(Semaphore::new(places.of_all))));
        Ok(Self { orders: sender, of_one: places.of_one })
    }

    pub(super) fn open(&self, id: SessionId, listener: QuietListener, session: Arc<ApiSession>) {
        let door = Door { listener, session, places: Arc::new(Semaphore::new(self.of_one)) };
        // The task outlives every handle.
        let _ = self.orders.send(Order::Open(id, door));
    }

    pub(super) fn close(&self, id: SessionId) {
        let _ = self.orders.send(Order::Close(id));
    }
}

async fn run(readiness: Readiness, mut orders: mpsc::UnboundedReceiver<Order>, places: Arc<Semaphore>) {
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
                        all_well &= answer(&doors, token, &places);
                    }
                    if !all_well {
                        // Out of descriptors, most likely, and still ready: do not spin.
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                Err(error) => {
                    // Every session depends on this task: it never ends by itself.
                    tracing::error!("API sockets: {error}");
                    tokio::time::sleep(LONG_PAUSE).await;
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

/// Accepts one connection and serves it, or closes it if there is no place for it; false if the kernel has
/// none to give.
fn answer(doors: &BTreeMap<SessionId, Door>, token: u64, places: &Arc<Semaphore>) -> bool {
    let Some(door) = u32::try_from(token).ok().and_then(|id| doors.get(&SessionId(id))) else {
        return true;
    };
    let session = Arc::clone(&door.session);
    match door.listener.accept() {
        Ok(accepted) => {
            if let Some(place) = place(&door.places, places) {
                tokio::spawn(serve(accepted, session, place));
            } else {
                tracing::debug!("session {}: no place for another connection", session.id);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) => {
            tracing::warn!("session {}: {error}", session.id);
            return false;
        }
    }
    true
}

/// A place among those of the session, and one among all.
fn place(of_one: &Arc<Semaphore>, of_all: &Arc<Semaphore>) -> Option<[OwnedSemaphorePermit; 2]> {
    let take = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
    Some([take(of_one)?, take(of_all)?])
}

async fn serve(accepted: Accepted, session: Arc<ApiSession>, place: [OwnedSemaphorePermit; 2]) {
    match accepted {
        Accepted::Local(stream) => proxy::serve_unix(stream, session).await,
        Accepted::Tcp(stream) => proxy::serve_tcp(stream, session).await,
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use claudectl_core::session::Process;
    use claudectl_platform::{process, socket::LocalStream};
    use tokio::{io::AsyncReadExt, time::timeout};

    use super::*;
    use crate::{
        gate::{Gate, GateState},
        meter::Meter,
        proxy::allowance::Allowance,
    };

    /// Longer than anything takes that works.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn session(id: u32) -> Arc<ApiSession> {
        let process::Process { pid, started } = process::identify(std::process::id()).unwrap();
        Arc::new(ApiSession {
            id: SessionId(id),
            process: Process { pid, started },
            children: false,
            capability: None,
            gate: Gate::new(GateState::Closed { sentence: "closed".into() }),
            meter: Meter::default(),
            allowance: Arc::new(Allowance::new(0)),
            patience: PATIENCE,
            events: mpsc::channel(1).0,
        })
    }

    /// Whether the other end keeps it open: it would close at once.
    async fn is_served(stream: &mut LocalStream) -> bool {
        timeout(Duration::from_millis(100), stream.read_u8()).await.is_err()
    }

    #[tokio::test]
    async fn one_connection_too_many_is_closed_and_others_are_served() {
        let directory = tempfile::tempdir().unwrap();
        let doors = Doors::start(Places { of_all: 3, of_one: 2 }).unwrap();
        let path = |id: u32| directory.path().join(id.to_string());
        for id in 0..2 {
            doors.open(SessionId(id), QuietListener::local(&path(id)).unwrap(), session(id));
        }
        let connect = async |id| LocalStream::connect(path(id)).await.unwrap();
        let (mut first, mut second) = (connect(0).await, connect(0).await);
        assert!(is_served(&mut first).await && is_served(&mut second).await);
        assert!(!is_served(&mut connect(0).await).await, "a third one of this session");
        let mut other = connect(1).await;
        assert!(is_served(&mut other).await, "another session has its own");
        assert!(!is_served(&mut connect(1).await).await, "a fourth one of all");
        drop(first);
        timeout(PATIENCE, async { while !is_served(&mut connect(1).await).await {} }).await.unwrap();
    }

    #[test]
    fn a_thousand_connections_of_a_session_have_a_place_wherever_they_can_be_relayed() {
        for open_files in [4096, 10_240, 1 << 20] {
            let places = Places::of(Some(open_files));
            assert!(places.of_one >= 1000 && places.of_one < places.of_all, "{places:?}");
            assert!(u64::try_from(places.of_all * 2).unwrap() < open_files, "{places:?}");
        }
        assert_eq!(Places::of(None).of_one, OF_ONE);
    }
}
