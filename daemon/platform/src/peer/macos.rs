//! `LOCAL_PEERCRED` and `LOCAL_PEERPID` (`unix(4)`).

use std::{
    io,
    mem::{self, MaybeUninit},
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
};

use super::Peer;

/// launchd: one process for all users.
pub(super) const SUPERVISOR: Option<u32> = Some(0);

pub(super) fn of_stream(stream: &impl AsFd) -> io::Result<Peer> {
    // SAFETY: `xucred` is plain integers.
    let credential: libc::xucred = unsafe { option(stream, libc::LOCAL_PEERCRED)? };
    // SAFETY: a process number is an integer.
    let pid: libc::pid_t = unsafe { option(stream, libc::LOCAL_PEERPID)? };
    let pid = u32::try_from(pid).unwrap_or(0);
    if credential.cr_version != libc::XUCRED_VERSION || pid == 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the kernel does not name the peer"));
    }
    Ok(Peer { uid: credential.cr_uid, pid })
}

/// # Safety
/// Any bytes must be a valid `T`.
unsafe fn option<T>(stream: &impl AsFd, name: libc::c_int) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let size = libc::socklen_t::try_from(mem::size_of::<T>()).map_err(io::Error::other)?;
    let mut length = size;
    let socket = stream.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes to `value`, which has that many.
    let outcome = unsafe {
        libc::getsockopt(socket, libc::SOL_LOCAL, name, value.as_mut_ptr().cast(), &raw mut length)
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    if length != size {
        return Err(io::Error::other("the kernel told less than a peer credential"));
    }
    // SAFETY: zeroed before and filled by the kernel; any bytes will do, as the caller says.
    Ok(unsafe { value.assume_init() })
}

#[allow(clippy::unnecessary_wraps, reason = "Linux tells")]
pub(super) fn user_of_tcp(_ours: SocketAddr, _theirs: SocketAddr) -> io::Result<Option<u32>> {
    Ok(None)
}

pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}
