//! Files with one assignment on each line. A value in quotes, and a line that ends in a backslash, go on
//! on the next line.

use std::ops::Range;

use crate::edit::{Change, Edit, Refusal};

/// Removes the assignment, with its line or lines.
pub(super) fn remove(text: &[u8], span: &Range<usize>) -> Result<Edit, Refusal> {
    // A byte order mark belongs to the file, not to its first line.
    let mut start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while start < text.len() {
        let end = logical_end(text, start)?;
        if span.start < end {
            let line = text.get(start..end).unwrap_or_default();
            let body = line.trim_ascii_start();
            return match body.first() {
                _ if span.end > end => Err(Refusal::NotAnAssignment),
                Some(b'#' | b';') => Err(Refusal::Comment),
                _ if is_assignment(body) => Ok(Edit::new(vec![Change::remove(start..end)])),
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
    if let Some((opened, quote)) = opening_quote(line) {
        let mut at = start + opened + 1;
        loop {
            match text.get(at) {
                None => return Err(Refusal::Unclosed(super::line_of(text, start))),
                Some(b'\\') if quote != b'\'' => at += 2,
                Some(byte) if *byte == quote => break,
                Some(_) => at += 1,
            }
        }
        end = line_end(at);
    }
    while text.get(start..end).is_some_and(goes_on) && end < text.len() {
        end = line_end(end);
    }
    Ok(end)
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
