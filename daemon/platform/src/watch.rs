//! Noticing that files in a directory change, without looking again and again.

#[cfg_attr(target_os = "linux", path = "watch/linux.rs")]
#[cfg_attr(target_os = "macos", path = "watch/macos.rs")]
#[cfg_attr(windows, path = "watch/windows.rs")]
mod sys;

use std::{
    io,
    path::{Path, PathBuf},
};

/// Directories that are watched; not what is below them.
#[derive(Debug)]
pub struct Watch(sys::Watch);

impl Watch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// Where the system has no more watches to give.
    pub fn new() -> io::Result<Self> {
        sys::Watch::new().map(Self)
    }

    /// Watches this directory; a link is not followed. Whether it was not watched before: another one in
    /// the place of one that is gone was not.
    ///
    /// # Errors
    /// If it is not there, or no directory.
    pub fn add(&self, directory: &Path) -> io::Result<bool> {
        self.0.add(directory)
    }

    /// Watches what is written into this file, where its directory does not tell (macOS); elsewhere there
    /// is nothing to do. Whether it was not watched before.
    ///
    /// # Errors
    /// If it is not there.
    pub fn add_file(&self, file: &Path) -> io::Result<bool> {
        self.0.add_file(file)
    }

    /// Waits until something in one of them was written, made, moved or removed; the paths that changed. A
    /// directory that is watched stands for anything in it. For a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// If the system does not tell any more.
    pub async fn changed(&self) -> io::Result<Vec<PathBuf>> {
        self.0.changed().await
    }
}
