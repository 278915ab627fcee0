//! Changing and removing a file for certain: only a plain file of this user, held open from the first look
//! to the last, replaced whole or not at all, overwritten in place.
//!
//! Every function that takes several system calls calls `step` before each of them. A process that is
//! killed at any of them leaves the file as it was, or as it was to become.

#[cfg(unix)]
#[cfg_attr(target_os = "linux", path = "erasure/filesystem/linux.rs")]
#[cfg_attr(target_os = "macos", path = "erasure/filesystem/macos.rs")]
mod filesystem;
#[cfg_attr(unix, path = "erasure/unix.rs")]
#[cfg_attr(windows, path = "erasure/windows.rs")]
mod sys;

use std::{
    io,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::tree::{self, FileIdentity};

/// How the name of a file ends that takes the place of another. A run that was killed may leave one;
/// the next run on the same file removes it. None ever holds what is being removed.
pub const SUFFIX: &str = ".claudectl-purge";

/// Where SQLite locks a database file: the pending byte, the reserved byte, and the bytes that readers share.
const DATABASE_LOCKS: std::ops::Range<u32> = 0x4000_0000..0x4000_0200;

/// Whether a directory is stored at the end of what is done to the names in it: not on Windows, which stores them
/// when it sees fit.
pub const STORES_DIRECTORIES: bool = sys::STORES_DIRECTORIES;

/// Called before each system call, with what it is.
pub type Step<'a> = &'a mut dyn FnMut(&'static str);

/// Why a file is not touched.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is none.
    #[error("it is not there")]
    Missing,
    /// A symbolic link, which is not followed.
    #[error("it is a symbolic link")]
    Link,
    /// A directory, a pipe, a device.
    #[error("it is not a plain file")]
    NotPlain,
    /// Somebody else's.
    #[error("it belongs to user {0}")]
    Foreign(u32),
    /// Another file is at its name now.
    #[error("another file has taken its place")]
    Replaced,
    /// Somebody has written to it since it was read.
    #[error("it was written to meanwhile")]
    Written,
    /// A database that this program has open.
    #[error("{0} has it open")]
    Held(String),
    /// The system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What overwriting a file's bytes in place is worth where it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// Memory: what was overwritten is gone.
    Memory,
    /// A disk whose file system writes in place.
    Disk,
    /// Flash, which keeps old blocks for a while, under a file system that writes in place.
    Flash,
    /// A file system that writes elsewhere and keeps the old blocks, perhaps in snapshots.
    CopyOnWrite,
    /// A layer over another file system, which may keep an older copy.
    Layered,
    /// Another machine's file system.
    Network,
    /// Not known.
    Unknown,
}

/// A plain file of this user, open for reading and writing.
#[derive(Debug)]
pub struct PlainFile {
    file: sys::Opened,
    path: PathBuf,
}

impl PlainFile {
    /// Opens it; follows nothing, waits for nothing.
    ///
    /// # Errors
    /// Each way in which it is not a plain file of this user.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        Ok(Self { file: sys::Opened::open(path)?, path: path.to_owned() })
    }

    /// The file as it is now.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn identity(&self) -> io::Result<FileIdentity> {
        tree::identity(self.file.file())
    }

    /// All of it, if it has no more than `limit` bytes.
    ///
    /// # Errors
    /// If it has more, or cannot be read.
    pub fn read(&self, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let size = self.identity()?.size;
        if size > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large to be edited"));
        }
        self.read_at(0, usize::try_from(size).map_err(io::Error::other)?)
    }

    /// These bytes of it.
    ///
    /// # Errors
    /// If it is shorter, or cannot be read.
    pub fn read_at(&self, offset: u64, length: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut content = Zeroizing::new(vec![0; length]);
        sys::read_at(self.file.file(), &mut content, offset)?;
        Ok(content)
    }

    /// Writes over what is there, in place, and waits until it is stored. The length stays. The file as it was
    /// right after the last byte was written.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn overwrite(&self, parts: &[(u64, Vec<u8>)], step: Step<'_>) -> io::Result<FileIdentity> {
        for (offset, bytes) in parts {
            step("overwrite");
            sys::write_at(self.file.file(), bytes, *offset)?;
        }
        let known = self.identity()?;
        step("sync the file");
        self.file.file().sync_all()?;
        Ok(known)
    }

    /// Puts a file with this content in its place, with its mode, owner and extended attributes. `known` is the
    /// file from which the content was made.
    ///
    /// # Errors
    /// If that cannot be done, or somebody has written to the file since; then the old one is still there.
    pub fn replace(&self, content: &[u8], known: &FileIdentity, step: Step<'_>) -> Result<(), Refusal> {
        self.file.replace(content, known, step)
    }

    /// Keeps every program that goes by SQLite's locks out of this database, until this is dropped.
    ///
    /// # Errors
    /// [`Refusal::Held`] if a program has it open or locked: it would write what it has in its memory over
    /// what is changed here. On Linux every way to have it open is seen, elsewhere only its locks.
    pub fn claim(&self) -> Result<(), Refusal> {
        sys::claim(self.file.file())
    }

    /// Removes its name, and overwrites what it held unless it has other names. `known` is the file that was
    /// looked at.
    ///
    /// # Errors
    /// If that cannot be done, or somebody has written to the file since.
    pub fn remove(&self, known: &FileIdentity, step: Step<'_>) -> Result<(), Refusal> {
        self.file.remove(known, step)
    }

    /// What overwriting is worth there.
    pub fn medium(&self) -> Medium {
        sys::medium(self.file.file())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes the file that a killed [`PlainFile::replace`] of this path left beside it, if it did.
///
/// # Errors
/// If something else is at its name, or it cannot be removed.
pub fn remove_stale(path: &Path) -> Result<(), Refusal> {
    sys::remove_stale(path)
}

/// Makes a new file that only this user can read.
///
/// # Errors
/// If there is something at its name, or it cannot be written.
pub fn create_private(path: &Path, content: &[u8]) -> io::Result<()> {
    sys::create_private(path, content)
}
