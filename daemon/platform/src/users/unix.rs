//! `getpwent(3)`, which also asks directory services, and `setuid(2)` in the child.

use std::{
    ffi::CStr,
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use super::User;

/// The list is a place in the process: one reader at a time.
static READING: Mutex<()> = Mutex::new(());

pub(super) fn is_administrator() -> bool {
    rustix::process::geteuid().is_root()
}

#[allow(clippy::unnecessary_wraps, reason = "the interface of every system")]
pub(super) fn all() -> io::Result<Vec<User>> {
    let _reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut users = Vec::new();
    // SAFETY: `READING` keeps other threads of ours from the list; nothing else here uses it.
    unsafe { libc::setpwent() };
    loop {
        // SAFETY: as above; the entry is valid until the next call.
        let entry = unsafe { libc::getpwent() };
        if entry.is_null() {
            break;
        }
        // SAFETY: it is not null, and its texts end in a zero byte.
        let (name, home, uid, gid) = unsafe {
            let entry = &*entry;
            (CStr::from_ptr(entry.pw_name), CStr::from_ptr(entry.pw_dir), entry.pw_uid, entry.pw_gid)
        };
        let home = PathBuf::from(std::ffi::OsStr::from_bytes(home.to_bytes()));
        if is_own_home(&home, uid) {
            users.push(User { name: name.to_string_lossy().into_owned(), uid, gid, home });
        }
    }
    // SAFETY: as above.
    unsafe { libc::endpwent() };
    Ok(users)
}

/// A directory that belongs to the user: not `/`, which many system users have for a home.
fn is_own_home(home: &Path, uid: u32) -> bool {
    home.parent().is_some() && home.symlink_metadata().is_ok_and(|found| found.is_dir() && found.uid() == uid)
}

#[allow(clippy::unnecessary_wraps, reason = "the interface of every system")]
pub(super) fn become_user(command: &mut Command, user: &User) -> io::Result<()> {
    // With another user's number, the standard library also drops the groups of root.
    command.uid(user.uid).gid(user.gid).current_dir(&user.home).env_clear();
    command.env("HOME", &user.home).env("USER", &user.name).env("LOGNAME", &user.name);
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
    let runtime = PathBuf::from(format!("/run/user/{}", user.uid));
    if is_own_home(&runtime, user.uid) {
        command.env("XDG_RUNTIME_DIR", runtime);
    }
    Ok(())
}
