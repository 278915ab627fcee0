//! The order in which places are looked at, and what is collected.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use claudectl_platform::tree::{FileIdentity, LookError};

use super::{
    Gap, Lookout, Meter, Scope,
    expand::{LEADS_OUT, Root, Target, resolve},
    file::{Desk, Read, ReadError, shown},
    named::Named,
    needle::{MOST, Needles},
    recorder::finding,
    roots::Roots,
    stream::Buffer,
    structured::Told,
    walk::{Candidate, Walk},
};
use crate::{
    catalog::{At, Place, Reader, places},
    finding::{Finding, FingerprintKey, Kind, Location, Stored},
};

/// Threads that search running text.
const THREADS: usize = 2;

/// What was found, not weighed yet.
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
    pub(super) gaps: Vec<Gap>,
    pub(super) directories: Vec<PathBuf>,
    pub(super) lookout: Lookout,
    pub(super) needles: Needles,
}

/// A scan under way.
pub(super) struct Look<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) desk: Desk<'a>,
    pub(super) roots: Roots,
    /// What variables named so far.
    pub(super) named: Vec<Named>,
    pub(super) needles: Needles,
    walk: Walk,
    buffer: Buffer,
    pub(super) findings: Vec<Finding>,
    pub(super) gaps: Vec<Gap>,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        scope: &'a Scope<'a>,
        meter: &'a Meter,
        key: &'a FingerprintKey,
        needles: Needles,
    ) -> io::Result<Self> {
        Ok(Self {
            scope,
            desk: Desk { key, meter, home: scope.home },
            roots: Roots::of(scope)?,
            named: Vec::new(),
            needles,
            walk: Walk::default(),
            buffer: Buffer::new(),
            findings: Vec::new(),
            gaps: Vec::new(),
        })
    }

    pub(super) fn finish(self) -> Found {
        let lookout = if self.scope.cheap_only { self.roots.lookout() } else { Lookout::default() };
        let Walk { gaps: mut of_walk, .. } = self.walk;
        of_walk.extend(self.gaps);
        of_walk.extend(self.roots.gaps);
        if self.needles.is_overfull() {
            let why = format!("only {MOST} credentials without a form of their own are searched for");
            of_walk.push(Gap { what: "running text".to_owned(), why });
        }
        let directories = self.roots.directories.iter().map(|root| root.path.clone()).collect();
        Found { findings: self.findings, gaps: of_walk, directories, lookout, needles: self.needles }
    }

    pub(super) fn add_directory(&mut self, path: &Path) {
        self.roots.add_directory(path);
    }

    pub(super) fn gap(&mut self, what: &Path, why: &impl ToString) {
        self.gaps.push(Gap { what: shown(what), why: why.to_string() });
    }

    fn places(&self, structured: bool) -> Vec<&'static Place> {
        let cheap_only = self.scope.cheap_only;
        places()
            .filter(|place| (place.reader != Reader::Text) == structured && (place.cheap || !cheap_only))
            .collect()
    }

    /// Files that are read as what they are. Profiles come first: they name configuration directories.
    pub(super) fn at_structured_files(&mut self) {
        for place in self.places(true) {
            for (root, target) in self.roots.targets(place) {
                match target {
                    Target::File(below) => self.file(place, &root, &below),
                    Target::Below(below) => self.below(place, &root, &below),
                }
            }
        }
    }

    /// Files that are searched: those of a known name at once, then everything below directories.
    pub(super) fn at_running_text(&mut self) {
        for place in self.places(false) {
            for (root, target) in self.roots.targets(place) {
                match target {
                    Target::File(below) => self.file(place, &root, &below),
                    Target::Below(below) => self.walk.add(place, &root, &below),
                }
            }
        }
        if self.scope.cheap_only {
            // No cheap place is searched below.
            return;
        }
        self.walk.start();
        let walk = Mutex::new(std::mem::take(&mut self.walk));
        let (desk, needles) = (&self.desk, &self.needles);
        let found: Vec<Searched> = std::thread::scope(|scope| {
            let search = || Searched::of(&walk, desk, needles);
            let others: Vec<_> = (1..THREADS).map(|_| scope.spawn(search)).collect();
            let mut found = vec![search()];
            found.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|_| Searched::failed())));
            found
        });
        self.walk = walk.into_inner().unwrap_or_else(PoisonError::into_inner);
        for Searched { findings, gaps } in found {
            self.findings.extend(findings);
            self.gaps.extend(gaps);
        }
    }

    fn below(&mut self, place: &'static Place, root: &Root, below: &Path) {
        self.walk.add(place, root, below);
        self.walk.start();
        loop {
            let batch = self.walk.next();
            if batch.is_empty() {
                return;
            }
            for candidate in batch {
                match candidate.parent.file(Path::new(&candidate.name)) {
                    Ok((file, found)) => self.read(place, &candidate.path, file, found),
                    Err(error) => self.refused(&candidate.path, &error),
                }
            }
        }
    }

    pub(super) fn file(&mut self, place: &'static Place, root: &Arc<Root>, below: &Path) {
        match root.directory.file(below) {
            Ok((file, found)) => self.read(place, &root.path.join(below), file, found),
            Err(LookError::Link) => self.follow(place, root, below),
            Err(error) => self.refused(&root.path.join(below), &error),
        }
    }

    /// A link is followed if it leads to a file of the same tree or of the home, by that file's own path.
    fn follow(&mut self, place: &'static Place, root: &Arc<Root>, below: &Path) {
        let link = root.path.join(below);
        let home = Arc::clone(&self.roots.home);
        match resolve(&link, &[root, &home]) {
            Ok(Some((root, target))) => match root.directory.file(&target) {
                Ok((file, found)) => {
                    let path = root.path.join(target);
                    self.read(place, &path, file, found);
                }
                Err(error) => self.refused(&link, &error),
            },
            Ok(None) => self.gap(&link, &LEADS_OUT),
            // It leads nowhere.
            Err(_) => {}
        }
    }

    fn refused(&mut self, path: &Path, error: &LookError) {
        if !error.is_absent() && !matches!(error, LookError::NotAFile) {
            self.gap(path, error);
        }
    }

    fn read(&mut self, place: &'static Place, path: &Path, mut file: File, found: FileIdentity) {
        if !self.walk.done.insert(path.to_owned()) {
            return;
        }
        let read = if place.reader == Reader::Text {
            self.desk.running_text(&mut file, found, &self.needles, &mut self.buffer)
        } else {
            let needles = &mut self.needles;
            let mut needle = |value: &[u8], kind: Kind| needles.add(value, kind);
            self.desk.structured(&mut file, found, place.reader, &mut needle, &mut self.buffer)
        };
        let told = record(place, path, read, &mut self.findings, &mut self.gaps);
        let by_project = matches!(place.at, At::Project(_));
        for directory in told.directories {
            if by_project {
                self.at_directory_of_project(&directory);
            } else {
                self.add_directory(&directory);
            }
        }
        self.named.extend(told.named.into_iter().map(|named| Named { by_project, ..named }));
    }
}

