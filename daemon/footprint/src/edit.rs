//! Byte-exact edits of other programs' files. Everything here is pure: bytes in, changes out, and
//! every byte that no change names stays as it is - comments, white space, line ends, order, what is
//! not even valid UTF-8.

pub mod json;
pub mod plist;
pub mod profile;

use std::{cmp::Reverse, ops::Range, path::Path};

use zeroize::Zeroizing;

/// What stands in the place of a credential that is overwritten: harmless in every format that
/// matters here, where a `*` would be an alias in YAML and a pattern in a shell.
pub const FILLER: u8 = b'x';

/// What these bytes are overwritten with. A credential's own are never empty: those that are belong to the units
/// of UTF-16 that it is written in, and stay, so that it is text of the same length there, too.
pub fn filler(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if *byte == 0 { 0 } else { FILLER }).collect()
}

/// Whether bytes are what a credential was overwritten with.
pub fn is_filler(text: &[u8]) -> bool {
    text.contains(&FILLER) && text.iter().all(|byte| matches!(*byte, FILLER | 0))
}

/// Bytes that are replaced by others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which bytes.
    pub range: Range<usize>,
    /// What stands there instead; nothing if they are removed. Never any of a credential.
    pub with: Vec<u8>,
}

impl Change {
    /// Removes these bytes.
    pub fn remove(range: Range<usize>) -> Self {
        Self { range, with: Vec::new() }
    }

    /// Overwrites these bytes of the text: as many remain.
    pub fn overwrite(text: &[u8], range: Range<usize>) -> Self {
        let with = text.get(range.clone()).map_or_else(|| vec![FILLER; range.len()], filler);
        Self { range, with }
    }
}

/// Changes of one text, in order, none of them over another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit(Vec<Change>);

impl Edit {
    /// These changes. One that lies within another is part of it; where two overlap, the bytes of both
    /// go, and what stands instead of them follows in their order.
    pub fn new(mut changes: Vec<Change>) -> Self {
        changes.retain(|change| !change.range.is_empty());
        changes.sort_by_key(|change| (change.range.start, Reverse(change.range.end)));
        let mut merged: Vec<Change> = Vec::with_capacity(changes.len());
        for change in changes {
            match merged.last_mut() {
                Some(last) if change.range.end <= last.range.end => {}
                Some(last) if change.range.start < last.range.end => {
                    last.range.end = change.range.end;
                    last.with.extend(change.with);
                }
                _ => merged.push(change),
            }
        }
        Self(merged)
    }

    /// Overwrites exactly these bytes of the text, which keeps its length.
    pub fn overwrite(text: &[u8], spans: impl IntoIterator<Item = Range<usize>>) -> Self {
        let mut spans: Vec<_> = spans.into_iter().filter(|span| !span.is_empty()).collect();
        spans.sort_by_key(|span| (span.start, span.end));
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
        }
        Self(merged.into_iter().map(|span| Change::overwrite(text, span)).collect())
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        Self::new(self.0)
    }

    /// This one, and then another one that was made for the text after it.
    #[must_use]
    pub fn then(self, next: &Self) -> Self {
        let moved = |change: &Change| Change {
            range: self.before(change.range.start, usize::max)..self.before(change.range.end, usize::min),
            with: change.with.clone(),
        };
        let next = Self(next.0.iter().map(moved).collect());
        self.and(next)
    }

    /// Where bytes that it does not change are after it.
    pub fn after(&self, span: &Range<usize>) -> Range<usize> {
        let (mut removed, mut added) = (0, 0);
        for change in self.0.iter().take_while(|change| change.range.end <= span.start) {
            removed += change.range.len();
            added += change.with.len();
        }
        span.start + added - removed..span.end + added - removed
    }

    /// Where a place in the text after it is in the text before it; where bytes went, on the side that is
    /// picked.
    fn before(&self, at: usize, pick: fn(usize, usize) -> usize) -> usize {
        let (mut old, mut new) = (0, 0);
        for change in &self.0 {
            let kept = change.range.start - old;
            if at < new + kept {
                break;
            }
            let end = new + kept + change.with.len();
            if at <= end {
                return pick(change.range.start, change.range.end);
            }
            (old, new) = (change.range.end, end);
        }
        old + (at - new)
    }

    /// The changes, in order.
    pub fn changes(&self) -> &[Change] {
        &self.0
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text after it; `None` if it was made for a shorter or longer text.
    pub fn apply(&self, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let added: usize = self.0.iter().map(|change| change.with.len()).sum();
        // Room for all of it at once: growing would leave copies of other secrets behind.
        let mut edited = Zeroizing::new(Vec::with_capacity(text.len() + added));
        let mut done = 0;
        for change in &self.0 {
            edited.extend_from_slice(text.get(done..change.range.start)?);
            text.get(change.range.clone())?;
            edited.extend_from_slice(&change.with);
            done = change.range.end;
        }
        edited.extend_from_slice(text.get(done..)?);
        Some(edited)
    }

    /// Whether these bytes are gone from the text after it.
    pub fn covers(&self, span: &Range<usize>) -> bool {
        self.0.iter().any(|change| change.range.start <= span.start && span.end <= change.range.end)
    }
}

/// Removes the assignment in whose value these bytes are from a file of this name, and nothing else.
///
/// # Errors
/// If the bytes are in no assignment of their own, with the reason. They can be overwritten all the same.
pub fn remove_assignment(text: &[u8], path: &Path, span: &Range<usize>) -> Result<Edit, Refusal> {
    if is_property_list(path) {
        plist::remove(text, span)
    } else {
        profile::remove(text, profile::Dialect::of(path), span)
    }
}

/// Whether it is one of launchd's files, by its name.
pub fn is_property_list(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "plist")
}

/// Why a text is not edited. The credential's own characters can be overwritten all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not the format that it should have.
    #[error("it is not valid JSON from byte {0} on")]
    NotJson(usize),
    /// Deeper than any reasonable file.
    #[error("it is nested more than {} levels deep", json::DEPTH)]
    TooDeep,
    /// There is nothing there.
    #[error("there is no such key")]
    NoSuchKey,
    /// The string says something else, too.
    #[error("it is part of a longer text")]
    PartOfText,
    /// In an array a place means something: the others must not move up.
    #[error("it is an element of a list, whose places have a meaning")]
    Element,
    /// Text that a program gets as input.
    #[error("it is in a here-document")]
    HereDocument,
    /// Text that nobody runs.
    #[error("it is in a comment")]
    Comment,
    /// An argument, an alias, a function's text: not an assignment of its own.
    #[error("it is part of a command that is not an assignment")]
    NotAnAssignment,
    /// A string of a property list that is no variable.
    #[error("it is no variable of the job")]
    NotAVariable,
    /// A property list that is not XML.
    #[error(
        "in a binary property list nothing moves; `plutil -remove EnvironmentVariables.NAME FILE` takes the variable out"
    )]
    BinaryList,
    /// A quote or a bracket that never closes, or only by mistake: where the command or the value ends is a guess.
    #[error("where that ends which begins on line {0} is a guess: a quote or a bracket is not closed")]
    Unclosed(usize),
}
