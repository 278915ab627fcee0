//! What a process does to itself before it touches a credential.
//!
//! Nothing here fails: what cannot be had is reported as a [`Protection`] that is not active, for
//! `status` and `doctor` to show. Call it first in `main`, before there is a second thread.

#[cfg_attr(target_os = "linux", path = "hardening/linux.rs")]
#[cfg_attr(target_os = "macos", path = "hardening/macos.rs")]
#[cfg_attr(windows, path = "hardening/windows.rs")]
mod sys;

use std::{fmt, io};

use crate::memory::{self, Shield};

/// One protection of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// What it is, in a few words.
    pub name: &'static str,
    /// Whether it is in force; read back from the kernel where that is possible.
    pub active: bool,
    /// What is in force, or why it is not.
    pub detail: String,
}

impl Protection {
    fn new(name: &'static str, outcome: Result<String, impl fmt::Display>) -> Self {
        match outcome {
            Ok(detail) => Self { name, active: true, detail },
            Err(why) => Self { name, active: false, detail: why.to_string() },
        }
    }
}

/// Hardens the daemon: closed to other processes of its user, no core file, nothing it makes is
/// open to others, no privilege by `exec`, as many descriptors as allowed, locked memory.
pub fn harden_daemon() -> Vec<Protection> {
    let mut protections = vec![
        Protection::new("closed to other processes", sys::close_to_others()),
        Protection::new("no core file", sys::refuse_core_files_for_good()),
        Protection::new("private files", sys::restrict_new_files()),
        Protection::new("no new privileges", sys::refuse_new_privileges()),
        Protection::new("open files", sys::raise_open_files()),
    ];
    protections.extend(credential_memory(sys::raise_locked_memory()));
    protections
}

/// How many descriptors this process may have; `None` for no limit.
pub fn open_files() -> Option<u64> {
    sys::open_files()
}

/// Hardens a client before it reads a credential: closed to other processes of its user, no core
/// file. A program that it turns into (`exec`) is as it would have been.
pub fn harden_client() -> Vec<Protection> {
    vec![
        Protection::new("closed to other processes", sys::close_to_others()),
        Protection::new("no core file", sys::refuse_core_files()),
    ]
}

/// Two lines, because memory can be locked and still be readable by root.
fn credential_memory(limit: io::Result<String>) -> [Protection; 2] {
    let limit = limit.unwrap_or_else(|error| format!("limit unknown: {error}"));
    let (locked, secret) = match memory::probe() {
        Ok(Shield::Secret) => (Ok(limit), Ok("memfd_secret: unreadable even by root".to_owned())),
        Ok(Shield::Locked(why)) => (Ok(limit), Err(why)),
        Ok(Shield::Plain(why)) => (Err(format!("{why} ({limit})")), Err(why)),
        Err(error) => (Err(error.to_string()), Err(error.to_string())),
    };
    [Protection::new("locked memory", locked), Protection::new("secret memory", secret)]
}
