//! `GetNamedPipeClientProcessId` or `GetNamedPipeServerProcessId`, and the user of that process.

use std::{
    ffi::c_void,
    io,
    net::SocketAddr,
    os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle},
    ptr,
};

use windows_sys::Win32::{
    Foundation::HANDLE,
    Security::{EqualSid, GetTokenInformation, TOKEN_QUERY, TOKEN_USER, TokenUser},
    System::{
        Pipes::{
            GetNamedPipeClientProcessId, GetNamedPipeInfo, GetNamedPipeServerProcessId, PIPE_SERVER_END,
        },
        Threading::{GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION},
    },
};

use super::Peer;

/// Users have no numbers here: this one is 0, and every other one the same.
const OTHER_UID: u32 = u32::MAX;

/// There is none.
pub(super) const SUPERVISOR: Option<u32> = None;

pub(super) fn of_stream(stream: &impl AsHandle) -> io::Result<Peer> {
    let pipe = stream.as_handle().as_raw_handle();
    let (mut flags, mut pid) = (0, 0);
    // SAFETY: the handle is borrowed for the call, which writes one integer; nothing else is asked.
    done(unsafe {
        GetNamedPipeInfo(pipe, &raw mut flags, ptr::null_mut(), ptr::null_mut(), ptr::null_mut())
    })?;
    // SAFETY: as above.
    done(unsafe {
        if flags & PIPE_SERVER_END == 0 {
            GetNamedPipeServerProcessId(pipe, &raw mut pid)
        } else {
            GetNamedPipeClientProcessId(pipe, &raw mut pid)
        }
    })?;
    // SAFETY: takes integers, and its result is owned below.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    let process = owned(process)?;
    // SAFETY: a pseudo handle, which is not closed.
    let own = User::of(unsafe { GetCurrentProcess() })?;
    let same = User::of(process.as_raw_handle())?.is(&own);
    Ok(Peer { uid: if same { own_uid() } else { OTHER_UID }, pid })
}

#[allow(clippy::unnecessary_wraps, reason = "Linux tells")]
pub(super) fn user_of_tcp(_ours: SocketAddr, _theirs: SocketAddr) -> io::Result<Option<u32>> {
    Ok(None)
}

pub(super) fn own_uid() -> u32 {
    0
}

/// A `TOKEN_USER` and the security identifier that it points to.
struct User(Vec<u64>);

impl User {
    fn of(process: HANDLE) -> io::Result<Self> {
        let mut token = ptr::null_mut();
        // SAFETY: writes one handle, which is owned below.
        done(unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) })?;
        let token = owned(token)?;
        // The longest identifier has 68 bytes; words, because the structure holds a pointer.
        let mut words = vec![0u64; 32];
        let (size, mut used) = (256, 0);
        // SAFETY: at most `size` bytes are written to `words`, which has that many.
        done(unsafe {
            let buffer = words.as_mut_ptr().cast::<c_void>();
            GetTokenInformation(token.as_raw_handle(), TokenUser, buffer, size, &raw mut used)
        })?;
        Ok(Self(words))
    }

    fn is(&self, other: &Self) -> bool {
        // SAFETY: both were filled in by GetTokenInformation, and point into themselves.
        unsafe {
            let [one, two] = [self, other].map(|user| (*user.0.as_ptr().cast::<TOKEN_USER>()).User.Sid);
            EqualSid(one, two) != 0
        }
    }
}

fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made it for us and nothing else owns it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn done(outcome: i32) -> io::Result<()> {
    if outcome == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
