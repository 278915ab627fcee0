//! Looking into the places of the catalogue. Nothing is changed, nothing is followed out of the
//! user's tree, nothing is waited for, and of what is found only its last characters are kept.

mod ask;
pub mod assignment;
mod database;
mod expand;
mod file;
pub mod format;
pub mod json;
mod live;
mod look;
mod lookout;
mod named;
mod needle;
pub mod netrc;
pub mod placeholder;
mod precedence;
mod recorder;
mod roots;
mod scope;
mod stream;
mod structured;
mod variables;
mod walk;
mod weigh;
mod wide;
pub mod word;

use std::{io, path::PathBuf};

pub use live::of_systemd;
pub use lookout::Lookout;
pub use needle::Needles;
pub use scope::{Meter, Scope};

use crate::finding::{Finding, FingerprintKey};

/// Something that could not be looked at, so that nothing is known about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// All that was found.
#[derive(Debug)]
pub struct Audit {
    /// The findings, by place.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub gaps: Vec<Gap>,
    /// Claude Code's configuration directories, the one in force here first.
    pub directories: Vec<PathBuf>,
    /// What has to be watched to notice the next one in the cheap places; nothing if others were looked at, too.
    pub lookout: Lookout,
    /// The key of the fingerprints: a removal compares them once more.
    pub key: FingerprintKey,
    /// What running text was searched for.
    pub needles: Needles,
}

/// Looks into every place (or, if the scope says so, into the cheap ones).
///
/// # Errors
/// If the home directory cannot be opened, or the system has no random numbers.
pub fn audit(scope: &Scope<'_>, meter: &Meter) -> io::Result<Audit> {
    audit_with(scope, meter, FingerprintKey::random()?)
}

/// As [`audit`], with the key of an earlier run: what was found then is known again.
///
/// # Errors
/// As [`audit`].
pub fn audit_with(scope: &Scope<'_>, meter: &Meter, key: FingerprintKey) -> io::Result<Audit> {
    audit_again(scope, meter, key, Needles::default())
}

/// As [`audit_with`], and running text is searched for what earlier looks found elsewhere.
///
/// # Errors
/// As [`audit`].
pub fn audit_again(
    scope: &Scope<'_>,
    meter: &Meter,
    key: FingerprintKey,
    needles: Needles,
) -> io::Result<Audit> {
    let mut look = look::Look::new(scope, meter, &key, needles)?;
    look.at_variables();
    look.at_live_places();
    look.at_structured_files();
    look.at_named_files();
    look.at_running_text();
    let look::Found { mut findings, mut gaps, directories, lookout, needles } = look.finish();
    precedence::apply(&mut findings, scope);
    weigh::apply(&mut findings);
    findings.sort_by(|a, b| weigh::order(a).cmp(&weigh::order(b)));
    gaps.sort();
    gaps.dedup();
    Ok(Audit { findings, gaps, directories, lookout, key, needles })
}
