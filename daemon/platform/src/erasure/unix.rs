//! By descriptors: the directory and the file stay open, so that nothing can be put in their place.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, Metadata},
    io::{self, Write},
    os::{
        fd::AsRawFd as _,
        unix::fs::{FileExt, MetadataExt, PermissionsExt},
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid, XattrFlags},
    io::Errno,
};

use super::{DATABASE_LOCKS, Medium, Refusal, SUFFIX, Step, filesystem};
use crate::{
    peer::own_uid,
    tree::{self, FileIdentity},
};

/// No more of a file is overwritten with zeros; what was to go is overwritten before, wherever it is.
const ZEROED: u64 = 16 * 1024 * 1024;

pub(super) const STORES_DIRECTORIES: bool = true;

#[derive(Debug)]
pub(super) struct Opened {
    directory: File,
    file: File,
    name: OsString,
}

pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(bytes, offset)
}

pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

pub(super) fn medium(file: &File) -> Medium {
    filesystem::medium(file)
}

/// By the locks that SQLite takes. They are the process's, and go with the first descriptor of the file that
/// it closes: nothing else of ours may have it open meanwhile.
pub(super) fn claim(file: &File) -> Result<(), Refusal> {
    let mut lock = database_lock();
    // SAFETY: the descriptor is open, and F_SETLK reads a `flock` that lives through the call.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const lock) } != 0 {
        let error = io::Error::last_os_error();
        if !matches!(error.raw_os_error(), Some(libc::EACCES | libc::EAGAIN)) {
            return Err(error.into());
        }
        // SAFETY: the descriptor is open, and F_GETLK writes to a `flock` that lives through the call.
        let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut lock) };
        let is_named = asked == 0 && lock.l_pid > 0;
        return Err(Refusal::Held(if is_named {
            filesystem::program(lock.l_pid.unsigned_abs())
        } else {
            "a program".to_owned()
        }));
    }
    match filesystem::opened_by_another(file)? {
        Some(program) => Err(Refusal::Held(program)),
        None => Ok(()),
    }
}

fn database_lock() -> libc::flock {
    // SAFETY: a C struct of integers, for which zeros are a value.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = i16::try_from(i64::from(libc::F_WRLCK)).unwrap_or_default();
    lock.l_whence = i16::try_from(libc::SEEK_SET).unwrap_or_default();
    lock.l_start = libc::off_t::from(DATABASE_LOCKS.start);
    lock.l_len = libc::off_t::from(DATABASE_LOCKS.end - DATABASE_LOCKS.start);
    lock
}

pub(super) fn create_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let (directory, name) = parent(path).map_err(io::Error::other)?;
    let mut file = create(&directory, name)?;
    file.write_all(content)?;
    file.sync_all()?;
    directory.sync_all()
}

pub(super) fn remove_stale(path: &Path) -> Result<(), Refusal> {
    match parent(path) {
        Ok((directory, name)) => remove_temporary(&directory, &temporary_name(name)),
        Err(Refusal::Missing) => Ok(()),
        Err(refusal) => Err(refusal),
    }
}

fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(SUFFIX);
    temporary
}

/// Only a plain file of this user with one name: that is what a killed run leaves.
fn remove_temporary(directory: &File, name: &OsStr) -> Result<(), Refusal> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => {
            let is_plain = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
            if !is_plain || found.st_uid != own_uid() || found.st_nlink > 1 {
                return Err(Refusal::NotPlain);
            }
            rustix::fs::unlinkat(directory, name, AtFlags::empty()).map_err(refusal)
        }
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(refusal(error)),
    }
}

fn parent(path: &Path) -> Result<(File, &OsStr), Refusal> {
    let name = path.file_name().ok_or(Refusal::NotPlain)?;
    let above = path.parent().ok_or(Refusal::NotPlain)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(above, flags, Mode::empty()).map_err(refusal)?;
    Ok((directory.into(), name))
}

fn create(directory: &File, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o600))?.into())
}

fn refusal(error: Errno) -> Refusal {
    match error {
        Errno::NOENT => Refusal::Missing,
        Errno::LOOP => Refusal::Link,
        Errno::NXIO | Errno::ISDIR | Errno::NOTDIR => Refusal::NotPlain,
        other => Refusal::System(other.into()),
    }
}

