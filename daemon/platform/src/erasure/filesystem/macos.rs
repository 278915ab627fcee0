//! APFS, which is what macOS has been installed on since 10.13, writes elsewhere and keeps snapshots.

use std::{fs::File, io};

use crate::erasure::Medium;

pub(super) fn medium(_file: &File) -> Medium {
    Medium::CopyOnWrite
}

/// A process in words.
pub(super) fn program(pid: u32) -> String {
    format!("a program (pid {pid})")
}

/// Nothing but locks tells that here.
#[allow(clippy::unnecessary_wraps, reason = "the interface of Linux")]
pub(super) fn opened_by_another(_file: &File) -> io::Result<Option<String>> {
    Ok(None)
}
