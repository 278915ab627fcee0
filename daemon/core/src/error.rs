//! Why the engine refuses.

use crate::{
    credential::FormError,
    ids::{AccountName, SessionId},
};

/// Why a command was refused. No variant ever carries a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No account of that name.
    #[error("account \"{0}\" is not logged in")]
    NotLoggedIn(AccountName),
    /// Nothing is logged in.
    #[error("no account is logged in")]
    NothingLoggedIn,
    /// None was named and none is the default.
    #[error("no account was named and none is the default (logged in: {0})")]
    NoDefault(String),
    /// A rule of the configuration forbids it.
    #[error("account \"{account}\" may not be used below {directory}: a rule of the configuration denies it")]
    Denied {
        /// The account.
        account: AccountName,
        /// The rule's directory.
        directory: String,
    },
    /// It cannot be a credential.
    #[error("{0}")]
    NotACredential(#[from] FormError),
    /// The upstream refused the credential.
    #[error("{upstream} refused the credential (HTTP {status})")]
    CredentialRefused {
        /// Base URL that was asked.
        upstream: String,
        /// Its answer.
        status: u16,
    },
    /// The upstream could not be asked.
    #[error("{upstream} could not be asked whether it accepts the credential: {why}")]
    UpstreamUnreachable {
        /// Base URL that was asked.
        upstream: String,
        /// What went wrong.
        why: String,
    },
    /// The credential was not handed over.
    #[error("the credential was not handed over: {0}")]
    IntakeFailed(String),
    /// The upstream, the proxy or the trust roots cannot be used.
    #[error("{0}")]
    BadRoute(String),
    /// No such session.
    #[error("there is no session {0}")]
    UnknownSession(SessionId),
    /// A limit is reached.
    #[error("the limit of {limit} {what} is reached")]
    LimitReached {
        /// Of what.
        what: &'static str,
        /// How many.
        limit: usize,
    },
    /// The machine did not give what was needed.
    #[error("{0}")]
    Resource(String),
    /// The daemon is stopping.
    #[error("claudectld is stopping")]
    Stopping,
}
