//! Threat T16: what may be in the place of a directory or a lock.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use claudectl_platform::{
    directories::{DirectoryError, SOCKET_PATH_LIMIT, config, runtime, state},
    permissions::{LockError, LockFile, is_restricted_socket, private_directory, restrict_socket},
};

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o777
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
}

#[test]
fn the_runtime_directory_is_made_private_and_found_again() {
    let place = tempfile::tempdir().unwrap();
    let made = runtime(Some(place.path().as_os_str())).unwrap();
    assert_eq!(made, place.path().join("claudectl"));
    assert_eq!(mode(&made), 0o700);
    assert_eq!(runtime(Some(place.path().as_os_str())).unwrap(), made);
}

#[test]
fn a_named_runtime_directory_must_be_ours_and_real() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let refusal = |path: &Path| runtime(Some(path.as_os_str())).unwrap_err();
    assert!(matches!(refusal(Path::new("relative")), DirectoryError::Relative(_)));
    let missing = refusal(&place.join("missing"));
    assert!(matches!(missing, DirectoryError::System { .. }));
    assert!(missing.to_string().contains("missing"), "{missing}");
    symlink(place, place.join("link")).unwrap();
    assert!(matches!(refusal(&place.join("link")), DirectoryError::SymbolicLink(_)));
    fs::write(place.join("file"), "").unwrap();
    assert!(matches!(refusal(&place.join("file")), DirectoryError::NotADirectory(_)));
    fs::create_dir(place.join("open")).unwrap();
    fs::set_permissions(place.join("open"), Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(refusal(&place.join("open")), DirectoryError::OpenToOthers { mode: 0o777, .. }));
    assert!(!place.join("open/claudectl").exists(), "nothing is made in a refused directory");
}

