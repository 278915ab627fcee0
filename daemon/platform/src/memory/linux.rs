//! `memfd_secret(2)` where the kernel has it, else `mmap(2)` with `mlock(2)` and `MADV_DONTDUMP`.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr::{self, NonNull},
    slice,
};

use super::Shield;

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
        match Self::secret(length) {
            Ok(mapping) => Ok(mapping),
            Err(error) => Self::locked(length, &format!("memfd_secret: {error}")),
        }
    }

    fn secret(length: usize) -> io::Result<Self> {
        // SAFETY: memfd_secret takes flags only and returns a new descriptor or -1.
        let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just made this descriptor for us and nothing else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let size = libc::off_t::try_from(length).map_err(io::Error::other)?;
        // SAFETY: a plain call on a descriptor that we own.
        if unsafe { libc::ftruncate(fd.as_raw_fd(), size) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Self::map(length, libc::MAP_SHARED, fd.as_raw_fd(), Shield::Secret)
    }

    fn locked(length: usize, why: &str) -> io::Result<Self> {
        let mut mapping =
            Self::map(length, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, Shield::Locked(why.into()))?;
        // SAFETY: the range is the mapping that was just made.
        unsafe {
            let start = mapping.start.as_ptr().cast();
            libc::madvise(start, length, libc::MADV_DONTDUMP);
            libc::madvise(start, length, libc::MADV_WIPEONFORK);
            if libc::mlock(start, length) != 0 {
                let error = io::Error::last_os_error();
                mapping.shield = Shield::Plain(format!("{why}; mlock: {error}"));
            }
        }
        Ok(mapping)
    }

    fn map(length: usize, flags: i32, fd: i32, shield: Shield) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let start =
            unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, flags, fd, 0) };
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
