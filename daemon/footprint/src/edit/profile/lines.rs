//! Files with one assignment on each line. A value in quotes, and a line that ends in a backslash, go on
//! on the next line - unless that looks like an assignment of its own: then a quote was forgotten, and where
//! anything ends is a guess.

use std::ops::Range;

use crate::edit::{Change, Edit, Refusal};

/// Removes the assignment, with its line or lines.
pub(super) fn remove(text: &[u8], span: &Range<usize>) -> Result<Edit, Refusal> {
    // A byte order mark belongs to the file, not to its first line.
    let mut start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if span.start < start {
        return Err(Refusal::NotAnAssignment);
    }
    while start < text.len() {
        let end = logical_end(text, start)?;
        if span.start < end {
            let line = text.get(start..end).unwrap_or_default();
            let body = line.trim_ascii_start();
            let comment = comment(line).map(|comment| start + comment);
            return match body.first() {
                _ if span.end > end => Err(Refusal::NotAnAssignment),
                Some(b'#' | b';') => Err(Refusal::Comment),
                _ if comment.is_some_and(|comment| comment < span.end) => Err(Refusal::Comment),
                _ if is_assignment(body) => {
                    Ok(Edit::new(vec![Change::remove(start..comment.unwrap_or(end))]))
                }
                _ => Err(Refusal::NotAnAssignment),
            };
        }
        start = end;
    }
    Err(Refusal::NotAnAssignment)
}

/// `NAME=`, `export NAME=`, or pam's `NAME DEFAULT=`.
fn is_assignment(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"export").filter(|rest| rest.starts_with(b" ")).unwrap_or(line);
    let line = line.trim_ascii_start();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let name = line.iter().take_while(|byte| is_name(byte)).count();
    let rest = line.get(name..).unwrap_or_default().trim_ascii_start();
    name > 0 && [b"=".as_slice(), b"DEFAULT=", b"OVERRIDE="].iter().any(|mark| rest.starts_with(mark))
}

/// Where a comment begins behind the value: it is somebody's note, and stays.
fn comment(line: &[u8]) -> Option<usize> {
    let from = opening_quote(line)
        .map_or(0, |(opened, quote)| closing_quote(line, opened, quote).unwrap_or(line.len()));
    let rest = line.get(from..)?;
    let is_one =
        |at: &usize| matches!(at.checked_sub(1).and_then(|before| rest.get(before)), Some(b' ' | b'\t'));
    memchr::memchr_iter(b'#', rest).find(is_one).map(|at| from + at)
}

/// The end of the line that begins here, with those on which it goes on.
fn logical_end(text: &[u8], start: usize) -> Result<usize, Refusal> {
    let line_end = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(text.len(), |found| from + found + 1)
    };
    let mut end = line_end(start);
    let line = text.get(start..end).unwrap_or_default();
    if line.trim_ascii_start().first() == Some(&b'#') {
        return Ok(end);
    }
    let unclosed = || Refusal::Unclosed(super::line_of(text, start));
    if let Some((opened, quote)) = opening_quote(line) {
        let closing = closing_quote(text, start + opened, quote).ok_or_else(unclosed)?;
        let first_line = end;
        end = line_end(closing);
        let behind = text.get(closing + 1..end).unwrap_or_default().trim_ascii_start();
        if end > first_line && !matches!(behind.first(), None | Some(b'#')) {
            return Err(unclosed());
        }
    }
    while text.get(start..end).is_some_and(goes_on) && end < text.len() {
        end = line_end(end);
    }
    let lines = text.get(start..end).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    if lines.skip(1).any(is_another) { Err(unclosed()) } else { Ok(end) }
}

/// Whether a line that a value seems to go on on is an assignment of its own. The end of a text in base64
/// has an equals sign, too.
fn is_another(line: &[u8]) -> bool {
    let behind = memchr::memchr(b'=', line).and_then(|at| line.get(at + 1..)).unwrap_or_default();
    let is_padded = behind.iter().all(|byte| b"=\"' \t\r\n".contains(byte));
    is_assignment(line.trim_ascii_start()) && !is_padded
}

/// Where the quote that is opened here is closed.
fn closing_quote(text: &[u8], opened: usize, quote: u8) -> Option<usize> {
    let mut at = opened + 1;
    loop {
        match text.get(at)? {
            b'\\' if quote != b'\'' => at += 2,
            byte if *byte == quote => return Some(at),
            _ => at += 1,
        }
    }
}

/// The quote with which the value begins, if it does.
fn opening_quote(line: &[u8]) -> Option<(usize, u8)> {
    let equals = memchr::memchr(b'=', line)?;
    let rest = line.get(equals + 1..)?;
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let quote = *rest.get(blanks)?;
    matches!(quote, b'"' | b'\'' | b'`').then_some((equals + 1 + blanks, quote))
}

fn goes_on(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"\\")
}