#[test]
fn what_is_in_the_place_of_a_private_directory_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let target = place.path().join("target");
    private_directory(&target).unwrap();
    let path = place.path().join("claudectl");

    symlink(&target, &path).unwrap();
    assert!(matches!(private_directory(&path), Err(DirectoryError::SymbolicLink(_))));
    fs::remove_file(&path).unwrap();

    fifo(&path);
    assert!(matches!(private_directory(&path), Err(DirectoryError::NotADirectory(_))));
    fs::remove_file(&path).unwrap();

    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o710)).unwrap();
    assert!(matches!(private_directory(&path), Err(DirectoryError::OpenToOthers { mode: 0o710, .. })));
    assert_eq!(mode(&path), 0o710, "left as it was");
    for error in [private_directory(&path).unwrap_err(), DirectoryError::NoHome("x")] {
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn a_directory_of_another_user_is_refused() {
    if claudectl_platform::peer::own_uid() != 0 {
        eprintln!("skipped: only root can give a directory away");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("claudectl");
    private_directory(&path).unwrap();
    std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
    assert!(matches!(private_directory(&path), Err(DirectoryError::ForeignOwner { owner: 65534, .. })));
    assert!(matches!(
        runtime(Some(path.as_os_str())),
        Err(DirectoryError::ForeignOwner { owner: 65534, .. })
    ));
}

/// One test, because the umask belongs to the whole process.
#[test]
fn no_umask_opens_or_breaks_anything() {
    let place = tempfile::tempdir().unwrap();
    for mask in [0o000, 0o277] {
        let path = place.path().join(format!("{mask:o}"));
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
        let made = private_directory(&path);
        let lock = LockFile::acquire(&path.join("lock"), "me");
        rustix::process::umask(before);
        made.unwrap();
        lock.as_ref().unwrap();
        assert_eq!(mode(&path), 0o700, "umask {mask:03o}");
        assert_eq!(mode(&path.join("lock")), 0o600, "umask {mask:03o}");
    }
}

#[test]
fn the_limit_of_a_socket_path_is_the_kernels() {
    let place = tempfile::tempdir().unwrap();
    let used = place.path().as_os_str().len() + 1;
    let path = |length: usize| place.path().join("x".repeat(length - used));
    UnixListener::bind(path(SOCKET_PATH_LIMIT)).unwrap();
    assert!(UnixListener::bind(path(SOCKET_PATH_LIMIT + 1)).is_err());
}

#[test]
fn a_socket_is_closed_to_others_and_nothing_else_is_touched() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
    assert!(!is_restricted_socket(&path).unwrap());
    restrict_socket(&path).unwrap();
    assert!(is_restricted_socket(&path).unwrap());
    assert_eq!(mode(&path), 0o600);

    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    symlink(&file, place.path().join("link")).unwrap();
    assert!(restrict_socket(&place.path().join("link")).is_err());
    assert!(restrict_socket(&file).is_err());
    assert_eq!(mode(&file), 0o644);
}

#[test]
fn the_configuration_is_found_and_not_made() {
    let place = |path: &'static str| Some(OsStr::new(path));
    assert_eq!(config(place("/c"), place("/h")).unwrap(), PathBuf::from("/c/claudectl"));
    assert_eq!(config(None, place("/h")).unwrap(), PathBuf::from("/h/.config/claudectl"));
    assert_eq!(config(place(""), place("/h")).unwrap(), PathBuf::from("/h/.config/claudectl"));
    assert!(matches!(config(None, None), Err(DirectoryError::NoHome(_))));
    assert!(matches!(config(place("c"), place("/h")), Err(DirectoryError::Relative(_))));
    assert_eq!(state(place("/s"), place("/h")).unwrap(), PathBuf::from("/s/claudectl"));
    assert_eq!(state(None, place("/h")).unwrap(), PathBuf::from("/h/.local/state/claudectl"));
    assert!(matches!(state(None, None), Err(DirectoryError::NoHome(_))));
}

#[test]
fn one_holds_the_lock_and_says_so() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lock");
    let lock = LockFile::acquire(&path, "41").unwrap();
    let refused = LockFile::acquire(&path, "42");
    assert!(matches!(refused, Err(LockError::Held { content }) if content == "41"));
    drop(lock);
    assert!(!path.exists(), "nothing is left");
    let _lock = LockFile::acquire(&path, "42").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "42");
}

#[test]
fn a_dead_holders_lock_is_free() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lock");
    fs::write(&path, "a much longer content of a holder that was killed").unwrap();
    let _lock = LockFile::acquire(&path, "42").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "42");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn what_is_in_the_place_of_a_lock_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lock");
    let target = place.path().join("target");
    fs::write(&target, "precious").unwrap();

    symlink(&target, &path).unwrap();
    assert!(matches!(LockFile::acquire(&path, "42"), Err(LockError::Refused(_))));
    fs::remove_file(&path).unwrap();

    fs::hard_link(&target, &path).unwrap();
    assert!(matches!(LockFile::acquire(&path, "42"), Err(LockError::Refused(_))));
    fs::remove_file(&path).unwrap();

    fifo(&path);
    assert!(matches!(LockFile::acquire(&path, "42"), Err(LockError::Refused(_))));
    fs::remove_file(&path).unwrap();

    fs::create_dir(&path).unwrap();
    assert!(matches!(LockFile::acquire(&path, "42"), Err(LockError::Refused(_))));
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[test]
fn many_take_turns_and_never_two_at_once() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lock");
    let holders = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let lock = LockFile::acquire_within(&path, "x", Duration::from_secs(30)).unwrap();
                assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                assert_eq!(holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst), 1);
                drop(lock);
            });
        }
    });
    assert!(!path.exists());
}

#[test]
fn patience_ends() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lock");
    let _lock = LockFile::acquire(&path, "41").unwrap();
    let refused = LockFile::acquire_within(&path, "42", Duration::from_millis(20));
    assert!(matches!(refused, Err(LockError::Held { .. })));
}
