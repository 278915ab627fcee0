//! The one-shot socket that a credential comes in by.
//!
//! gRPC would leave copies of it in HTTP/2 frames, decoders and messages. Here the kernel writes it
//! straight into the secret page, and nowhere else.

use std::{io, path::PathBuf, time::Duration};

use claudectl_platform::{
    memory::{MemoryError, SecretPage},
    peer::{self, Peer},
    permissions,
    socket::{LocalListener, LocalStream},
};

/// How long an intake stays open for a program that has the credential at hand.
pub(super) const AT_HAND: Duration = Duration::from_secs(30);

/// Why no credential came in.
#[derive(Debug, thiserror::Error)]
pub(super) enum IntakeError {
    #[error("nothing came within {} seconds", .0.as_secs())]
    TooLate(Duration),
    #[error("process {pid} of user {uid} connected instead of the one that asked")]
    Stranger { pid: u32, uid: u32 },
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An open intake. Its socket disappears with it.
#[derive(Debug)]
pub(super) struct Intake {
    listener: LocalListener,
    path: SocketFile,
}

/// Removes the socket when dropped.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!("{}: {error}", self.0.display());
        }
    }
}

/// Opens an intake at this path.
pub(super) fn open(path: PathBuf) -> io::Result<Intake> {
    if let Some(directory) = path.parent() {
        permissions::private_directory(directory).map_err(io::Error::other)?;
    }
    let listener = LocalListener::bind(&path)?;
    let path = SocketFile(path);
    permissions::restrict_socket(&path.0)?;
    Ok(Intake { listener, path })
}

impl Intake {
    pub(super) fn path(&self) -> &std::path::Path {
        &self.path.0
    }

    /// Receives one credential from the process that asked to log in, and from no other: others are refused,
    /// and do not keep it from coming.
    pub(super) async fn receive(self, expected: Peer, within: Duration) -> Result<SecretPage, IntakeError> {
        let mut stranger = None;
        let receive = async {
            loop {
                let (stream, _) = self.listener.accept().await?;
                match peer::of_stream(&stream) {
                    Ok(found) if found == expected => return read(&stream).await,
                    Ok(found) => stranger = Some(found),
                    Err(error) => tracing::debug!(%error, "a login's socket: nobody knows who connected"),
                }
            }
        };
        let received = tokio::time::timeout(within, receive).await;
        received.unwrap_or_else(|_| {
            let too_late = IntakeError::TooLate(within);
            Err(stranger.map_or(too_late, |Peer { uid, pid }| IntakeError::Stranger { pid, uid }))
        })
    }
}

async fn read(stream: &LocalStream) -> Result<SecretPage, IntakeError> {
    let page = SecretPage::new()?;
    loop {
        stream.readable().await?;
        match page.append(|free| stream.try_read(free)) {
            Ok(0) => return Ok(page),
            Ok(_) => {}
            Err(MemoryError::Kernel(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn hand_over(
        bytes: &'static [u8],
        expected: Peer,
        within: Duration,
    ) -> Result<SecretPage, IntakeError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("intake/1.sock");
        let intake = open(path.clone()).unwrap();
        let writing = async {
            let mut stream = LocalStream::connect(&path).await.unwrap();
            // A refused stream may be closed under our hands.
            let _ = stream.write_all(bytes).await;
        };
        let (received, ()) = tokio::join!(intake.receive(expected, within), writing);
        assert!(!path.exists(), "the socket outlived the intake");
        received
    }

    fn myself() -> Peer {
        Peer { uid: peer::own_uid(), pid: std::process::id() }
    }

    #[tokio::test]
    async fn receives_from_the_process_that_asked() {
        let page = hand_over(b"sk-ant-api03-TESTTESTTEST\n", myself(), AT_HAND).await.unwrap();
        assert_eq!(page.expose(<[u8]>::to_vec).unwrap(), b"sk-ant-api03-TESTTESTTEST\n");
    }

    #[tokio::test]
    async fn refuses_every_other_process() {
        let expected = Peer { pid: 1, ..myself() };
        let within = Duration::from_millis(100);
        let error = hand_over(b"sk-ant-api03-TESTTESTTEST\n", expected, within).await.unwrap_err();
        assert!(matches!(error, IntakeError::Stranger { pid, .. } if pid == std::process::id()));
    }

    /// The test runs itself again as the stranger.
    #[tokio::test]
    async fn a_stranger_that_comes_first_does_not_keep_the_right_one_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("intake/1.sock");
        let receiving = tokio::spawn(open(path.clone()).unwrap().receive(myself(), AT_HAND));
        let mut stranger = std::process::Command::new(std::env::current_exe().unwrap());
        // An option of the test harness that takes a value: how the stranger hears where to connect.
        stranger.args(["--exact", "effects::intake::tests::as_the_stranger", "--skip"]).arg(&path);
        let outcome = tokio::task::spawn_blocking(move || stranger.output().unwrap()).await.unwrap();
        assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stdout));
        let mut stream = LocalStream::connect(&path).await.unwrap();
        stream.write_all(b"sk-ant-api03-TESTTESTTEST").await.unwrap();
        drop(stream);
        let page = receiving.await.unwrap().unwrap();
        assert_eq!(page.expose(<[u8]>::to_vec).unwrap(), b"sk-ant-api03-TESTTESTTEST");
    }

    /// The stranger of the test above; by itself it has nothing to do.
    #[test]
    fn as_the_stranger() {
        let path = std::env::args().find(|argument| argument.ends_with("intake/1.sock"));
        let Some(path) = path else { return };
        let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
        assert_eq!(std::io::Read::read(&mut stream, &mut [0]).unwrap(), 0, "it was not refused");
    }
}
