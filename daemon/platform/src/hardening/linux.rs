//! `prctl(2)`, `setrlimit(2)`, `umask(2)`.

use std::io;

use rustix::{
    fs::Mode,
    process::{DumpableBehavior, Resource, Rlimit},
};

/// Not dumpable: `/proc/PID/mem`, `process_vm_readv`, `ptrace` and core files are refused to
/// everybody without `CAP_SYS_PTRACE`.
pub(super) fn close_to_others() -> io::Result<String> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    match rustix::process::dumpable_behavior()? {
        DumpableBehavior::NotDumpable => Ok("not dumpable".into()),
        _ => Err(io::Error::other("the kernel still calls this process dumpable")),
    }
}

/// The soft limit only: the hard one would stay with a program that this process turns into.
pub(super) fn refuse_core_files() -> io::Result<String> {
    let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Core);
    limit_core_files(maximum)
}

/// The hard limit too: another process of this user could raise the soft one (`prlimit(2)`).
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
    rustix::thread::set_no_new_privs(true)?;
    Ok("no_new_privs".into())
}

pub(super) fn raise_open_files() -> io::Result<String> {
    raise(Resource::Nofile).map(|limit| limit.map_or("no limit".into(), |count| format!("limit {count}")))
}

pub(super) fn open_files() -> Option<u64> {
    rustix::process::getrlimit(Resource::Nofile).current
}

pub(super) fn raise_locked_memory() -> io::Result<String> {
    raise(Resource::Memlock)
        .map(|limit| limit.map_or("no limit".into(), |bytes| format!("limit {} KiB", bytes / 1024)))
}

/// Raises the soft limit to the hard one, which it returns; `None` for no limit.
fn raise(resource: Resource) -> io::Result<Option<u64>> {
    let Rlimit { current, maximum } = rustix::process::getrlimit(resource);
    if current != maximum {
        rustix::process::setrlimit(resource, Rlimit { current: maximum, maximum })?;
    }
    Ok(rustix::process::getrlimit(resource).current)
}
