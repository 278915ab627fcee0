//! Where claudectl's directories are.

#[cfg_attr(unix, path = "directories/unix.rs")]
#[cfg_attr(windows, path = "directories/windows.rs")]
mod sys;

#[cfg(target_os = "macos")]
#[path = "directories/darwin.rs"]
mod darwin;

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

pub use sys::SOCKET_PATH_LIMIT;
pub(crate) use sys::private;

/// The variable that says where the home directory is on an operating system, as [`std::env::consts::OS`] names it.
/// On Windows `HOME` is what the shells of other systems set there, in their own notation.
pub fn home_variable(system: &str) -> &'static str {
    if system == "windows" { "USERPROFILE" } else { "HOME" }
}

/// Why a directory is not used. Nothing is changed about a directory that is refused.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A relative path means another place for every process.
    #[error("{} is not an absolute path", .0.display())]
    Relative(PathBuf),
    /// Something else is in its place.
    #[error("{} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// It is a symbolic link, which is not followed.
    #[error("{} is a symbolic link", .0.display())]
    SymbolicLink(PathBuf),
    /// It belongs to another user.
    #[error("{} belongs to user {owner}", path.display())]
    ForeignOwner {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Other users have a right to it.
    #[error("{} is open to other users (mode {mode:03o})", path.display())]
    OpenToOthers {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Neither the directory nor a home was named.
    #[error("there is no home directory to find {0} in")]
    NoHome(&'static str),
    /// The system refused.
    #[error("{}: {source}", path.display())]
    System {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DirectoryError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Relative(_) => "name it by an absolute path",
            Self::NotADirectory(_) | Self::SymbolicLink(_) => {
                "see what it is, remove it, and it is made anew; or set XDG_RUNTIME_DIR to a directory of your own"
            }
            Self::ForeignOwner { .. } => {
                "set XDG_RUNTIME_DIR to a directory of your own, mode 0700; somebody else may have put this one there"
            }
            Self::OpenToOthers { .. } => "close it to others: chmod 700",
            Self::NoHome(_) => "set HOME",
            Self::System { .. } => "set XDG_RUNTIME_DIR to a directory of your own, mode 0700",
        }
    }

    pub(crate) fn system(path: &Path, source: io::Error) -> Self {
        Self::System { path: path.to_owned(), source }
    }
}

/// The private directory of sockets and locks, made (mode 0700) if it is not there.
///
/// It is `claudectl` in `xdg_runtime_dir` (`XDG_RUNTIME_DIR`), which must then be an absolute path
/// to a directory of this user; if that is not set, in `/run/user/UID` if that is ours, else
/// `/tmp/claudectl-UID`. On macOS it is in the user's cache directory (`DARWIN_USER_CACHE_DIR`), whose path is
/// the same at every login.
///
/// # Errors
/// Each way in which it is not ours alone. There is no fallback from a directory that is refused.
pub fn runtime(xdg_runtime_dir: Option<&OsStr>) -> Result<PathBuf, DirectoryError> {
    sys::runtime(xdg_runtime_dir.filter(|path| !path.is_empty()).map(Path::new))
}

/// The directory of configuration files, `claudectl` in `xdg_config_home` (`XDG_CONFIG_HOME`) or in
/// `.config` in `home` (`HOME`). It is not made, and it need not be there.
///
/// # Errors
/// [`DirectoryError::NoHome`] if neither is set; [`DirectoryError::Relative`].
pub fn config(xdg_config_home: Option<&OsStr>, home: Option<&OsStr>) -> Result<PathBuf, DirectoryError> {
    below(xdg_config_home, home, ".config", "the configuration")
}

/// The directory of what outlives a daemon and is no configuration (the local record, the list of kept
/// accounts): `claudectl` in `xdg_state_home` (`XDG_STATE_HOME`) or in `.local/state` in `home` (`HOME`).
/// It is not made, and it need not be there.
///
/// # Errors
/// As [`config`].
pub fn state(xdg_state_home: Option<&OsStr>, home: Option<&OsStr>) -> Result<PathBuf, DirectoryError> {
    below(xdg_state_home, home, ".local/state", "the state directory")
}

fn below(
    xdg: Option<&OsStr>,
    home: Option<&OsStr>,
    in_home: &str,
    what: &'static str,
) -> Result<PathBuf, DirectoryError> {
    let named = |path: Option<&OsStr>| path.filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = match named(xdg) {
        Some(base) => base,
        None => named(home).ok_or(DirectoryError::NoHome(what))?.join(in_home),
    };
    if base.is_absolute() { Ok(base.join("claudectl")) } else { Err(DirectoryError::Relative(base)) }
}
