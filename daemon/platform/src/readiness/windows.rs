//! Not yet.

use std::io;

use crate::{AsDescriptor, Unsupported};

const WHY: Unsupported = Unsupported("waiting for many listeners at once");

#[derive(Debug)]
pub(super) enum Readiness {}

impl Readiness {
    pub(super) fn new() -> io::Result<Self> {
        Err(WHY.into())
    }

    pub(super) fn add(&self, _listener: &impl AsDescriptor, _token: u64) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn remove(&self, _listener: &impl AsDescriptor) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn ready(&self) -> io::Result<Vec<u64>> {
        match *self {}
    }

    #[allow(clippy::unused_async, reason = "other systems wait here")]
    pub(super) async fn wait(&self) -> io::Result<Vec<u64>> {
        match *self {}
    }
}
