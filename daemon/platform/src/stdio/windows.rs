//! Not yet.

use std::{fs::File, io};

use crate::Unsupported;

pub(super) fn redirect(_log: &File) -> io::Result<()> {
    Err(Unsupported("moving the standard streams to a file").into())
}
