//! Accepts control connections from this user's processes, and from nobody else.

use std::{io, sync::Arc};

use claudectl_platform::{peer, socket::LocalListener};
use tokio::sync::mpsc;

use super::{connection::Connection, places::Places};

/// Accepts for as long as `accepted` is wanted. A connection of another user, or of a process that
/// the kernel does not name, is dropped before a byte of it is read.
pub(super) async fn accept(
    listener: &LocalListener,
    limit: usize,
    accepted: mpsc::Sender<io::Result<Connection>>,
) {
    let places = Arc::new(Places::new(limit));
    let own = peer::own_uid();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("control socket: {error}");
                // Out of descriptors, most likely: give the others time to return theirs.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                continue;
            }
        };
        match peer::of_stream(&stream) {
            Ok(peer) if peer.uid == own => {
                let connection = Connection::new(stream, peer, &places);
                if accepted.send(Ok(connection)).await.is_err() {
                    return;
                }
            }
            Ok(peer) => tracing::warn!("refused process {} of user {}", peer.pid, peer.uid),
            Err(error) => tracing::warn!("refused a process that the kernel does not name: {error}"),
        }
    }
}
