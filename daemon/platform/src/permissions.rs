//! Who may open what claudectl makes.

#[cfg_attr(unix, path = "permissions/unix.rs")]
#[cfg_attr(windows, path = "permissions/windows.rs")]
mod sys;

use std::{
    io::{self, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use crate::{clock, directories::DirectoryError};

/// How often a held lock is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// Makes the directory if it is not there (mode 0700, whatever the umask), and insists that it is
/// a directory, this user's, and closed to everybody else. Links are not followed.
///
/// # Errors
/// Each way in which it is not.
pub fn private_directory(path: &Path) -> Result<(), DirectoryError> {
    sys::private_directory(path)
}

/// Closes a socket to everybody but this user (mode 0600).
///
/// # Errors
/// If it is not a socket (links are not followed), or not this user's.
pub fn restrict_socket(path: &Path) -> io::Result<()> {
    sys::restrict_socket(path)
}

/// Whether this is a socket of this user that is closed to everybody else, as
/// [`restrict_socket`] leaves it.
///
/// # Errors
/// If there is nothing there to look at.
pub fn is_restricted_socket(path: &Path) -> io::Result<bool> {
    sys::is_restricted_socket(path)
}

/// Whether users other than this one can go as far as this directory.
pub fn others_reach(directory: &Path) -> bool {
    sys::others_reach(directory)
}

/// Whether this process could make files in this directory, as far as permissions and mounts decide.
pub fn may_write(directory: &Path) -> bool {
    sys::may_write(directory)
}

/// Opens a file to add to its end; makes it if it is not there, closed to everybody else (mode 0600).
/// Links are not followed.
///
/// # Errors
/// If what is in its place is not a plain file of this user.
pub fn append_to(path: &Path) -> io::Result<std::fs::File> {
    sys::append_to(path)
}

/// What is in a file of this user. Links are not followed, and a FIFO is not waited for.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if there is nothing; [`io::ErrorKind::InvalidInput`] if what is there is not a
/// plain file of this user of at most `longest` bytes.
pub fn read_own(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    sys::open_own(path)?.take(longest.saturating_add(1)).read_to_end(&mut content)?;
    if u64::try_from(content.len()).is_ok_and(|length| length <= longest) {
        Ok(content)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is longer than {longest} bytes")))
    }
}

/// Replaces a file of this user at once, closed to everybody else (mode 0600): who reads it finds the
/// old content or the new one, also after a crash. A link in its place is replaced, not followed.
///
/// # Errors
/// If it cannot be written; then it is as it was.
pub fn replace_own(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    // What an earlier one left behind when it died.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = sys::create_own(&new)?;
    file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&new, path))
}

/// Why a lock was not acquired.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("it is held by {content:?}")]
    Held {
        /// What the holder wrote into it.
        content: String,
    },
    /// What is in its place is not a plain file of this user alone.
    #[error("it is {0}")]
    Refused(&'static str),
    /// The system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// A lock that one process at a time can hold. It ends with the process, however that ends; when it
/// is dropped, its file disappears.
#[derive(Debug)]
pub struct LockFile {
    #[allow(dead_code, reason = "holds the lock for as long as it lives")]
    lock: sys::Lock,
}

impl LockFile {
    /// Takes the lock and writes `content` into it, which says who holds it. Never blocks.
    ///
    /// # Errors
    /// [`LockError::Held`] with the holder's content, and all that can be wrong with the file.
    pub fn acquire(path: &Path, content: &str) -> Result<Self, LockError> {
        Ok(Self { lock: sys::Lock::acquire(path, content)? })
    }

    /// As [`acquire`](Self::acquire), but waits for a holder to let go, no longer than `patience`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn acquire_within(path: &Path, content: &str, patience: Duration) -> Result<Self, LockError> {
        let deadline = clock::since_boot().saturating_add(patience);
        loop {
            match Self::acquire(path, content) {
                Err(LockError::Held { .. }) if clock::since_boot() < deadline => std::thread::sleep(RETRY),
                outcome => return outcome,
            }
        }
    }
}
