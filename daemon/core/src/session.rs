//! Sessions: running programs under the daemon.

use std::time::Duration;

use crate::{
    credential::{CredentialKind, Header},
    ids::{AccountName, Generation, SecretId, SessionId},
};

/// A process, named so that a recycled number cannot stand in for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Process identifier.
    pub pid: u32,
    /// Start time in clock ticks since boot (`proc_pid_stat(5)`, field 22).
    pub started: u64,
}

/// How a session reaches its API socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A Unix socket of its own.
    Unix,
    /// A loopback TCP port and a capability of its own.
    Tcp,
}

/// What the session's program may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// Its requests go through.
    Open,
    /// Its account is sealed or being renewed: requests wait.
    Frozen,
    /// Its account is logged out: requests get the sentence, and go through again after a login.
    LoggedOut {
        /// Which account, why, since when, and the command that fixes it.
        sentence: String,
    },
    /// Ended for good, though its process still runs.
    Ended {
        /// As above.
        sentence: String,
    },
}

/// One running program under the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// The account it uses.
    pub account: AccountName,
    /// What its program was told that account is: it asks for a subscription in another way.
    pub kind: CredentialKind,
    /// Its process.
    pub process: Process,
    /// Leader of its terminal's session, if it has a terminal.
    pub terminal: Option<Process>,
    /// The program, as its client named it.
    pub program: String,
    /// The working directory, as its client named it.
    pub directory: String,
    /// How it reaches its API socket.
    pub transport: Transport,
    /// Whether its child processes may use it too.
    pub children: bool,
    /// What it may do.
    pub state: SessionState,
    /// When it was opened, wall clock.
    pub opened_at: i64,
    /// Connections that were refused because another process made them.
    pub refused_peers: u32,
}

/// What a request of a session reads, without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// Requests go through with this credential.
    Open {
        /// The account, for sentences.
        account: AccountName,
        /// The pages that hold the credential.
        secret: SecretId,
        /// Of the account, when the gate was opened.
        generation: Generation,
        /// Of the login: open streams go on for as long as this stays.
        login: Generation,
        /// How to inject it.
        header: Header,
        /// Since when a refused request may be answered by a renewal, since boot; `None` if never.
        renewable_from: Option<Duration>,
        /// Whether it may be sealed: then requests wait, and may have to be sent again.
        is_kept: bool,
    },
    /// Requests wait for the thaw; after too long they get this sentence. Open streams stand still.
    Frozen {
        /// The account.
        account: AccountName,
        /// Of the login that is frozen: its streams go on after the thaw.
        login: Generation,
        /// Which account, why, since when, and the command that fixes it.
        sentence: String,
    },
    /// Requests get `401` and this sentence.
    Closed {
        /// Which account, why, since when, and the command that fixes it.
        sentence: String,
    },
}
