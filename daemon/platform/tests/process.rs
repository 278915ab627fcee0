//! Threats T5 and T6: which process a number means, where it comes from, and when it ends.
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
    ffi::OsString,
    io::{BufRead, BufReader, ErrorKind, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use claudectl_platform::process::{
    ExitWatch, Process, ask_to_end, descends_from, exec, identify, parent, spawn_detached, terminal_leader,
};

/// A process that is killed and reaped at the end of the test.
struct Running(Child);

impl Running {
    fn new(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// One that does nothing until its standard input is closed.
    fn idle() -> Self {
        Self::new(&mut Command::new("/bin/cat"))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The next number that it prints.
    fn number(&mut self) -> u32 {
        let mut line = String::new();
        BufReader::with_capacity(1, self.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn me() -> Process {
    identify(std::process::id()).unwrap()
}

#[test]
fn a_process_is_the_same_until_it_ends() {
    let mut child = Running::idle();
    let first = identify(child.pid()).unwrap();
    assert_eq!(identify(child.pid()).unwrap(), first);
    assert_eq!(parent(child.pid()).unwrap(), std::process::id());
    assert!(first.started >= me().started);
    child.end();
    assert_eq!(identify(first.pid).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(parent(0).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(identify(u32::MAX).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn descent_is_by_number_and_start() {
    // The shell, and a child of the shell.
    let mut shell =
        Running::new(Command::new("/bin/sh").args(["-c", "exec 3<&0; /bin/cat <&3 & echo $!; wait"]));
    let grandchild = shell.number();
    let shell_is = identify(shell.pid()).unwrap();
    assert!(descends_from(grandchild, shell_is));
    assert!(descends_from(grandchild, me()));
    assert!(descends_from(shell.pid(), me()));

    assert!(!descends_from(shell.pid(), shell_is), "a process is no descendant of itself");
    assert!(!descends_from(std::process::id(), shell_is), "a parent is no descendant");
    let stranger = Running::idle();
    assert!(!descends_from(stranger.pid(), shell_is), "a sibling is no descendant");
    let earlier = Process { started: shell_is.started - 1, ..shell_is };
    assert!(!descends_from(grandchild, earlier), "another process that had the number before");
    assert!(!descends_from(u32::MAX, me()));

    shell.end();
    assert!(!descends_from(grandchild, shell_is), "the process in between has ended");
    // The grandchild ends by itself: its input was the shell's, which is closed now.
}

#[test]
fn the_leader_of_the_terminal_is_found() {
    let (_primary, secondary) = terminal();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "exec 3<&0; /bin/cat <&3 & echo $!; wait"]);
    // SAFETY: two plain system calls.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            Ok(rustix::process::ioctl_tiocsctty(&secondary)?)
        });
    }
    let mut shell = Running::new(&mut command);
    let child = shell.number();
    assert_eq!(terminal_leader(child).unwrap(), Some(identify(shell.pid()).unwrap()));
    assert_eq!(terminal_leader(shell.pid()).unwrap(), None, "the leader itself");

    let mut without = Command::new("/bin/cat");
    // SAFETY: a plain system call.
    unsafe {
        without.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
    let without = Running::new(&mut without);
    assert_eq!(terminal_leader(without.pid()).unwrap(), None);
}

fn terminal() -> (std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
    use std::os::fd::FromRawFd;
    let (mut primary, mut secondary) = (-1, -1);
    // SAFETY: openpty fills in the two descriptors, which nothing else owns.
    unsafe {
        let made = libc::openpty(
            &raw mut primary,
            &raw mut secondary,
            std::ptr::null_mut(),
            std::ptr::null(),
            std::ptr::null(),
        );
        assert_eq!(made, 0);
        for descriptor in [primary, secondary] {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        (FromRawFd::from_raw_fd(primary), FromRawFd::from_raw_fd(secondary))
    }
}

#[tokio::test]
async fn an_exit_wakes_the_watch_once() {
    let watch = ExitWatch::new().unwrap();
    let mut children: Vec<Running> = (0..3).map(|_| Running::idle()).collect();
    let _keys: Vec<_> = children
        .iter()
        .zip(10..)
        .map(|(child, token)| watch.add(identify(child.pid()).unwrap(), token).unwrap())
        .collect();
    assert_eq!(watch.ready().unwrap(), [], "all of them live");
    children[1].0.kill().unwrap();
    assert_eq!(watch.wait().await.unwrap(), [11]);
    assert_eq!(watch.ready().unwrap(), [], "told once, reaped or not");
    children[0].end();
    assert_eq!(watch.wait().await.unwrap(), [10]);
}

#[tokio::test]
async fn more_exits_than_one_call_tells_are_all_told() {
    let watch = ExitWatch::new().unwrap();
    let children: Vec<Running> = (0..300).map(|_| Running::idle()).collect();
    let mut keys = Vec::new();
    for child in &children {
        keys.push(watch.add(identify(child.pid()).unwrap(), child.pid().into()).unwrap());
    }
    let mut expected: Vec<u64> = children.iter().map(|child| child.pid().into()).collect();
    drop(children);
    let mut told = Vec::new();
    while told.len() < expected.len() {
        told.extend(watch.wait().await.unwrap());
    }
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

#[test]
fn a_watch_that_was_ended_tells_nothing() {
    let watch = ExitWatch::new().unwrap();
    let mut child = Running::idle();
    let key = watch.add(identify(child.pid()).unwrap(), 1).unwrap();
    watch.remove(key);
    child.end();
    assert_eq!(watch.ready().unwrap(), []);
}

#[test]
fn an_unreaped_process_is_told_at_once_and_a_gone_one_refused() {
    let watch = ExitWatch::new().unwrap();
    let mut child = Running::idle();
    let process = identify(child.pid()).unwrap();
    let other = Process { started: process.started + 1, ..process };
    assert_eq!(watch.add(other, 1).unwrap_err().kind(), ErrorKind::NotFound);

    child.0.kill().unwrap();
    // Ended, but not reaped.
    // SAFETY: `info` is only written to.
    unsafe {
        let mut info = std::mem::zeroed();
        libc::waitid(libc::P_PID, process.pid, &raw mut info, libc::WEXITED | libc::WNOWAIT);
    }
    let _key = watch.add(process, 2).unwrap();
    assert_eq!(watch.ready().unwrap(), [2]);
    child.0.wait().unwrap();
    assert_eq!(watch.add(process, 3).unwrap_err().kind(), ErrorKind::NotFound);
}

/// Another process really gets the number (`clone3(2)` with `set_tid`).
#[test]
fn a_recycled_number_is_refused() {
    let watch = ExitWatch::new().unwrap();
    let mut child = Running::idle();
    let process = identify(child.pid()).unwrap();
    let key = watch.add(process, 1).unwrap();
    child.end();
    let Some(other) = Recycled::later_than(process) else {
        eprintln!("skipped: only root can choose the number of a process");
        return;
    };
    assert_eq!(other.0.pid, process.pid);
    assert_eq!(watch.ready().unwrap(), [1], "the first is gone, whoever has its number");
    let refused = watch.add(process, 2).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert!(!descends_from(process.pid, process));
    drop(key);
}

/// A child with a chosen number that only waits for its end.
struct Recycled(Process);

impl Recycled {
    /// With the number of a process that is gone. Start times count in hundredths of a second, so
    /// that it is made again until it is a later one.
    fn later_than(gone: Process) -> Option<Self> {
        loop {
            let made = Self::with_number(gone.pid)?;
            if made.0.started > gone.started {
                return Some(made);
            }
        }
    }

    fn with_number(pid: u32) -> Option<Self> {
        let wanted = [libc::pid_t::try_from(pid).unwrap()];
        let size = std::mem::size_of::<libc::clone_args>();
        // SAFETY: as fork(2): the child makes no call but pause and, should that return, _exit.
        let child = unsafe {
            let mut arguments: libc::clone_args = std::mem::zeroed();
            arguments.exit_signal = libc::SIGCHLD as u64;
            arguments.set_tid = wanted.as_ptr() as u64;
            arguments.set_tid_size = 1;
            let child = libc::syscall(libc::SYS_clone3, &raw const arguments, size);
            if child == 0 {
                libc::syscall(libc::SYS_pause);
                libc::_exit(0);
            }
            child
        };
        (child > 0).then(|| Self(identify(pid).unwrap()))
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        let pid = libc::pid_t::try_from(self.0.pid).unwrap();
        // SAFETY: our own child, not reaped before this.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, std::ptr::null_mut(), 0);
        }
    }
}

#[test]
fn a_detached_program_has_its_own_session_and_nothing_of_ours() {
    let environment = [(OsString::from("ONLY"), OsString::from("this"))];
    let script = "cat /proc/self/stat; pwd; readlink /proc/self/fd/0; /usr/bin/env; echo done >&2";
    let child = spawn_detached(Path::new("/bin/sh"), &["-c".into(), script.into()], &environment).unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let lines: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    let session = lines[0].rsplit_once(')').unwrap().1.split_whitespace().nth(3).unwrap();
    assert_eq!(session, pid.to_string());
    assert_eq!(lines[1..3], ["/", "/dev/null"]);
    let environment: Vec<&&str> =
        lines[3..].iter().filter(|line| !line.starts_with("PWD=") && !line.starts_with("_=")).collect();
    assert_eq!(environment, [&"ONLY=this"]);
    assert_eq!(output.stderr, b"done\n");
}

#[test]
fn a_child_that_is_asked_to_end_can_clean_up() {
    let script = "trap 'echo cleaned; exit 7' TERM; echo ready; read line";
    let mut child = Running::new(Command::new("/bin/sh").args(["-c", script]));
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    ask_to_end(&child.0).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "cleaned");
    assert_eq!(child.0.wait().unwrap().code(), Some(7));
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let missing = Path::new("/nowhere/claude");
    assert_eq!(exec(missing, &[], &[]).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(spawn_detached(missing, &[], &[]).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn exec_keeps_the_number_and_hands_over_exactly_the_environment() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "subject_exec", "--ignored", "--nocapture"]).env("LEAK", "yes");
    let mut subject = Running::new(&mut command);
    let mut output = String::new();
    subject.0.stdout.as_mut().unwrap().read_to_string(&mut output).unwrap();
    let (_, output) = output.split_once("became:").unwrap();
    assert_eq!(output, format!("{} ONLY=this\n", subject.pid()));
}

#[test]
#[ignore = "a process that another test starts"]
fn subject_exec() {
    print!("became:");
    std::io::Write::flush(&mut std::io::stdout()).unwrap();
    let script = r"echo $$ ONLY=$ONLY${LEAK+ LEAK=$LEAK}";
    let error = exec(
        Path::new("/bin/sh"),
        &["-c".into(), script.into()],
        &[(OsString::from("ONLY"), OsString::from("this"))],
    );
    panic!("{error:?}");
}
