//! Which files a purge has begun, so that the next one finishes what a killed one left: no credential is
//! there then, but its place may be, filled with `x`.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use claudectl_platform::erasure::{self, PlainFile, Refusal, create_private};
use serde_json::{Value, json};

use super::{
    aside::put_back,
    file::{edit_of, goes_whole, run_file},
};
use crate::{
    Finding, Kind, Location, Place, Remedy,
    catalog::{At, Group, Platforms, Reader},
    edit::{Edit, is_filler},
    finding::{Effect, FileIdentity, FingerprintKey, Occurrence, Severity, Stored, Structure, Tail},
    plan::{FileStep, Removal},
};

/// What a killed purge left, as a place.
const fn remains(remedy: Remedy) -> Place {
    Place {
        id: "claudectl.interrupted",
        title: "what an interrupted purge left",
        group: Group::ClaudeCode,
        at: At::Home(&[]),
        reader: Reader::Text,
        platforms: Platforms::ALL,
        power: "nothing",
        remedy,
        cheap: true,
        seen: true,
    }
}

static LOGIN: Place = remains(Remedy::ClientLogout);
static OTHER: Place = remains(Remedy::EditJson);

/// Names of files and places in them; nothing of a credential.
#[derive(Debug)]
pub struct Journal(PathBuf);

impl Journal {
    /// The one in this directory, which is this user's alone.
    pub fn within(state: &Path) -> Self {
        Self(state.join("purge.journal"))
    }

    /// Notes what is about to be done. A path that is not UTF-8 is not noted: no file of a program that
    /// is known here has one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(&self, steps: &[FileStep]) -> io::Result<()> {
        let lines: Vec<_> = steps.iter().filter_map(line).collect();
        self.end()?;
        create_private(&self.0, lines.join("\n").as_bytes())
    }

    /// Forgets it: all of it is done.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn end(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Finishes what the noted run had begun.
    ///
    /// # Errors
    /// If the journal cannot be read, or what was left beside a file cannot be removed.
    pub fn finish(&self, key: &FingerprintKey) -> io::Result<()> {
        let noted = match PlainFile::open(&self.0) {
            Ok(file) => file.read(super::file::LIMIT)?,
            Err(Refusal::Missing) => return Ok(()),
            Err(refusal) => return Err(io::Error::other(refusal)),
        };
        for line in noted.split(|byte| *byte == b'\n') {
            let Ok(noted) = serde_json::from_slice::<Value>(line) else { continue };
            let Some(path) = noted.get("path").and_then(Value::as_str).map(PathBuf::from) else { continue };
            erasure::remove_stale(&path).map_err(io::Error::other)?;
            if let Some(step) = begun(&noted, &path, key) {
                run_file(&step, key, &mut |_| {});
            }
            put_back(&path)?;
        }
        self.end()
    }
}

fn line(step: &FileStep) -> Option<String> {
    let removals: Vec<Value> = step.removals.iter().map(removal).collect();
    // Of a file that may hold something else, too, only what is taken out is finished.
    let delete = goes_whole(step, &[]);
    let noted = json!({ "path": step.path.to_str()?, "delete": delete, "removals": removals });
    Some(noted.to_string())
}

fn removal((finding, removal): &(Finding, Removal)) -> Value {
    let bytes: Vec<_> = match &finding.location {
        Location::Stored(stored) => {
            stored.occurrences.iter().map(|found| json!([found.bytes.start, found.bytes.end])).collect()
        }
        _ => Vec::new(),
    };
    let how = match removal {
        Removal::Member(pointer) => json!({ "member": pointer }),
        Removal::Assignment => json!({ "assignment": variable(finding) }),
        Removal::Overwrite => json!("overwrite"),
    };
    json!({ "how": how, "bytes": bytes, "login": finding.place.remedy == Remedy::ClientLogout })
}

/// The variable of an assignment that was found.
fn variable(finding: &Finding) -> Option<&str> {
    match &finding.location {
        Location::Stored(Stored { structure: Structure::Assignment { variable, .. }, .. }) => Some(variable),
        _ => None,
    }
}

