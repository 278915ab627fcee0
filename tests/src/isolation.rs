//! Namespaces for tests that must see nothing of the machine. As root, but for processes.

use std::{
    env, fs,
    os::{
        fd::AsRawFd as _,
        unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    process::{self, Command},
};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
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
    private_mounts()?;
    bind(hosts, Path::new("/etc/hosts"));
    Ok(())
}

/// What a machine of a test's own has of the real one's `/etc`.
const CONFIGURATION: [&str; 5] =
    ["group", "hosts", "ld.so.cache", "nsswitch.conf", "ssl/certs/ca-certificates.crt"];

/// Has the machine have these users and no others, an empty `/root`, `/home` and `/run/user`, and nothing in `/tmp`
/// but `keep`, for this thread and everything it starts, until what is returned is dropped. `users` is in the
/// form of `passwd(5)`.
///
/// Whole directories, because a mount on a single file ends when anybody replaces that file, `useradd(8)` say
/// (`mount_namespaces(7)`): a test of a purge would then have gone to the real users.
///
/// # Errors
/// Not root.
pub fn private_machine(keep: &Path, users: &str) -> Result<PrivateMachine, Missing> {
    private_mounts()?;
    let configuration = keep.join("etc");
    // Whoever is the user can read it.
    let mut directory = fs::DirBuilder::new();
    directory.recursive(true).mode(0o755);
    for name in CONFIGURATION.iter().filter(|name| Path::new("/etc").join(name).exists()) {
        let copy = configuration.join(name);
        directory.create(copy.parent().expect("a directory")).expect("a directory");
        fs::copy(Path::new("/etc").join(name), copy).expect("a copy");
    }
    fs::write(configuration.join("passwd"), users).expect("a file");
    fs::set_permissions(configuration.join("passwd"), fs::Permissions::from_mode(0o644)).expect("a mode");
    // Held, because its path leads nowhere as soon as the other `/tmp` is there.
    let held = fs::File::open(keep).expect("a directory");
    mount_empty("/tmp", "mode=1777");
    fs::create_dir_all(keep).expect("a directory");
    bind(Path::new(&format!("/proc/self/fd/{}", held.as_raw_fd())), keep);
    bind(&configuration, Path::new("/etc"));
    for homes in ["/root", "/home", "/run/user"] {
        if Path::new(homes).is_dir() {
            mount_empty(homes, "mode=755");
        }
    }
    assert_eq!(fs::read_to_string("/etc/passwd").expect("a list"), users, "the users are other ones");
    Ok(PrivateMachine(keep.to_owned()))
}

/// A machine with other users, which only the thread sees that made it.
#[derive(Debug)]
pub struct PrivateMachine(PathBuf);

impl Drop for PrivateMachine {
    /// The real `/tmp` is back, so that what was kept can be removed there. The users stay other ones.
    fn drop(&mut self) {
        for place in [self.0.as_path(), Path::new("/tmp")] {
            let _ = umount2(place, MntFlags::MNT_DETACH);
        }
    }
}

fn mount_empty(place: &str, options: &str) {
    mount(Some("tmpfs"), place, Some("tmpfs"), MsFlags::empty(), Some(options)).expect("an empty directory");
}

fn bind(what: &Path, place: &Path) {
    let none = None::<&str>;
    mount(Some(what), place, none, MsFlags::MS_BIND, none).expect("one in the place of another");
}

/// What this thread mounts from here on is seen nowhere else.
fn private_mounts() -> Result<(), Missing> {
    require::root()?;
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| format!("needs a mount namespace: {error}"))?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private mounts");
    Ok(())
}

/// Whether this is the run of the test inside its own process namespace. Outside it runs itself again
/// there, with `/proc` of its own, and fails if that run fails. Root is root there, too; anybody else needs a
/// user namespace for it.
///
/// # Errors
/// No `unshare`, or the machine allows no such namespace.
pub fn private_processes(test: &str) -> Result<bool, Missing> {
    if processes_are_private() {
        return Ok(true);
    }
    let unshare = require::program("unshare")?;
    let user: &[&str] = if require::root().is_ok() { &[] } else { &["--user", "--map-current-user"] };
    let inside = || {
        let mut command = Command::new(&unshare);
        command.args(user).args(["--pid", "--fork", "--mount-proc", "--kill-child", "--"]);
        command
    };
    let tried = inside().arg("true").output().expect("unshare runs");
    if !tried.status.success() {
        let why = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
        return Err(format!("needs a process namespace: {why}"));
    }
    let status = inside()
        .arg(env::current_exe().expect("a path"))
        .args([test, "--exact", "--nocapture"])
        .status()
        .expect("unshare runs");
    assert!(status.success(), "{test} failed inside its namespace");
    Ok(false)
}

/// Whether this process is the first of its process namespace, and `/proc` is that namespace's.
fn processes_are_private() -> bool {
    process::id() == 1 && fs::read_link("/proc/self").is_ok_and(|own| own == Path::new("1"))
}

/// Fails the test if it is about to start a command that looks at the processes of the machine: those are
/// somebody's. Everything that a sandbox or a terminal starts comes by here.
#[track_caller]
pub fn assert_looks_at_no_foreign_process(command: &Command) {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let may = processes_are_private() || !looks_at_processes(&words.join(" "));
    assert!(may, "{words:?} would look at the machine's processes: begin the test with private_processes()");
}

/// Whether this line runs a command of the product that looks at processes.
fn looks_at_processes(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let runs = |index: usize| {
        let program = Path::new(words[index]).file_name().and_then(|name| name.to_str());
        let mut rest = words[index + 1..].iter();
        match program {
            Some("claudectl") => rest
                .find(|word| !word.starts_with('-'))
                .is_some_and(|word| ["audit", "purge", "adopt"].contains(word)),
            Some("claude") => rest.next().is_some_and(|word| word.trim_start_matches('/') == "purge"),
            _ => false,
        }
    };
    let looks = (0..words.len()).any(runs);
    looks && !words.iter().any(|word| ["--files-only", "--help"].contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Sandbox;

    #[test]
    fn what_looks_at_processes_is_known_however_it_is_run() {
        for line in [
            "/x/claudectl audit --json",
            "claudectl --json purge --yes",
            "/usr/bin/setpriv --reuid 1 -- /x/claudectl adopt",
            "/bin/sh -c cd; /x/claudectl purge --yes; echo",
            "/x/bin/claude purge",
            "claude /purge",
        ] {
            assert!(looks_at_processes(line), "{line}");
        }
        for line in [
            "claudectl audit --files-only",
            "claudectl purge --help",
            "claudectl login purge",
            "claude -p purge",
        ] {
            assert!(!looks_at_processes(line), "{line}");
        }
    }

    #[test]
    fn a_look_at_the_machines_processes_is_refused() {
        let sandbox = Sandbox::new();
        let look = || sandbox.ctl(&["purge", "--dry-run"]);
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)).is_err();
        // Whoever runs this test in a process namespace of its own has none to protect.
        assert_eq!(refused, !processes_are_private());
    }
}
