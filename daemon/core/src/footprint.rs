//! What other programs left, removed when an event purges the accounts (`[policy] footprints`).

use crate::sentence::Cause;

/// A copy that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What it is, with no more of it than its last characters.
    pub what: String,
    /// Where it is.
    pub place: String,
    /// Why it is still there, and who can remove it.
    pub why: String,
}

/// What a removal did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Copies that are proven gone.
    pub gone: usize,
    /// Copies that are not.
    pub remaining: usize,
    /// The first of those.
    pub left: Vec<Left>,
}

/// A removal that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Why it was done.
    pub cause: Cause,
    /// When it was over, wall clock, in seconds since the Unix epoch.
    pub at: i64,
    /// What it did, or why it is not known to have done anything.
    pub outcome: Result<Removed, String>,
}
