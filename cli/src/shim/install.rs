//! Where our own programs are, and putting the shim in front of the genuine client.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::genuine::is_shim;
use crate::{
    args::{self, Environment},
    error::Error,
    process::search,
};

/// `claudectl` as it is installed beside this program.
///
/// # Errors
/// If it is not.
pub fn claudectl(environment: &Environment) -> Result<PathBuf, Error> {
    installed("claudectl", &["", "../../bin"], environment)
}

/// The shim as it is installed beside this program.
///
/// # Errors
/// If it is not.
pub fn shim() -> Result<PathBuf, Error> {
    let found = installed("claude", &["../libexec/claudectl", ""], &Environment::default())?;
    if is_shim(&found) { Ok(found) } else { Err(missing("claude")) }
}

/// A program of ours: in one of these directories, relative to this program's, or on `PATH`.
fn installed(name: &'static str, relative: &[&str], environment: &Environment) -> Result<PathBuf, Error> {
    let own = args::own_program()?;
    let bin = own.parent().unwrap_or(Path::new("/"));
    let directories: Vec<_> =
        relative.iter().map(|path| bin.join(path)).chain(environment.search_path()).collect();
    let found = search::all(OsStr::new(name), &directories).next().ok_or_else(|| missing(name))?;
    Ok(found.canonicalize().unwrap_or(found))
}

fn missing(name: &str) -> Error {
    Error::new(format!("{name} is not installed beside this program")).hint("install it again: ./setup")
}

/// What an installation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// The shim is there now.
    Now,
    /// It was there already.
    Already,
}

/// Puts the shim into a directory, as a link. Never over anything that is not ours.
///
/// # Errors
/// If something else is in its place, or the system refuses.
pub fn install(shim: &Path, directory: &Path) -> Result<Installed, Error> {
    let place = directory.join(name(shim));
    let failed = |error: io::Error| Error::new(format!("{}", place.display())).because(&error);
    fs::create_dir_all(directory).map_err(failed)?;
    match place.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(_) if place.canonicalize().is_ok_and(|real| real == shim) => return Ok(Installed::Already),
        Ok(_) if is_ours(&place) => fs::remove_file(&place).map_err(failed)?,
        Ok(_) => {
            return Err(Error::new(format!("{} is not ours and stays as it is", place.display()))
                .hint("install the shim elsewhere, in a directory that comes first on PATH: claudectl shim install --dir DIR"));
        }
    }
    link(shim, &place).map_err(failed)?;
    Ok(Installed::Now)
}

/// Takes the shim out of a directory; whether there was one. Nothing that is not ours is touched.
///
/// # Errors
/// If the system refuses.
pub fn remove(shim: &Path, directory: &Path) -> Result<bool, Error> {
    let place = directory.join(name(shim));
    if place == shim || !is_ours(&place) {
        return Ok(false);
    }
    fs::remove_file(&place)
        .map(|()| true)
        .map_err(|error| Error::new(format!("{}", place.display())).because(&error))
}

fn name(shim: &Path) -> &OsStr {
    shim.file_name().unwrap_or(OsStr::new("claude"))
}

/// A shim of this project, or a link to one that is gone.
fn is_ours(place: &Path) -> bool {
    let dangling =
        place.read_link().is_ok_and(|target| target.ends_with("claudectl/claude")) && !place.exists();
    dangling || is_shim(place)
}

/// A link, so that the next installation replaces both; a copy where there are no links.
fn link(shim: &Path, place: &Path) -> io::Result<()> {
    #[allow(deprecated, reason = "a link to a file, on every system; the others are for one each")]
    fs::soft_link(shim, place).or_else(|_| fs::copy(shim, place).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENUINE: &[u8] = b"#!/bin/sh\necho genuine\n";

    /// A directory with a shim, and another one to install it into.
    fn places() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let shim = root.join("libexec/claudectl/claude");
        fs::create_dir_all(shim.parent().unwrap()).unwrap();
        // Any program that holds the mark will do; this test is one.
        fs::copy(args::own_program().unwrap(), &shim).unwrap();
        (directory, shim, root.join("bin"))
    }

    #[test]
    fn installs_once_and_removes_again() {
        let (_directory, shim, bin) = places();
        assert_eq!(install(&shim, &bin), Ok(Installed::Now));
        assert_eq!(install(&shim, &bin), Ok(Installed::Already));
        assert_eq!(bin.join("claude").canonicalize().unwrap(), shim);
        assert_eq!(remove(&shim, &bin), Ok(true));
        assert_eq!(remove(&shim, &bin), Ok(false));
    }

    #[test]
    fn the_genuine_client_stays_as_it_is() {
        let (_directory, shim, bin) = places();
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("claude"), GENUINE).unwrap();
        assert!(install(&shim, &bin).unwrap_err().text().contains("is not ours and stays"));
        assert_eq!(remove(&shim, &bin), Ok(false));
        assert_eq!(fs::read(bin.join("claude")).unwrap(), GENUINE);
    }

    #[test]
    fn an_installation_that_is_gone_leaves_a_link_that_is_ours() {
        let (_directory, shim, bin) = places();
        install(&shim, &bin).unwrap();
        fs::remove_file(&shim).unwrap();
        assert_eq!(remove(&shim, &bin), Ok(true));
        assert!(bin.join("claude").symlink_metadata().is_err());
    }

    #[test]
    fn the_shim_itself_is_never_removed() {
        let (_directory, shim, _bin) = places();
        assert_eq!(remove(&shim, shim.parent().unwrap()), Ok(false));
        assert!(shim.is_file());
    }
}
