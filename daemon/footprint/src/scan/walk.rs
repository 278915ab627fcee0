//! Everything below some directories, for several threads at once.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use claudectl_platform::tree::{Directory, EntryKind, LookError};

use super::{Gap, expand::Root, file::shown, format};
use crate::catalog::Place;

/// Deeper trees are nobody's.
const DEPTH: usize = 48;
/// Nothing here renames what is somebody's: programs find it by that name.
const NAMED: &str = "a credential is part of its name; rename or remove it";
/// How many files a thread takes at once.
const BATCH: usize = 64;

/// A file to be looked at.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) place: &'static Place,
    pub(super) parent: Arc<Directory>,
    /// Absolute.
    pub(super) path: PathBuf,
    pub(super) name: OsString,
}

/// A directory that waits to be read.
#[derive(Debug)]
struct Waiting {
    place: &'static Place,
    parent: Arc<Directory>,
    name: PathBuf,
    path: PathBuf,
    depth: usize,
}

/// What is still to be walked.
#[derive(Debug, Default)]
pub(super) struct Walk {
    directories: Vec<Waiting>,
    files: Vec<Candidate>,
    /// Files and directories that belong to an earlier row, or were walked.
    pub(super) done: BTreeSet<PathBuf>,
    pub(super) gaps: Vec<Gap>,
}

impl Walk {
    /// Adds everything below a directory of the root. What was added before keeps its own place.
    pub(super) fn add(&mut self, place: &'static Place, root: &Root, below: &Path) {
        let path = if below.as_os_str().is_empty() { root.path.clone() } else { root.path.join(below) };
        let Ok(parent) = root.directory.directory(Path::new(".")) else { return };
        let name = if below.as_os_str().is_empty() { PathBuf::from(".") } else { below.to_owned() };
        self.directories.push(Waiting { place, parent: Arc::new(parent), name, path, depth: 0 });
    }

    /// Puts the directories in order: what was added first is walked first, and taken from the others.
    pub(super) fn start(&mut self) {
        self.directories.reverse();
    }

    /// The next files; none if all is walked.
    pub(super) fn next(&mut self) -> Vec<Candidate> {
        while self.files.len() < BATCH {
            let Some(waiting) = self.directories.pop() else { break };
            self.read(&waiting);
        }
        let rest = self.files.len().saturating_sub(BATCH);
        self.files.split_off(rest)
    }

    fn read(&mut self, waiting: &Waiting) {
        if !self.done.insert(waiting.path.clone()) {
            return;
        }
        let opened = waiting.parent.directory(&waiting.name);
        let entries = opened.and_then(|directory| Ok((directory.entries()?, directory)));
        let (entries, directory) = match entries {
            Ok(found) => found,
            // A link leads to what has a place of its own, or is none of ours.
            Err(LookError::Link) => return,
            Err(error) if error.is_absent() => return,
            Err(error) => return self.gaps.push(Gap { what: shown(&waiting.path), why: error.to_string() }),
        };
        let parent = Arc::new(directory);
        for entry in entries {
            let path = waiting.path.join(&entry.name);
            if format::tokens_in_remains(entry.name.as_encoded_bytes()).next().is_some() {
                self.gaps.push(Gap { what: shown(&path), why: NAMED.to_owned() });
            }
            match entry.kind {
                EntryKind::File if !self.done.contains(&path) => {
                    let candidate = Candidate {
                        place: waiting.place,
                        parent: Arc::clone(&parent),
                        path,
                        name: entry.name,
                    };
                    self.files.push(candidate);
                }
                EntryKind::Directory if waiting.depth < DEPTH => {
                    let (name, depth) = (PathBuf::from(entry.name), waiting.depth + 1);
                    let parent = Arc::clone(&parent);
                    self.directories.push(Waiting { place: waiting.place, parent, name, path, depth });
                }
                EntryKind::Directory => {
                    self.gaps.push(Gap { what: shown(&path), why: "nested too deeply".to_owned() });
                }
                _ => {}
            }
        }
    }
}
