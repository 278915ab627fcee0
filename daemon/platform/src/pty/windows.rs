//! Not yet: a pseudo-console would do it.

use std::{convert::Infallible, io, process::Command};

use super::Size;
use crate::Unsupported;

const MISSING: Unsupported = Unsupported("a private terminal");

#[derive(Debug)]
pub(super) struct Pty(Infallible);

#[allow(clippy::unused_async, reason = "the siblings wait")]
impl Pty {
    pub(super) fn lend(_command: &mut Command, _size: Size) -> io::Result<Self> {
        Err(MISSING.into())
    }

    pub(super) async fn read(&self, _into: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }

    pub(super) async fn write_all(&self, _bytes: &[u8]) -> io::Result<()> {
        match self.0 {}
    }

    pub(super) fn resize(&self, _size: Size) -> io::Result<()> {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(super) struct RawTerminal(Infallible);

#[allow(clippy::unused_async, reason = "the siblings wait")]
impl RawTerminal {
    pub(super) fn take() -> io::Result<Self> {
        Err(MISSING.into())
    }

    pub(super) fn size(&self) -> io::Result<Size> {
        match self.0 {}
    }

    pub(super) async fn read(&self, _into: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }

    pub(super) async fn write_all(&self, _bytes: &[u8]) -> io::Result<()> {
        match self.0 {}
    }
}

/// Changes of the size of the console.
#[derive(Debug)]
pub(super) struct Resizes(Infallible);

#[allow(clippy::unused_async, reason = "the siblings wait")]
impl Resizes {
    pub(super) fn new() -> io::Result<Self> {
        Err(MISSING.into())
    }

    pub(super) async fn next(&mut self) {
        match self.0 {}
    }
}
