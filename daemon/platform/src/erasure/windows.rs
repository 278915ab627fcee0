//! By `std::fs`: a rename replaces a file whole there, too.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Write},
    os::windows::{
        fs::{FileExt, OpenOptionsExt},
        io::AsRawHandle as _,
    },
    path::{Path, PathBuf},
};

use windows_sys::Win32::{
    Foundation::{ERROR_IO_PENDING, ERROR_LOCK_VIOLATION},
    Storage::FileSystem::{LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx},
    System::IO::OVERLAPPED,
};

use super::{DATABASE_LOCKS, Medium, Refusal, SUFFIX, Step};
use crate::tree::{self, FileIdentity};

/// `FILE_FLAG_OPEN_REPARSE_POINT`: a link itself is opened, not what it leads to.
const OPEN_LINK: u32 = 0x0020_0000;

pub(super) const STORES_DIRECTORIES: bool = false;

#[derive(Debug)]
pub(super) struct Opened {
    file: File,
    path: PathBuf,
}

pub(super) fn read_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = file.seek_read(bytes, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = bytes.get_mut(count..).unwrap_or_default();
        offset += u64::try_from(count).map_err(io::Error::other)?;
    }
    Ok(())
}

pub(super) fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = file.seek_write(bytes, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(count..).unwrap_or_default();
        offset += u64::try_from(count).map_err(io::Error::other)?;
    }
    Ok(())
}

pub(super) fn medium(_file: &File) -> Medium {
    Medium::Unknown
}

/// By the lock that SQLite takes; it goes when the file is closed.
pub(super) fn claim(file: &File) -> Result<(), Refusal> {
    let mut place = OVERLAPPED::default();
    place.Anonymous.Anonymous.Offset = DATABASE_LOCKS.start;
    let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    let length = DATABASE_LOCKS.end - DATABASE_LOCKS.start;
    // SAFETY: the handle is open and was not opened for overlapped use, so that the call is over when it
    // returns; `place` lives until then.
    if unsafe { LockFileEx(file.as_raw_handle(), flags, 0, length, 0, &raw mut place) } != 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    let code = error.raw_os_error().and_then(|code| u32::try_from(code).ok());
    match code {
        Some(ERROR_LOCK_VIOLATION | ERROR_IO_PENDING) => Err(Refusal::Held("a program".to_owned())),
        _ => Err(error.into()),
    }
}

pub(super) fn create_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

pub(super) fn remove_stale(path: &Path) -> Result<(), Refusal> {
    match std::fs::remove_file(temporary(path)?) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn temporary(path: &Path) -> Result<PathBuf, Refusal> {
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(Refusal::NotPlain)?);
    name.push(SUFFIX);
    Ok(path.with_file_name(name))
}

impl Opened {
    pub(super) fn open(path: &Path) -> Result<Self, Refusal> {
        let file = OpenOptions::new().read(true).write(true).custom_flags(OPEN_LINK).open(path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Refusal::Missing,
            _ => Refusal::System(error),
        })?;
        let found = file.metadata()?;
        if found.is_symlink() {
            return Err(Refusal::Link);
        }
        if !found.is_file() {
            return Err(Refusal::NotPlain);
        }
        Ok(Self { file, path: path.to_owned() })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn replace(
        &self,
        content: &[u8],
        known: &FileIdentity,
        step: Step<'_>,
    ) -> Result<(), Refusal> {
        let temporary = temporary(&self.path)?;
        step("remove what a killed run left");
        remove_stale(&self.path)?;
        step("write the new file");
        create_private(&temporary, content)?;
        step("put the new file in its place");
        self.is_as_known(known)?;
        Ok(std::fs::rename(&temporary, &self.path)?)
    }

    pub(super) fn remove(&self, known: &FileIdentity, step: Step<'_>) -> Result<(), Refusal> {
        step("unlink");
        self.is_as_known(known)?;
        std::fs::remove_file(&self.path)?;
        Ok(())
    }

    /// Whether nobody has written to it since.
    fn is_as_known(&self, known: &FileIdentity) -> Result<(), Refusal> {
        let now = tree::identity(&self.file)?;
        if (now.size, now.modified) == (known.size, known.modified) { Ok(()) } else { Err(Refusal::Written) }
    }
}
