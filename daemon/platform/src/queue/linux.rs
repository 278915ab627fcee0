//! `epoll(7)`.

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
};

/// How many events one call tells.
const BATCH: usize = 256;
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// How often a ready descriptor is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Often {
    /// For as long as it is ready.
    WhileReady,
    /// Once, because it stays ready for ever.
    Once,
}

pub(super) fn create() -> io::Result<OwnedFd> {
    Ok(epoll::create(epoll::CreateFlags::CLOEXEC)?)
}

pub(super) fn add(
    queue: BorrowedFd<'_>,
    descriptor: BorrowedFd<'_>,
    token: u64,
    often: Often,
) -> io::Result<()> {
    let once = match often {
        Often::WhileReady => epoll::EventFlags::empty(),
        Often::Once => epoll::EventFlags::ONESHOT,
    };
    let flags = epoll::EventFlags::IN | once;
    Ok(epoll::add(queue, descriptor, epoll::EventData::new_u64(token), flags)?)
}

pub(super) fn remove(queue: BorrowedFd<'_>, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    Ok(epoll::delete(queue, descriptor)?)
}

pub(super) fn ready(queue: BorrowedFd<'_>) -> io::Result<Vec<u64>> {
    let mut events: Vec<epoll::Event> = Vec::with_capacity(BATCH);
    rustix::io::retry_on_intr(|| epoll::wait(queue, spare_capacity(&mut events), Some(&AT_ONCE)))?;
    Ok(events.iter().map(|event| event.data.u64()).collect())
}
