//! Memory for credentials.
//!
//! A [`SecretPage`] lives outside the heap in pages of its own: never swapped, left out of core
//! dumps, wiped in place. Where the kernel offers `memfd_secret(2)` the pages are unmapped from
//! the kernel as well, so that not even root can read them through `/proc/PID/mem`.

#[cfg_attr(target_os = "linux", path = "memory/linux.rs")]
#[cfg_attr(target_os = "macos", path = "memory/macos.rs")]
#[cfg_attr(windows, path = "memory/windows.rs")]
mod sys;

use std::{
    fmt, io,
    sync::{PoisonError, RwLock},
};

/// Why no secret page was to be had.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The credential does not fit.
    #[error("the credential is longer than {limit} bytes")]
    TooLong {
        /// The longest that fits, in bytes.
        limit: usize,
    },
    /// The kernel refused.
    #[error("no locked memory for a credential: {0}")]
    Kernel(#[from] io::Error),
}

/// How well the kernel protects secret pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shield {
    /// `memfd_secret(2)`: unreadable to every other process, root included; locked; never dumped.
    Secret,
    /// `mlock(2)` and `MADV_DONTDUMP`: never swapped, never dumped. Says why there is no better.
    Locked(String),
    /// Ordinary pages, because not even locking was allowed. Says why.
    Plain(String),
}

/// What a wipe did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wiped {
    /// Bytes of credential that were overwritten; 0 if the page was empty already.
    pub bytes: usize,
    /// Whether every byte of the page read back as zero.
    pub proven: bool,
}

/// Gives back what an idle process needs none of: freed memory that the allocator keeps, and the program's own code
/// and constants, which come from the file again when they are used. On Linux; other kernels do it by themselves.
pub fn give_back() {
    sys::give_back();
}

/// Pages of their own that hold one credential.
///
/// [`expose`](Self::expose) lends the bytes to a closure, so that nothing keeps them;
/// [`wipe`](Self::wipe) overwrites them in place, so that everything that still holds the page
/// reads nothing. The lock inside orders the two; it is held for as long as the closure runs,
/// which must not block.
pub struct SecretPage {
    mapping: RwLock<Content>,
}

struct Content {
    mapping: sys::Mapping,
    length: usize,
    /// How far bytes were ever written: what a wipe has to cover.
    touched: usize,
}

impl SecretPage {
    /// The longest credential a page can hold, in bytes.
    pub const LIMIT: usize = 16 * 1024;

    /// A new page with nothing in it yet.
    ///
    /// # Errors
    /// [`MemoryError::Kernel`] if no memory was to be had.
    pub fn new() -> Result<Self, MemoryError> {
        let mapping = sys::Mapping::new(Self::LIMIT)?;
        Ok(Self { mapping: RwLock::new(Content { mapping, length: 0, touched: 0 }) })
    }

