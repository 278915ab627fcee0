//! A private directory on a memory file system, for what the client writes while it signs in. It writes
//! no credential there (seen with 2.1.330); if it ever does, no disk has it.

use std::path::{Path, PathBuf};

use claudectl_platform::erasure::{Medium, PlainFile, create_private};
use tempfile::TempDir;

use crate::{args::Environment, error::Error};

/// What the names of these directories start with; the number of the process follows.
const PREFIX: &str = "claudectl-login-";

/// The directory. Removed when it is dropped; what a killed one left is removed by the next.
#[derive(Debug)]
pub(super) struct Place(TempDir);

impl Place {
    /// Makes it: in `XDG_RUNTIME_DIR` or in `/dev/shm`, whichever is in memory.
    pub(super) fn new(environment: &Environment) -> Result<Self, Error> {
        let bases = environment.path("XDG_RUNTIME_DIR").into_iter().chain([PathBuf::from("/dev/shm")]);
        for base in bases {
            remove_leftovers(&base);
            let prefix = format!("{PREFIX}{}-", std::process::id());
            // Only this user may enter it.
            let Ok(directory) = tempfile::Builder::new().prefix(&prefix).tempdir_in(&base) else { continue };
            if is_in_memory(directory.path()) {
                return Ok(Self(directory));
            }
        }
        Err(Error::new("there is no private directory in memory here")
            .because(&"neither XDG_RUNTIME_DIR nor /dev/shm is a memory file system that can be written")
            .hint("log in with an API key: claudectl login"))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

fn is_in_memory(directory: &Path) -> bool {
    let probe = directory.join("probe");
    let made = create_private(&probe, b"");
    let medium = made.ok().and_then(|()| PlainFile::open(&probe).ok()).map(|file| file.medium());
    medium == Some(Medium::Memory) && std::fs::remove_file(&probe).is_ok()
}

/// Removes the directories of processes that are no more.
fn remove_leftovers(base: &Path) {
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        if owner.is_some_and(|pid: u32| claudectl_platform::process::identify(pid).is_err()) {
            // Somebody else's stays.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_in_memory_private_and_gone_afterwards() {
        let Ok(place) = Place::new(&Environment::default()) else { return };
        let path = place.path().to_owned();
        assert!(path.starts_with("/dev/shm") && path.is_dir());
        std::fs::write(path.join("file"), "x").unwrap();
        drop(place);
        assert!(!path.exists());
    }

    #[test]
    fn a_disk_is_refused_and_leftovers_of_the_dead_go() {
        let base = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let dead = base.path().join(format!("{PREFIX}{}-x", child.id()));
        let living = base.path().join(format!("{PREFIX}{}-x", std::process::id()));
        for directory in [&dead, &living] {
            std::fs::create_dir(directory).unwrap();
        }
        remove_leftovers(base.path());
        assert!(!dead.exists() && living.exists());
        assert!(!is_in_memory(Path::new("/proc")));
    }
}
