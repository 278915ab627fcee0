//! Noticing that files in a directory change, without looking again and again.

#[cfg_attr(target_os = "linux", path = "watch/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "watch/other.rs")]
mod sys;

use std::{io, path::Path};

/// Directories that are watched; not what is below them.
#[derive(Debug)]
pub struct Watch(sys::Watch);

impl Watch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// Where the system cannot, or has no more watches to give.
    pub fn new() -> io::Result<Self> {
        sys::Watch::new().map(Self)
    }

    /// Watches this directory; a link is not followed. Watching one twice is watching it once.
    ///
    /// # Errors
    /// If it is not there, or no directory.
    pub fn add(&self, directory: &Path) -> io::Result<()> {
        self.0.add(directory)
    }

    /// Waits until a file in one of them was written, moved there or made.
    ///
    /// # Errors
    /// If the system does not tell any more.
    pub async fn changed(&self) -> io::Result<()> {
        self.0.changed().await
    }
}
