//! Takes away what a test left that was killed (a time limit, an interrupted run): its daemon and its files.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

/// What the name of every sandbox starts with.
pub(super) const PREFIX: &str = "cct-";
/// The file that says which process a sandbox belongs to.
const OWNER: &str = "owner";

/// Says that the sandbox belongs to this process.
pub(super) fn claim(sandbox: &Path) {
    fs::write(sandbox.join(OWNER), std::process::id().to_string()).expect("a file");
}

/// Removes the sandboxes of this user whose process is gone. One whose number is in use again stays
/// until a later test.
pub(super) fn remove() {
    for entry in fs::read_dir("/tmp").into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            remove_if_left(&entry.path());
        }
    }
}

fn remove_if_left(sandbox: &Path) {
    let Ok(directory) = sandbox.symlink_metadata() else { return };
    let Ok(owner) = fs::read_to_string(sandbox.join(OWNER)) else { return };
    let is_ours = directory.is_dir() && directory.uid() == rustix::process::geteuid().as_raw();
    // Somebody in another process namespace has other numbers; that test is inside this one's.
    if is_ours && !Path::new("/proc").join(&owner).exists() && std::process::id() > 64 {
        super::end_daemon(&sandbox.join("run/claudectl/claudectld.sock"));
        // Another test may be at it, too.
        let _ = fs::remove_dir_all(sandbox);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_dead_process_is_removed_and_that_of_a_living_one_stays() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let make = |owner: u32| {
            let place = tempfile::Builder::new().prefix(PREFIX).tempdir_in("/tmp").unwrap();
            fs::write(place.path().join(OWNER), owner.to_string()).unwrap();
            place
        };
        let (dead, living) = (make(child.id()), make(std::process::id()));
        remove();
        assert!(!dead.path().exists() && living.path().exists());
    }
}
