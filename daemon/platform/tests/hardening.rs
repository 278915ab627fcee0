//! Threats T2 and T3: what another process of the same user can do to a hardened one.
//!
//! The tests run this test binary again, as the subjects and the attacker (the ignored tests at the
//! end), under one user that is not root.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    reason = "test code"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{
        fs::PermissionsExt,
        process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use claudectl_platform::{
    hardening::{harden_client, harden_daemon},
    memory::{Shield, probe},
};

/// `nobody`: any user that is neither root nor anybody's.
const UID: u32 = 65534;

/// A place that this user can reach, with a copy of this binary.
struct Stage {
    place: tempfile::TempDir,
}

impl Stage {
    /// `None`, with the reason printed, if this is not root: two processes under another user are
    /// what the tests are about.
    fn set() -> Option<Self> {
        if claudectl_platform::peer::own_uid() != 0 {
            eprintln!("skipped: only root can start processes of another user");
            return None;
        }
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
        // By another process: one that is started meanwhile would inherit the open copy, and a program
        // that is open for writing cannot be run.
        let mut copy = Command::new("cp");
        copy.arg(std::env::current_exe().unwrap()).arg(place.path().join("subject"));
        assert!(copy.status().unwrap().success());
        Some(Self { place })
    }

    fn run(&self, role: &str) -> Subject {
        Subject::spawn(Command::new(self.binary()).current_dir(self.place.path()).uid(UID).gid(UID), role)
    }

    fn binary(&self) -> PathBuf {
        self.place.path().join("subject")
    }
}

