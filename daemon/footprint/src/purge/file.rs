//! One file: looked at again, overwritten in place, then replaced or removed.

mod ending;

use std::ops::Range;

use claudectl_platform::erasure::{Medium, PlainFile, Refusal, Step};

use super::{database::Database, what};
use crate::{
    Finding, Kind, Location, Remedy,
    catalog::{Group, may_go},
    edit::{Edit, filler, is_filler, is_property_list, json, profile, remove_assignment},
    encoding::{self, Encoding},
    finding::{FileIdentity, FingerprintKey, Occurrence, Stored, Structure},
    plan::{FileStep, Removal},
    receipt::{Item, Outcome},
};

/// The largest file that is edited, in bytes. In a larger one the credential's own characters are
/// overwritten, which needs no copy of the file.
pub(super) const LIMIT: u64 = 64 * 1024 * 1024;

/// What is done where nothing else can be.
const OVERWRITTEN: &str = "its characters overwritten";

/// What was done to a file, and on what medium.
#[derive(Debug)]
pub struct Done {
    /// An item for each credential in it.
    pub items: Vec<Item>,
    /// Where its bytes were overwritten, if they were.
    pub medium: Option<Medium>,
}

/// Why nothing was done to a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Refused(Refusal),
    #[error("it has changed since it was looked at")]
    Changed,
    #[error("an index of the database is ordered by it")]
    Indexed,
    #[error("the database has a checksum on each page, which only its own program can renew")]
    Checksummed,
    #[error(transparent)]
    System(#[from] std::io::Error),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Written => Self::Changed,
            Refusal::System(error) => Self::System(error),
            other => Self::Refused(other),
        }
    }
}

/// Does it. `key` is the one that the findings were made with.
pub fn run_file(step: &FileStep, key: &FingerprintKey, each: Step<'_>) -> Done {
    match try_file(step, key, each) {
        Ok(done) => done,
        Err(trouble) => Done { items: untouched(step, &trouble), medium: None },
    }
}

fn try_file(step: &FileStep, key: &FingerprintKey, each: Step<'_>) -> Result<Done, Trouble> {
    let file = PlainFile::open(&step.path)?;
    if !step.is_of(&file.identity()?) {
        return Err(Trouble::Changed);
    }
    // One that has to be edited must not be written by its program meanwhile: before anything is compared.
    let database = if step.delete { None } else { Database::claim(&file)? };
    let occurrences: Vec<&Occurrence> =
        step.removals.iter().flat_map(|(finding, _)| occurrences(finding)).collect();
    let medium = Some(file.medium());
    if let Some(database) = database {
        if !verify(&file, &occurrences, key)? {
            return Err(Trouble::Changed);
        }
        let proof = database.overwrite(&file, &occurrences, each)?;
        let action = format!("{OVERWRITTEN}; the row stays");
        let actions: Vec<_> = step.removals.iter().map(|_| action.clone()).collect();
        return Ok(Done { items: items(step, &actions, proof), medium });
    }
    // The text as it is, before anything is overwritten: what is edited is found in it.
    let edits = edits(step, &file)?;
    // Right before it is written: reading and editing take their time.
    if !verify(&file, &occurrences, key)? || !step.is_of(&file.identity()?) {
        return Err(Trouble::Changed);
    }
    let known = overwrite(&file, &occurrences, each)?;
    // What is edited was read before: what came since is not in it.
    let known = FileIdentity { size: step.file.size, ..known };
    let (ending, actions) = ending::finish(step, &file, edits, known, each)?;
    let actions: Vec<_> =
        actions.into_iter().map(|action| ending.action().map_or(action, str::to_owned)).collect();
    Ok(Done { items: items(step, &actions, ending.proof()), medium })
}

/// What was done about each removal.
fn items(step: &FileStep, actions: &[String], proof: &str) -> Vec<Item> {
    let item = |((finding, _), action): (&(Finding, Removal), &String)| Item {
        what: what(finding),
        place: step.path.display().to_string(),
        action: action.clone(),
        proof: format!("{proof}{}", note(step, finding)),
        outcome: Outcome::Proven,
        by: None,
    };
    step.removals.iter().zip(actions).map(item).collect()
}