    /// Lets `read` write behind what is there already, as in [`io::Read::read`]: it gets the free
    /// rest of the page and says how many bytes it wrote. Nothing is copied on the way.
    ///
    /// # Errors
    /// [`MemoryError::TooLong`] if the page is full, and [`MemoryError::Kernel`] if `read` failed.
    pub fn append(&self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> Result<usize, MemoryError> {
        let mut content = self.mapping.write().unwrap_or_else(PoisonError::into_inner);
        let length = content.length;
        let free = content.mapping.bytes_mut().get_mut(length..).unwrap_or_default();
        if free.is_empty() {
            return Err(MemoryError::TooLong { limit: Self::LIMIT - 1 });
        }
        let count = read(free)?.min(free.len());
        content.length = length.saturating_add(count);
        content.touched = content.length;
        Ok(count)
    }

    /// A new page filled by calling `read` until it returns 0.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`append`](Self::append).
    pub fn fill(mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Result<Self, MemoryError> {
        let page = Self::new()?;
        loop {
            match page.append(&mut read) {
                Ok(0) => return Ok(page),
                Ok(_) => {}
                Err(MemoryError::Kernel(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Shortens the credential to the part of it that `trim` returns (white space around a pasted
    /// key, say), in place.
    pub fn trim(&self, trim: impl for<'a> FnOnce(&'a [u8]) -> &'a [u8]) {
        let mut content = self.mapping.write().unwrap_or_else(PoisonError::into_inner);
        let length = content.length;
        let Some(bytes) = content.mapping.bytes_mut().get_mut(..length) else { return };
        let kept = trim(bytes);
        let kept_length = kept.len().min(length);
        let start = kept.as_ptr().addr().saturating_sub(bytes.as_ptr().addr()).min(length - kept_length);
        bytes.copy_within(start..start + kept_length, 0);
        if let Some(rest) = bytes.get_mut(kept_length..) {
            zeroize::Zeroize::zeroize(rest);
        }
        content.length = kept_length;
    }

    /// Lends the credential to `look`; `None` once it was wiped.
    pub fn expose<R>(&self, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let content = self.mapping.read().unwrap_or_else(PoisonError::into_inner);
        match content.mapping.bytes().get(..content.length) {
            None | Some([]) => None,
            Some(bytes) => Some(look(bytes)),
        }
    }

    /// Overwrites the credential in place and reads the page back.
    pub fn wipe(&self) -> Wiped {
        self.mapping.write().unwrap_or_else(PoisonError::into_inner).wipe()
    }

    /// Whether there is nothing (or nothing left) to expose.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of the credential in bytes; 0 once it was wiped.
    pub fn len(&self) -> usize {
        self.mapping.read().unwrap_or_else(PoisonError::into_inner).length
    }

    /// How well the kernel protects this page.
    pub fn shield(&self) -> Shield {
        self.mapping.read().unwrap_or_else(PoisonError::into_inner).mapping.shield().clone()
    }
}

impl Content {
    fn wipe(&mut self) -> Wiped {
        let bytes = self.length;
        self.length = 0;
        let Some(touched) = self.mapping.bytes_mut().get_mut(..self.touched) else {
            return Wiped { bytes, proven: false };
        };
        zeroize::Zeroize::zeroize(touched);
        Wiped { bytes, proven: touched.iter().all(|byte| *byte == 0) }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for SecretPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretPage(redacted)")
    }
}

/// How well the kernel would protect a secret page, tried out on an empty one.
///
/// # Errors
/// [`MemoryError::Kernel`] if there is no memory at all.
pub fn probe() -> Result<Shield, MemoryError> {
    Ok(sys::Mapping::new(1)?.shield().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"sk-ant-api03-TESTTESTTEST";

    fn page(mut bytes: &[u8]) -> SecretPage {
        SecretPage::fill(|free| io::Read::read(&mut bytes, free)).unwrap()
    }

    #[test]
    fn exposes_what_it_was_filled_with() {
        assert_eq!(page(KEY).expose(<[u8]>::to_vec), Some(KEY.to_vec()));
    }

    #[test]
    fn wiping_in_place_leaves_nothing_to_read() {
        let page = page(KEY);
        assert_eq!(page.wipe(), Wiped { bytes: KEY.len(), proven: true });
        assert_eq!(page.expose(<[u8]>::to_vec), None);
        assert_eq!(page.wipe(), Wiped { bytes: 0, proven: true });
    }

    #[test]
    fn trims_in_place() {
        let page = page(b"  sk-ant-api03-TESTTESTTEST\r\n");
        page.trim(<[u8]>::trim_ascii);
        assert_eq!(page.expose(<[u8]>::to_vec), Some(KEY.to_vec()));
        assert_eq!(page.len(), KEY.len());
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let error = SecretPage::fill(|free| {
            free.fill(b'x');
            Ok(free.len())
        });
        assert!(matches!(error, Err(MemoryError::TooLong { .. })));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", page(KEY)), "SecretPage(redacted)");
    }
}
