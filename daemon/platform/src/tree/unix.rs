//! What Linux and macOS have in common.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::MetadataExt},
    },
    path::{Component, Path},
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, statat},
    io::Errno,
};

use super::{Entry, EntryKind, FileIdentity, LookError};
use crate::peer::own_uid;

/// Without `NONBLOCK` a FIFO without a writer would wait.
pub(super) const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

pub(super) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty())?)
}

/// Opens what is below, one name after the other, none of them a link.
pub(super) fn walk(root: &OwnedFd, below: &Path, flags: OFlags) -> Result<OwnedFd, LookError> {
    let names: Vec<&OsStr> = below
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { Some(name) } else { None })
        .collect();
    let Some((last, directories)) = names.split_last() else {
        return openat(root, ".", flags, Mode::empty()).map_err(refusal);
    };
    let mut at: Option<OwnedFd> = None;
    for name in directories {
        let parent = at.as_ref().unwrap_or(root);
        at = Some(openat(parent, *name, DIRECTORY, Mode::empty()).map_err(|error| of(parent, name, error))?);
    }
    let parent = at.as_ref().unwrap_or(root);
    openat(parent, *last, flags, Mode::empty()).map_err(|error| of(parent, last, error))
}

/// Linux says of a link in place of a directory that it is no directory.
fn of(parent: &OwnedFd, name: &OsStr, error: Errno) -> LookError {
    if error == Errno::NOTDIR {
        let found = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW);
        if found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Symlink) {
            return LookError::Link;
        }
    }
    refusal(error)
}

pub(super) fn refusal(error: Errno) -> LookError {
    match error {
        Errno::LOOP | Errno::XDEV => LookError::Link,
        // A socket, or a FIFO that nobody reads.
        Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP => LookError::NotAFile,
        error => LookError::System(error.into()),
    }
}

pub(super) fn plain_file(opened: OwnedFd) -> Result<(File, FileIdentity), LookError> {
    let file = File::from(opened);
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(LookError::NotAFile);
    }
    if found.uid() != own_uid() {
        return Err(LookError::Foreign);
    }
    let identity = identity(&file)?;
    Ok((file, identity))
}

pub(super) fn identity(file: &File) -> io::Result<FileIdentity> {
    let found = file.metadata()?;
    Ok(FileIdentity {
        device: found.dev(),
        inode: found.ino(),
        size: found.size(),
        modified: i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec()),
        mode: found.mode(),
        links: found.nlink(),
        owner: found.uid(),
    })
}

pub(super) fn is_private(directory: &impl AsFd) -> io::Result<bool> {
    let found = fstat(directory)?;
    let of_others = Mode::RWXG | Mode::RWXO;
    Ok(found.st_uid == own_uid() && !Mode::from_raw_mode(found.st_mode).intersects(of_others))
}

pub(super) fn entries(directory: &impl AsFd) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let mut kind = entry.file_type();
        if kind == FileType::Unknown {
            let found = statat(directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW);
            kind = found.map_or(FileType::Unknown, |found| FileType::from_raw_mode(found.st_mode));
        }
        entries.push(Entry { name: OsStr::from_bytes(name).to_owned(), kind: entry_kind(kind) });
    }
    Ok(entries)
}

fn entry_kind(kind: FileType) -> EntryKind {
    match kind {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    }
}