/// What else there is to know about it.
fn note(step: &FileStep, finding: &Finding) -> String {
    if step.file.links > 1 {
        format!("; the file has {} names (hard links), and it is gone under each", step.file.links)
    } else if finding.place.group == Group::Histories {
        "; a shell that runs now may write it again from its memory".to_owned()
    } else if is_property_list(&step.path) {
        "; a job that launchd has loaded keeps it until it is loaded again".to_owned()
    } else {
        String::new()
    }
}

/// What a step makes of a file's text.
///
/// # Errors
/// If its length is not that of the file that was looked at.
pub fn edit_of(step: &FileStep, text: &[u8]) -> Option<Edit> {
    let (edit, _) = edit_all(step, text);
    edit.apply(text).map(|_| edit)
}

struct Edits {
    /// The text after all edits, with nothing of a credential; `None` if overwriting is all.
    text: Option<zeroize::Zeroizing<Vec<u8>>>,
    /// Whether the file goes: nothing else that counts is in it.
    removes: bool,
    /// For each removal, what is done.
    actions: Vec<String>,
}

fn edits(step: &FileStep, file: &PlainFile) -> Result<Edits, Trouble> {
    let only_overwrites = step.removals.iter().all(|(_, removal)| *removal == Removal::Overwrite);
    let is_large = file.identity()?.size > LIMIT;
    let is_read = !is_large && (step.delete || !only_overwrites);
    let text = if is_read { Some(file.read(LIMIT)?) } else { None };
    let removes = step.delete && goes_whole(step, text.as_deref().map_or(&[], Vec::as_slice));
    let text = text.filter(|_| !removes && !only_overwrites);
    let Some(text) = text else {
        let reason = if is_large && !only_overwrites { ": the file is too large to be edited" } else { "" };
        let actions = step.removals.iter().map(|_| format!("{OVERWRITTEN}{reason}")).collect();
        return Ok(Edits { text: None, removes, actions });
    };
    let (all, actions) = edit_all(step, &text);
    let edited = all.apply(&text).ok_or(Trouble::Changed)?;
    // A login that is taken out whole leaves an empty file; settings stay, even if they are empty.
    let is_login = |(finding, _): &(Finding, Removal)| finding.place.remedy == Remedy::ClientLogout;
    let is_empty = || json::is_empty(encoding::read(&edited).as_deref().unwrap_or(&edited));
    let removes = step.removals.iter().all(is_login) && is_empty();
    // The characters are overwritten in place anyway: only another length needs another file.
    let text = (edited.len() != text.len()).then_some(edited);
    Ok(Edits { text, removes, actions })
}

/// Whether a file of this text goes with its credentials, because nothing else is in it that counts.
pub fn goes_whole(step: &FileStep, text: &[u8]) -> bool {
    let names = || json::names(encoding::read(text).as_deref().map_or(text, Vec::as_slice));
    let may_go = |(finding, _): &(Finding, Removal)| may_go(finding.place, names);
    step.delete && step.removals.iter().all(may_go)
}

/// The edit for all removals of a step, and what is done for each, in words.
fn edit_all(step: &FileStep, text: &[u8]) -> (Edit, Vec<String>) {
    let Some(encoding) = Encoding::of(text) else { return edit_read(step, text) };
    let (edit, actions) = edit_read(&as_read(step, encoding), &encoding.read(text));
    (encoding.edit(&edit), actions)
}

/// The step with the places in what is read of the file.
fn as_read(step: &FileStep, encoding: Encoding) -> FileStep {
    let mut step = step.clone();
    for (finding, _) in &mut step.removals {
        if let Location::Stored(stored) = &mut finding.location {
            let read = stored.occurrences.iter().filter_map(|found| encoding.occurrence_of_written(found));
            stored.occurrences = read.collect();
        }
    }
    step
}