/// Turns what a file told into findings; the rest of what it told.
fn record(
    place: &'static Place,
    path: &Path,
    read: Result<Read, ReadError>,
    findings: &mut Vec<Finding>,
    gaps: &mut Vec<Gap>,
) -> Told {
    let mut read = match read {
        Ok(read) => read,
        Err(error) => {
            gaps.push(Gap { what: shown(path), why: error.to_string() });
            return Told::default();
        }
    };
    gaps.extend(read.doubt.map(|doubt| Gap { what: shown(path), why: doubt.to_string() }));
    let changed_at = i64::try_from(read.identity.modified / 1_000_000_000).ok();
    for seen in std::mem::take(&mut read.told.seen) {
        let (occurrences, structure) = (seen.occurrences.clone(), seen.structure.clone());
        let stored = Stored { path: path.to_owned(), file: read.identity, occurrences, structure };
        findings.push(finding(place, Location::Stored(stored), &seen, changed_at));
    }
    read.told
}

/// What one thread found.
#[derive(Default)]
struct Searched {
    findings: Vec<Finding>,
    gaps: Vec<Gap>,
}

impl Searched {
    fn of(walk: &Mutex<Walk>, desk: &Desk<'_>, needles: &Needles) -> Self {
        let mut searched = Self::default();
        let mut buffer = Buffer::new();
        loop {
            let batch = walk.lock().unwrap_or_else(PoisonError::into_inner).next();
            if batch.is_empty() {
                return searched;
            }
            for candidate in batch {
                searched.file(&candidate, desk, needles, &mut buffer);
            }
        }
    }

    fn file(&mut self, candidate: &Candidate, desk: &Desk<'_>, needles: &Needles, buffer: &mut Buffer) {
        let read = match candidate.parent.file(Path::new(&candidate.name)) {
            Ok((mut file, found)) => desk.running_text(&mut file, found, needles, buffer),
            Err(error) if error.is_absent() => return,
            Err(error) => {
                return self.gaps.push(Gap { what: shown(&candidate.path), why: error.to_string() });
            }
        };
        record(candidate.place, &candidate.path, read, &mut self.findings, &mut self.gaps);
    }

    /// A thread that died found nothing that can be relied on.
    fn failed() -> Self {
        let gap = Gap { what: "running text".to_owned(), why: "the search ended in the middle".to_owned() };
        Self { findings: Vec::new(), gaps: vec![gap] }
    }
}
