//! Finding programs.

use std::{
    env::consts::EXE_SUFFIX,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// Whether a program can be there: a file, links followed.
pub fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

/// Every program of that name in these directories, in order.
pub fn all<'a>(name: &'a OsStr, directories: &'a [PathBuf]) -> impl Iterator<Item = PathBuf> + 'a {
    let file = Path::new(name).with_extension(EXE_SUFFIX.trim_start_matches('.'));
    directories.iter().map(move |directory| directory.join(&file)).filter(|path| is_program(path))
}

/// The program that `name` means: itself if it is a path, else the first one of that name.
pub fn program(name: &OsStr, directories: &[PathBuf]) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.components().count() > 1 || path.is_absolute() {
        return Some(path.to_owned()).filter(|path| is_program(path));
    }
    all(name, directories).next()
}
