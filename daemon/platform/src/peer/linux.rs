//! `SO_PEERCRED` (`unix(7)`).

use std::{
    io,
    mem::{self, MaybeUninit},
    os::fd::{AsFd, AsRawFd},
};

use super::Peer;

pub(super) fn of_stream(stream: &impl AsFd) -> io::Result<Peer> {
    let mut credential = MaybeUninit::<libc::ucred>::zeroed();
    let size = libc::socklen_t::try_from(mem::size_of::<libc::ucred>()).map_err(io::Error::other)?;
    let mut length = size;
    // SAFETY: the kernel writes at most `length` bytes to `credential`, which has that many.
    let outcome = unsafe {
        libc::getsockopt(
            stream.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            credential.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    if length != size {
        return Err(io::Error::other("the kernel told less than a peer credential"));
    }
    // SAFETY: `ucred` is plain integers, zeroed before and filled by the kernel.
    let credential = unsafe { credential.assume_init() };
    named(credential)
}

/// A process outside this process's namespaces has no number, and an unbound socket no user.
fn named(credential: libc::ucred) -> io::Result<Peer> {
    let pid = u32::try_from(credential.pid).unwrap_or(0);
    if pid == 0 || credential.uid == u32::MAX {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the kernel does not name the peer"));
    }
    Ok(Peer { uid: credential.uid, pid })
}

pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_fact_is_an_error() {
        assert!(named(libc::ucred { pid: 0, uid: 1000, gid: 1000 }).is_err());
        assert!(named(libc::ucred { pid: 7, uid: u32::MAX, gid: 1000 }).is_err());
        assert_eq!(named(libc::ucred { pid: 7, uid: 1, gid: 1 }).unwrap(), Peer { uid: 1, pid: 7 });
    }
}
