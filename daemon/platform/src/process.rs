//! Processes: which one a number means, where it comes from, when it ends, how to become one.

#[cfg_attr(target_os = "linux", path = "process/linux.rs")]
#[cfg_attr(target_os = "macos", path = "process/macos.rs")]
#[cfg_attr(windows, path = "process/windows.rs")]
mod sys;

mod exit_watch;
#[cfg_attr(unix, path = "process/start/unix.rs")]
#[cfg_attr(windows, path = "process/start/windows.rs")]
mod start;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{Child, ExitCode},
};

pub use exit_watch::{ExitWatch, WatchKey};

/// How many generations up an ancestor may be.
const GENERATIONS: usize = 128;

/// One process, and never another one that has its number later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in the system's own unit: only equality and order mean something.
    pub started: u64,
}

/// What the kernel tells about a process at one moment.
#[derive(Debug, Clone, Copy)]
struct Facts {
    process: Process,
    /// 0 if there is none that this process can see.
    parent: u32,
    /// The leader's number, if it has a controlling terminal.
    terminal_leader: Option<u32>,
}

/// The process that has this number now.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if there is none.
pub fn identify(pid: u32) -> io::Result<Process> {
    Ok(sys::facts(pid)?.process)
}

/// The number of its parent.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if there is no such process.
pub fn parent(pid: u32) -> io::Result<u32> {
    Ok(sys::facts(pid)?.parent)
}

/// Where a process is: its working directory.
///
/// # Errors
/// If the process is gone, or does not let this one look.
pub fn directory(pid: u32) -> io::Result<PathBuf> {
    sys::directory(pid)
}

/// Whether the process is a child, grandchild and so on of `ancestor`; not if it is the ancestor.
///
/// Any fact that is missing or does not fit (a parent younger than its child has a recycled number)
/// means no, as does a process in between that has ended.
pub fn descends_from(pid: u32, ancestor: Process) -> bool {
    descent(pid, ancestor).unwrap_or(false)
}

fn descent(pid: u32, ancestor: Process) -> io::Result<bool> {
    let first = sys::facts(pid)?;
    let mut child = first;
    for _ in 0..GENERATIONS {
        if child.parent == 0 {
            return Ok(false);
        }
        let parent = sys::facts(child.parent)?;
        if parent.process.started > child.process.started {
            return Ok(false);
        }
        if parent.process.pid == ancestor.pid {
            return Ok(parent.process == ancestor && identify(pid)? == first.process);
        }
        child = parent;
    }
    Ok(false)
}

/// The session leader of its controlling terminal (usually the shell), whose end is the terminal's.
/// `None` without a controlling terminal, and for the leader itself.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if there is no such process.
pub fn terminal_leader(pid: u32) -> io::Result<Option<Process>> {
    match sys::facts(pid)?.terminal_leader {
        Some(leader) if leader != pid => identify(leader).map(Some),
        _ => Ok(None),
    }
}

/// Turns this process into the program, with exactly these arguments and this environment.
///
/// Where that is possible (Unix) it returns only to say why not, and the process number stays.
/// Windows has no such thing: the program runs as a child that ends with this process, and its
/// exit code is returned.
///
/// # Errors
/// If the program cannot be run.
pub fn exec(
    program: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> io::Result<ExitCode> {
    start::exec(program, arguments, environment)
}

/// Starts a program that outlives this process and its terminal: a session of its own, standard
/// input empty, working directory `/`, standard output and error piped to the caller.
///
/// # Errors
/// If the program cannot be run.
pub fn spawn_detached(
    program: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> io::Result<Child> {
    start::spawn_detached(program, arguments, environment)
}

/// Asks a child to end, in the way that lets it clean up (`SIGTERM`). Does not wait for it.
///
/// # Errors
/// If the system refuses; where there is no such way, it always does.
pub fn ask_to_end(child: &Child) -> io::Result<()> {
    start::ask_to_end(child)
}

/// The same for any process of this user, and never for another one that has its number by now.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if it has ended; else as [`ask_to_end`].
pub fn ask_process_to_end(process: Process) -> io::Result<()> {
    if identify(process.pid)? == process {
        start::ask_number_to_end(process.pid)
    } else {
        Err(recycled(process.pid))
    }
}

fn gone(pid: u32) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no process {pid}"))
}

fn recycled(pid: u32) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("process {pid} ended, and another one has its number"))
}