fn edit_read(step: &FileStep, text: &[u8]) -> (Edit, Vec<String>) {
    let mut pointers = Vec::new();
    let mut all = Edit::default();
    let mut actions = Vec::with_capacity(step.removals.len());
    for (finding, removal) in &step.removals {
        let outcome = match removal {
            Removal::Member(pointer) => {
                check_member(text, pointer, finding).map(|()| pointers.push(pointer.as_str()))
            }
            Removal::Assignment => take_assignments(text, step, finding, &mut all),
            Removal::Overwrite => Ok(()),
        };
        actions.push(match (outcome, removal) {
            (Ok(()), Removal::Member(pointer)) => format!("{pointer} taken out"),
            (Ok(()), Removal::Assignment) => "its assignment taken out".to_owned(),
            (Ok(()), Removal::Overwrite) => OVERWRITTEN.to_owned(),
            (Err(refusal), _) => format!("{OVERWRITTEN}: {refusal}"),
        });
    }
    // All at once: what becomes the last member depends on which others go.
    let members =
        if pointers.is_empty() { Edit::default() } else { json::remove(text, &pointers).unwrap_or_default() };
    let spans = step.removals.iter().flat_map(|(finding, _)| occurrences(finding)).filter_map(range);
    (all.and(members).and(Edit::overwrite(text, spans)), actions)
}

/// Whether it can be taken out. In most lists a place means something, so that the others must not move
/// up; the ends of keys that the client keeps are a set.
fn check_member(text: &[u8], pointer: &str, finding: &Finding) -> Result<(), crate::edit::Refusal> {
    json::remove(text, &[pointer])?;
    if finding.kind != Kind::KeyTail && json::is_element(text, pointer) {
        return Err(crate::edit::Refusal::Element);
    }
    if json::values(text, pointer).into_iter().any(|value| says_more(text, &value, finding)) {
        return Err(crate::edit::Refusal::PartOfText);
    }
    Ok(())
}

/// Whether a string says more than the credential and for what it is: `Authorization: Bearer …` does not.
fn says_more(text: &[u8], value: &Range<usize>, finding: &Finding) -> bool {
    let Some([b'"', ..]) = text.get(value.clone()) else { return false };
    let inside = value.start + 1..value.end.saturating_sub(1);
    let mut from = inside.start;
    let mut ranges: Vec<_> = occurrences(finding).filter_map(range).collect();
    ranges.sort_by_key(|range| range.start);
    ranges.retain(|range| inside.start <= range.start && range.end <= inside.end);
    ranges.push(inside.end..inside.end);
    ranges.into_iter().any(|range| {
        let between = text.get(from..range.start).unwrap_or_default();
        from = range.end;
        let mut words = between.split(|byte| byte.is_ascii_whitespace() || *byte == b'\\');
        words.any(|word| !is_scheme(word))
    })
}

/// The name of a header, a scheme, what is left of an escape sequence.
fn is_scheme(word: &[u8]) -> bool {
    word.ends_with(b":") || matches!(word, b"" | b"n" | b"r" | b"t" | b"Bearer" | b"bearer" | b"Basic")
}

/// Takes out the assignment of each occurrence, one after the other, because what shares a statement with
/// one may be another; one in a comment or a text is left to be overwritten, as long as any is an assignment.
fn take_assignments(
    text: &[u8],
    step: &FileStep,
    finding: &Finding,
    all: &mut Edit,
) -> Result<(), crate::edit::Refusal> {
    let mut outcome = Err(crate::edit::Refusal::NotAnAssignment);
    for span in occurrences(finding).filter_map(range) {
        if all.covers(&span) {
            outcome = Ok(());
            continue;
        }
        let Some(so_far) = all.apply(text) else { continue };
        let within = all.after(&span);
        match remove_assignment(&so_far, &step.path, &within) {
            // In a unit every assignment is behind another equals sign, and is looked at there.
            Ok(edit)
                if profile::Dialect::of(&step.path) != profile::Dialect::Unit
                    && !is_property_list(&step.path)
                    && !is_its_own(&so_far, &edit, &within, finding) =>
            {
                outcome = outcome.or(Err(crate::edit::Refusal::NotAnAssignment));
            }
            Ok(edit) => {
                *all = std::mem::take(all).then(&edit);
                outcome = Ok(());
            }
            Err(refusal) if outcome.is_err() => outcome = Err(refusal),
            Err(_) => {}
        }
    }
    outcome
}

