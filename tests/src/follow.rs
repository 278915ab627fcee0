//! A program followed through its system calls, with ptrace. Only the program itself and its threads: what it
//! starts goes on, as it would.

use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    process::{Child, Command},
};

use nix::{
    errno::Errno,
    libc,
    sys::{
        ptrace::{self, Options},
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

/// A system call that a thread is about to make.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// The thread.
    pub thread: Pid,
    /// Which call.
    pub number: libc::c_long,
    /// What it is called with.
    pub arguments: [u64; 6],
}

/// What becomes of a program that is about to make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It goes on.
    GoOn,
    /// It dies of SIGKILL, and the call is not made.
    Dies,
}

/// Runs a program and tells each of its calls from its first on; its code, `None` if it was killed. Nothing else
/// of this process may wait for children meanwhile.
#[allow(clippy::zombie_processes, reason = "every process of it is waited for below")]
pub fn follow(program: &[OsString], mut each: impl FnMut(&Call) -> Then) -> Option<i32> {
    // It stops itself, so that it is followed from its first call on.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "kill -STOP $$; exec \"$@\"", "sh"]).args(program);
    let leader = seize(&command.spawn().expect("sh runs"));
    let mut running = false;
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
            Err(Errno::EINTR) => continue,
            status => status.expect("something to wait for"),
        };
        let signal = match status {
            WaitStatus::Exited(pid, code) if pid == leader => return Some(code),
            WaitStatus::Signaled(pid, Signal::SIGKILL, _) if pid == leader => return None,
            WaitStatus::PtraceEvent(_, _, event) => {
                running |= event == libc::PTRACE_EVENT_EXEC;
                None
            }
            WaitStatus::PtraceSyscall(thread) => {
                let call = running.then(|| entered(thread)).flatten();
                if call.is_some_and(|call| each(&call) == Then::Dies) {
                    kill(leader, Signal::SIGKILL).expect("it is ours");
                    continue;
                }
                None
            }
            WaitStatus::Stopped(_, signal) => Some(signal),
            _ => continue,
        };
        let Some(pid) = status.pid() else { continue };
        match ptrace::syscall(pid, signal) {
            // It was killed meanwhile.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => panic!("{pid}: {error}"),
        }
    }
}

fn seize(child: &Child) -> Pid {
    let leader = Pid::from_raw(child.id().cast_signed());
    waitpid(leader, Some(WaitPidFlag::WUNTRACED)).expect("it stops");
    let wanted = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(leader, wanted).expect("it is ours");
    kill(leader, Signal::SIGCONT).expect("it is ours");
    leader
}

/// The call, if the thread has stopped before one and not after it.
fn entered(thread: Pid) -> Option<Call> {
    let told = ptrace::syscall_info(thread).ok()?;
    if told.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    let text = fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let mut words = text.split_whitespace();
    let number = words.next()?.parse().ok()?;
    let mut arguments = [0; 6];
    for (argument, word) in arguments.iter_mut().zip(words) {
        *argument = u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()?;
    }
    Some(Call { thread, number, arguments })
}

impl Call {
    /// The path of the descriptor that is the argument of this number, as the kernel knows it.
    pub fn descriptor(&self, argument: usize) -> Option<PathBuf> {
        let number = u32::try_from(self.arguments[argument] & 0xffff_ffff).ok()?;
        if number.cast_signed() == libc::AT_FDCWD {
            return fs::read_link(format!("/proc/{}/cwd", self.thread)).ok();
        }
        fs::read_link(format!("/proc/{}/fd/{number}", self.thread)).ok()
    }

    /// The path that the argument of this number points to, below the descriptor of the argument before it.
    pub fn path_at(&self, directory: usize) -> Option<PathBuf> {
        Some(self.descriptor(directory)?.join(self.path(directory + 1)?))
    }

    /// The path that the argument of this number points to.
    pub fn path(&self, argument: usize) -> Option<PathBuf> {
        let memory = File::open(format!("/proc/{}/mem", self.thread)).ok()?;
        let mut text = Vec::new();
        loop {
            // Byte by byte: behind the end of a text there may be no memory.
            let mut byte = [0];
            let place = self.arguments[argument] + u64::try_from(text.len()).ok()?;
            memory.read_exact_at(&mut byte, place).ok()?;
            match byte {
                [0] => return String::from_utf8(text).ok().map(PathBuf::from),
                [other] => text.push(other),
            }
        }
    }
}
