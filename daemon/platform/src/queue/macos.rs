//! `kqueue(2)`.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
    ptr,
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, VnodeEvents, kevent, kqueue},
    process::Pid,
};

/// How many events one call tells.
const BATCH: usize = 256;

/// How often a ready descriptor is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Often {
    /// For as long as it is ready.
    WhileReady,
}

pub(super) fn create() -> io::Result<OwnedFd> {
    let queue = kqueue()?;
    rustix::io::fcntl_setfd(&queue, rustix::io::FdFlags::CLOEXEC)?;
    Ok(queue)
}

pub(super) fn add(
    queue: BorrowedFd<'_>,
    descriptor: BorrowedFd<'_>,
    token: u64,
    often: Often,
) -> io::Result<()> {
    let flags = match often {
        Often::WhileReady => EventFlags::ADD,
    };
    change(queue, EventFilter::Read(descriptor.as_raw_fd()), flags, token)
}

pub(super) fn remove(queue: BorrowedFd<'_>, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    change(queue, EventFilter::Read(descriptor.as_raw_fd()), EventFlags::DELETE, 0)
}

pub(super) fn add_exit(queue: BorrowedFd<'_>, pid: Pid, token: u64) -> io::Result<()> {
    let flags = EventFlags::ADD | EventFlags::ONESHOT;
    change(queue, EventFilter::Proc { pid, flags: ProcessEvents::EXIT }, flags, token)
}

pub(super) fn add_changes(queue: BorrowedFd<'_>, descriptor: BorrowedFd<'_>, token: u64) -> io::Result<()> {
    let what = VnodeEvents::WRITE | VnodeEvents::EXTEND | VnodeEvents::DELETE | VnodeEvents::RENAME;
    let filter = EventFilter::Vnode { vnode: descriptor.as_raw_fd(), flags: what };
    change(queue, filter, EventFlags::ADD | EventFlags::CLEAR, token)
}

pub(super) fn remove_exit(queue: BorrowedFd<'_>, pid: Pid) -> io::Result<()> {
    let filter = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
    change(queue, filter, EventFlags::DELETE, 0)
}

fn change(queue: BorrowedFd<'_>, filter: EventFilter, flags: EventFlags, token: u64) -> io::Result<()> {
    let token = ptr::without_provenance_mut(usize::try_from(token).map_err(io::Error::other)?);
    let mut none: Vec<Event> = Vec::new();
    // SAFETY: whoever closes a descriptor of the list takes it out of the queue by that.
    unsafe { kevent(queue, &[Event::new(filter, flags, token)], spare_capacity(&mut none), None)? };
    Ok(())
}

pub(super) fn ready(queue: BorrowedFd<'_>) -> io::Result<Vec<u64>> {
    let mut events: Vec<Event> = Vec::with_capacity(BATCH);
    // SAFETY: the list of changes is empty.
    rustix::io::retry_on_intr(|| unsafe {
        kevent(queue, &[], spare_capacity(&mut events), Some(Duration::ZERO))
    })?;
    events.iter().map(|event| u64::try_from(event.udata().addr()).map_err(io::Error::other)).collect()
}
