//! Serves the connections of a session.

use std::sync::Arc;

use tokio::net::{TcpStream, UnixStream};

use super::ApiSession;

/// Serves one connection to a session's API socket until it ends. The peer must be the session's
/// own process (or a descendant, where the session allows it): anybody else gets 403.
#[allow(clippy::unused_async, reason = "the signature is landed ahead of the code")]
pub async fn serve_unix(stream: UnixStream, session: Arc<ApiSession>) {
    tracing::error!(session = %session.id, "the relay is not built yet");
    drop(stream);
}

/// Serves one connection to a session's loopback port until it ends. Every request must carry the
/// session's capability: others get 401.
#[allow(clippy::unused_async, reason = "the signature is landed ahead of the code")]
pub async fn serve_tcp(stream: TcpStream, session: Arc<ApiSession>) {
    tracing::error!(session = %session.id, "the relay is not built yet");
    drop(stream);
}
