//! The note that footprints are to be removed. It goes when that was done, so that the next daemon knows
//! of what one was killed over, or the machine.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use claudectl_platform::permissions;

/// The note, if there is a place for it.
#[derive(Debug)]
pub(super) struct Debt(Option<PathBuf>);

impl Debt {
    /// The one in this directory.
    pub(super) fn within(state: Option<PathBuf>) -> Self {
        Self(state.map(|directory| directory.join("footprints.owed")))
    }

    pub(super) async fn is_open(&self) -> bool {
        self.on_file(|path| Ok(path.symlink_metadata().is_ok())).await.unwrap_or(false)
    }

    pub(super) async fn note(&self) {
        let noted = self.on_file(write).await;
        if let Err(why) = noted {
            tracing::warn!("no other daemon will know that footprints are to be removed: {why}");
        }
    }

    pub(super) async fn settle(&self) {
        let settled = self.on_file(|path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        if let Err(why) = settled.await {
            tracing::warn!("the next daemon will remove footprints once more: {why}");
        }
    }

    /// A file may be on a slow disk: nothing of the daemon waits for it.
    async fn on_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "there is no state directory");
        let path = self.0.clone().ok_or_else(none)?;
        tokio::task::spawn_blocking(move || work(&path)).await.map_err(io::Error::other)?
    }
}

fn write(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory.parent().unwrap_or(directory))?;
        permissions::private_directory(directory).map_err(io::Error::other)?;
    }
    permissions::append_to(path)?.sync_all()
}
