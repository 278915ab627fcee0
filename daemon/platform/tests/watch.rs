//! A directory that is watched tells of files.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::fs;

use claudectl_platform::watch::Watch;

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
