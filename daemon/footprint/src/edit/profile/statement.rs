//! What of a statement goes.

use std::ops::Range;

use super::{
    Dialect, blanks_after, blanks_before,
    lexer::{Border, Statement},
    line_end,
};
use crate::edit::{Change, Edit, Refusal};

/// What is removed.
enum Part {
    /// This word.
    Word(usize),
    /// All of it.
    Whole,
}

pub(super) fn remove(
    text: &[u8],
    dialect: Dialect,
    statement: &Statement,
    span: &Range<usize>,
) -> Result<Edit, Refusal> {
    // A text of many lines in one word is taken out only if it is plainly one quoted value.
    let holds = |word: &&Range<usize>| word.start <= span.start && span.end <= word.end;
    let word = statement.words.iter().find(holds).and_then(|word| text.get(word.clone()));
    let is_plain = |word: &[u8]| {
        (memchr::memchr(b'\n', word).is_none() || is_quoted_value(word)) && !is_list(word, dialect)
    };
    if !word.is_some_and(is_plain) {
        return Err(Refusal::NotAnAssignment);
    }
    match part(text, dialect, statement, span)? {
        Part::Word(word) => Ok(remove_word(&statement.words, word)),
        Part::Whole => Ok(remove_whole(text, dialect, statement)),
    }
}

fn part(text: &[u8], dialect: Dialect, statement: &Statement, span: &Range<usize>) -> Result<Part, Refusal> {
    let words: Vec<&[u8]> =
        statement.words.iter().map(|word| text.get(word.clone()).unwrap_or_default()).collect();
    let place = statement.words.iter().position(|word| word.start <= span.start && span.end <= word.end);
    let place = place.ok_or(Refusal::NotAnAssignment)?;
    match dialect {
        Dialect::Nushell | Dialect::PowerShell => return whole_if(sets_variable(&words, dialect)),
        Dialect::Fish if words.first() == Some(&b"set".as_slice()) => return Ok(Part::Whole),
        Dialect::Shell | Dialect::Fish | Dialect::Lines | Dialect::Unit | Dialect::Other => {}
    }
    let command = words.iter().take_while(|word| is_assignment(word)).count();
    let is_own = words.get(place).is_some_and(|word| is_assignment(word));
    match words.get(command).copied() {
        None if words.len() == 1 => Ok(Part::Whole),
        // Before a command: only for that command.
        _ if place < command => Ok(Part::Word(place)),
        Some(b"export" | b"declare" | b"typeset" | b"local" | b"readonly") if is_own => {
            let named = words.iter().filter(|word| names_variable(word)).count();
            Ok(if named == 2 && command == 0 { Part::Whole } else { Part::Word(place) })
        }
        Some(b"env") if is_own => Ok(Part::Word(place)),
        Some(b"setenv") => Ok(Part::Whole),
        Some(b"launchctl") if words.get(command + 1) == Some(&b"setenv".as_slice()) => Ok(Part::Whole),
        _ => Err(Refusal::NotAnAssignment),
    }
}

/// `NAME="…"` or `"…"`, with no other quote of its kind inside.
fn is_quoted_value(word: &[u8]) -> bool {
    let value = memchr::memchr(b'=', word).and_then(|equals| word.get(equals + 1..));
    [value, Some(word)].into_iter().flatten().any(|value| match value {
        [open @ (b'"' | b'\''), inside @ .., close] => open == close && !inside.contains(open),
        _ => false,
    })
}

/// `NAME=(…)`: more than one value.
fn is_list(word: &[u8], dialect: Dialect) -> bool {
    dialect == Dialect::Shell
        && memchr::memchr(b'=', word).is_some_and(|equals| word.get(equals + 1) == Some(&b'('))
}

fn whole_if(is_assignment: bool) -> Result<Part, Refusal> {
    if is_assignment { Ok(Part::Whole) } else { Err(Refusal::NotAnAssignment) }
}

/// Whether a statement of these shells is for nothing but setting a variable.
fn sets_variable(words: &[&[u8]], dialect: Dialect) -> bool {
    let first = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let second = words.get(1).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    if dialect == Dialect::Nushell {
        return first.starts_with(b"$env.") && second.starts_with(b"=") || first == b"let-env";
    }
    let is_variable = first.starts_with(b"$env:") || first.starts_with(b"${env:");
    is_variable && (second.starts_with(b"=") || first.contains(&b'='))
        || first.starts_with(b"[environment]::setenvironmentvariable")
        || first.starts_with(b"[system.environment]::setenvironmentvariable")
        || matches!(first.as_slice(), b"set-item" | b"new-item") && words.iter().any(|word| names_drive(word))
        || first == b"setx"
}

fn names_drive(word: &[u8]) -> bool {
    word.to_ascii_lowercase().starts_with(b"env:")
}

/// `NAME=…`, `NAME+=…`
pub(super) fn is_assignment(word: &[u8]) -> bool {
    let name = name_length(word);
    let rest = word.get(name..).unwrap_or_default();
    name > 0 && (rest.starts_with(b"=") || rest.starts_with(b"+="))
}

/// `NAME`, or an assignment.
fn names_variable(word: &[u8]) -> bool {
    is_assignment(word) || name_length(word) == word.len()
}

fn name_length(word: &[u8]) -> usize {
    match word.first() {
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            word.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
        }
        _ => 0,
    }
}

/// Removes a word with what parts it from the next one, or from the one before.
pub(super) fn remove_word(words: &[Range<usize>], place: usize) -> Edit {
    let at = |place: Option<usize>| place.and_then(|place| words.get(place)).cloned();
    let range = match (at(place.checked_sub(1)), at(Some(place)), at(place.checked_add(1))) {
        (_, Some(word), Some(next)) => word.start..next.start,
        (Some(before), Some(word), None) => before.end..word.end,
        (None, Some(word), None) => word,
        (_, None, _) => return Edit::default(),
    };
    Edit::new(vec![Change::remove(range)])
}

fn remove_whole(text: &[u8], dialect: Dialect, statement: &Statement) -> Edit {
    let (Some(first), Some(last)) = (statement.words.first(), statement.words.last()) else {
        return Edit::default();
    };
    let statement_bytes = first.start..last.end;
    let range = if statement.at_top { removable(text, statement, &statement_bytes) } else { None };
    Edit::new(vec![match range {
        Some(range) => Change::remove(range),
        None => Change { range: statement_bytes, with: dialect.nothing().to_vec() },
    }])
}

/// The statement with the white space and the semicolon that belong to it; `None` if something has to
/// stand in its place.
fn removable(text: &[u8], statement: &Statement, bytes: &Range<usize>) -> Option<Range<usize>> {
    let (start, end) = (blanks_before(text, bytes.start), blanks_after(text, bytes.end));
    match (statement.before, statement.after) {
        (Border::Line, Border::Line) => match line_end(text, end) {
            Some(end) => Some(start..end),
            // A comment after it stays, where the statement began.
            None => Some(bytes.start..end),
        },
        (Border::Line, Border::Semicolon(at)) => {
            let end = blanks_after(text, at + 1);
            Some(line_end(text, end).map_or(bytes.start..end, |end| start..end))
        }
        (Border::Semicolon(_), Border::Semicolon(at)) => Some(bytes.start..blanks_after(text, at + 1)),
        (Border::Semicolon(at), Border::Line) => Some(blanks_before(text, at)..bytes.end),
        (Border::Other, _) | (_, Border::Other) => None,
    }
}
