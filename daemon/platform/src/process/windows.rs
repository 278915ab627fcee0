//! Process handles and a snapshot of all processes (`tlhelp32.h`).

use std::{
    io,
    mem::{self, MaybeUninit},
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    path::PathBuf,
};

use windows_sys::Win32::{
    Foundation::INVALID_HANDLE_VALUE,
    System::{
        Diagnostics::ToolHelp::{
            CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
        },
        Threading::{GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE},
    },
};

use super::{Facts, Process, gone};
use crate::Unsupported;

pub(super) fn facts(pid: u32) -> io::Result<Facts> {
    let started = started(&open(pid)?)?;
    Ok(Facts { process: Process { pid, started }, parent: parent(pid)?, terminal_leader: None })
}

pub(super) fn directory(_pid: u32) -> io::Result<PathBuf> {
    Err(Unsupported("the working directory of another process").into())
}

/// A handle to ask about it and to wait for its end.
pub(super) fn open(pid: u32) -> io::Result<OwnedHandle> {
    // SAFETY: takes integers.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE, 0, pid) };
    if handle.is_null() {
        return Err(gone(pid));
    }
    // SAFETY: the kernel just made it for us and nothing else owns it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Hundreds of nanoseconds since 1601.
pub(super) fn started(process: &OwnedHandle) -> io::Result<u64> {
    let mut times = [MaybeUninit::uninit(); 4];
    let [made, ended, kernel, user] = &mut times;
    let (made, ended, kernel, user) =
        (made.as_mut_ptr(), ended.as_mut_ptr(), kernel.as_mut_ptr(), user.as_mut_ptr());
    // SAFETY: each is written to; the first is read only if all were.
    unsafe {
        if GetProcessTimes(process.as_raw_handle(), made, ended, kernel, user) == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(u64::from((*made).dwHighDateTime) << 32 | u64::from((*made).dwLowDateTime))
    }
}

fn parent(pid: u32) -> io::Result<u32> {
    // SAFETY: takes integers; the result is owned below.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    if snapshot == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made it for us and nothing else owns it.
    let snapshot = unsafe { OwnedHandle::from_raw_handle(snapshot) };
    // SAFETY: integers and characters.
    let mut entry: PROCESSENTRY32W = unsafe { mem::zeroed() };
    entry.dwSize = u32::try_from(mem::size_of::<PROCESSENTRY32W>()).map_err(io::Error::other)?;
    // SAFETY: `entry` has the size that it says.
    let mut more = unsafe { Process32FirstW(snapshot.as_raw_handle(), &raw mut entry) } != 0;
    while more {
        if entry.th32ProcessID == pid {
            return Ok(entry.th32ParentProcessID);
        }
        // SAFETY: as above.
        more = unsafe { Process32NextW(snapshot.as_raw_handle(), &raw mut entry) } != 0;
    }
    Err(gone(pid))
}
