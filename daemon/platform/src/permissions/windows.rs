//! Files that nobody else can open meanwhile, and that go with their handle.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::windows::fs::OpenOptionsExt,
    path::Path,
};

use windows_sys::Win32::{
    Foundation::ERROR_SHARING_VIOLATION,
    Storage::FileSystem::{FILE_FLAG_DELETE_ON_CLOSE, FILE_FLAG_OPEN_REPARSE_POINT},
};

use super::LockError;
use crate::{Unsupported, directories::DirectoryError};

pub(super) fn private_directory(path: &Path) -> Result<(), DirectoryError> {
    crate::directories::private(path)
}

pub(super) fn restrict_socket(_path: &Path) -> io::Result<()> {
    Err(Unsupported("closing a pipe to other users").into())
}

pub(super) fn is_restricted_socket(_path: &Path) -> io::Result<bool> {
    Err(Unsupported("seeing who may open a pipe").into())
}

pub(super) fn others_reach(_directory: &Path) -> bool {
    // A profile is closed to others, unless somebody opened it.
    false
}

pub(super) fn may_write(_directory: &Path) -> bool {
    // Nobody confines the daemon here.
    true
}

pub(super) fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .read(true)
        .create(true)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

pub(super) fn open_own(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)
}

pub(super) fn create_own(path: &Path) -> io::Result<File> {
    // The state directory is in a profile, which is closed to others.
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[derive(Debug)]
pub(super) struct Lock {
    #[allow(dead_code, reason = "holds the lock for as long as it is open")]
    file: File,
}

impl Lock {
    pub(super) fn acquire(path: &Path, content: &str) -> Result<Self, LockError> {
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .share_mode(0)
            .custom_flags(FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT)
            .open(path);
        let busy = i32::try_from(ERROR_SHARING_VIOLATION).ok();
        match opened {
            Ok(mut file) => {
                file.write_all(content.as_bytes())?;
                Ok(Self { file })
            }
            // What the holder wrote cannot be read while it holds it.
            Err(error) if error.raw_os_error() == busy => Err(LockError::Held { content: String::new() }),
            Err(error) => Err(error.into()),
        }
    }
}
