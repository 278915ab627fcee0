//! launchd (`launch.h`), which keeps the sockets that the property list of a job names.

use std::{
    ffi::{CStr, c_char, c_int},
    io,
    os::fd::{FromRawFd as _, OwnedFd},
    path::Path,
    ptr, slice,
};

use super::handed_over;
use crate::socket::LocalListener;

/// Its key in `Sockets` of `launchd/org.claudectl.claudectld.plist`.
const CONTROL: &CStr = c"control";

unsafe extern "C" {
    fn launch_activate_socket(name: *const c_char, sockets: *mut *mut c_int, count: *mut usize) -> c_int;
}

pub(super) fn listener(at: &Path) -> io::Result<Option<LocalListener>> {
    let mut sockets = activated()?.into_iter();
    let socket = sockets.next();
    if sockets.next().is_some() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "launchd passed more than one socket"));
    }
    socket.map(|socket| handed_over::accept(socket, at)).transpose()
}

fn activated() -> io::Result<Vec<OwnedFd>> {
    let (mut found, mut count) = (ptr::null_mut(), 0);
    // SAFETY: the name ends with a zero byte; places for the address and the length of what is found.
    match unsafe { launch_activate_socket(CONTROL.as_ptr(), &raw mut found, &raw mut count) } {
        0 if !found.is_null() => {}
        // Not started by launchd, or by a job that has no such socket.
        0 | libc::ESRCH | libc::ENOENT => return Ok(Vec::new()),
        error => return Err(io::Error::from_raw_os_error(error)),
    }
    // SAFETY: as many descriptors as that were found; each was opened for us, and nobody else closes it.
    let open = |descriptor: &c_int| unsafe { OwnedFd::from_raw_fd(*descriptor) };
    // SAFETY: `found` is an array of `count`, until it is freed.
    let sockets = unsafe { slice::from_raw_parts(found, count) }.iter().map(open).collect();
    // SAFETY: what was found is ours to free, once; nothing uses it after this.
    unsafe { libc::free(found.cast()) };
    Ok(sockets)
}

/// It asks nobody: who connects waits until the connection is accepted.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail here")]
pub(super) fn notify_ready() -> io::Result<()> {
    Ok(())
}
