//! Nothing yet: each is a protection that is not active, by name.

use std::io;

use crate::Unsupported;

pub(super) fn close_to_others() -> io::Result<String> {
    Err(Unsupported("closing the process to others of its user").into())
}

pub(super) fn refuse_core_files() -> io::Result<String> {
    Err(Unsupported("refusing crash dumps").into())
}

pub(super) fn refuse_core_files_for_good() -> io::Result<String> {
    refuse_core_files()
}

pub(super) fn restrict_new_files() -> io::Result<String> {
    Err(Unsupported("restricting new files (they have the access list of their directory)").into())
}

pub(super) fn refuse_new_privileges() -> io::Result<String> {
    Err(Unsupported("giving up privileges for good").into())
}

#[allow(clippy::unnecessary_wraps, reason = "other systems can fail here")]
pub(super) fn raise_open_files() -> io::Result<String> {
    Ok("no limit".into())
}

pub(super) fn open_files() -> Option<u64> {
    None
}

#[allow(clippy::unnecessary_wraps, reason = "other systems can fail here")]
pub(super) fn raise_locked_memory() -> io::Result<String> {
    Ok("limited by the working set".into())
}
