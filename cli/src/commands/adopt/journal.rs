//! What `--undo` needs: in the state directory, of this user alone, and without any key.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use claudectl_footprint::{
    Finding, Location,
    adopt::{PLACEHOLDER, Undo},
    plan::FileStep,
    purge,
    receipt::Item,
};
use claudectl_platform::erasure::{PlainFile, create_private};
use serde::Serialize;

use crate::{
    Context,
    commands::purge::look::Looker,
    error::Error,
    exit::Exit,
    output::text::{Plain, count},
};

/// The largest file that is edited, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A file that the key was taken out of.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) path: PathBuf,
    pub(super) items: Vec<Item>,
}

/// Where credentials are in a file: also those that stay, which nobody may note either.
fn keys(path: &Path, found: &[Finding]) -> Vec<Range<usize>> {
    let offset = |at: u64| usize::try_from(at).ok();
    let stored = found.iter().filter_map(|finding| match &finding.location {
        Location::Stored(stored) if stored.path == path => Some(stored),
        _ => None,
    });
    let occurrences = stored.flat_map(|stored| &stored.occurrences);
    occurrences.filter_map(|found| Some(offset(found.bytes.start)?..offset(found.bytes.end)?)).collect()
}

/// Notes what is about to be taken out, with a placeholder for the key. Files that go whole are backups:
/// they are not put back.
pub(super) fn note(files: &[FileStep], found: &[Finding], looker: &Looker) -> Result<(), Error> {
    let lines: Vec<_> = files.iter().filter_map(|step| line(step, found)).collect();
    let write = || -> io::Result<()> {
        forget(looker)?;
        create_private(&looker.adopted(), lines.join("\n").as_bytes())
    };
    write().map_err(|error| Error::new("what is changed could not be noted, so nothing was").because(&error))
}

/// `None` also for a file that is not as it was looked at: nothing is taken out of it, and where keys are in
/// it is not known.
fn line(step: &FileStep, found: &[Finding]) -> Option<String> {
    let file = PlainFile::open(&step.path).ok()?;
    let text = file.read(LIMIT).ok()?;
    if !step.is_of(&file.identity().ok()?) || purge::goes_whole(step, &text) {
        return None;
    }
    let edit = purge::edit_of(step, &text)?;
    Undo::of(&step.path, &text, &edit, &keys(&step.path, found))?.line()
}

fn forget(looker: &Looker) -> io::Result<()> {
    match fs::remove_file(looker.adopted()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[derive(Debug, Serialize)]
struct Body {
    restored: Vec<String>,
    changed: Vec<String>,
    placeholder: &'static str,
}

/// Puts everything back that can be.
pub(super) fn undo(looker: &Looker, context: &Context) -> Result<Exit, Error> {
    let failed = |error: &io::Error| Error::new("the change could not be taken back").because(error);
    let noted = match fs::read(looker.adopted()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::new("there is nothing to take back"));
        }
        other => other.map_err(|error| failed(&error))?,
    };
    let (mut body, mut by_hand) =
        (Body { restored: Vec::new(), changed: Vec::new(), placeholder: PLACEHOLDER }, Vec::new());
    for undo in noted.split(|byte| *byte == b'\n').filter_map(Undo::read) {
        let path = undo.path.display().to_string();
        if restore(&undo).is_ok() {
            body.restored.push(path);
        } else {
            by_hand.extend(
                undo.texts().map(|text| format!("  in {}:\n    {}", Plain(&path), Plain(text.trim()))),
            );
            body.changed.push(path);
        }
    }
    forget(looker).map_err(|error| failed(&error))?;
    context.output.show("claudectl.unadopted/1", &body, || {
        let mut told = format!(
            "{} put back, with {PLACEHOLDER} where the key was: put one there, or nothing works with it.",
            count(body.restored.len(), "file")
        );
        if !by_hand.is_empty() {
            told.push_str("\nThese have changed since; put this back by hand if you want it:\n");
            told.push_str(&by_hand.join("\n"));
        }
        told
    })?;
    Ok(if body.changed.is_empty() { Exit::Ok } else { Exit::Failed })
}

fn restore(undo: &Undo) -> io::Result<()> {
    let file = PlainFile::open(&undo.path).map_err(io::Error::other)?;
    let known = file.identity()?;
    let text = file.read(LIMIT)?;
    let restored = undo.apply(&text).map_err(io::Error::other)?;
    file.replace(&restored, &known, &mut |_| {}).map_err(io::Error::other)
}
