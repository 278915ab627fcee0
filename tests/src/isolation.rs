//! Namespaces for tests that must see nothing of the machine. As root.

use std::{env, fs, path::Path, process::Command};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use crate::require::{self, Missing};

/// Gives this thread, and everything it starts, a network with nothing but loopback.
///
/// # Errors
/// Not root, or no `ip`.
pub fn private_network() -> Result<(), Missing> {
    require::root()?;
    let ip = require::program("ip")?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("needs a network namespace: {error}"))?;
    let up = Command::new(ip).args(["link", "set", "lo", "up"]).status().expect("ip runs");
    assert!(up.success(), "loopback does not come up");
    let interfaces = fs::read_to_string("/proc/thread-self/net/dev").expect("the kernel's list");
    let others: Vec<_> =
        interfaces.lines().skip(2).filter(|line| !line.trim_start().starts_with("lo:")).collect();
    assert!(others.is_empty(), "there are other interfaces: {others:?}");
    Ok(())
}

/// Has these names lead to loopback, for this thread and everything it starts; no other machine is known.
/// `hosts` is where the list is written.
///
/// # Errors
/// Not root.
pub fn private_names<'a>(hosts: &Path, names: impl IntoIterator<Item = &'a str>) -> Result<(), Missing> {
    let names: Vec<_> = names.into_iter().collect();
    fs::write(hosts, format!("127.0.0.1 localhost {}\n", names.join(" "))).expect("a file");
    in_place_of("/etc/hosts", hosts)
}

/// Has the machine have these users and no others, for this thread and everything it starts. `list` is in the
/// form of `passwd(5)`.
///
/// # Errors
/// Not root.
pub fn private_users(list: &Path) -> Result<(), Missing> {
    in_place_of("/etc/passwd", list)
}

fn in_place_of(file: &str, other: &Path) -> Result<(), Missing> {
    require::root()?;
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| format!("needs a mount namespace: {error}"))?;
    let none = None::<&str>;
    // What is mounted here is seen nowhere else.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private mounts");
    mount(Some(other), file, none, MsFlags::MS_BIND, none).expect("a file in the place of another");
    Ok(())
}

/// Whether this is the run of the test inside its own process namespace. Outside it runs itself again
/// there, with `/proc` of its own, and fails if that run fails.
///
/// # Errors
/// Not root, or no `unshare`.
pub fn private_processes(test: &str) -> Result<bool, Missing> {
    const INSIDE: &str = "CLAUDECTL_TEST_INSIDE";
    if env::var_os(INSIDE).is_some() {
        return Ok(true);
    }
    require::root()?;
    let unshare = require::program("unshare")?;
    let status = Command::new(unshare)
        .args(["--pid", "--fork", "--mount-proc", "--kill-child", "--"])
        .arg(env::current_exe().expect("a path"))
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare runs");
    assert!(status.success(), "{test} failed inside its namespace");
    Ok(false)
}
