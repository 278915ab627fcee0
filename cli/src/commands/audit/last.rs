//! What the last audit found, in three numbers: `status` shows them, because looking itself would make it
//! slow. They are in the runtime directory, so they are gone after the login session, too.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
};

use claudectl_footprint::{finding::Severity, scan::Audit};
use serde::{Deserialize, Serialize};

use crate::Context;

/// More than it ever holds.
const LONGEST: u64 = 4096;

/// The numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// How many findings.
    pub findings: usize,
    /// How many of them are severe.
    pub high: usize,
    /// How many things could not be looked at.
    pub gaps: usize,
    /// When, in seconds since the Unix epoch.
    pub at: i64,
}

fn path(context: &Context) -> Option<PathBuf> {
    Some(context.environment.endpoints().ok()?.runtime().join("audit.json"))
}

/// What the last audit found; `None` if there was none.
pub fn last(context: &Context) -> Option<Last> {
    let mut text = String::new();
    fs::File::open(path(context)?).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Keeps the numbers. An audit is none the worse if that is not possible.
pub fn remember(context: &Context, audit: &Audit, now: i64) {
    let high = audit.findings.iter().filter(|finding| finding.severity == Severity::High).count();
    let last = Last { findings: audit.findings.len(), high, gaps: audit.gaps.len(), at: now };
    let _ = write(context, &last);
}

fn write(context: &Context, last: &Last) -> Option<()> {
    let path = path(context)?;
    let mut file = tempfile::NamedTempFile::new_in(path.parent()?).ok()?;
    file.write_all(serde_json::to_string(last).ok()?.as_bytes()).ok()?;
    file.persist(path).ok().map(drop)
}
