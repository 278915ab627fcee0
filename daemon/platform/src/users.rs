//! The users of a shared machine, and acting as one of them.

#[cfg_attr(unix, path = "users/unix.rs")]
#[cfg_attr(windows, path = "users/windows.rs")]
mod sys;

use std::{io, path::PathBuf, process::Command};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The number.
    pub uid: u32,
    /// The number of the primary group.
    pub gid: u32,
    /// The home directory, which is there and belongs to this user; empty if there is none.
    pub home: PathBuf,
}

/// A running daemon of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Daemon {
    /// Its process number.
    pub pid: u32,
    /// Whose it is.
    pub uid: u32,
    /// The number of the group that it runs in.
    pub gid: u32,
}

/// Whether this process may act as other users.
pub fn is_administrator() -> bool {
    sys::is_administrator()
}

/// Every user that has a home, by number, each once: those that the system lists, and those that have a
/// runtime directory here, because a directory service may know users that it does not list.
///
/// # Errors
/// If the system does not tell.
pub fn all() -> io::Result<Vec<User>> {
    let mut users = sys::all()?;
    users.retain(|user| !user.home.as_os_str().is_empty());
    users.sort_by(|a, b| (a.uid, &a.name).cmp(&(b.uid, &b.name)));
    users.dedup_by(|a, b| a.uid == b.uid);
    Ok(users)
}

/// The processes of this name on this machine, whoever runs them.
///
/// # Errors
/// If the system does not tell.
pub fn running(name: &str) -> io::Result<Vec<Daemon>> {
    sys::running(name)
}

/// The user of a daemon that runs, even if nobody knows them or they have no home.
pub fn of(daemon: Daemon) -> User {
    let named = sys::by_number(daemon.uid);
    named.unwrap_or_else(|| User {
        name: daemon.uid.to_string(),
        uid: daemon.uid,
        gid: daemon.gid,
        home: PathBuf::new(),
    })
}

/// Makes the program run as this user: in their home, with their numbers and no other groups, and with
/// nothing of this environment. It has no terminal to reach, and can become nobody else: the user may do
/// with it as they like, and it was started by an administrator at one.
///
/// # Errors
/// Where a system cannot do that.
pub fn become_user(command: &mut Command, user: &User) -> io::Result<()> {
    sys::become_user(command, user)
}
