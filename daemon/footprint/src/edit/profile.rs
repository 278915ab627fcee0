//! Assignments out of the files that shells and logins read.

mod lexer;
mod lines;
mod statement;

use std::{ops::Range, path::Path};

use super::{Edit, Refusal};

/// In which language a profile is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// sh, bash, zsh, ksh, and direnv's `.envrc`.
    Shell,
    /// fish.
    Fish,
    /// Nushell.
    Nushell,
    /// PowerShell.
    PowerShell,
    /// One assignment on each line: `.env`, `environment.d`, `~/.pam_environment`.
    Lines,
}

impl Dialect {
    /// That of a file, by its name.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default();
        match extension.as_str() {
            "fish" => Self::Fish,
            "nu" => Self::Nushell,
            "ps1" | "psm1" => Self::PowerShell,
            "conf" => Self::Lines,
            _ if name == ".envrc" => Self::Shell,
            _ if name == ".env" || name.starts_with(".env.") || extension == "env" => Self::Lines,
            _ if name == ".pam_environment" || name == "environment" => Self::Lines,
            _ => Self::Shell,
        }
    }

    /// What does nothing, where something has to stand.
    fn nothing(self) -> &'static [u8] {
        match self {
            Self::Shell => b":",
            Self::Fish => b"true",
            Self::Nushell => b"null",
            Self::PowerShell => b"$null",
            Self::Lines => b"",
        }
    }
}

/// Removes the assignment in whose value these bytes are, and nothing else: its whole line if it stands
/// there alone, only itself if it shares the line. Where a language needs a command in its place, one
/// that does nothing stands there instead.
///
/// # Errors
/// If the bytes are in no assignment of their own, with the reason. They can be overwritten all the same.
pub fn remove(text: &[u8], dialect: Dialect, span: &Range<usize>) -> Result<Edit, Refusal> {
    if dialect == Dialect::Lines {
        return lines::remove(text, span);
    }
    let found = lexer::Lexer::new(text, dialect).statement_at(span)?;
    statement::remove(text, dialect, &found, span)
}

/// The line, from 1, of a byte.
fn line_of(text: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', text.get(..at).unwrap_or(text)).count() + 1
}

/// Where the bytes that hold for white space inside a line begin, going back from here.
pub(super) fn blanks_before(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    at - before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Where they end, going on from here.
pub(super) fn blanks_after(text: &[u8], at: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    at + after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// The end of the line, with it, if it comes right here: after a line feed, with or without a carriage
/// return before it, or at the end of the text.
pub(super) fn line_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..)? {
        [] => Some(at),
        [b'\n', ..] | [b'\r'] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    }
}
