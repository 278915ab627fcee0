//! Nothing leads out of the tree, and nothing waits.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
};

use claudectl_platform::tree::{Directory, EntryKind, LookError, identity, next_data};

fn tree() -> (tempfile::TempDir, Directory) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("a/b")).unwrap();
    fs::write(root.path().join("a/b/file"), "content").unwrap();
    let directory = Directory::open(root.path()).unwrap();
    (root, directory)
}

#[test]
fn a_file_below_is_opened() {
    let (_root, directory) = tree();
    let (file, found) = directory.file(Path::new("a/b/file")).unwrap();
    assert_eq!((found.size, found.links), (7, 1));
    assert_eq!(identity(&file).unwrap(), found);
    assert!(directory.directory(Path::new("a")).unwrap().file(Path::new("b/file")).is_ok());
    assert!(directory.file(Path::new("a/b/none")).unwrap_err().is_absent());
}

#[test]
fn links_are_not_followed_wherever_they_stand() {
    let (root, directory) = tree();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "other").unwrap();
    symlink(outside.path(), root.path().join("out")).unwrap();
    symlink("b", root.path().join("a/inside")).unwrap();
    symlink("file", root.path().join("a/b/link")).unwrap();
    for path in ["out/file", "a/inside/file", "a/b/link", "../x", "/etc/passwd", "a/../../x"] {
        assert!(matches!(directory.file(Path::new(path)), Err(LookError::Link)), "{path}");
    }
    assert!(matches!(directory.directory(Path::new("out")), Err(LookError::Link)));
    assert!(matches!(directory.directory(Path::new("a/inside")), Err(LookError::Link)));
}

#[test]
fn what_is_no_plain_file_is_not_waited_for() {
    let (root, directory) = tree();
    let made = std::process::Command::new("mkfifo").arg(root.path().join("fifo")).status().unwrap();
    assert!(made.success());
    let _listener = UnixListener::bind(root.path().join("socket")).unwrap();
    for path in ["fifo", "socket", "a", "a/b"] {
        assert!(matches!(directory.file(Path::new(path)), Err(LookError::NotAFile)), "{path}");
    }
}

#[test]
fn entries_say_what_they_are() {
    let (root, directory) = tree();
    symlink("a", root.path().join("link")).unwrap();
    fs::write(root.path().join("file"), "").unwrap();
    let _listener = UnixListener::bind(root.path().join("socket")).unwrap();
    let mut entries = directory.entries().unwrap();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let kinds: Vec<_> = entries.iter().map(|entry| (entry.name.to_str().unwrap(), entry.kind)).collect();
    let expected = [
        ("a", EntryKind::Directory),
        ("file", EntryKind::File),
        ("link", EntryKind::Link),
        ("socket", EntryKind::Other),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_hole_is_skipped() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("sparse");
    let mut file = File::create(&path).unwrap();
    let size = 10 << 30;
    file.seek(SeekFrom::Start(size - 1)).unwrap();
    file.write_all(b"x").unwrap();
    drop(file);
    let (file, found) = Directory::open(root.path()).unwrap().file(Path::new("sparse")).unwrap();
    assert_eq!(found.size, size);
    let data = next_data(&file, 0, size).unwrap().unwrap();
    assert!(data.contains(&(size - 1)) && data.start > size - (1 << 24), "{data:?}");
    assert_eq!(next_data(&file, size, size).unwrap(), None);
}
