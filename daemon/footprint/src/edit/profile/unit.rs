//! Settings of systemd's units: `Key=value`, of which those of an environment hold assignments. Source:
//! `systemd.syntax(7)`, and `Environment=` in `systemd.exec(5)`.

use std::ops::Range;

use super::{line_of, statement};
use crate::edit::{Change, Edit, Refusal};

/// The settings whose values are assignments. A word of any other belongs to a command.
const SETTINGS: [&[u8]; 2] = [b"Environment", b"DefaultEnvironment"];

/// Removes the assignment; its setting goes with it only if it is the only one, because a setting without a
/// value would undo all before it.
pub(super) fn remove(text: &[u8], span: &Range<usize>) -> Result<Edit, Refusal> {
    // A byte order mark belongs to the file, not to its first line.
    let mut start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while start < text.len() {
        let end = setting_end(text, start);
        if span.start < end {
            return remove_from(text, &(start..end), span);
        }
        start = end;
    }
    Err(Refusal::NotAnAssignment)
}

fn remove_from(text: &[u8], setting: &Range<usize>, span: &Range<usize>) -> Result<Edit, Refusal> {
    let mut lines = text.get(setting.clone()).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    // Also one between the lines of a value, which is not part of it.
    if lines.any(is_comment) {
        return Err(Refusal::Comment);
    }
    let words = words(text, setting)?;
    let place = words.iter().position(|word| word.start <= span.start && span.end <= word.end);
    let place = place.ok_or(Refusal::NotAnAssignment)?;
    let word = words.get(place).and_then(|word| text.get(word.clone())).unwrap_or_default();
    let bare = word.strip_prefix(b"\"").or(word.strip_prefix(b"'")).unwrap_or(word);
    let before =
        text.get(words.get(place).map_or(span.start, |word| word.start)..span.start).unwrap_or_default();
    let is_its_value = memchr::memchr_iter(b'=', before).count() == 1;
    if !statement::is_assignment(bare) || !is_its_value || word.contains(&b'\n') {
        return Err(Refusal::NotAnAssignment);
    }
    Ok(match words.len() {
        1 => Edit::new(vec![Change::remove(setting.clone())]),
        _ => statement::remove_word(&words, place),
    })
}

/// The end of the setting that begins here, with the lines on which it goes on.
fn setting_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    loop {
        let rest = text.get(end..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |found| found + 1);
        let line = rest.get(..length).unwrap_or_default();
        let goes_on = if is_comment(line) { end > start } else { line.trim_ascii_end().ends_with(b"\\") };
        end += length;
        if !goes_on || end == text.len() {
            return end;
        }
    }
}

fn is_comment(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), Some(b'#' | b';'))
}

/// The words of an environment's setting; none of any other.
fn words(text: &[u8], setting: &Range<usize>) -> Result<Vec<Range<usize>>, Refusal> {
    let line = text.get(setting.clone()).unwrap_or_default();
    let Some(equals) = memchr::memchr(b'=', line) else { return Ok(Vec::new()) };
    if !line.get(..equals).is_some_and(|key| SETTINGS.contains(&key.trim_ascii())) {
        return Ok(Vec::new());
    }
    let (mut words, mut at) = (Vec::new(), setting.start + equals + 1);
    while let Some(byte) = text.get(at).filter(|_| at < setting.end) {
        if byte.is_ascii_whitespace() || is_continuation(text, at) {
            at += 1;
            continue;
        }
        let end = word_end(text, at, setting.end)?;
        words.push(at..end);
        at = end;
    }
    Ok(words)
}

fn word_end(text: &[u8], start: usize, limit: usize) -> Result<usize, Refusal> {
    let (mut at, mut quote) = (start, None);
    while let Some(byte) = text.get(at).filter(|_| at < limit) {
        match (*byte, quote) {
            (b'\\', _) if !is_continuation(text, at) => at += 1,
            (byte, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) => quote = Some(*byte),
            (byte, None) if byte.is_ascii_whitespace() || is_continuation(text, at) => break,
            _ => {}
        }
        at += 1;
    }
    if quote.is_some() { Err(Refusal::Unclosed(line_of(text, start))) } else { Ok(at.min(limit)) }
}

/// Whether a backslash here says that the value goes on on the next line.
fn is_continuation(text: &[u8], at: usize) -> bool {
    matches!(text.get(at..), Some([b'\\', b'\n', ..] | [b'\\', b'\r', b'\n', ..]))
}
