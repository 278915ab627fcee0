//! `memfd_secret(2)` where the kernel has it, else `mmap(2)` with `mlock(2)` and `MADV_DONTDUMP`.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr::{self, NonNull},
    slice,
};

use rustix::param::page_size;

use super::Shield;

/// `malloc_trim(3)`; and of the program's file `madvise(2)` with `MADV_DONTNEED`, which unmaps what nobody wrote to
/// and does nothing else.
pub(super) fn give_back() {
    // SAFETY: it touches free memory alone.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
    // SAFETY: the function below needs no data.
    unsafe { libc::dl_iterate_phdr(Some(give_back_file), ptr::null_mut()) };
}

/// The first object is the program itself; the libraries behind it are shared with everybody.
///
/// # Safety
/// For `dl_iterate_phdr(3)` only.
unsafe extern "C" fn give_back_file(
    object: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    _data: *mut libc::c_void,
) -> i32 {
    // SAFETY: the loader's own description of the object, for as long as this call takes.
    let object = unsafe { &*object };
    // SAFETY: as many headers as it says.
    let headers = unsafe { slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()) };
    // Not even by the loader, which relocates only what is writable at first.
    let is_never_written = |kind, flags| kind == libc::PT_LOAD && flags & libc::PF_W == 0;
    for header in headers.iter().filter(|header| is_never_written(header.p_type, header.p_flags)) {
        let address = object.dlpi_addr.checked_add(header.p_vaddr).and_then(|at| usize::try_from(at).ok());
        let (Some(address), Ok(length)) = (address, usize::try_from(header.p_memsz)) else { continue };
        let inside = address % page_size();
        let start = ptr::with_exposed_provenance_mut(address - inside);
        // SAFETY: read-only pages of a file, the same when they are read from it again.
        unsafe { libc::madvise(start, inside + length, libc::MADV_DONTNEED) };
    }
    1
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in memory of the program's own file, and how much of that is not the file's any more, in KiB.
    fn resident() -> (usize, usize) {
        let program = std::env::current_exe().unwrap().display().to_string();
        let (mut is_ours, mut all, mut written) = (false, 0, 0);
        for line in std::fs::read_to_string("/proc/self/smaps").unwrap().lines() {
            let size = |text: &str| text.trim().trim_end_matches(" kB").parse::<usize>().unwrap();
            match line.split_once(':') {
                Some(("Rss", text)) if is_ours => all += size(text),
                Some(("Anonymous", text)) if is_ours => written += size(text),
                Some((start, _)) if start.contains('-') => is_ours = line.ends_with(&program),
                _ => {}
            }
        }
        (all, written)
    }

    #[test]
    fn what_is_given_back_comes_from_the_file_again() {
        let touched: usize = (0..1000).map(|number| format!("{number:?}").len()).sum();
        let (all, written) = resident();
        give_back();
        let (now, still_written) = resident();
        assert!(now < all, "{now} of {all} KiB are still there");
        assert!(still_written >= written && written > 0, "what was relocated stays");
        assert_eq!((0..1000).map(|number| format!("{number:?}").len()).sum::<usize>(), touched);
    }
}
