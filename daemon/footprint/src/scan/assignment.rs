//! Assignments of known variables, however a file writes them.

use std::ops::Range;

use super::word::{Dialect, Word, word};

/// An assignment.
#[derive(Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The bytes of the name.
    pub name: Range<usize>,
    /// Its value.
    pub word: Word,
    /// The bytes of its lines with their end, if nothing else is on them.
    pub statement: Option<Range<usize>>,
}

/// Every assignment to a name that `is_wanted`, in order; none in a comment.
pub fn assignments(
    text: &[u8],
    dialect: Dialect,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> impl Iterator<Item = Assignment> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(name) = next_name(text, at) {
            at = name.end;
            let wanted = text.get(name.clone()).is_some_and(&is_wanted) && !is_comment(text, name.start);
            if let Some(found) = wanted.then(|| assignment(text, name, dialect)).flatten() {
                // What comes from elsewhere can name it again: `${NAME:-value}`.
                at = if found.word.dynamic { at } else { found.word.whole.end.max(at) };
                return Some(found);
            }
        }
        None
    })
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The next whole identifier that is long enough and written in capitals.
fn next_name(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let start = at + rest.iter().position(|byte| is_name(*byte))?;
        let length = text.get(start..)?.iter().take_while(|byte| is_name(**byte)).count();
        let first = text.get(start)?;
        if length >= 7 && first.is_ascii_uppercase() {
            return Some(start..start + length);
        }
        at = start + length;
    }
}

fn line_start(text: &[u8], at: usize) -> usize {
    text.get(..at).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |end| end + 1)
}

fn is_comment(text: &[u8], at: usize) -> bool {
    let line = text.get(line_start(text, at)..at).unwrap_or_default().trim_ascii_start();
    let rem = line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"rem "));
    // The first `#` of a fish or zsh history is a time: those lines hold no assignment.
    line.starts_with(b"#") || line.starts_with(b"//") || rem
}

fn assignment(text: &[u8], name: Range<usize>, dialect: Dialect) -> Option<Assignment> {
    let (start, closing) = value_start(text, &name, dialect)?;
    let word = word(text, start, dialect, closing);
    let statement = statement(text, &name, &word, closing);
    Some(Assignment { name, word, statement })
}

