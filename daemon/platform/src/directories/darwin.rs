//! `DARWIN_USER_CACHE_DIR` (`confstr(3)`): under `/var/folders`, private to the user, and always at the same
//! path. What is in the temporary directory beside it goes when nobody has touched it for three days, a socket
//! that is listened on as well.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

pub(super) fn caches() -> Option<PathBuf> {
    let mut name = vec![0u8; 1024];
    // SAFETY: at most `name.len()` bytes are written to `name`.
    let length =
        unsafe { libc::confstr(libc::_CS_DARWIN_USER_CACHE_DIR, name.as_mut_ptr().cast(), name.len()) };
    // It counts the final zero byte, and is 0 if there is none.
    let length = length.checked_sub(1).filter(|length| *length > 0 && *length < name.len())?;
    name.truncate(length);
    Some(PathBuf::from(OsString::from_vec(name)))
}
