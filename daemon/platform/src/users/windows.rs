//! Acting as another user takes that user's password there.

use std::{io, process::Command};

use super::{Daemon, User};
use crate::Unsupported;

pub(super) fn is_administrator() -> bool {
    false
}

pub(super) fn all() -> io::Result<Vec<User>> {
    Err(Unsupported("the list of users").into())
}

pub(super) fn by_number(_uid: u32) -> Option<User> {
    None
}

pub(super) fn running(_name: &str) -> io::Result<Vec<Daemon>> {
    Err(Unsupported("the list of other users' processes").into())
}

pub(super) fn become_user(_command: &mut Command, _user: &User) -> io::Result<()> {
    Err(Unsupported("acting as another user").into())
}
