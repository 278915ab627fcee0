//! A child in a job that ends with this process; a child without a console.

use std::{
    ffi::OsString,
    io, mem,
    os::windows::{
        io::{AsRawHandle, FromRawHandle, OwnedHandle},
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    ptr,
};

use windows_sys::Win32::System::{
    JobObjects::{
        AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
    },
    Threading::{CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS},
};

use crate::Unsupported;

fn command(program: &Path, arguments: &[OsString], environment: &[(OsString, OsString)]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

/// A code above 255 becomes 255.
pub(super) fn exec(
    program: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> io::Result<ExitCode> {
    let job = job()?;
    let mut child = command(program, arguments, environment).spawn()?;
    // SAFETY: two handles that are open for the call.
    if unsafe { AssignProcessToJobObject(job.as_raw_handle(), child.as_raw_handle()) } == 0 {
        let error = io::Error::last_os_error();
        child.kill()?;
        return Err(error);
    }
    let code = child.wait()?.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// Its processes end when its last handle is closed: with this process, however that ends.
fn job() -> io::Result<OwnedHandle> {
    // SAFETY: no name and no access list; the result is owned below.
    let job = unsafe { CreateJobObjectW(ptr::null(), ptr::null()) };
    if job.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made it for us and nothing else owns it.
    let job = unsafe { OwnedHandle::from_raw_handle(job) };
    // SAFETY: integers.
    let mut limits: JOBOBJECT_EXTENDED_LIMIT_INFORMATION = unsafe { mem::zeroed() };
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    let size = u32::try_from(mem::size_of_val(&limits)).map_err(io::Error::other)?;
    let kind = JobObjectExtendedLimitInformation;
    // SAFETY: `limits` has the size that is said.
    let set = unsafe { SetInformationJobObject(job.as_raw_handle(), kind, (&raw const limits).cast(), size) };
    if set == 0 { Err(io::Error::last_os_error()) } else { Ok(job) }
}

pub(super) fn spawn_detached(
    program: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> io::Result<Child> {
    command(program, arguments, environment)
        .current_dir(r"C:\")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP)
        .spawn()
}

pub(super) fn ask_to_end(_child: &Child) -> io::Result<()> {
    Err(Unsupported("asking a program to end").into())
}

pub(super) fn ask_number_to_end(_pid: u32) -> io::Result<()> {
    Err(Unsupported("asking a program to end").into())
}
