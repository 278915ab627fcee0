//! The control socket: who may connect, and how much they may ask for.

mod accept;
mod connection;
mod listen;
mod places;

use std::{io, time::Duration};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{service::Routes, transport::Server};

pub use listen::{ListenError, Listening, listen};

/// Streams that one connection may have open at once.
const STREAMS: u32 = 64;
/// Header bytes of one request.
const HEADER_BYTES: u32 = 16 * 1024;
/// A client that does not answer a ping for this long is gone.
const PING_ANSWER: Duration = Duration::from_secs(20);
/// Pause between pings.
const PING_PAUSE: Duration = Duration::from_mins(1);

/// Serves these services on the control socket until the future is dropped.
///
/// # Errors
/// What tonic says when it cannot go on.
pub async fn serve(listening: &Listening, routes: Routes, limit: usize) -> io::Result<()> {
    let (accepted, connections) = mpsc::channel(1);
    let server = Server::builder()
        .max_concurrent_streams(STREAMS)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(32))
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024)
        .http2_keepalive_interval(Some(PING_PAUSE))
        .http2_keepalive_timeout(Some(PING_ANSWER))
        .add_routes(routes)
        .serve_with_incoming(ReceiverStream::new(connections));
    tokio::select! {
        outcome = server => outcome.map_err(io::Error::other),
        () = accept::accept(&listening.listener, limit, accepted) => Ok(()),
    }
}
