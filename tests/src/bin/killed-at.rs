//! Runs a program and kills it, with SIGKILL, before the system call of this number that could change
//! anything; then tells which one it was. `killed-at NUMBER PROGRAM ARGUMENT…`
//!
//! Only the program itself and its threads are followed: what it starts goes on, as it would.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: its output is its answer, its arguments its configuration"
)]

use std::{
    env, fs,
    process::{Child, Command, ExitCode},
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

/// Calls that change nothing that anybody else could see. What is not among them counts. (The product makes
/// no file by `open` and `openat2`.)
const HARMLESS: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_readv,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fgetxattr,
    libc::SYS_flistxattr,
    libc::SYS_getcwd,
    libc::SYS_mmap,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_mlock,
    libc::SYS_munlock,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_uname,
    libc::SYS_prctl,
    libc::SYS_prlimit64,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_membarrier,
    libc::SYS_exit,
    libc::SYS_ioctl,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_pidfd_open,
    libc::SYS_waitid,
    libc::SYS_wait4,
    libc::SYS_clone3,
    libc::SYS_clone,
    libc::SYS_openat2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
];

#[allow(clippy::zombie_processes, reason = "follow() waits for it")]
fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [number, program @ ..] = arguments.as_slice() else { panic!("killed-at NUMBER PROGRAM ARGUMENT…") };
    let number = number.to_str().and_then(|number| number.parse().ok()).expect("a number");
    // It stops itself, so that it is followed from its first call on.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "kill -STOP $$; exec \"$@\"", "sh"]).args(program);
    let child = command.spawn().expect("sh runs");
    let (code, last) = follow(&child, number);
    // On a line of its own: it may have died within one.
    println!("\n{}", serde_json::json!({"killed": code.is_none(), "before": last, "code": code}));
    ExitCode::SUCCESS
}

/// Follows it to its end; its code, if it was not killed, and what it was about to do.
fn follow(child: &Child, number: usize) -> (Option<i32>, String) {
    let leader = Pid::from_raw(child.id().cast_signed());
    waitpid(leader, Some(WaitPidFlag::WUNTRACED)).expect("it stops");
    let wanted = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(leader, wanted).expect("it is ours");
    kill(leader, Signal::SIGCONT).expect("it is ours");
    let (mut running, mut count, mut last) = (false, 0, String::new());
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
            Err(Errno::EINTR) => continue,
            status => status.expect("something to wait for"),
        };
        let signal = match status {
            WaitStatus::Exited(pid, code) if pid == leader => return (Some(code), last),
            WaitStatus::Signaled(pid, Signal::SIGKILL, _) if pid == leader => return (None, last),
            WaitStatus::PtraceEvent(_, _, event) => {
                running |= event == libc::PTRACE_EVENT_EXEC;
                None
            }
            WaitStatus::PtraceSyscall(pid) => {
                if let Some(call) = running.then(|| entered(pid)).flatten() {
                    if count == number {
                        last = call;
                        kill(leader, Signal::SIGKILL).expect("it is ours");
                        continue;
                    }
                    count += 1;
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

/// What it is about to do, if that could change anything.
fn entered(pid: Pid) -> Option<String> {
    let told = ptrace::syscall_info(pid).ok()?;
    if told.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    let mut words = text.split_whitespace();
    let call: libc::c_long = words.next()?.parse().ok()?;
    let flags =
        words.nth(2).and_then(|word| libc::c_int::from_str_radix(word.trim_start_matches("0x"), 16).ok());
    let creates = flags.is_none_or(|flags| flags & (libc::O_CREAT | libc::O_TRUNC) != 0);
    let is_harmless = HARMLESS.contains(&call) || (call == libc::SYS_openat && !creates);
    (!is_harmless).then(|| call.to_string())
}
