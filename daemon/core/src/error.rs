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
    /// The account is only in the keyring.
    #[error("account \"{0}\" is sealed")]
    Sealed(AccountName),
    /// The account has no copy in the keyring.
    #[error(
        "account \"{0}\" is not kept in the keyring, so it cannot be sealed: its only copy would be lost"
    )]
    NotKept(AccountName),
    /// The authorization server does not renew the account any more.
    #[error("account \"{account}\" needs a new login: {why}")]
    LoginNeeded {
        /// The account.
        account: AccountName,
        /// What the server said.
        why: String,
    },
    /// No authorization server of that name.
    #[error("there is no [authorization_server.{0}] in the configuration")]
    UnknownAuthority(String),
    /// The person did not sign in, or the authorization server did not agree.
    #[error("{why}")]
    NotAuthorized {
        /// What went wrong.
        why: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A session cannot change between these kinds of account while its program runs.
    #[error("session {session} was started for {kind}; account \"{account}\" is of another kind")]
    OtherKind {
        /// The session.
        session: SessionId,
        /// What it was started for.
        kind: &'static str,
        /// The account that it was to use.
        account: AccountName,
    },
    /// The account is a subscription, and what was to run is not the genuine client over its own socket.
    #[error(
        "account \"{0}\" is a subscription: it is for the genuine Claude Code alone, over a socket of its own"
    )]
    GenuineOnly(AccountName),
    /// The OS keyring did not do it.
    #[error("{why}")]
    Keyring {
        /// What went wrong.
        why: String,
        /// What a person can do about it.
        hint: &'static str,
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
