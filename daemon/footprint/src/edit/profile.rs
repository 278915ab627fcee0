//! Assignments out of the files that shells and logins read.

mod lexer;
mod lines;
mod statement;
mod unit;

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
    /// systemd's units and what is configured like them: drop-ins, Podman's quadlets.
    Unit,
    /// Anything else: nothing is known of what may be taken out.
    Other,
}

/// Names that end so are written in a language of which none of the others is a part.
const OTHERS: [&str; 21] = [
    "cfg", "conf", "ex", "exs", "go", "ini", "js", "json", "lua", "md", "php", "pl", "plist", "py", "rb",
    "tfvars", "toml", "ts", "xml", "yaml", "yml",
];

impl Dialect {
    /// That of a file, by its name and the directories that it is in.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default();
        let is_below = |name: &str| path.ancestors().skip(1).any(|above| above.ends_with(name));
        match extension.as_str() {
            _ if is_below("environment.d") => Self::Lines,
            _ if is_below("systemd") => Self::Unit,
            "fish" => Self::Fish,
            "nu" => Self::Nushell,
            "ps1" | "psm1" => Self::PowerShell,
            other if OTHERS.contains(&other) => Self::Other,
            _ if name == ".envrc" => Self::Shell,
            _ if name == ".env" || name.starts_with(".env.") || extension == "env" => Self::Lines,
            _ if [".pam_environment", "environment", ".flaskenv", ".dev.vars", "env.list"]
                .contains(&name.as_str()) =>
            {
                Self::Lines
            }
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
            Self::Lines | Self::Unit | Self::Other => b"",
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
    match dialect {
        Dialect::Lines => return lines::remove(text, span),
        Dialect::Unit => return unit::remove(text, span),
        Dialect::Other => return Err(Refusal::NotAnAssignment),
        Dialect::Shell | Dialect::Fish | Dialect::Nushell | Dialect::PowerShell => {}
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
