//! The users of a shared machine, and acting as one of them.

#[cfg_attr(unix, path = "users/unix.rs")]
#[cfg_attr(windows, path = "users/windows.rs")]
mod sys;

use std::{io, path::PathBuf, process::Command};

/// A user with a home directory of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The number.
    pub uid: u32,
    /// The number of the primary group.
    pub gid: u32,
    /// The home directory, which is there and belongs to this user.
    pub home: PathBuf,
}

/// Whether this process may act as other users.
pub fn is_administrator() -> bool {
    sys::is_administrator()
}

/// Every user that the system knows and that has a home, by number, each once.
///
/// # Errors
/// If the system does not tell.
pub fn all() -> io::Result<Vec<User>> {
    let mut users = sys::all()?;
    users.sort_by(|a, b| (a.uid, &a.name).cmp(&(b.uid, &b.name)));
    users.dedup_by(|a, b| a.uid == b.uid);
    Ok(users)
}

/// Makes the program run as this user: in their home, with their numbers and no other groups, and with
/// nothing of this environment.
///
/// # Errors
/// Where a system cannot do that.
pub fn become_user(command: &mut Command, user: &User) -> io::Result<()> {
    sys::become_user(command, user)
}
