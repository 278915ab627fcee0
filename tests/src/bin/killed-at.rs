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

use std::{env, process::ExitCode};

use claudectl_tests::follow::{Call, Then, follow};
use nix::libc;

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

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [number, program @ ..] = arguments.as_slice() else { panic!("killed-at NUMBER PROGRAM ARGUMENT…") };
    let number: usize = number.to_str().and_then(|number| number.parse().ok()).expect("a number");
    let (mut count, mut last) = (0, String::new());
    let code = follow(program, |call| {
        if is_harmless(call) {
            return Then::GoOn;
        }
        count += 1;
        if count <= number {
            return Then::GoOn;
        }
        last = call.number.to_string();
        Then::Dies
    });
    // On a line of its own: it may have died within one.
    println!("\n{}", serde_json::json!({"killed": code.is_none(), "before": last, "code": code}));
    ExitCode::SUCCESS
}

fn is_harmless(call: &Call) -> bool {
    let creates = call.arguments[2] & u64::from((libc::O_CREAT | libc::O_TRUNC).cast_unsigned()) != 0;
    HARMLESS.contains(&call.number) || (call.number == libc::SYS_openat && !creates)
}
