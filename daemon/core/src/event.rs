//! What happened.

use std::time::Duration;

use crate::{
    account::{Kept, Obtained},
    command::Command,
    credential::Part,
    error::Refusal,
    footprint::Removed,
    ids::{AccountName, Generation, LoginId, RequestId, SecretId, SessionId},
    policy::Policy,
};

/// Something that happened to the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DesktopEvent {
    /// The screen was locked.
    ScreenLocked,
    /// No screen is locked any more.
    ScreenUnlocked,
    /// The machine is about to sleep; it waits for us, but not for long.
    Suspending,
    /// The machine is awake.
    Resumed {
        /// Whether a screen is locked, asked after the sleep.
        locked: bool,
    },
    /// The machine is about to stop; it waits for us, but not for long.
    ShuttingDown,
    /// Nobody has touched keyboard and pointer for as long as the desktop calls idle.
    InputEnded,
    /// Somebody has touched them again.
    InputSeen,
    /// The last desktop or login session of the user has ended.
    DesktopEnded,
}

impl DesktopEvent {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::ScreenLocked => "screen-locked",
            Self::ScreenUnlocked => "screen-unlocked",
            Self::Suspending => "suspending",
            Self::Resumed { .. } => "resumed",
            Self::ShuttingDown => "shutting-down",
            Self::InputEnded => "input-ended",
            Self::InputSeen => "input-seen",
            Self::DesktopEnded => "desktop-ended",
        }
    }
}

/// Something that a source told of the desktop, and how long it took to act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What it told.
    pub what: DesktopEvent,
    /// Who told it, and how: `logind LockedHint`, `org.gnome.ScreenSaver`.
    pub by: String,
    /// When it was heard, wall clock, in milliseconds since the Unix epoch.
    pub at_milliseconds: i64,
    /// From when it was heard until everything that follows from it was carried out.
    pub took: Duration,
    /// Whether another source had told of the same before.
    pub repeated: bool,
}

/// What became of one secret page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WipedPage {
    /// What was in it.
    pub part: Part,
    /// Bytes that were overwritten.
    pub bytes: usize,
    /// Whether the page read back as zeros.
    pub proven: bool,
}

/// What became of one token at the server (RFC 7009).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Which token.
    pub part: Part,
    /// The endpoint.
    pub endpoint: String,
    /// The server's status, 2xx; or why it is not known to be revoked.
    pub outcome: Result<u16, String>,
}

/// What came of a refresh. Closed: what is not one of these is a bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// There are new tokens.
    Renewed {
        /// Their pages.
        secret: SecretId,
        /// How long the access token lives from now on.
        lifetime: Option<Duration>,
        /// Whether there is a refresh token.
        renewable: bool,
        /// What they may do; empty if that is as before (RFC 6749 section 6).
        scopes: Vec<String>,
    },
    /// Not now: the server cannot be reached, or is busy.
    Transient {
        /// What went wrong.
        why: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// Never again: the server does not take the refresh token.
    Rejected {
        /// What it said.
        why: String,
    },
}

/// A credential that was read from the OS keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its pages.
    pub secret: SecretId,
    /// What came with it.
    pub obtained: Obtained,
    /// When its access token was obtained, wall clock.
    pub obtained_at: i64,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A client asked for something.
    Asked {
        /// Where the answer goes.
        request: RequestId,
        /// What it asked for.
        command: Command,
    },
    /// The credential of a login was received; its form is right.
    CredentialReceived {
        /// Which login.
        login: LoginId,
        /// The pages it is in.
        secret: SecretId,
        /// What came with it.
        obtained: Obtained,
    },
    /// The upstream was asked.
    CredentialChecked {
        /// Which login.
        login: LoginId,
        /// What it said.
        verdict: Result<(), Refusal>,
    },
    /// A login cannot go on: its client is gone, or what it handed over is no credential.
    LoginFailed {
        /// Which login.
        login: LoginId,
        /// Why.
        why: Refusal,
    },
    /// The OS keyring was given a credential.
    CredentialStored {
        /// Its pages.
        secret: SecretId,
        /// Why it has none.
        outcome: Result<(), Refusal>,
    },
    /// A credential was read from the OS keyring, or not.
    CredentialLoaded {
        /// Whose.
        account: AccountName,
        /// Of the account, when it was asked for.
        generation: Generation,
        /// The credential, or why there is none.
        outcome: Result<Loaded, Refusal>,
    },
    /// The copy in the OS keyring was deleted.
    StoredDeleted {
        /// Whose.
        account: AccountName,
        /// Why it is not known to be absent.
        outcome: Result<(), String>,
    },
    /// The OS keyring was looked through when the daemon started: these accounts have a copy there.
    KeptFound(Vec<Kept>),
    /// An authorization server was asked for a new access token.
    CredentialRefreshed {
        /// Whose.
        account: AccountName,
        /// Of the account, when it was asked for.
        generation: Generation,
        /// What came of it.
        outcome: Refreshed,
    },
    /// An authorization server was asked to revoke tokens.
    CredentialRevoked {
        /// Their pages.
        secret: SecretId,
        /// One per token, in the order in which they were revoked.
        revocations: Vec<Revocation>,
    },
    /// The upstream refused an access token that could be renewed.
    AccessRefused {
        /// Whose.
        account: AccountName,
        /// Of the account, when the request was sent.
        generation: Generation,
    },
    /// Secret pages were wiped.
    CredentialWiped {
        /// Which.
        secret: SecretId,
        /// One per page.
        pages: Vec<WipedPage>,
    },
    /// A session's API socket is up and its process is being watched, or not.
    SessionStarted {
        /// Which session.
        session: SessionId,
        /// Who asked for it: the identifier may have been drawn again since.
        request: RequestId,
        /// Why not.
        outcome: Result<(), Refusal>,
    },
    /// A session's process is gone.
    ProcessExited {
        /// Which session.
        session: SessionId,
    },
    /// The leader of a session's terminal is gone.
    TerminalClosed {
        /// Which session.
        session: SessionId,
    },
    /// Another process tried to use a session.
    PeerRefused {
        /// Whose session.
        session: SessionId,
    },
    /// A session has made requests since it was last asked. Told before a deadline, not for each request.
    SessionUsed {
        /// Which session.
        session: SessionId,
        /// When it last had a request open, since boot.
        at: Duration,
    },
    /// Something happened to the desktop.
    Desktop(DesktopEvent),
    /// One more source tells of a screen lock that is known already. Accounts that were logged in
    /// since then go, too; it is no other lock.
    LockToldAgain,
    /// A desktop event was heard and acted on.
    Sighted(Sighting),
    /// A source of desktop events can be heard now.
    SourceHeard {
        /// Its name, as people know it: `logind`.
        source: &'static str,
    },
    /// A source of desktop events cannot be heard any more.
    SourceLost {
        /// Its name.
        source: &'static str,
    },
    /// The configuration was read.
    PolicyLoaded(Policy),
    /// An earlier daemon was to remove footprints, and did not get to the end.
    FootprintsOwed,
    /// That footprints are to be removed is noted where the next daemon looks, or cannot be.
    FootprintsNoted,
    /// Footprints were removed, as far as that was possible.
    FootprintsRemoved {
        /// What was done, or why that is not known.
        outcome: Result<Removed, String>,
    },
    /// The daemon was told to stop.
    StopRequested,
    /// A deadline of the engine has come.
    DeadlineReached,
}
