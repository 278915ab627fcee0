//! Moving a key into the daemon: what the change is, shown without the key, and how to take it back
//! without ever storing the key.

mod undo;

use std::ops::Range;

pub use undo::{Changed, PLACEHOLDER, Undo};

use crate::{edit::Edit, encoding::Encoding};

/// A line of a file before or after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether it is new; else it goes.
    pub is_new: bool,
    /// Its number, from 1.
    pub number: usize,
    /// Its text, credentials masked; what is not UTF-8 is replaced.
    pub text: String,
}

/// The lines that an edit changes: those that go, then those that come. `masked` are the credentials in
/// the text, with what is shown of each.
pub fn difference(text: &[u8], edit: &Edit, masked: &[(Range<usize>, String)]) -> Vec<Line> {
    if let Some(encoding) = Encoding::of(text) {
        let read = |(range, shown): &(Range<usize>, String)| (encoding.of_written(range), shown.clone());
        let masked: Vec<_> = masked.iter().map(read).collect();
        return lines(&encoding.read(text), &encoding.of_edit(edit), &masked);
    }
    lines(text, edit, masked)
}

fn lines(text: &[u8], edit: &Edit, masked: &[(Range<usize>, String)]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut changes = edit.changes().iter().peekable();
    while let Some(first) = changes.next() {
        let start = line_start(text, first.range.start);
        let mut end = line_end(text, first.range.end.max(first.range.start + 1));
        let mut block = vec![first];
        while let Some(next) = changes.next_if(|next| next.range.start < end) {
            end = end.max(line_end(text, next.range.end));
            block.push(next);
        }
        let number = memchr::memchr_iter(b'\n', text.get(..start).unwrap_or_default()).count() + 1;
        let old = shown(text, start..end, &[], masked);
        let replaced: Vec<_> = block
            .iter()
            .map(|change| (change.range.clone(), String::from_utf8_lossy(&change.with).into_owned()))
            .collect();
        let new = shown(text, start..end, &replaced, masked);
        let line = |is_new| {
            move |(at, text): (usize, &str)| Line { is_new, number: number + at, text: text.to_owned() }
        };
        lines.extend(old.lines().enumerate().map(line(false)));
        lines.extend(new.lines().enumerate().map(line(true)));
    }
    lines
}

/// A part of the text, with some ranges replaced; the first list wins where both name the same bytes.
fn shown(
    text: &[u8],
    part: Range<usize>,
    replaced: &[(Range<usize>, String)],
    masked: &[(Range<usize>, String)],
) -> String {
    let is_free = |(range, _): &&(Range<usize>, String)| {
        !replaced.iter().any(|(other, _)| range.start < other.end && other.start < range.end)
    };
    let mut all: Vec<_> = replaced.iter().chain(masked.iter().filter(is_free)).collect();
    all.retain(|(range, _)| part.start <= range.start && range.end <= part.end);
    all.sort_by_key(|(range, _)| range.start);
    let mut told = String::new();
    let mut done = part.start;
    for (range, instead) in all {
        if range.start >= done {
            told.push_str(&String::from_utf8_lossy(text.get(done..range.start).unwrap_or_default()));
            told.push_str(instead);
            done = range.end;
        }
    }
    told.push_str(&String::from_utf8_lossy(text.get(done..part.end).unwrap_or_default()));
    told
}

fn line_start(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |end| end + 1)
}

/// The end of the line that holds the byte before this one.
fn line_end(text: &[u8], at: usize) -> usize {
    let from = at.saturating_sub(1).min(text.len());
    memchr::memchr(b'\n', text.get(from..).unwrap_or_default()).map_or(text.len(), |end| from + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Change;

    fn told(text: &str, changes: Vec<Change>, masked: &[(Range<usize>, &str)]) -> Vec<String> {
        let masked: Vec<_> =
            masked.iter().map(|(range, shown)| (range.clone(), (*shown).to_owned())).collect();
        difference(text.as_bytes(), &Edit::new(changes), &masked)
            .into_iter()
            .map(|line| format!("{}{} {}", if line.is_new { '+' } else { '-' }, line.number, line.text))
            .collect()
    }

    #[test]
    fn a_line_that_goes_is_shown_without_the_key() {
        let text = "a\nexport K=SECRET\nb\n";
        assert_eq!(told(text, vec![Change::remove(2..18)], &[(11..17, "…")]), ["-2 export K=…"]);
    }

    #[test]
    fn a_line_that_stays_is_shown_before_and_after() {
        let text = "a\nexport A=1 K=SECRET B=OTHER\n";
        assert_eq!(
            told(text, vec![Change::remove(13..22)], &[(15..21, "…"), (24..29, "…x")]),
            ["-2 export A=1 K=… B=…x", "+2 export A=1 B=…x"]
        );
    }

    #[test]
    fn two_changes_of_one_line_are_one() {
        assert_eq!(
            told(
                "{\"a\":1,\"k\":\"S\"}",
                vec![Change::remove(6..7), Change::remove(7..14)],
                &[(12..13, "…")]
            ),
            ["-1 {\"a\":1,\"k\":\"…\"}", "+1 {\"a\":1}"]
        );
    }
}
