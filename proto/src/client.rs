//! The way to a daemon's sockets: connect, make sure of whose they are, speak.
//!
//! [`Channel`] is one HTTP/2 connection that the generated clients take. There is no pool, no
//! reconnecting and no transport of tonic's: a client lives for one command, and starts faster so.

use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
};

use claudectl_platform::peer;
use hyper::{
    Request, Response, Uri,
    body::Incoming,
    client::conn::http2::{SendRequest, handshake},
    http::uri::{Authority, Scheme},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use interprocess::local_socket::{GenericFilePath, ToFsName as _, tokio::Stream, traits::tokio::Stream as _};
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tonic::body::Body;
use tower::Service;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("no claudectld listens on {}", .0.display())]
    NoDaemon(PathBuf),
    /// Somebody else listens there.
    #[error("{} belongs to user {uid}, not to you", path.display())]
    Foreign {
        /// The socket.
        path: PathBuf,
        /// Whose process listens.
        uid: u32,
    },
    /// The system refused.
    #[error("could not connect to {}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Whoever listens does not speak HTTP/2.
    #[error("{} does not answer as claudectld does: {source}", path.display())]
    Protocol {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        source: hyper::Error,
    },
}

/// One HTTP/2 connection to the control socket; clones share it.
#[derive(Debug, Clone)]
pub struct Channel {
    requests: SendRequest<Body>,
}

impl Channel {
    /// Connects to the control socket at `path`. Its server must be a process of the same user:
    /// that is checked before the first byte is sent.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(path: &Path) -> Result<Self, ConnectError> {
        // HTTP/2 begins with five small frames: together they wake the server once, not five times.
        let stream = TokioIo::new(BufWriter::new(connect(path).await?));
        let (requests, connection) = handshake(TokioExecutor::new(), stream)
            .await
            .map_err(|source| ConnectError::Protocol { path: path.to_owned(), source })?;
        // Errors of the connection come out of the calls on it.
        tokio::spawn(connection);
        Ok(Self { requests })
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.requests.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The generated clients only know the path; HTTP/2 wants the rest, too.
        let mut uri = std::mem::take(request.uri_mut()).into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(Authority::from_static("localhost"));
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        Box::pin(self.requests.send_request(request))
    }
}

/// Hands a credential over: connects to the intake socket at `path`, makes sure that its server is
/// a process of the same user, writes, and closes. Nothing of it is buffered on the way.
///
/// # Errors
/// [`ConnectError`], whose text never holds any of the credential.
pub async fn hand_over(path: &Path, credential: &[u8]) -> Result<(), ConnectError> {
    let mut stream = connect(path).await?;
    stream.write_all(credential).await.map_err(|source| ConnectError::Io { path: path.to_owned(), source })
}

/// A connection to a local socket that a process of the same user listens on.
async fn connect(path: &Path) -> Result<Stream, ConnectError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ConnectError::NoDaemon(path.to_owned()),
        _ => ConnectError::Io { path: path.to_owned(), source },
    };
    let name = path.to_fs_name::<GenericFilePath>().map_err(failed)?;
    let stream = Stream::connect(name).await.map_err(failed)?;
    let server = peer::of_local_stream(&stream).map_err(failed)?;
    if peer::listens_for_us(server) {
        Ok(stream)
    } else {
        Err(ConnectError::Foreign { path: path.to_owned(), uid: server.uid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_socket_and_one_that_nobody_listens_on_are_no_daemon() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.sock");
        let stale = directory.path().join("stale.sock");
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        for path in [missing, stale] {
            let error = Channel::connect(&path).await.unwrap_err();
            assert!(matches!(error, ConnectError::NoDaemon(named) if named == path));
        }
    }

    #[tokio::test]
    async fn hands_over_exactly_the_bytes_and_closes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("1");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let (sent, received) = tokio::join!(hand_over(&path, b"sk-ant-api03-TEST"), async {
            let mut bytes = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut listener.accept().await.unwrap().0, &mut bytes)
                .await
                .unwrap();
            bytes
        });
        sent.unwrap();
        assert_eq!(received, b"sk-ant-api03-TEST");
    }

    #[tokio::test]
    async fn a_server_that_hangs_up_is_an_error_of_the_call() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("claudectld.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let server = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
        let outcome = match Channel::connect(&path).await {
            Err(error) => Err(error.to_string()),
            Ok(channel) => {
                let mut client = crate::v1::daemon_service_client::DaemonServiceClient::new(channel);
                client
                    .get_status(crate::v1::GetStatusRequest::default())
                    .await
                    .map_err(|status| status.to_string())
            }
        };
        server.await.unwrap();
        assert!(outcome.is_err());
    }
}
