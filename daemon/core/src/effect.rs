//! What is to be done about it.

use std::time::Duration;

use crate::{
    account::{Account, Login},
    error::Refusal,
    ids::{AccountName, Generation, LoginId, RequestId, SecretId, SessionId},
    receipt::Receipt,
    sentence::Cause,
    session::{Gate, Session},
};

/// One thing that the shell does for the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Answer a client.
    Answer {
        /// Which question.
        request: RequestId,
        /// The answer.
        answer: Result<Answer, Refusal>,
    },
    /// Get a credential: from the client through an intake, or from an authorization server. Ends in
    /// `CredentialReceived` or `LoginFailed`.
    ObtainCredential {
        /// Which login.
        login: LoginId,
        /// What is known of it.
        details: Login,
    },
    /// Ask the upstream; ends in `CredentialChecked`.
    CheckCredential {
        /// Which login.
        login: LoginId,
        /// What is known of it.
        details: Login,
        /// The pages to ask with.
        secret: SecretId,
    },
    /// Give the OS keyring a copy; ends in `CredentialStored`. The keyring does what it is told in order, and
    /// answers in order. Best made at once, so that a wipe which follows does not reach the copy; pages that
    /// are wiped by then are refused.
    StoreCredential {
        /// The account, as it is going to be.
        account: Box<Account>,
        /// The pages.
        secret: SecretId,
        /// Who waits for it: a person who may have to unlock the keyring.
        request: Option<RequestId>,
    },
    /// Read an account's credential from the OS keyring; ends in `CredentialLoaded`.
    LoadCredential {
        /// Whose.
        account: AccountName,
        /// Of the account now.
        generation: Generation,
    },
    /// Delete the copy in the OS keyring, and look whether it is gone; ends in `StoredDeleted`.
    DeleteStored {
        /// Whose.
        account: AccountName,
    },
    /// Ask the authorization server for a new access token; ends in `CredentialRefreshed`.
    RefreshCredential {
        /// Whose.
        account: AccountName,
        /// Of the account now.
        generation: Generation,
        /// The pages to ask with.
        secret: SecretId,
    },
    /// Ask the authorization server to revoke the tokens; ends in `CredentialRevoked`.
    RevokeCredential {
        /// Their pages.
        secret: SecretId,
        /// How long that may take.
        within: Duration,
    },
    /// Overwrite secret pages in place; ends in `CredentialWiped`.
    WipeCredential {
        /// Which.
        secret: SecretId,
    },
    /// Bring up a session's API socket and watch its process; ends in `SessionStarted`.
    StartSession {
        /// Who waits for it.
        request: RequestId,
        /// The session.
        session: Session,
        /// Its account.
        account: Box<Account>,
        /// What its requests read.
        gate: Gate,
    },
    /// Note which account is the default, for the next daemon.
    NoteDefault {
        /// The account.
        account: Option<AccountName>,
    },
    /// Replace what the requests of a session read; cuts its open streams.
    PublishGate {
        /// Which session.
        session: SessionId,
        /// What its requests read from now on.
        gate: Gate,
    },
    /// Take down a session's API socket and stop watching its process.
    RemoveSession {
        /// The session as it was at the end.
        session: Session,
    },
    /// Remove what other programs left, once nothing waits for its wipe any more: first `FootprintsNoted`, in
    /// the end `FootprintsRemoved`. An order that is not carried out to its end is owed by the next daemon.
    RemoveFootprints {
        /// Why.
        cause: Cause,
    },
    /// Stop the daemon: everything is wiped.
    Stop,
}

/// What a client gets to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The account is logged in.
    LoggedIn {
        /// The account.
        account: Account,
        /// Whether it is the default now.
        is_default: bool,
        /// Whether it replaced a credential of the same name.
        replaced: bool,
    },
    /// The default account was changed.
    Switched {
        /// The new default.
        account: Account,
    },
    /// Accounts were logged out.
    LoggedOut {
        /// What was proven about each copy.
        receipt: Receipt,
    },
    /// Accounts were sealed.
    Sealed {
        /// As they are now.
        accounts: Vec<Account>,
    },
    /// Accounts were unsealed.
    Unsealed {
        /// As they are now.
        accounts: Vec<Account>,
    },
    /// A session was opened.
    SessionOpened {
        /// The session.
        session: Session,
    },
    /// A session was given to another account.
    SessionMoved {
        /// The session as it is now.
        session: Session,
    },
    /// A session was ended.
    SessionEnded {
        /// The session as it was at the end.
        session: Session,
    },
}
