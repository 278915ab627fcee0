//! One credential at one place: all that a person has to know and a removal needs, and nothing of
//! the credential but its last characters.

mod fingerprint;
mod kind;
mod location;
mod tail;

pub use claudectl_platform::tree::FileIdentity;
pub use fingerprint::{Fingerprint, FingerprintKey};
pub use kind::{Kind, Revocation};
pub use location::{Holder, Location, Occurrence, Stored, Structure};
pub use tail::Tail;

use claudectl_platform::permissions::others_reach;

use crate::catalog::Place;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing: part of a credential, a path to one, or another service's.
    Low,
    /// A credential that works, where only this user can read it.
    Medium,
    /// A credential that works and that others can read, that is spread by accident (a project), or
    /// that is used instead of the daemon's account.
    High,
}

/// The two slots of a request in which the genuine client sends credentials. Both can be filled at
/// once. Source: section 8.1 of the facts about Claude Code 2.1.330 that this project was built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// `Authorization: Bearer`
    Bearer,
    /// `x-api-key`
    ApiKey,
}

/// What the credential does when the genuine client is started here outside a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It is sent in this slot, and its owner pays instead of the daemon's account.
    Pays(Slot),
    /// It would be sent in this slot if what pays now were gone.
    Waits(Slot),
    /// It takes no part here.
    None,
}

/// One credential at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The row of the catalogue.
    pub place: &'static Place,
    /// Where exactly.
    pub location: Location,
    /// What it is.
    pub kind: Kind,
    /// Its last characters.
    pub tail: Tail,
    /// Equal for equal credentials in one run.
    pub fingerprint: Fingerprint,
    /// How bad it is.
    pub severity: Severity,
    /// What it does when the genuine client is started here.
    pub effect: Effect,
    /// When the file was last written or the process started, in seconds since the Unix epoch.
    pub changed_at: Option<i64>,
    /// The daemon's account that holds the same credential, if the daemon knows it.
    pub account: Option<String>,
    /// The one command that removes it.
    pub cure: String,
    /// Whether it names a file that is there. Then it stays until that file is gone, or nobody would know of the
    /// file any more.
    pub leads: bool,
}

impl Finding {
    /// Whether other users of this machine can read it, as far as modes say.
    pub fn is_open_to_others(&self) -> bool {
        let Location::Stored(stored) = &self.location else { return false };
        stored.file.mode & 0o044 != 0 && stored.path.parent().is_some_and(others_reach)
    }

    /// Where the credential is taken out of force, which no removal does.
    pub fn revocation(&self) -> Option<Revocation> {
        self.kind.revocation()
    }
}
