//! Files are replaced and removed for certain, and nothing else is touched.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use claudectl_platform::erasure::{Medium, PlainFile, Refusal, SUFFIX};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn nothing() -> impl FnMut(&'static str) {
    |_| {}
}

fn replace(path: &Path, content: &str) -> Result<(), Refusal> {
    let file = PlainFile::open(path)?;
    file.replace(content.as_bytes(), &file.identity()?, &mut nothing())
}

fn remove(path: &Path) -> Result<(), Refusal> {
    let file = PlainFile::open(path)?;
    file.remove(&file.identity()?, &mut nothing())
}

#[test]
fn a_replaced_file_keeps_its_mode_and_attributes() {
    let place = Place::new();
    for mode in [0o600, 0o644, 0o400, 0o755] {
        let path = place.file("profile", "old", mode);
        let has_attribute =
            rustix::fs::setxattr(&path, "user.note", b"mine", rustix::fs::XattrFlags::empty());
        replace(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, mode);
        if has_attribute.is_ok() {
            let mut value = [0; 8];
            assert_eq!(rustix::fs::getxattr(&path, "user.note", &mut value), Ok(4));
        }
        assert_eq!(place.names(), ["profile"]);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_replaced_file_keeps_its_owner_and_its_group() {
    let place = Place::new();
    let path = place.file("profile", "old", 0o640);
    // Only root can give it to any group; without root it has at least its own.
    let other = rustix::process::geteuid().is_root().then_some(65_534);
    std::os::unix::fs::chown(&path, None, other).unwrap();
    let before = path.metadata().unwrap();
    replace(&path, "new").unwrap();
    let after = path.metadata().unwrap();
    assert_ne!(after.ino(), before.ino(), "it is another file");
    assert_eq!((after.uid(), after.gid(), after.mode()), (before.uid(), before.gid(), before.mode()));
    assert_eq!(after.gid(), other.unwrap_or(before.gid()));
}

#[test]
fn overwriting_changes_exactly_these_bytes_under_every_name() {
    let place = Place::new();
    let path = place.file("one", "before SECRET after", 0o400);
    fs::hard_link(&path, place.path("other")).unwrap();
    PlainFile::open(&path).unwrap().overwrite(&[(7, b"xxxxxx".to_vec())], &mut nothing()).unwrap();
    assert_eq!(fs::read_to_string(place.path("other")).unwrap(), "before xxxxxx after");
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o400);
}

#[test]
fn a_removed_file_held_zeros_when_it_went() {
    let place = Place::new();
    let path = place.file("one", "SECRET", 0o600);
    let mut reader = fs::File::open(&path).unwrap();
    remove(&path).unwrap();
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut left).unwrap();
    assert_eq!(left, [0; 6]);
    assert!(place.names().is_empty());
}

#[test]
fn another_name_of_a_removed_file_keeps_its_content() {
    let place = Place::new();
    let path = place.file("one", "shared", 0o600);
    fs::hard_link(&path, place.path("other")).unwrap();
    remove(&path).unwrap();
    assert_eq!(fs::read_to_string(place.path("other")).unwrap(), "shared");
}

#[test]
fn links_pipes_directories_and_nothing_are_refused_at_once() {
    let place = Place::new();
    let file = place.file("file", "x", 0o600);
    symlink(&file, place.path("link")).unwrap();
    symlink(place.path("missing"), place.path("dangling")).unwrap();
    fs::create_dir(place.path("directory")).unwrap();
    let pipe = place.path("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let refused = |name: &str| PlainFile::open(&place.path(name)).unwrap_err();
    assert!(matches!(refused("link"), Refusal::Link));
    assert!(matches!(refused("dangling"), Refusal::Link));
    assert!(matches!(refused("directory"), Refusal::NotPlain));
    assert!(matches!(refused("pipe"), Refusal::NotPlain));
    assert!(matches!(refused("missing"), Refusal::Missing));
}

#[test]
fn a_file_that_another_has_taken_the_place_of_is_left_alone() {
    let place = Place::new();
    let path = place.file("file", "old", 0o600);
    let opened = PlainFile::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    place.file("file", "of somebody else", 0o600);
    let known = opened.identity().unwrap();
    assert!(matches!(opened.replace(b"new", &known, &mut nothing()), Err(Refusal::Replaced)));
    assert_eq!(place.names(), ["file"]);
    assert!(matches!(opened.remove(&known, &mut nothing()), Err(Refusal::Replaced)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "of somebody else");
}

#[test]
fn a_file_that_somebody_writes_to_is_left_as_they_wrote_it() {
    let place = Place::new();
    let path = place.file("file", "old", 0o600);
    let opened = PlainFile::open(&path).unwrap();
    let known = opened.identity().unwrap();
    fs::write(&path, "written meanwhile").unwrap();
    assert!(matches!(opened.replace(b"new", &known, &mut nothing()), Err(Refusal::Written)));
    assert!(matches!(opened.remove(&known, &mut nothing()), Err(Refusal::Written)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "written meanwhile");
    assert_eq!(place.names(), ["file"]);
}

/// Root may write whatever the mode says: the thread becomes nobody first, where it can.
#[cfg(target_os = "linux")]
#[test]
fn looking_at_a_read_only_file_leaves_its_mode_alone_and_so_does_writing() {
    let nobody = || {
        let user = rustix::process::Uid::from_raw(65534);
        // Who is not root may not, and need not.
        let _ = rustix::thread::set_thread_res_uid(user, user, user);
        let place = Place::new();
        let path = place.file("profile", "KEY=SECRET", 0o444);
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o7777;
        let file = PlainFile::open(&path).unwrap();
        assert_eq!(file.read(100).unwrap().as_slice(), b"KEY=SECRET");
        assert_eq!(mode(&path), 0o444, "while it is looked at");
        let mut modes = Vec::new();
        let known = file.overwrite(&[(4, b"xxxxxx".to_vec())], &mut |_| modes.push(mode(&path))).unwrap();
        assert!(modes.iter().all(|mode| *mode == 0o444), "{modes:?}");
        file.replace(b"KEY=", &known, &mut nothing()).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("KEY=", 0o444));
        remove(&path).unwrap();
        assert!(place.names().is_empty());
    };
    std::thread::spawn(nobody).join().unwrap();
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next_but_no_trap_is_followed() {
    let place = Place::new();
    let path = place.file("file", "old", 0o600);
    let stale = format!(".file{SUFFIX}");
    place.file(&stale, "half", 0o600);
    replace(&path, "new").unwrap();
    assert_eq!(place.names(), ["file"]);

    let victim = place.file("victim", "precious", 0o600);
    symlink(&victim, place.path(&stale)).unwrap();
    assert!(matches!(replace(&path, "newer"), Err(Refusal::NotPlain)));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn memory_is_told_from_other_media() {
    let shared = Path::new("/dev/shm");
    if let Ok(place) = tempfile::tempdir_in(shared) {
        let path = place.path().join("file");
        fs::write(&path, "x").unwrap();
        if fs::read_to_string("/proc/mounts").is_ok_and(|mounts| mounts.contains(" /dev/shm tmpfs")) {
            assert_eq!(PlainFile::open(&path).unwrap().medium(), Medium::Memory);
        }
    }
}
