//! A directory that is watched tells of files.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::fs;

use claudectl_platform::watch::Watch;

fn paths(place: &std::path::Path, names: &[&str]) -> Vec<std::path::PathBuf> {
    names.iter().map(|name| place.join(name)).collect()
}

/// Every path that is told until this one is.
async fn until(watch: &Watch, last: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut told = Vec::new();
    while !told.iter().any(|path| path == last) {
        told.extend(watch.changed().await.unwrap());
    }
    told
}

#[tokio::test]
async fn what_is_told_is_what_changed_by_name() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let watch = Watch::new().unwrap();
    assert!(watch.add(place.path()).unwrap(), "not watched before");
    assert!(!watch.add(place.path()).unwrap(), "watched already");
    fs::write(at("a"), "x").unwrap();
    fs::create_dir(at("in")).unwrap();
    fs::hard_link(at("a"), at("b")).unwrap();
    fs::rename(at("a"), at("c")).unwrap();
    fs::remove_file(at("b")).unwrap();
    fs::write(at("last"), "").unwrap();
    let mut told = until(&watch, &at("last")).await;
    told.sort();
    told.dedup();
    assert_eq!(told, paths(place.path(), &["a", "b", "c", "in", "last"]));
}

#[tokio::test]
async fn another_directory_in_its_place_is_another_one() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("in");
    let watch = Watch::new().unwrap();
    for _ in 0..2 {
        fs::create_dir(&directory).unwrap();
        assert!(watch.add(&directory).unwrap());
        fs::write(directory.join("file"), "x").unwrap();
        assert_eq!(until(&watch, &directory.join("file")).await[0], directory.join("file"));
        fs::remove_dir_all(&directory).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_written_or_moved_in_is_told_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("in")).unwrap();
    fs::write(place.path().join("outside"), "x").unwrap();
    let watch = Watch::new().unwrap();
    watch.add(&place.path().join("in")).unwrap();
    fs::write(place.path().join("in/file"), "x").unwrap();
    watch.changed().await.unwrap();
    fs::rename(place.path().join("outside"), place.path().join("in/moved")).unwrap();
    watch.changed().await.unwrap();
    fs::read(place.path().join("in/file")).unwrap();
    let again = tokio::time::timeout(std::time::Duration::from_millis(50), watch.changed()).await;
    assert!(again.is_err(), "reading is no change");
    assert!(watch.add(&place.path().join("missing")).is_err());
    assert!(watch.add(&place.path().join("in/file")).is_err());
}