/// What of the step was begun: the removals whose places in the file are filled. One that was not is for the
/// next look to find; what would take it along waits for that. `None` if nothing was begun, or all is done.
fn begun(noted: &Value, path: &Path, key: &FingerprintKey) -> Option<FileStep> {
    let file = PlainFile::open(path).ok()?;
    let identity = file.identity().ok()?;
    let mut step = FileStep {
        path: path.to_owned(),
        file: identity,
        removals: Vec::new(),
        delete: noted.get("delete")?.as_bool()?,
    };
    let mut untouched = Vec::new();
    for removal in noted.get("removals")?.as_array()? {
        let (mut begun, mut not_begun) = (Vec::new(), Vec::new());
        for bytes in removal.get("bytes")?.as_array()? {
            let bytes = bytes.get(0)?.as_u64()?..bytes.get(1)?.as_u64()?;
            let length = usize::try_from(bytes.end.checked_sub(bytes.start)?).ok()?;
            match file.read_at(bytes.start, length) {
                Ok(text) if is_filler(&text) => {
                    begun.push(Occurrence { bytes, raw: key.of(&text) });
                }
                _ => not_begun.push(bytes),
            }
        }
        untouched.append(&mut not_begun);
        if !begun.is_empty() {
            step.removals.push(again(removal, path, identity, begun, key)?);
        }
    }
    step.delete &= untouched.is_empty();
    spare(&mut step, &file, &untouched)?;
    (!step.removals.is_empty()).then_some(step)
}

/// Leaves out what would take along bytes that were not overwritten before.
fn spare(step: &mut FileStep, file: &PlainFile, untouched: &[Range<u64>]) -> Option<()> {
    if untouched.is_empty() {
        return Some(());
    }
    let text = file.read(super::file::LIMIT).ok()?;
    let offset = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let takes = |edit: &Edit| {
        edit.changes().iter().any(|change| {
            let is_in = |bytes: &Range<u64>| {
                change.range.start < offset(bytes.end) && offset(bytes.start) < change.range.end
            };
            untouched.iter().any(is_in)
        })
    };
    let all = std::mem::take(&mut step.removals);
    for removal in all {
        let alone = FileStep { removals: vec![removal.clone()], ..step.clone() };
        if edit_of(&alone, &text).is_some_and(|edit| !takes(&edit)) {
            step.removals.push(removal);
        }
    }
    Some(())
}

/// A removal as it was noted, of what is filled.
fn again(
    noted: &Value,
    path: &Path,
    file: FileIdentity,
    occurrences: Vec<Occurrence>,
    key: &FingerprintKey,
) -> Option<(Finding, Removal)> {
    let mut structure = Structure::Text { line: 1 };
    let how = match noted.get("how")? {
        Value::Object(how) if how.contains_key("assignment") => {
            if let Some(variable) = how.get("assignment").and_then(Value::as_str) {
                let (variable, value) = (variable.to_owned(), occurrences.first()?.bytes.clone());
                structure = Structure::Assignment { line: 1, variable, statement: None, value };
            }
            Removal::Assignment
        }
        Value::Object(how) => Removal::Member(how.get("member")?.as_str()?.to_owned()),
        _ => Removal::Overwrite,
    };
    let place = if noted.get("login")?.as_bool()? { &LOGIN } else { &OTHER };
    let stored = Stored { path: path.to_owned(), file, occurrences, structure };
    Some((filled(place, stored, key), how))
}

fn filled(place: &'static Place, stored: Stored, key: &FingerprintKey) -> Finding {
    Finding {
        place,
        location: Location::Stored(stored),
        kind: Kind::ApiKey,
        tail: Tail::default(),
        fingerprint: key.of(b""),
        severity: Severity::Low,
        effect: Effect::None,
        changed_at: None,
        account: None,
        cure: String::new(),
        leads: false,
    }
}
