//! Runs a program and tells, in their order, the system calls with which it changes files and waits until they
//! are stored; each on a line of JSON. `stored-by FILE PROGRAM ARGUMENT…`: FILE is where they are told.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: its arguments are its configuration"
)]

use std::{env, fs, path::PathBuf, process::ExitCode};

use claudectl_tests::follow::{Call, Then, follow};
use nix::libc;
use serde_json::json;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [told, program @ ..] = arguments.as_slice() else { panic!("stored-by FILE PROGRAM ARGUMENT…") };
    let mut lines = Vec::new();
    let code = follow(program, |call| {
        if let Some((what, path)) = named(call) {
            let path = path.expect("what it changes has a name");
            lines.push(json!({"call": what, "path": path}).to_string());
        }
        Then::GoOn
    });
    fs::write(told, lines.join("\n")).expect("a file");
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

/// What a call does to a file, and to which; of a rename, the name that the file gets.
fn named(call: &Call) -> Option<(&'static str, Option<PathBuf>)> {
    #[cfg(target_arch = "x86_64")]
    match call.number {
        libc::SYS_unlink => return Some(("unlink", call.path(0))),
        libc::SYS_rename => return Some(("rename", call.path(1))),
        _ => {}
    }
    let (call, path) = match call.number {
        libc::SYS_write | libc::SYS_pwrite64 | libc::SYS_writev | libc::SYS_pwritev => {
            ("write", call.descriptor(0))
        }
        libc::SYS_ftruncate => ("truncate", call.descriptor(0)),
        libc::SYS_fsync | libc::SYS_fdatasync => ("sync", call.descriptor(0)),
        libc::SYS_unlinkat => ("unlink", call.path_at(0)),
        libc::SYS_renameat | libc::SYS_renameat2 => ("rename", call.path_at(2)),
        _ => return None,
    };
    Some((call, path))
}
