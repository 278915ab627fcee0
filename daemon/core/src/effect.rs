//! What is to be done about it.

use crate::{
    account::{Account, Login},
    error::Refusal,
    ids::{LoginId, RequestId, SecretId, SessionId},
    receipt::Receipt,
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
    /// Open an intake and receive a credential; ends in `CredentialReceived` or `LoginFailed`.
    ReceiveCredential {
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
        /// The page to ask with.
        secret: SecretId,
    },
    /// Overwrite a secret page in place; ends in `CredentialWiped`.
    WipeCredential {
        /// Which page.
        secret: SecretId,
    },
    /// Bring up a session's API socket and watch its process; ends in `SessionStarted`.
    StartSession {
        /// Who waits for it.
        request: RequestId,
        /// The session.
        session: Session,
        /// What its requests read.
        gate: Gate,
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
