//! Owners and permission bits. What is checked cannot change hands afterwards: each directory is
//! this user's, and lies in one where others cannot replace it (or which is sticky, as `/tmp`).

use std::{
    fs::{DirBuilder, Metadata, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::DirectoryError;
use crate::peer::own_uid;

/// The longest path of a socket in bytes: `sun_path` without its final zero byte.
#[cfg(target_os = "linux")]
pub const SOCKET_PATH_LIMIT: usize = 107;
/// The longest path of a socket in bytes: `sun_path` without its final zero byte.
#[cfg(not(target_os = "linux"))]
pub const SOCKET_PATH_LIMIT: usize = 103;

const ALL_OF_GROUP_AND_OTHERS: u32 = 0o077;
const WRITE_OF_GROUP_AND_OTHERS: u32 = 0o022;

pub(super) fn runtime(named: Option<&Path>) -> Result<PathBuf, DirectoryError> {
    let directory = match named {
        Some(base) => {
            own_directory(base, WRITE_OF_GROUP_AND_OTHERS)?;
            base.join("claudectl")
        }
        None => unnamed(),
    };
    private(&directory)?;
    Ok(directory)
}

#[cfg(not(target_os = "macos"))]
fn unnamed() -> PathBuf {
    unnamed_of(own_uid(), Path::new("/run/user"), Path::new("/tmp"))
}

/// Whatever the environment says, so that `setup` can name the same one to launchd (`getconf DARWIN_USER_CACHE_DIR`).
#[cfg(target_os = "macos")]
fn unnamed() -> PathBuf {
    match super::darwin::caches() {
        Some(base) if own_directory(&base, WRITE_OF_GROUP_AND_OTHERS).is_ok() => base.join("claudectl"),
        _ => PathBuf::from(format!("/tmp/claudectl-{}", own_uid())),
    }
}

#[cfg(any(test, not(target_os = "macos")))]
fn unnamed_of(uid: u32, sessions: &Path, temporary: &Path) -> PathBuf {
    let session = sessions.join(uid.to_string());
    match own_directory(&session, WRITE_OF_GROUP_AND_OTHERS) {
        Ok(()) => session.join("claudectl"),
        Err(_) => temporary.join(format!("claudectl-{uid}")),
    }
}

/// Makes the directory if it is not there, and insists that it is this user's alone.
pub(crate) fn private(path: &Path) -> Result<(), DirectoryError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            // Whatever the umask was; it is a directory of our own that was not there before.
            std::fs::set_permissions(path, Permissions::from_mode(0o700))
                .map_err(|error| DirectoryError::system(path, error))?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(DirectoryError::system(path, error)),
    }
    own_directory(path, ALL_OF_GROUP_AND_OTHERS)
}

fn own_directory(path: &Path, forbidden: u32) -> Result<(), DirectoryError> {
    if !path.is_absolute() {
        return Err(DirectoryError::Relative(path.to_owned()));
    }
    let found = path.symlink_metadata().map_err(|error| DirectoryError::system(path, error))?;
    judge(path, &found, own_uid(), forbidden)
}

fn judge(path: &Path, found: &Metadata, uid: u32, forbidden: u32) -> Result<(), DirectoryError> {
    let path = path.to_owned();
    let mode = found.mode() & 0o777;
    if found.is_symlink() {
        Err(DirectoryError::SymbolicLink(path))
    } else if !found.is_dir() {
        Err(DirectoryError::NotADirectory(path))
    } else if found.uid() != uid {
        Err(DirectoryError::ForeignOwner { path, owner: found.uid() })
    } else if mode & forbidden != 0 {
        Err(DirectoryError::OpenToOthers { path, mode })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_the_login_session_comes_before_the_temporary_directory() {
        let place = tempfile::tempdir().unwrap();
        let uid = own_uid();
        let temporary = Path::new("/tmp");
        assert_eq!(
            unnamed_of(uid, place.path(), temporary),
            PathBuf::from(format!("/tmp/claudectl-{uid}")),
            "no login session"
        );
        let session = place.path().join(uid.to_string());
        DirBuilder::new().mode(0o700).create(&session).unwrap();
        assert_eq!(unnamed_of(uid, place.path(), temporary), session.join("claudectl"));
        std::fs::set_permissions(&session, Permissions::from_mode(0o777)).unwrap();
        assert_eq!(
            unnamed_of(uid, place.path(), temporary),
            PathBuf::from(format!("/tmp/claudectl-{uid}")),
            "others can write to it"
        );
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let found = place.path().symlink_metadata().unwrap();
        let error = judge(place.path(), &found, own_uid() + 1, 0o077).unwrap_err();
        assert!(matches!(error, DirectoryError::ForeignOwner { owner, .. } if owner == own_uid()), "{error}");
    }
}
