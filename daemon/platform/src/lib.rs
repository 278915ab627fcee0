//! What the operating system does for claudectl.
//!
//! This is the only crate with `unsafe` code and the only one with `cfg(os)`: one interface file
//! per job, and beside it one file per operating system. What a system lacks so far is a named
//! error ([`Unsupported`]), never a silent gap.

pub mod activation;
pub mod clock;
#[cfg(feature = "desktop")]
pub mod desktop;
pub mod directories;
pub mod erasure;
pub mod hardening;
#[cfg(feature = "keyring")]
pub mod keyring;
pub mod memory;
pub mod peer;
pub mod permissions;
pub mod process;
pub mod pty;
#[cfg(unix)]
mod queue;
pub mod readiness;
pub mod signal;
pub mod socket;
pub mod stdio;
pub mod terminal;
pub mod tree;
pub mod users;
pub mod watch;

/// What a socket, pipe or listener must be for the kernel to be asked about it.
#[cfg(unix)]
pub use std::os::fd::AsFd as AsDescriptor;
/// What a socket, pipe or listener must be for the kernel to be asked about it.
#[cfg(windows)]
pub use std::os::windows::io::AsHandle as AsDescriptor;

/// A job that this operating system does not do yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not available on this operating system yet")]
pub struct Unsupported(pub &'static str);

impl From<Unsupported> for std::io::Error {
    fn from(unsupported: Unsupported) -> Self {
        Self::new(std::io::ErrorKind::Unsupported, unsupported)
    }
}
