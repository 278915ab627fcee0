//! Grants of other services in the genuine client's credential file: its log-out deletes the file whole,
//! so what is to stay waits beside it in the meantime.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use claudectl_platform::erasure::{PlainFile, Refusal, create_private};

use super::file::LIMIT;
use crate::{
    edit::{self, json},
    plan::{FileStep, Removal},
};

/// How the name of the file ends that waits.
const SUFFIX: &str = ".claudectl-kept";

/// Writes what stays of a credential file beside it. Nothing if nothing would.
///
/// # Errors
/// If the file cannot be read or is not JSON, or the other cannot be written.
pub fn set_aside(step: &FileStep) -> io::Result<()> {
    let waiting = beside(&step.path);
    // One that waits already is from a run that was killed: it is the better one.
    if waiting.symlink_metadata().is_ok() {
        return Ok(());
    }
    let file = match PlainFile::open(&step.path) {
        Err(Refusal::Missing) => return Ok(()),
        other => other.map_err(io::Error::other)?,
    };
    let text = file.read(LIMIT)?;
    let pointers: Vec<&str> = step
        .removals
        .iter()
        .filter_map(|(_, removal)| match removal {
            Removal::Member(pointer) => Some(pointer.as_str()),
            Removal::Assignment | Removal::Overwrite => None,
        })
        .collect();
    let edit: edit::Edit = json::remove(&text, &pointers).map_err(io::Error::other)?;
    match edit.apply(&text) {
        Some(rest) if !json::is_empty(&rest) => create_private(&waiting, &rest),
        _ => Ok(()),
    }
}

/// Puts what waits beside a credential file in its place, if the file is gone; else removes it, because
/// the file itself still has it. Whether anything waited.
///
/// # Errors
/// If that cannot be done.
pub fn put_back(path: &Path) -> io::Result<bool> {
    let waiting = beside(path);
    if waiting.symlink_metadata().is_err() {
        return Ok(false);
    }
    if path.symlink_metadata().is_ok() {
        fs::remove_file(&waiting)?;
    } else {
        fs::rename(&waiting, path)?;
    }
    Ok(true)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(SUFFIX);
    PathBuf::from(name)
}
