//! Pipes have no directory, and what is private by access lists is not checked yet.

use std::path::{Path, PathBuf};

use super::DirectoryError;
use crate::Unsupported;

/// The longest name of a pipe, in characters.
pub const SOCKET_PATH_LIMIT: usize = 256;

pub(super) fn runtime(named: Option<&Path>) -> Result<PathBuf, DirectoryError> {
    Err(unsupported(named.unwrap_or(Path::new(r"%LOCALAPPDATA%\claudectl"))))
}

pub(crate) fn private(path: &Path) -> Result<(), DirectoryError> {
    Err(unsupported(path))
}

fn unsupported(path: &Path) -> DirectoryError {
    DirectoryError::system(path, Unsupported("a private directory").into())
}
