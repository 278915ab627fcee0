//! Becomes the one daemon of this user, on the control socket.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use claudectl_platform::{
    activation,
    permissions::{self, LockError, LockFile},
    process,
    socket::{self, LocalListener, SocketFile},
};
use claudectl_proto::endpoint::{Endpoints, PathTooLong};

/// How long a daemon that is told to stop may take: it may revoke what it holds.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why this process cannot be the daemon.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another one is.
    #[error("claudectld is already running (pid {0})")]
    Running(String),
    /// Something that is no daemon of ours has the socket: a supervisor that starts one on demand.
    #[error(
        "process {pid} listens on {path} already; if it is systemd or launchd, it starts claudectld by itself"
    )]
    Taken {
        /// The socket.
        path: PathBuf,
        /// The process.
        pid: u32,
    },
    /// The path is too long for a socket.
    #[error("{0}; {hint}", hint = PathTooLong::HINT)]
    PathTooLong(#[from] PathTooLong),
    /// The socket could not be made.
    #[error("{path}: {source}")]
    Socket {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lock could not be taken.
    #[error("{path}: {message}")]
    Lock {
        /// Its path.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

/// The control socket. Given back when dropped: the lock goes, and the socket if we made it.
#[derive(Debug)]
pub struct Listening {
    /// Where clients connect.
    pub listener: LocalListener,
    /// Whether a supervisor made the socket and will start us again.
    pub activated: bool,
    path: PathBuf,
    /// What we made there.
    own: Option<SocketFile>,
    _lock: LockFile,
}

/// Takes the lock that makes this process the daemon, then the socket: the one that a supervisor
/// passed, which must be at the same place, else our own. Whoever has the lock may replace a stale socket.
///
/// # Errors
/// [`ListenError`].
pub fn listen(endpoints: &Endpoints) -> Result<Listening, ListenError> {
    let path = endpoints.control()?;
    let inherited =
        activation::listener(&path).map_err(|source| ListenError::Socket { path: path.clone(), source })?;
    let activated = inherited.is_some();
    let lock = match lock(endpoints.daemon_lock()) {
        Err(ListenError::Running(holder)) if activated => take_over(endpoints.daemon_lock(), &holder)?,
        outcome => outcome?,
    };
    let listener = match inherited {
        Some(listener) => listener,
        None => bind(&path)?,
    };
    let own = SocketFile::at(&path).ok().filter(|_| !activated);
    Ok(Listening { listener, activated, path, own, _lock: lock })
}

fn lock(path: PathBuf) -> Result<LockFile, ListenError> {
    LockFile::acquire(&path, &std::process::id().to_string()).map_err(|error| failed(path, error))
}

fn failed(path: PathBuf, error: LockError) -> ListenError {
    match error {
        LockError::Held { content } => ListenError::Running(content),
        other => ListenError::Lock { path, message: other.to_string() },
    }
}

/// A supervisor that begins to listen takes the path from a daemon that a client had started: nobody could make
/// that one let go of its credentials any more. So it is told to stop, which does.
fn take_over(path: PathBuf, holder: &str) -> Result<LockFile, ListenError> {
    let Ok(process) = holder.parse().map_err(io::Error::other).and_then(process::identify) else {
        return lock(path);
    };
    match lock(path.clone()) {
        // It holds the lock still: the number means that one.
        Err(ListenError::Running(same)) if same == holder => {}
        outcome => return outcome,
    }
    tracing::warn!(
        "the daemon before (pid {holder}) is out of reach, as its socket is not its own: it is told to stop"
    );
    if let Err(error) = process::ask_process_to_end(process) {
        tracing::warn!("it cannot be told: {error}");
        return lock(path);
    }
    let own = std::process::id().to_string();
    LockFile::acquire_within(&path, &own, PATIENCE).map_err(|error| failed(path, error))
}

/// Takes a stale socket away only after nobody answered at it: the lock keeps other daemons out, but
/// not a supervisor.
fn bind(path: &Path) -> Result<LocalListener, ListenError> {
    let failed = |source| ListenError::Socket { path: path.to_owned(), source };
    if let Some(pid) = socket::listening(path).map_err(failed)? {
        return Err(ListenError::Taken { path: path.to_owned(), pid });
    }
    bind_free(path).map_err(failed)
}

fn bind_free(path: &Path) -> io::Result<LocalListener> {
    match std::fs::remove_file(path) {
        Ok(()) => tracing::info!("{}: replaced a stale socket", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = LocalListener::bind(path)?;
    permissions::restrict_socket(path)?;
    Ok(listener)
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Not one that a supervisor has put in its place since.
        if self.own.is_some_and(|own| SocketFile::at(&self.path).is_ok_and(|there| there == own)) {
            // Gone already is gone as well.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
