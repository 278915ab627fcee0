//! Looking at files below a directory, without being led out of it and without waiting for anything.

#[cfg(unix)]
#[path = "tree/data.rs"]
mod data;
#[cfg_attr(target_os = "linux", path = "tree/linux.rs")]
#[cfg_attr(target_os = "macos", path = "tree/macos.rs")]
#[cfg_attr(windows, path = "tree/windows.rs")]
mod sys;
#[cfg(unix)]
#[path = "tree/unix.rs"]
mod unix;

use std::{
    ffi::OsString,
    fs::File,
    io,
    ops::Range,
    path::{Component, Path, PathBuf},
};

/// A directory that things are looked for in.
#[derive(Debug)]
pub struct Directory(sys::Directory);

/// What the name of a directory entry stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket, a FIFO, a device.
    Other,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: EntryKind,
}

/// A file as it was at one moment. One that differs later has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileIdentity {
    /// The device it is on; 0 where the system has none.
    pub device: u64,
    /// Its number there; 0 where the system has none.
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When its content last changed, in nanoseconds since the Unix epoch.
    pub modified: i128,
    /// Type and permission bits; 0 where the system has none.
    pub mode: u32,
    /// The names it has (hard links).
    pub links: u64,
    /// Whose it is; 0 where the system has no such number.
    pub owner: u32,
}

/// Why something is not looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It, or a directory on the way to it, is a symbolic link.
    #[error("a symbolic link that is not followed")]
    Link,
    /// A FIFO, a socket, a device or a directory.
    #[error("not a plain file")]
    NotAFile,
    /// Another user's.
    #[error("another user's file")]
    Foreign,
    /// The system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl LookError {
    /// Whether nothing is there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::System(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
    }
}

impl Directory {
    /// The directory at an absolute path, which may lead through links: the caller trusts it.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        sys::Directory::open(path).map(Self)
    }

    /// A directory below, reached without a link.
    ///
    /// # Errors
    /// As [`LookError`] says; `..` is refused.
    pub fn directory(&self, below: &Path) -> Result<Self, LookError> {
        self.0.directory(&plain(below)?).map(Self)
    }

    /// A plain file of this user below, reached without a link, open for reading. Opening it waits for
    /// nobody.
    ///
    /// # Errors
    /// As [`LookError`] says; `..` is refused.
    pub fn file(&self, below: &Path) -> Result<(File, FileIdentity), LookError> {
        self.0.file(&plain(below)?)
    }

    /// Whether it is this user's, and nobody else can reach into it. Where the system has no such bits: no.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn is_private(&self) -> io::Result<bool> {
        self.0.is_private()
    }

    /// What is in it, in no order.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        self.0.entries()
    }
}

/// A file that is open, as it is now.
///
/// # Errors
/// If the system does not tell.
pub fn identity(file: &File) -> io::Result<FileIdentity> {
    sys::identity(file)
}

/// The next run of bytes from `from` on, before `end`, that is not a hole; `None` if there is none. Where
/// the system does not know holes, all is data.
///
/// # Errors
/// If the system does not tell.
pub fn next_data(file: &File, from: u64, end: u64) -> io::Result<Option<Range<u64>>> {
    if from >= end { Ok(None) } else { sys::next_data(file, from, end) }
}

/// A path that only leads down.
fn plain(below: &Path) -> Result<PathBuf, LookError> {
    let leads_down = below.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if leads_down { Ok(below.to_owned()) } else { Err(LookError::Link) }
}
