//! Everything that is written: results on stdout, the rest on stderr.

pub mod json;
pub mod text;

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::error::Error;

/// Where the result goes, and in which form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
}

impl Output {
    /// Writes the result: `body` as JSON under its schema, or else the text. Colours of the text
    /// only reach a terminal, and not if `NO_COLOR` is set.
    ///
    /// # Errors
    /// If stdout cannot be written.
    pub fn show<T: Serialize>(
        self,
        schema: &'static str,
        body: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        let lines = if self.json { json::document(schema, body)? } else { text() };
        Self::write(&lines)
    }

    /// Writes these lines to stdout.
    ///
    /// # Errors
    /// If stdout cannot be written.
    pub fn write(lines: &str) -> Result<(), Error> {
        let mut stdout = anstream::stdout().lock();
        writeln!(stdout, "{}", lines.trim_end_matches('\n'))?;
        Ok(stdout.flush()?)
    }
}

/// Says something on the side. There is nobody to tell if that fails.
pub fn complain(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Whether a person sees what is shown meanwhile.
pub fn can_watch() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether a person is at both ends of a question.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