/// Whether what would go is the assignment that was found: `OPTIONS="-e NAME=…"` is one of another variable.
fn is_its_own(text: &[u8], edit: &Edit, span: &Range<usize>, finding: &Finding) -> bool {
    let Location::Stored(Stored { structure: Structure::Assignment { variable, .. }, .. }) =
        &finding.location
    else {
        return true;
    };
    let start = edit.changes().iter().map(|change| change.range.start).filter(|start| *start <= span.start);
    let taken = start.max().and_then(|start| text.get(start..span.start)).unwrap_or_default();
    let name = memchr::memmem::find(taken, variable.as_bytes()).and_then(|at| taken.get(..at));
    name.is_some_and(|before| !before.iter().any(|byte| b"={".contains(byte)))
}

fn occurrences(finding: &Finding) -> impl Iterator<Item = &Occurrence> {
    match &finding.location {
        Location::Stored(stored) => stored.occurrences.iter(),
        _ => [].iter(),
    }
}

pub(super) fn range(occurrence: &Occurrence) -> Option<Range<usize>> {
    let offset = |at: u64| usize::try_from(at).ok();
    Some(offset(occurrence.bytes.start)?..offset(occurrence.bytes.end)?)
}

fn length(occurrence: &Occurrence) -> usize {
    usize::try_from(occurrence.bytes.end.saturating_sub(occurrence.bytes.start)).unwrap_or(0)
}

/// Whether exactly the credentials that were found are still where they were found.
fn verify(file: &PlainFile, occurrences: &[&Occurrence], key: &FingerprintKey) -> Result<bool, Trouble> {
    for occurrence in occurrences {
        let bytes = file.read_at(occurrence.bytes.start, length(occurrence))?;
        if key.of(&bytes) != occurrence.raw {
            return Ok(false);
        }
    }
    Ok(!occurrences.is_empty())
}

/// The file right after that.
pub(super) fn overwrite(
    file: &PlainFile,
    occurrences: &[&Occurrence],
    each: Step<'_>,
) -> Result<FileIdentity, Trouble> {
    let mut parts = Vec::with_capacity(occurrences.len());
    for found in occurrences {
        parts.push((found.bytes.start, filler(&file.read_at(found.bytes.start, length(found))?)));
    }
    let known = file.overwrite(&parts, each)?;
    if is_filled(file, occurrences)? {
        Ok(known)
    } else {
        Err(std::io::Error::other("what was written did not stay").into())
    }
}

/// Whether nothing but filler is where the credentials were.
fn is_filled(file: &PlainFile, occurrences: &[&Occurrence]) -> Result<bool, Trouble> {
    for occurrence in occurrences {
        let text = file.read_at(occurrence.bytes.start, length(occurrence))?;
        if !is_filler(&text) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn untouched(step: &FileStep, trouble: &Trouble) -> Vec<Item> {
    let path = step.path.display();
    let by = match trouble {
        Trouble::Refused(Refusal::Foreign(owner)) => format!("user {owner}, or root: remove {path}"),
        Trouble::Refused(Refusal::Link | Refusal::NotPlain) => format!("you: look at {path}"),
        Trouble::Changed | Trouble::Refused(Refusal::Replaced | Refusal::Missing) => {
            "you: claudectl purge again; if it changes all the time, end the program that writes it"
                .to_owned()
        }
        Trouble::Refused(Refusal::Held(program)) => format!("you: end {program}, then claudectl purge again"),
        Trouble::Indexed | Trouble::Checksummed => {
            format!("you: remove it in the program that the database belongs to: {path}")
        }
        Trouble::Refused(Refusal::System(_) | Refusal::Written) | Trouble::System(_) => {
            format!("you, or root if it is not for you to change: remove it from {path}")
        }
    };
    let item = |(finding, _): &(Finding, Removal)| Item {
        what: what(finding),
        place: path.to_string(),
        action: "none".to_owned(),
        proof: trouble.to_string(),
        outcome: Outcome::Unproven,
        by: Some(by.clone()),
    };
    step.removals.iter().map(item).collect()
}
