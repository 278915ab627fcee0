//! One name after the other, none of them a reparse point.

use std::{
    fs::{self, File, OpenOptions},
    io,
    ops::Range,
    os::windows::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT;

use super::{Entry, EntryKind, FileIdentity, LookError};

/// From 1601, in units of 100 nanoseconds, to 1970.
const EPOCH: i128 = 116_444_736_000_000_000;

#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.is_dir() {
            Ok(Self(path.to_owned()))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    pub(super) fn directory(&self, below: &Path) -> Result<Self, LookError> {
        let path = self.reach(below)?;
        if fs::symlink_metadata(&path)?.is_dir() { Ok(Self(path)) } else { Err(LookError::NotAFile) }
    }

    pub(super) fn file(&self, below: &Path) -> Result<(File, FileIdentity), LookError> {
        let path = self.reach(below)?;
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(LookError::NotAFile);
        }
        let file = OpenOptions::new().read(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)?;
        let identity = identity(&file)?;
        Ok((file, identity))
    }

    pub(super) fn is_private(&self) -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            Ok(Entry { name: entry.file_name(), kind: kind(entry.file_type()?) })
        };
        fs::read_dir(&self.0)?.map(entry).collect()
    }

    fn reach(&self, below: &Path) -> Result<PathBuf, LookError> {
        let mut path = self.0.clone();
        for part in below.components() {
            path.push(part);
            if fs::symlink_metadata(&path)?.file_type().is_symlink() {
                return Err(LookError::Link);
            }
        }
        Ok(path)
    }
}

fn kind(found: fs::FileType) -> EntryKind {
    if found.is_symlink_dir() || found.is_symlink_file() || found.is_symlink() {
        EntryKind::Link
    } else if found.is_dir() {
        EntryKind::Directory
    } else if found.is_file() {
        EntryKind::File
    } else {
        EntryKind::Other
    }
}

pub(super) fn identity(file: &File) -> io::Result<FileIdentity> {
    let found = file.metadata()?;
    Ok(FileIdentity {
        device: 0,
        inode: 0,
        size: found.file_size(),
        modified: (i128::from(found.last_write_time()) - EPOCH) * 100,
        mode: 0,
        links: 1,
        owner: 0,
    })
}

#[allow(clippy::unnecessary_wraps, reason = "the same on every system")]
pub(super) fn next_data(_file: &File, from: u64, end: u64) -> io::Result<Option<Range<u64>>> {
    Ok(Some(from..end))
}