fn blanks(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Where the value starts, and the quote that was opened before the name, if that ends it.
fn value_start(text: &[u8], name: &Range<usize>, dialect: Dialect) -> Option<(usize, Option<u8>)> {
    let before = name.start.checked_sub(1).and_then(|at| text.get(at)).copied();
    let quote = before.filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let end = name.end;
    match text.get(end..)? {
        [b'=', b'=', ..] => None,
        [b':', ..] if dialect == Dialect::FishUniversal => Some((end + 1, None)),
        // Only xonsh writes it before a name that it sets.
        rest if before == Some(b'$')
            && !(dialect == Dialect::Toml && rest.trim_ascii_start().starts_with(b"= ")) =>
        {
            None
        }
        [b':', b'-' | b'=', ..] if before == Some(b'{') => Some((end + 2, Some(b'}'))),
        [b'=', ..] => Some((after(text, end + 1, dialect), quote)),
        [b'+', b'=', ..] => Some((end + 2, quote)),
        [byte, ..] if Some(*byte) == quote => quoted_name(text, end + 1),
        _ => spaced(text, name, dialect),
    }
}

/// Configuration files allow blanks after the equals sign, shells do not.
fn after(text: &[u8], at: usize, dialect: Dialect) -> usize {
    if matches!(dialect, Dialect::Posix | Dialect::Fish | Dialect::Unit) { at } else { at + blanks(text, at) }
}

/// `"NAME": value`, `"NAME" = value`, `("NAME", value`, `["NAME"] = value`
fn quoted_name(text: &[u8], at: usize) -> Option<(usize, Option<u8>)> {
    let at = at + usize::from(text.get(at) == Some(&b']'));
    let at = at + blanks(text, at);
    match text.get(at..)? {
        [b'=', b'=', ..] => None,
        [b'=' | b':' | b',', ..] => Some((at + 1 + blanks(text, at + 1), None)),
        _ => None,
    }
}

/// `NAME = value`, `NAME: value`, `set -gx NAME value`
fn spaced(text: &[u8], name: &Range<usize>, dialect: Dialect) -> Option<(usize, Option<u8>)> {
    let at = name.end + blanks(text, name.end);
    let with_equals = !matches!(dialect, Dialect::Posix | Dialect::Fish | Dialect::Unit);
    match text.get(at..)? {
        [b'=', next, ..] if with_equals && *next != b'=' => Some((at + 1 + blanks(text, at + 1), None)),
        [b':', b' ' | b'\t' | b'"' | b'\'', ..] if matches!(dialect, Dialect::Yaml | Dialect::Nu) => {
            Some((at + 1 + blanks(text, at + 1), None))
        }
        rest if at > name.end && is_set_before(text, name.start) => {
            let skipped =
                ["-Value ", "-value ", "DEFAULT="].iter().find(|word| rest.starts_with(word.as_bytes()));
            Some((at + skipped.map_or(0, |word| word.len()), None))
        }
        rest if at > name.end && rest.starts_with(b"DEFAULT=") => Some((at + 8, None)),
        _ => None,
    }
}

/// Whether what stands on the line before the name is a command that sets it to the next word.
fn is_set_before(text: &[u8], name: usize) -> bool {
    let line = text.get(line_start(text, name)..name).unwrap_or_default();
    let line = line
        .strip_suffix(b"Env:")
        .or(line.strip_suffix(b"env:"))
        .or(line.strip_suffix(b"Env:\\"))
        .unwrap_or(line);
    let words: Vec<&[u8]> = line
        .split(|byte| matches!(byte, b' ' | b'\t' | b';' | b'"' | b'\''))
        .filter(|word| !word.is_empty())
        .collect();
    let flags = words.iter().rev().take_while(|word| word.starts_with(b"-")).count();
    let erases = |word: &&&[u8]| {
        let long = [b"--erase".as_slice(), b"--query", b"--show"].contains(word);
        long || (!word.starts_with(b"--") && word.iter().any(|byte| matches!(byte, b'e' | b'q' | b'S')))
    };
    if words.iter().rev().take(flags).any(|word| erases(&word) && !word.eq_ignore_ascii_case(b"-path")) {
        return false;
    }
    let command = words.iter().rev().nth(flags).copied().unwrap_or_default();
    [b"set".as_slice(), b"setenv", b"setx", b"ENV", b"set-item", b"new-item", b"set-environment"]
        .iter()
        .any(|known| command.eq_ignore_ascii_case(known))
}

/// The lines of the assignment, if it is alone on them.
fn statement(text: &[u8], name: &Range<usize>, word: &Word, closing: Option<u8>) -> Option<Range<usize>> {
    let start = line_start(text, name.start);
    if !is_opening(text.get(start..name.start)?) {
        return None;
    }
    let mut end =
        word.whole.end + usize::from(closing.is_some() && text.get(word.whole.end).copied() == closing);
    let line = text.get(end..)?;
    let length = memchr::memchr(b'\n', line).map_or(line.len(), |end| end + 1);
    let rest = line.get(..length)?.trim_ascii();
    let rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    let is_alone =
        rest.is_empty() || matches!(rest, b";" | b")" | b");") || rest.starts_with(b"#") || is_scope(rest);
    end += length;
    is_alone.then_some(start..end)
}

/// `"User")`, the last argument of `SetEnvironmentVariable`.
fn is_scope(rest: &[u8]) -> bool {
    let letters: Vec<u8> =
        rest.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).collect();
    matches!(letters.as_slice(), b"user" | b"machine" | b"process" | b"environmentvariabletargetuser")
}

/// Whether what stands before the name only says that it is set.
fn is_opening(before: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"export",
        b"SETUVAR",
        b"$",
        b"declare",
        b"typeset",
        b"readonly",
        b"local",
        b"set",
        b"setenv",
        b"setx",
        b"ENV",
        b"-",
        b"Environment=",
        b"$env:",
        b"$Env:",
        b"$ENV:",
        b"$env.",
        b"[Environment]::SetEnvironmentVariable(",
        b"[System.Environment]::SetEnvironmentVariable(",
        b"launchctl",
        b"set-env",
        b"Set-Item",
        b"Env:",
        b"env:",
    ];
    let before = before.strip_suffix(b"\"").or(before.strip_suffix(b"'")).unwrap_or(before);
    let words = before.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let is_flag = |word: &[u8]| {
        word.len() > 1
            && word.starts_with(b"-")
            && word.iter().skip(1).all(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
    };
    words.into_iter().all(|word| WORDS.contains(&word) || is_flag(word))
}

#[cfg(test)]
mod tests;
