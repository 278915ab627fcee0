//! `mmap(2)` with `mlock(2)`. Core files are refused to the whole process instead of to the pages.

use std::{
    io,
    ptr::{self, NonNull},
    slice,
};

use super::Shield;

/// The kernel takes back what nobody uses by itself.
pub(super) fn give_back() {}

/// Pages that only this process maps.
pub(super) struct Mapping {
    start: NonNull<u8>,
    length: usize,
    shield: Shield,
}

// SAFETY: the pages belong to this value alone and have no thread affinity.
unsafe impl Send for Mapping {}
// SAFETY: shared access only reads; writing needs `&mut`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps at least `length` zeroed bytes, as well protected as the kernel allows.
    pub(super) fn new(length: usize) -> io::Result<Self> {
        let mut mapping = Self::map(length)?;
        // SAFETY: the range is the mapping that was just made.
        if unsafe { libc::mlock(mapping.start.as_ptr().cast(), length) } != 0 {
            mapping.shield = Shield::Plain(format!("mlock: {}", io::Error::last_os_error()));
        }
        Ok(mapping)
    }

    fn map(length: usize) -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        let shield = Shield::Locked("macOS has no memory that root cannot read".into());
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let start =
            unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Self { start, length, shield })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is `length` readable bytes for as long as `self` lives.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` makes the access exclusive.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }

    pub(super) fn shield(&self) -> &Shield {
        &self.shield
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `map` and is not used after this.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
