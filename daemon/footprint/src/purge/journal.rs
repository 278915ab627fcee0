//! Which files a purge has begun, so that the next one finishes what a killed one left: no credential is
//! there then, but its place may be, filled with `x`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use claudectl_platform::erasure::{self, PlainFile, Refusal, create_private};
use serde_json::{Value, json};

use super::{aside::put_back, file::run_file};
use crate::{
    Finding, Kind, Location, Place, Remedy,
    catalog::{At, Group, Platforms, Reader},
    edit::FILLER,
    finding::{Effect, FingerprintKey, Occurrence, Severity, Stored, Structure, Tail},
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
    let noted = json!({ "path": step.path.to_str()?, "delete": step.delete, "removals": removals });
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
        Removal::Assignment => json!("assignment"),
        Removal::Overwrite => json!("overwrite"),
    };
    json!({ "how": how, "bytes": bytes, "login": finding.place.remedy == Remedy::ClientLogout })
}

/// The step that was begun: every place of it in the file is filled. `None` if it was not, or is done.
fn begun(noted: &Value, path: &Path, key: &FingerprintKey) -> Option<FileStep> {
    let file = PlainFile::open(path).ok()?;
    let identity = file.identity().ok()?;
    let mut step = FileStep {
        path: path.to_owned(),
        file: identity,
        removals: Vec::new(),
        delete: noted.get("delete")?.as_bool()?,
    };
    for removal in noted.get("removals")?.as_array()? {
        let mut occurrences = Vec::new();
        for bytes in removal.get("bytes")?.as_array()? {
            let bytes = bytes.get(0)?.as_u64()?..bytes.get(1)?.as_u64()?;
            let length = usize::try_from(bytes.end.checked_sub(bytes.start)?).ok()?;
            let text = file.read_at(bytes.start, length).ok()?;
            if text.is_empty() || text.iter().any(|byte| *byte != FILLER) {
                return None;
            }
            occurrences.push(Occurrence { bytes, raw: key.of(&text) });
        }
        let how = match removal.get("how")? {
            Value::Object(member) => Removal::Member(member.get("member")?.as_str()?.to_owned()),
            Value::String(word) if word == "assignment" => Removal::Assignment,
            _ => Removal::Overwrite,
        };
        let place = if removal.get("login")?.as_bool()? { &LOGIN } else { &OTHER };
        step.removals.push((filled(place, path, identity, occurrences, key), how));
    }
    Some(step)
}

fn filled(
    place: &'static Place,
    path: &Path,
    file: claudectl_platform::tree::FileIdentity,
    occurrences: Vec<Occurrence>,
    key: &FingerprintKey,
) -> Finding {
    let stored = Stored { path: path.to_owned(), file, occurrences, structure: Structure::Text { line: 1 } };
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
    }
}
