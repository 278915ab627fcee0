//! Where the sockets are. Nothing else in the project knows a path of them.
//!
//! Everything is in one directory that only its user can enter: `claudectl` in the user's runtime
//! directory.

use std::path::{Path, PathBuf};

/// The longest path that a socket can have, in bytes.
pub use claudectl_platform::directories::SOCKET_PATH_LIMIT;

/// A path is too long for a socket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the socket path {} has {length} bytes, and the limit is {SOCKET_PATH_LIMIT}", path.display())]
pub struct PathTooLong {
    /// The path.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: usize,
}

impl PathTooLong {
    /// What to do about it.
    pub const HINT: &'static str = "set XDG_RUNTIME_DIR to a shorter directory of your own, mode 0700";
}

/// The sockets and locks of one daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    runtime: PathBuf,
}

impl Endpoints {
    /// Those in this directory, which must be private already (`claudectl_platform::directories`).
    pub fn within(runtime: PathBuf) -> Self {
        Self { runtime }
    }

    /// The directory that holds them all.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// The control socket, where gRPC is spoken.
    ///
    /// # Errors
    /// [`PathTooLong`].
    pub fn control(&self) -> Result<PathBuf, PathTooLong> {
        fits(self.runtime.join("claudectld.sock"))
    }

    /// The directory of the API sockets.
    pub fn sessions(&self) -> PathBuf {
        self.runtime.join("s")
    }

    /// The API socket of one session, where HTTP is spoken.
    ///
    /// # Errors
    /// [`PathTooLong`].
    pub fn session(&self, id: &str) -> Result<PathBuf, PathTooLong> {
        fits(self.sessions().join(format!("{id}.sock")))
    }

    /// The directory of the intake sockets.
    pub fn intakes(&self) -> PathBuf {
        self.runtime.join("intake")
    }

    /// The intake socket of one login, where one credential is handed over.
    ///
    /// # Errors
    /// [`PathTooLong`].
    pub fn intake(&self, login: u64) -> Result<PathBuf, PathTooLong> {
        fits(self.intakes().join(login.to_string()))
    }

    /// The directory of settings that a client keeps for its session, one file for each process.
    pub fn settings(&self) -> PathBuf {
        self.runtime.join("settings")
    }

    /// The plugin that sessions give to the genuine client.
    pub fn plugin(&self) -> PathBuf {
        self.runtime.join("plugin")
    }

    /// Held by the daemon for as long as it runs; contains its process number.
    pub fn daemon_lock(&self) -> PathBuf {
        self.runtime.join("claudectld.lock")
    }

    /// What a daemon that a client started prints.
    pub fn log(&self) -> PathBuf {
        self.runtime.join("claudectld.log")
    }

    /// Held by the one client that starts the daemon.
    pub fn start_lock(&self) -> PathBuf {
        self.runtime.join("start.lock")
    }
}

fn fits(path: PathBuf) -> Result<PathBuf, PathTooLong> {
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_LIMIT { Err(PathTooLong { path, length }) } else { Ok(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_the_runtime_directory() {
        let endpoints = Endpoints::within("/run/user/7/claudectl".into());
        for path in [
            endpoints.control().unwrap(),
            endpoints.session("00c0ffee").unwrap(),
            endpoints.intake(3).unwrap(),
            endpoints.daemon_lock(),
            endpoints.start_lock(),
            endpoints.settings(),
        ] {
            assert!(path.starts_with(endpoints.runtime()), "{path:?}");
        }
        assert_eq!(endpoints.session("00c0ffee").unwrap().parent(), Some(endpoints.sessions().as_path()));
        assert_eq!(endpoints.intake(3).unwrap().parent(), Some(endpoints.intakes().as_path()));
    }

    #[test]
    fn the_longest_path_fits_and_the_next_does_not() {
        let name = "/claudectld.sock".len();
        let longest =
            Endpoints::within(PathBuf::from(format!("/{}", "x".repeat(SOCKET_PATH_LIMIT - name - 1))));
        assert_eq!(longest.control().unwrap().as_os_str().len(), SOCKET_PATH_LIMIT);
        let next = Endpoints::within(PathBuf::from(format!("/{}", "x".repeat(SOCKET_PATH_LIMIT - name))));
        let error = next.control().unwrap_err();
        assert_eq!(error.length, SOCKET_PATH_LIMIT + 1);
        assert!(error.to_string().contains("the limit is"), "{error}");
    }
}
