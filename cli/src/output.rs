//! Everything that is written: results on stdout, the rest on stderr.

pub mod json;
pub mod text;

use std::{
    borrow::Cow,
    fmt,
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
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

/// Shows, on a terminal, that something is waited for. Disappears when it is dropped.
#[derive(Debug)]
pub struct Waiting(ProgressBar);

impl Waiting {
    /// Waits for this.
    pub fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self::started(ProgressBar::new_spinner().with_message(what))
    }

    /// The same, with the time that is left, in seconds.
    pub fn until(what: &'static str, expires_in: u32) -> Self {
        let left = |state: &ProgressState, out: &mut dyn fmt::Write| {
            let left = state.len().unwrap_or(0).saturating_sub(state.elapsed().as_secs());
            let _ = write!(out, "{}:{:02}", left / 60, left % 60);
        };
        let style = ProgressStyle::with_template("{spinner} {msg}, {left} left (Ctrl-C gives up)");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner()).with_key("left", left);
        Self::started(ProgressBar::new(expires_in.into()).with_style(style).with_message(what))
    }

    fn started(bar: ProgressBar) -> Self {
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
