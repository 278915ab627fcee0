//! `inotify(7)`.

use std::{io, mem::MaybeUninit, os::fd::OwnedFd, path::Path};

use rustix::{
    fs::inotify::{self, CreateFlags, Reader, WatchFlags},
    io::Errno,
};
use tokio::io::{Interest, unix::AsyncFd};

#[derive(Debug)]
pub(super) struct Watch(AsyncFd<OwnedFd>);

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        let queue = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // SAFETY: the descriptor is owned by what it is registered in, and open for as long.
        Ok(Self(unsafe { AsyncFd::register_with_interest(queue, Interest::READABLE)? }))
    }

    pub(super) fn add(&self, directory: &Path) -> io::Result<()> {
        // Not `CREATE` for files, which have nothing in them then: whoever makes one also closes it.
        let what = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::CREATE;
        let how = WatchFlags::ONLYDIR | WatchFlags::DONT_FOLLOW;
        inotify::add_watch(self.0.get_ref(), directory, what | how)?;
        Ok(())
    }

    pub(super) async fn changed(&self) -> io::Result<()> {
        loop {
            let mut ready = self.0.readable().await?;
            if let Ok(drained) = ready.try_io(|queue| drain(queue.get_ref())) {
                return drained;
            }
        }
    }
}

/// Takes all that was told; what exactly does not matter, and neither do events that were lost.
fn drain(queue: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(queue, &mut space);
    let mut told = false;
    loop {
        match reader.next() {
            Ok(_) => told = true,
            Err(Errno::AGAIN) if told => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
