//! What `--undo` needs: in the state directory, of this user alone, and without any key.

use std::{fs, io, ops::Range, path::PathBuf};

use claudectl_footprint::{
    Location,
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

/// Where the key is in a file.
pub(super) fn keys(step: &FileStep) -> Vec<Range<usize>> {
    let offset = |at: u64| usize::try_from(at).ok();
    let stored = step.removals.iter().filter_map(|(finding, _)| match &finding.location {
        Location::Stored(stored) => Some(stored),
        _ => None,
    });
    let occurrences = stored.flat_map(|stored| &stored.occurrences);
    occurrences.filter_map(|found| Some(offset(found.bytes.start)?..offset(found.bytes.end)?)).collect()
}

/// Notes what is about to be taken out, with a placeholder for the key. Files that go whole are backups:
/// they are not put back.
pub(super) fn note(files: &[FileStep], looker: &Looker) -> Result<(), Error> {
    let lines: Vec<_> = files.iter().filter(|step| !step.delete).filter_map(line).collect();
    let write = || -> io::Result<()> {
        forget(looker)?;
        create_private(&looker.adopted(), lines.join("\n").as_bytes())
    };
    write().map_err(|error| Error::new("what is changed could not be noted, so nothing was").because(&error))
}

fn line(step: &FileStep) -> Option<String> {
    let text = PlainFile::open(&step.path).ok()?.read(LIMIT).ok()?;
    let edit = purge::edit_of(step, &text)?;
    Undo::of(&step.path, &text, &edit, &keys(step))?.line()
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
    let text = file.read(LIMIT)?;
    let restored = undo.apply(&text).map_err(io::Error::other)?;
    file.replace(&restored, &mut |_| {}).map_err(io::Error::other)
}