impl Opened {
    pub(super) fn open(path: &Path) -> Result<Self, Refusal> {
        let (directory, name) = parent(path)?;
        // Looked at before it is opened: opening a device can do something.
        let found = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(refusal)?;
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => {}
            FileType::Symlink => return Err(Refusal::Link),
            _ => return Err(Refusal::NotPlain),
        }
        if found.st_uid != own_uid() {
            return Err(Refusal::Foreign(found.st_uid));
        }
        let file = open_writable(&directory, name)?;
        let open = Self { directory, file, name: name.to_owned() };
        // The type of a device's number differs between systems.
        let opened = open.file.metadata()?;
        if (i128::from(opened.dev()), opened.ino()) == (i128::from(found.st_dev), found.st_ino)
            && opened.is_file()
        {
            Ok(open)
        } else {
            Err(Refusal::Replaced)
        }
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
        let temporary = temporary_name(&self.name);
        step("remove what a killed run left");
        remove_temporary(&self.directory, &temporary)?;
        step("make the new file");
        let mut new = create(&self.directory, &temporary)?;
        let outcome = self.fill(&mut new, content, step).and_then(|()| {
            step("put the new file in its place");
            self.is_as_known(known)?;
            rustix::fs::renameat(&self.directory, &temporary, &self.directory, &self.name).map_err(refusal)
        });
        if outcome.is_err() {
            // The old file is untouched; the new one is of no use.
            let _ = rustix::fs::unlinkat(&self.directory, &temporary, AtFlags::empty());
        }
        outcome?;
        step("sync the directory");
        Ok(self.directory.sync_all()?)
    }

    pub(super) fn remove(&self, known: &FileIdentity, step: Step<'_>) -> Result<(), Refusal> {
        step("unlink");
        self.is_as_known(known)?;
        rustix::fs::unlinkat(&self.directory, &self.name, AtFlags::empty()).map_err(refusal)?;
        let left = self.file.metadata()?;
        if left.nlink() == 0 {
            step("overwrite what it held");
            zero(&self.file, left.len().min(ZEROED))?;
        }
        step("sync the file");
        self.file.sync_all()?;
        step("sync the directory");
        Ok(self.directory.sync_all()?)
    }

    fn fill(&self, new: &mut File, content: &[u8], step: Step<'_>) -> Result<(), Refusal> {
        let old = self.file.metadata()?;
        step("write the new file");
        new.write_all(content)?;
        step("give it the owner of the old one");
        keep_owner(new, &old)?;
        step("give it the attributes of the old one");
        keep_attributes(&self.file, new)?;
        step("give it the mode of the old one");
        new.set_permissions(PermissionsExt::from_mode(old.mode() & 0o7777))?;
        step("sync the new file");
        Ok(new.sync_all()?)
    }

    /// Whether the file is still the one at its name, and nobody has written to it since.
    fn is_as_known(&self, known: &FileIdentity) -> Result<(), Refusal> {
        let there =
            rustix::fs::statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW).map_err(refusal)?;
        let ours = self.file.metadata()?;
        let is_ours = (i128::from(there.st_dev), there.st_ino) == (i128::from(ours.dev()), ours.ino());
        if !is_ours {
            return Err(Refusal::Replaced);
        }
        let now = tree::identity(&self.file)?;
        if (now.size, now.modified) == (known.size, known.modified) { Ok(()) } else { Err(Refusal::Written) }
    }
}

/// Opens for writing, also what its owner made read-only: it is so again before anything else is done.
fn open_writable(directory: &File, name: &OsStr) -> Result<File, Refusal> {
    // Without NONBLOCK a FIFO in the place would block.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |access| rustix::fs::openat(directory, name, flags | access, Mode::empty());
    match open(OFlags::RDWR) {
        Ok(file) => Ok(file.into()),
        Err(Errno::ACCESS) => {
            let path_only =
                rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(refusal)?;
            let mode = path_only.st_mode & 0o7777;
            let wider = Mode::from_raw_mode(mode | 0o600);
            rustix::fs::chmodat(directory, name, wider, AtFlags::empty()).map_err(refusal)?;
            let opened = open(OFlags::RDWR);
            rustix::fs::chmodat(directory, name, Mode::from_raw_mode(mode), AtFlags::empty())
                .map_err(refusal)?;
            Ok(opened.map_err(refusal)?.into())
        }
        Err(error) => Err(refusal(error)),
    }
}

fn zero(file: &File, length: u64) -> io::Result<()> {
    let zeros = [0; 16 * 1024];
    let mut done = 0;
    while done < length {
        let count = usize::try_from(length - done).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all_at(zeros.get(..count).unwrap_or_default(), done)?;
        done += u64::try_from(count).map_err(io::Error::other)?;
    }
    Ok(())
}

fn keep_owner(new: &File, old: &Metadata) -> io::Result<()> {
    let made = new.metadata()?;
    let owner = (made.uid() != old.uid()).then(|| Uid::from_raw(old.uid()));
    let group = (made.gid() != old.gid()).then(|| Gid::from_raw(old.gid()));
    if owner.is_some() || group.is_some() {
        rustix::fs::fchown(new, owner, group)?;
    }
    Ok(())
}

/// Extended attributes, and with them access control lists. Those that only the system may set are left
/// to it.
fn keep_attributes(old: &File, new: &File) -> io::Result<()> {
    let mut names = vec![0; 64 * 1024];
    let length = match rustix::fs::flistxattr(old, &mut names) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut value = vec![0; 64 * 1024];
    for name in names.get(..length).unwrap_or_default().split(|byte| *byte == 0) {
        if name.is_empty() {
            continue;
        }
        let Ok(count) = rustix::fs::fgetxattr(old, name, &mut value) else { continue };
        let bytes = value.get(..count).unwrap_or_default();
        match rustix::fs::fsetxattr(new, name, bytes, XattrFlags::empty()) {
            Ok(()) | Err(Errno::PERM | Errno::ACCESS | Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