/// A process that printed that it is ready and now waits for a line.
struct Subject {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Subject {
    fn spawn(command: &mut Command, role: &str) -> Self {
        let mut child = command
            .args(["--exact", role, "--ignored", "--nocapture", "--test-threads=1"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut subject = Self { child, stdout };
        subject.line("ready");
        subject
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// What follows `word` in the next line that has it.
    fn line(&mut self, word: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "ended before it said {word:?}");
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn another_process_of_the_user_reads_nothing() {
    let Some(stage) = Stage::set() else { return };
    let exposed = stage.run("subject_plain");
    let mut attacker = stage.run("attacker");
    attacker.tell(&exposed.pid().to_string());
    let control = attacker.line("attack:");
    if control != "mem=open vm=read ptrace=attached" {
        eprintln!("note: this system protects even a process that does not protect itself ({control})");
    }
    for role in ["subject_daemon", "subject_client"] {
        let subject = stage.run(role);
        let mut attacker = stage.run("attacker");
        attacker.tell(&subject.pid().to_string());
        assert_eq!(attacker.line("attack:"), "mem=refused vm=refused ptrace=refused", "{role}");
    }
}

#[test]
fn a_crash_leaves_no_core_even_if_the_limit_was_raised() {
    let Some(stage) = Stage::set() else { return };
    let (dumped, files) = crash(&stage, "subject_plain");
    if !dumped {
        eprintln!("note: this system dumps no process at all; the control proves nothing ({files:?})");
    }
    for role in ["subject_daemon", "subject_client"] {
        assert_eq!(crash(&stage, role), (false, Vec::new()), "{role}");
    }
}

/// Whether the kernel dumped core, and which files the crash left.
fn crash(stage: &Stage, role: &str) -> (bool, Vec<PathBuf>) {
    let mut subject = stage.run(role);
    subject.tell("crash");
    let status = subject.child.wait().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGSEGV));
    let left = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("core"));
    let files: Vec<PathBuf> = fs::read_dir(stage.place.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| left(path))
        .collect();
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    (status.core_dumped(), files)
}

#[test]
fn every_protection_of_the_daemon_is_in_force() {
    let Some(stage) = Stage::set() else { return };
    let mut subject = stage.run("subject_daemon");
    let status = fs::read_to_string(format!("/proc/{}/status", subject.pid())).unwrap();
    assert!(status.contains("Umask:\t0077"), "{status}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", subject.pid())).unwrap();
    let values = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(values("Max core file size"), ["0", "0"]);
    for raised in ["Max open files", "Max locked memory"] {
        let values = values(raised);
        assert_eq!(values[0], values[1], "{raised}");
    }
    subject.tell("report");
    let inactive = subject.line("inactive:");
    let allowed = ["", "secret memory"];
    assert!(allowed.contains(&inactive.as_str()), "{inactive}");
}

#[test]
fn no_memory_may_be_locked_and_it_is_said() {
    let Some(stage) = Stage::set() else { return };
    let mut command = Command::new(stage.binary());
    command.current_dir(stage.place.path()).uid(UID).gid(UID);
    // SAFETY: setrlimit is a plain system call.
    unsafe {
        command.pre_exec(|| {
            let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
            Ok(rustix::process::setrlimit(rustix::process::Resource::Memlock, none)?)
        });
    }
    let mut subject = Subject::spawn(&mut command, "subject_daemon");
    subject.tell("report");
    let inactive = subject.line("inactive:");
    assert_eq!(inactive, "locked memory,secret memory");
    assert!(subject.line("shield:").starts_with("Plain("), "a page of plain memory is still a page");
}

#[test]
fn the_program_that_a_client_turns_into_is_as_it_would_have_been() {
    let mut subject =
        Subject::spawn(&mut Command::new(std::env::current_exe().unwrap()), "subject_client_that_runs");
    let limits = subject.line("Max core file size");
    assert_eq!(limits.split_whitespace().nth(1), Some("unlimited"), "hard limit kept: {limits}");
}

/// Waits for a line, for as long as the test wants it to live, and crashes if that is the line.
fn serve() {
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    if line.trim() == "crash" {
        let maximum = rustix::process::getrlimit(rustix::process::Resource::Core).maximum;
        let raised = rustix::process::Rlimit { current: maximum, maximum };
        rustix::process::setrlimit(rustix::process::Resource::Core, raised).unwrap();
        // SAFETY: the default action of a signal sent to oneself.
        unsafe {
            libc::signal(libc::SIGSEGV, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGSEGV);
        }
    }
}

#[test]
#[ignore = "a process that the other tests start"]
fn subject_plain() {
    serve();
}

#[test]
#[ignore = "a process that the other tests start"]
fn subject_client() {
    assert!(harden_client().iter().all(|protection| protection.active));
    serve();
}

#[test]
#[ignore = "a process that the other tests start"]
fn subject_client_that_runs() {
    harden_client();
    println!("ready");
    let error = Command::new("/bin/cat").arg("/proc/self/limits").exec();
    panic!("{error}");
}

#[test]
#[ignore = "a process that the other tests start"]
fn subject_daemon() {
    let protections = harden_daemon();
    serve();
    let inactive: Vec<&str> = protections.iter().filter(|one| !one.active).map(|one| one.name).collect();
    println!("inactive:{}", inactive.join(","));
    println!("shield:{:?}", probe().unwrap());
    assert_eq!(matches!(probe().unwrap(), Shield::Secret), !inactive.contains(&"secret memory"));
}

#[test]
#[ignore = "a process that the other tests start"]
fn attacker() {
    println!("ready");
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).unwrap() == 0 {
        return;
    }
    let pid: i32 = line.trim().parse().unwrap();
    let refused = |refused: bool, otherwise| if refused { "refused" } else { otherwise };
    let mem = fs::File::open(format!("/proc/{pid}/mem")).is_err();
    println!(
        "attack:mem={} vm={} ptrace={}",
        refused(mem, "open"),
        refused(read_remotely(pid), "read"),
        refused(attach(pid), "attached"),
    );
}

/// Whether `process_vm_readv(2)` is refused. Permission is checked before the address, so that any
/// address does: a bad one fails otherwise (`EFAULT`).
fn read_remotely(pid: i32) -> bool {
    let mut byte = 0u8;
    let local = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // SAFETY: one byte is read into `byte`, if anything.
    let read = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    read < 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

fn attach(pid: i32) -> bool {
    // SAFETY: attaching has no memory of ours in it.
    unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0, 0) < 0 }
}
