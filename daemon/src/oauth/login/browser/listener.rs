//! The loopback listener of one sign-in.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use claudectl_platform::peer;
use ring::digest::Digest;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::{AbortHandle, JoinHandle, JoinSet},
    time::timeout,
};

use super::{Callback, LoginError, connection};
use crate::oauth::page::Page;

/// Path of the redirect URI. It is registered at authorization servers; the port is not (RFC 8252
/// section 7.3).
pub(super) const CALLBACK: &str = "/callback";

/// Connections at once. One more ends the oldest: nobody can keep the browser out by holding them.
const CONNECTIONS: usize = 16;

/// How long the outcome is still served after the sign-in is over.
const LINGER: Duration = Duration::from_secs(10);

/// A bound listener.
pub(super) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

/// What the connections of one sign-in share.
pub(super) struct Desk {
    /// Where it listens.
    address: SocketAddr,
    /// The one value of `Host` that is answered: everything else is a name that somebody pointed here.
    pub(super) host: String,
    /// Where responses go.
    pub(super) callbacks: mpsc::Sender<Callback>,
    /// The response that was taken, once one was.
    pub(super) taken: OnceLock<Digest>,
    /// The page at the end, once there is one.
    pub(super) outcome: watch::Receiver<Option<Arc<Page>>>,
}

/// Serves a sign-in until it is dropped.
pub(super) struct Serving {
    task: Option<JoinHandle<()>>,
    desk: Arc<Desk>,
    outcome: watch::Sender<Option<Arc<Page>>>,
}

impl Listener {
    /// Listens on a free port of 127.0.0.1, or of `[::1]` where there is no IPv4.
    pub(super) async fn bind() -> Result<Self, LoginError> {
        let bound = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await,
        };
        let listening = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = listening
            .map_err(|error| LoginError::Resource(format!("no loopback port to listen on: {error}")))?;
        Ok(Self { listener, address })
    }

    /// Where browsers are sent back to.
    pub(super) fn redirect_uri(&self) -> String {
        format!("http://{}{CALLBACK}", self.address)
    }

    /// Begins to answer.
    pub(super) fn serve(self, callbacks: mpsc::Sender<Callback>) -> Serving {
        let (outcome, told) = watch::channel(None);
        let host = self.address.to_string();
        let address = self.address;
        let desk = Arc::new(Desk { address, host, callbacks, taken: OnceLock::new(), outcome: told });
        Serving { task: Some(tokio::spawn(accept(self.listener, Arc::clone(&desk)))), desk, outcome }
    }
}

impl Serving {
    /// Notes which response was taken: the same one again changes nothing, and leads to the same page.
    pub(super) fn took(&self, response: Digest) {
        // Nobody takes a second one.
        let _ = self.desk.taken.set(response);
    }

    /// Tells how the sign-in ended, and goes on for as long as a browser needs to fetch it.
    pub(super) fn tell(mut self, page: Page) {
        self.outcome.send_replace(Some(Arc::new(page)));
        if let Some(task) = self.task.take() {
            let abort = task.abort_handle();
            tokio::spawn(async move {
                if timeout(LINGER, task).await.is_err() {
                    abort.abort();
                }
            });
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((_, theirs)) if !is_from_this_user(desk.address, theirs) => {}
                Ok((stream, _)) => {
                    open.retain(|connection| !connection.is_finished());
                    if open.len() == CONNECTIONS && let Some(oldest) = open.pop_front() {
                        oldest.abort();
                    }
                    open.push_back(connections.spawn(connection::serve(stream, Arc::clone(&desk))));
                }
                // Out of descriptors, say: the next one may do better.
                Err(error) => {
                    tracing::debug!("sign-in listener: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(served) = connections.join_next() => {
                // The outcome was shown: there is nothing left to say.
                if matches!(served, Ok(connection::Shown::Outcome)) {
                    return;
                }
            }
        }
    }
}

/// Whether the other end belongs to this user. The address of a sign-in is in the arguments of a browser, for
/// everybody on the machine to see: somebody else could sign in there as somebody else. Root could do so in
/// any case, and it is root who carries connections into some virtual machines.
fn is_from_this_user(ours: SocketAddr, theirs: SocketAddr) -> bool {
    match peer::user_of_tcp(ours, theirs) {
        Ok(uid) if uid.is_none_or(|uid| uid == peer::own_uid() || uid == ROOT) => true,
        Ok(_) => {
            tracing::warn!("another user of this machine connected to the sign-in: refused");
            false
        }
        Err(error) => {
            tracing::warn!("a connection to the sign-in was refused: {error}");
            false
        }
    }
}

/// User number.
const ROOT: u32 = 0;
