//! `VirtualAlloc` and `VirtualLock`.

use std::{
    io,
    ptr::{self, NonNull},
    slice,
};

use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, VirtualAlloc, VirtualFree, VirtualLock,
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
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let start = unsafe { VirtualAlloc(ptr::null(), length, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE) };
        let start = NonNull::new(start.cast::<u8>()).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: the range is the mapping that was just made.
        let shield = if unsafe { VirtualLock(start.as_ptr().cast(), length) } == 0 {
            Shield::Plain(format!("VirtualLock: {}", io::Error::last_os_error()))
        } else {
            Shield::Locked("Windows has no memory that an administrator cannot read".into())
        };
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
        // SAFETY: the range was mapped by `new` and is not used after this.
        unsafe { VirtualFree(self.start.as_ptr().cast(), 0, MEM_RELEASE) };
    }
}
