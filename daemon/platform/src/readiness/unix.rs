//! The queue, level-triggered.

use std::{io, os::fd::AsFd};

use crate::queue::{Often, Queue};

#[derive(Debug)]
pub(super) struct Readiness(Queue);

impl Readiness {
    pub(super) fn new() -> io::Result<Self> {
        Queue::new().map(Self)
    }

    pub(super) fn add(&self, listener: &impl AsFd, token: u64) -> io::Result<()> {
        self.0.add(listener.as_fd(), token, Often::WhileReady)
    }

    pub(super) fn remove(&self, listener: &impl AsFd) -> io::Result<()> {
        self.0.remove(listener.as_fd())
    }

    pub(super) fn ready(&self) -> io::Result<Vec<u64>> {
        self.0.ready()
    }

    pub(super) async fn wait(&self) -> io::Result<Vec<u64>> {
        self.0.wait().await
    }
}
