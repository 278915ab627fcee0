//! Becomes the one daemon of this user, on the control socket.

use std::{
    io,
    path::{Path, PathBuf},
};

use claudectl_platform::{
    activation,
    permissions::{self, LockError, LockFile},
    socket::{self, LocalListener},
};
use claudectl_proto::endpoint::{Endpoints, PathTooLong};

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
    _lock: LockFile,
}

/// Takes the lock that makes this process the daemon, then the socket: the one that a supervisor
/// passed, which must be at the same place, else our own. Whoever has the lock may replace a stale socket.
///
/// # Errors
/// [`ListenError`].
pub fn listen(endpoints: &Endpoints) -> Result<Listening, ListenError> {
    let path = endpoints.control()?;
    let lock = lock(endpoints.daemon_lock())?;
    let inherited =
        activation::listener(&path).map_err(|source| ListenError::Socket { path: path.clone(), source })?;
    let activated = inherited.is_some();
    let listener = match inherited {
        Some(listener) => listener,
        None => bind(&path)?,
    };
    Ok(Listening { listener, activated, path, _lock: lock })
}

fn lock(path: PathBuf) -> Result<LockFile, ListenError> {
    LockFile::acquire(&path, &std::process::id().to_string()).map_err(|error| match error {
        LockError::Held { content } => ListenError::Running(content),
        other => ListenError::Lock { path, message: other.to_string() },
    })
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
        if !self.activated {
            // Gone already is gone as well.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
