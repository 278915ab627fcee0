//! The list of copies of a credential, and what was proven about each.

use crate::{
    credential::{CredentialKind, Part},
    ids::AccountName,
};

/// What was logged out, and what was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// When it was written, wall clock.
    pub issued_at: i64,
    /// The accounts it speaks of.
    pub accounts: Vec<AccountName>,
    /// Sessions that were ended.
    pub sessions_ended: usize,
    /// One per copy.
    pub items: Vec<ReceiptItem>,
}

/// One copy of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptItem {
    /// The account it belonged to.
    pub account: AccountName,
    /// What it belonged to.
    pub kind: CredentialKind,
    /// What it is.
    pub part: Part,
    /// Where it was.
    pub place: Place,
    /// How it ended.
    pub outcome: Outcome,
}

/// Where a copy was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the daemon's memory.
    Memory,
    /// At the upstream, which goes on accepting it.
    Upstream(String),
    /// At the authorization server, whose revocation endpoint this is.
    AuthorizationServer(String),
    /// In the OS keyring.
    Keyring,
}

/// How a copy ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This many bytes were overwritten and read back as zeros.
    Wiped(usize),
    /// This many bytes were overwritten, but the page did not read back as zeros.
    WipedUnproven(usize),
    /// The server answered the revocation with this status.
    Revoked(u16),
    /// The server is not known to have revoked it.
    NotRevoked(String),
    /// The entry is gone, and was looked for.
    Absent,
    /// The entry is not known to be gone.
    NotAbsent(String),
    /// Stays valid until somebody else acts.
    OutOfReach,
}
