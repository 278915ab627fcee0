//! `flock(2)` on a file that is opened without following anything.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, FlockOperation, OFlags};

use super::LockError;
use crate::{directories::DirectoryError, peer::own_uid};

/// More than any holder writes into its lock.
const CONTENT_LIMIT: u64 = 4096;

pub(super) fn private_directory(path: &Path) -> Result<(), DirectoryError> {
    crate::directories::private(path)
}

pub(super) fn restrict_socket(path: &Path) -> io::Result<()> {
    let found = path.symlink_metadata()?;
    if !found.file_type().is_socket() || found.uid() != own_uid() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a socket of this user"));
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o600))
}

pub(super) fn is_restricted_socket(path: &Path) -> io::Result<bool> {
    let found = path.symlink_metadata()?;
    let is_ours = found.file_type().is_socket() && found.uid() == own_uid();
    Ok(is_ours && found.permissions().mode() & 0o777 == 0o600)
}

pub(super) fn others_reach(directory: &Path) -> bool {
    directory.ancestors().all(|path| path.metadata().is_ok_and(|found| found.mode() & 0o011 != 0))
}

pub(super) fn may_write(directory: &Path) -> bool {
    rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

pub(super) fn append_to(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().append(true)).map_err(|error| match error {
        LockError::System(error) => error,
        refused => io::Error::new(io::ErrorKind::InvalidInput, refused.to_string()),
    })
}

pub(super) fn open_own(path: &Path) -> io::Result<File> {
    // Without NONBLOCK a FIFO in the place would block.
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits())
        .map_err(io::Error::other)?;
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}"));
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        if error.raw_os_error() == Some(libc::ELOOP) { refused("a symbolic link") } else { error }
    })?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(refused("not a plain file"));
    }
    if found.uid() != own_uid() {
        return Err(refused("another user's file"));
    }
    Ok(file)
}

pub(super) fn create_own(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    pub(super) fn acquire(path: &Path, content: &str) -> Result<Self, LockError> {
        loop {
            let mut file = open(path, OpenOptions::new().write(true))?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(held(&file)),
                Err(error) => return Err(LockError::System(error.into())),
            }
            // A holder may have removed the file between our opening and our locking it.
            if is_at(&file, path)? {
                file.set_len(0)?;
                file.write_all(content.as_bytes())?;
                return Ok(Self { file, path: path.to_owned() });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While the lock is held, so that nobody's newer file is removed.
        if is_at(&self.file, &self.path).unwrap_or(false) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A plain file of this user alone, made if it is not there.
fn open(path: &Path, how: &mut OpenOptions) -> Result<File, LockError> {
    // Without NONBLOCK a FIFO in the place would block.
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits())
        .map_err(io::Error::other)?;
    let file =
        how.read(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path).map_err(
            |error| match error.raw_os_error() {
                Some(libc::ELOOP) => LockError::Refused("a symbolic link"),
                Some(libc::EISDIR) => LockError::Refused("a directory"),
                Some(libc::ENXIO) => LockError::Refused("not a plain file"),
                _ => LockError::System(error),
            },
        )?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(LockError::Refused("not a plain file"));
    }
    if found.uid() != own_uid() {
        return Err(LockError::Refused("another user's file"));
    }
    if found.nlink() > 1 {
        return Err(LockError::Refused("a file with another name elsewhere (a hard link)"));
    }
    if found.mode() & 0o777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

fn held(file: &File) -> LockError {
    let mut content = Vec::new();
    match file.take(CONTENT_LIMIT).read_to_end(&mut content) {
        Ok(_) => LockError::Held { content: String::from_utf8_lossy(&content).into_owned() },
        Err(error) => LockError::System(error),
    }
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match path.symlink_metadata() {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
