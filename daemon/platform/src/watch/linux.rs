//! `inotify(7)`.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rustix::{
    fs::inotify::{self, CreateFlags, Event, ReadFlags, Reader, WatchFlags},
    io::Errno,
};
use tokio::io::{Interest, unix::AsyncFd};

#[derive(Debug)]
pub(super) struct Watch {
    queue: AsyncFd<OwnedFd>,
    /// What the kernel's numbers stand for. It gives none twice.
    directories: Mutex<BTreeMap<i32, PathBuf>>,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        let queue = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // SAFETY: the descriptor is owned by what it is registered in, and open for as long.
        let queue = unsafe { AsyncFd::register_with_interest(queue, Interest::READABLE)? };
        Ok(Self { queue, directories: Mutex::default() })
    }

    pub(super) fn add(&self, directory: &Path) -> io::Result<bool> {
        // `CREATE` is for directories and for hard links; whoever makes a file also closes it.
        let written = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::CREATE;
        let gone = WatchFlags::DELETE | WatchFlags::MOVED_FROM;
        let how = WatchFlags::ONLYDIR | WatchFlags::DONT_FOLLOW;
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        let number = inotify::add_watch(self.queue.get_ref(), directory, written | gone | how)?;
        Ok(directories.insert(number, directory.to_owned()).is_none())
    }

    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "the interface of macOS")]
    pub(super) fn add_file(&self, _file: &Path) -> io::Result<bool> {
        Ok(false)
    }

    pub(super) async fn changed(&self) -> io::Result<Vec<PathBuf>> {
        loop {
            let mut ready = self.queue.readable().await?;
            match ready.try_io(|queue| self.drain(queue.get_ref())) {
                Ok(Ok(changed)) if changed.is_empty() => {}
                Ok(drained) => return drained,
                Err(_would_block) => {}
            }
        }
    }

    /// Takes all that was told.
    fn drain(&self, queue: &OwnedFd) -> io::Result<Vec<PathBuf>> {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(queue, &mut space);
        let (mut changed, mut told) = (Vec::new(), false);
        loop {
            match reader.next() {
                Ok(event) => {
                    told = true;
                    self.note(&event, &mut changed);
                }
                Err(Errno::AGAIN) if told => return Ok(changed),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn note(&self, event: &Event<'_>, changed: &mut Vec<PathBuf>) {
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        if event.events().contains(ReadFlags::IGNORED) {
            directories.remove(&event.wd());
        } else if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
            changed.extend(directories.values().cloned());
        } else if let Some(directory) = directories.get(&event.wd()) {
            let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
            changed.push(name.map_or_else(|| directory.clone(), |name| directory.join(name)));
        }
    }
}
