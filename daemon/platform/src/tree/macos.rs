//! One name after the other, none of them a link.

use std::{fs::File, io, os::fd::OwnedFd, path::Path};

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
        unix::walk(&self.0, below, unix::DIRECTORY).map(Self)
    }

    pub(super) fn file(&self, below: &Path) -> Result<(File, FileIdentity), LookError> {
        unix::plain_file(unix::walk(&self.0, below, unix::FILE)?)
    }

    pub(super) fn is_private(&self) -> io::Result<bool> {
        unix::is_private(&self.0)
    }

    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        unix::entries(&self.0)
    }
}
