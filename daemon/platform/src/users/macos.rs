//! `proc_listallpids` and `proc_pidinfo` (`libproc.h`).

use std::{
    ffi::CStr,
    io,
    mem::{self, MaybeUninit},
};

use super::super::Daemon;

/// More processes than the system has.
const MOST: usize = 100_000;

pub(super) fn running(name: &str) -> io::Result<Vec<Daemon>> {
    let mut numbers = vec![0_i32; MOST];
    let size = i32::try_from(mem::size_of_val(numbers.as_slice())).map_err(io::Error::other)?;
    // SAFETY: the kernel writes at most `size` bytes to `numbers`, which has that many.
    let count = unsafe { libc::proc_listallpids(numbers.as_mut_ptr().cast(), size) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    numbers.truncate(count);
    Ok(numbers.into_iter().filter_map(|pid| named(pid, name)).collect())
}

fn named(pid: i32, name: &str) -> Option<Daemon> {
    let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = i32::try_from(mem::size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the kernel writes at most `size` bytes to `info`, which has that many.
    let written =
        unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), size) };
    // SAFETY: plain integers and bytes, filled in completely.
    let info = (written == size).then(|| unsafe { info.assume_init() })?;
    // SAFETY: the kernel ends it in a zero byte.
    let called = unsafe { CStr::from_ptr(info.pbi_comm.as_ptr()) };
    let daemon = Daemon { pid: info.pbi_pid, uid: info.pbi_uid, gid: info.pbi_gid };
    (called.to_bytes() == name.as_bytes()).then_some(daemon)
}

/// There is no such thing.
#[allow(clippy::unnecessary_wraps, reason = "the interface of every system")]
pub(super) fn refuse_new_privileges() -> io::Result<()> {
    Ok(())
}
