//! Not watched yet.

use std::{io, path::Path};

use crate::Unsupported;

#[derive(Debug)]
pub(super) struct Watch;

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Err(Unsupported("watching directories").into())
    }

    #[allow(clippy::unused_self, reason = "the interface of Linux")]
    pub(super) fn add(&self, _directory: &Path) -> io::Result<()> {
        Err(Unsupported("watching directories").into())
    }

    #[allow(clippy::unused_self, reason = "the interface of Linux")]
    pub(super) async fn changed(&self) -> io::Result<()> {
        std::future::pending().await
    }
}
