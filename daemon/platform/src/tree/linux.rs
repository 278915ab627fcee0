//! `openat2(2)`: the kernel refuses every link on the way.

use std::{
    fs::File,
    io,
    os::fd::OwnedFd,
    path::{Component, Path},
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::{Entry, FileIdentity, LookError, unix};

pub(super) use super::data::next_data;
pub(super) use super::unix::identity;

#[derive(Debug)]
pub(super) struct Directory(OwnedFd);

impl Directory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        unix::open_root(path).map(Self)
    }

    pub(super) fn directory(&self, below: &Path) -> Result<Self, LookError> {
        open(&self.0, below, unix::DIRECTORY).map(Self)
    }

    pub(super) fn file(&self, below: &Path) -> Result<(File, FileIdentity), LookError> {
        unix::plain_file(open(&self.0, below, unix::FILE)?)
    }

    pub(super) fn is_private(&self) -> io::Result<bool> {
        unix::is_private(&self.0)
    }

    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        unix::entries(&self.0)
    }
}

fn open(root: &OwnedFd, below: &Path, flags: OFlags) -> Result<OwnedFd, LookError> {
    // One name needs no walk, and `O_NOFOLLOW` says the same about it.
    if let [Component::Normal(_)] = below.components().collect::<Vec<_>>().as_slice() {
        return unix::walk(root, below, flags);
    }
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, below, flags, Mode::empty(), resolve) {
        // An old kernel, or a sandbox that does not know the call; a race with a rename; a link in place of a
        // directory, which only a walk tells from a file.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::NOTDIR) => unix::walk(root, below, flags),
        outcome => outcome.map_err(unix::refusal),
    }
}
