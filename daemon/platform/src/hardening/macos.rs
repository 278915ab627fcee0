//! `ptrace(2)`, `setrlimit(2)`, `umask(2)`.

use std::{io, ptr};

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit},
};

use crate::Unsupported;

/// The kernel gives the task port of a process only to root and to entitled debuggers; this denies
/// it to them, too.
pub(super) fn close_to_others() -> io::Result<String> {
    // SAFETY: the request takes no memory.
    match unsafe { libc::ptrace(libc::PT_DENY_ATTACH, 0, ptr::null_mut(), 0) } {
        0 => Ok("no debugger may attach".into()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The soft limit only: the hard one would stay with a program that this process turns into.
pub(super) fn refuse_core_files() -> io::Result<String> {
    let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Core);
    limit_core_files(maximum)
}

pub(super) fn refuse_core_files_for_good() -> io::Result<String> {
    limit_core_files(Some(0))
}

fn limit_core_files(maximum: Option<u64>) -> io::Result<String> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?;
    Ok("core limit 0".into())
}

pub(super) fn restrict_new_files() -> io::Result<String> {
    let private = Mode::RWXG | Mode::RWXO;
    rustix::process::umask(private);
    if rustix::process::umask(private) == private {
        Ok("umask 077".into())
    } else {
        Err(io::Error::other("the umask did not stay"))
    }
}

pub(super) fn refuse_new_privileges() -> io::Result<String> {
    Err(Unsupported("giving up privileges for good").into())
}

/// `OPEN_MAX` is the most that `setrlimit(2)` takes, whatever the hard limit says.
pub(super) fn raise_open_files() -> io::Result<String> {
    const OPEN_MAX: u64 = 10_240;
    let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Nofile);
    let current = maximum.map_or(OPEN_MAX, |maximum| maximum.min(OPEN_MAX));
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum })?;
    Ok(format!("limit {current}"))
}

pub(super) fn open_files() -> Option<u64> {
    rustix::process::getrlimit(Resource::Nofile).current
}

#[allow(clippy::unnecessary_wraps, reason = "other systems can fail here")]
pub(super) fn raise_locked_memory() -> io::Result<String> {
    let Rlimit { current, .. } = rustix::process::getrlimit(Resource::Memlock);
    Ok(current.map_or("no limit".into(), |bytes| format!("limit {} KiB", bytes / 1024)))
}
