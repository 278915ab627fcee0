//! `getpwent(3)` and `getpwuid(3)`, which also ask directory services, and `setuid(2)` and `setsid(2)` in
//! the child.

use std::{
    collections::BTreeSet,
    ffi::{CStr, OsStr},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use super::{Daemon, User};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
mod processes;

/// The list is a place in the process: one reader at a time.
static READING: Mutex<()> = Mutex::new(());

pub(super) fn is_administrator() -> bool {
    rustix::process::geteuid().is_root()
}

#[allow(clippy::unnecessary_wraps, reason = "the interface of every system")]
pub(super) fn all() -> io::Result<Vec<User>> {
    let reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut users = Vec::new();
    // SAFETY: `READING` keeps other threads of ours from the list; nothing else here uses it.
    unsafe { libc::setpwent() };
    // SAFETY: as above; an entry is valid until the next call.
    while let Some(user) = unsafe { entry(libc::getpwent()) } {
        users.push(user);
    }
    // SAFETY: as above.
    unsafe { libc::endpwent() };
    drop(reading);
    users.extend(owners().into_iter().filter_map(by_number));
    Ok(users)
}

pub(super) fn by_number(uid: u32) -> Option<User> {
    let _reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: `READING` keeps other threads of ours from the entry, until it is copied.
    unsafe { entry(libc::getpwuid(uid)) }
}

/// # Safety
/// It is null, or valid for as long as this takes.
unsafe fn entry(entry: *const libc::passwd) -> Option<User> {
    // SAFETY: the caller says so; its texts end in a zero byte.
    let (name, home, uid, gid) = unsafe {
        let entry = entry.as_ref()?;
        (CStr::from_ptr(entry.pw_name), CStr::from_ptr(entry.pw_dir), entry.pw_uid, entry.pw_gid)
    };
    let home = PathBuf::from(OsStr::from_bytes(home.to_bytes()));
    let home = if is_own_home(&home, uid) { home } else { PathBuf::new() };
    Some(User { name: name.to_string_lossy().into_owned(), uid, gid, home })
}

/// Whose runtime directories are here. A directory service may not list its users.
fn owners() -> BTreeSet<u32> {
    let within = |directory: &str, is_one: fn(&[u8]) -> bool| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let ours = entries.filter(move |entry| is_one(entry.file_name().as_bytes()));
        // Of the entry itself: a link leads to somebody else's.
        ours.filter_map(|entry| entry.metadata().ok()).map(|found| found.uid()).collect::<Vec<_>>()
    };
    let mut owners = within("/run/user", |_| true);
    owners.extend(within("/tmp", |name| name.starts_with(b"claudectl-")));
    owners.into_iter().collect()
}

pub(super) fn running(name: &str) -> io::Result<Vec<Daemon>> {
    processes::running(name)
}

/// A directory that belongs to the user: not `/`, which many system users have for a home.
fn is_own_home(home: &Path, uid: u32) -> bool {
    home.parent().is_some() && home.symlink_metadata().is_ok_and(|found| found.is_dir() && found.uid() == uid)
}

#[allow(clippy::unnecessary_wraps, reason = "the interface of every system")]
pub(super) fn become_user(command: &mut Command, user: &User) -> io::Result<()> {
    // With another user's number, the standard library also drops the groups of root.
    command.uid(user.uid).gid(user.gid).env_clear();
    command.env("USER", &user.name).env("LOGNAME", &user.name);
    if user.home.as_os_str().is_empty() {
        command.current_dir("/");
    } else {
        command.current_dir(&user.home).env("HOME", &user.home);
    }
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
    let runtime = PathBuf::from(format!("/run/user/{}", user.uid));
    if is_own_home(&runtime, user.uid) {
        command.env("XDG_RUNTIME_DIR", runtime);
    }
    // SAFETY: plain system calls, allowed between fork and exec.
    unsafe {
        command.pre_exec(|| {
            // Whoever may trace it could otherwise type into the administrator's terminal (`TIOCSTI`).
            rustix::process::setsid()?;
            processes::refuse_new_privileges()
        });
    }
    Ok(())
}
