//! The buffers that every connection of a thread reads into. Connections keep nothing of their own
//! but what cannot be sent yet, so that an idle one costs next to nothing.

use std::{cell::RefCell, ops::Range};

use super::limits;

/// The buffers of one thread.
pub(crate) struct Scratch {
    /// What was read, in the clear.
    pub(crate) plain: Box<[u8]>,
    /// What was read from a TLS upstream, before it is decrypted.
    pub(super) cipher: Box<[u8]>,
    /// Where the content of a body is in `plain`.
    pub(super) runs: Vec<Range<usize>>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        plain: vec![0; limits::SCRATCH].into_boxed_slice(),
        cipher: vec![0; limits::SCRATCH].into_boxed_slice(),
        runs: Vec::new(),
    });
}

/// Lends the buffers of this thread for as long as `work` runs, which must not nest.
pub(crate) fn with<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    SCRATCH.with_borrow_mut(work)
}

/// Bytes that could not be sent yet.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    bytes: Vec<u8>,
    sent: usize,
}

impl Unsent {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Keeps more bytes, behind those that are kept.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What is to be sent next.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Drops what was sent, and the memory with it once that is all.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.bytes.len() {
            *self = Self::default();
        }
    }
}
