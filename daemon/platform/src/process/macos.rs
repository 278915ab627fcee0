//! `proc_pidinfo` with `PROC_PIDTBSDINFO` (`libproc.h`) and `getsid(2)`.

use std::{
    io,
    mem::{self, MaybeUninit},
    path::PathBuf,
};

use rustix::process::Pid;

use super::{Facts, Process, gone};
use crate::Unsupported;

/// `e_tdev` of a process without a controlling terminal (`NODEV`).
const NO_TERMINAL: u32 = u32::MAX;

pub(super) fn facts(pid: u32) -> io::Result<Facts> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| gone(pid))?;
    let info = bsd_info(number).ok_or_else(|| gone(pid))?;
    let session = match rustix::process::getsid(Some(number)) {
        Ok(session) => u32::try_from(session.as_raw_nonzero().get()).ok(),
        Err(_) => return Err(gone(pid)),
    };
    // Microseconds since 1970.
    let started = info.pbi_start_tvsec.saturating_mul(1_000_000).saturating_add(info.pbi_start_tvusec);
    Ok(Facts {
        process: Process { pid, started },
        parent: info.pbi_ppid,
        terminal_leader: session.filter(|_| info.e_tdev != NO_TERMINAL),
    })
}

pub(super) fn directory(_pid: u32) -> io::Result<PathBuf> {
    Err(Unsupported("the working directory of another process").into())
}

fn bsd_info(pid: Pid) -> Option<libc::proc_bsdinfo> {
    let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = i32::try_from(mem::size_of::<libc::proc_bsdinfo>()).ok()?;
    let pid = pid.as_raw_nonzero().get();
    // SAFETY: the kernel writes at most `size` bytes to `info`, which has that many.
    let written =
        unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), size) };
    // SAFETY: plain integers and bytes, filled in completely.
    (written == size).then(|| unsafe { info.assume_init() })
}
