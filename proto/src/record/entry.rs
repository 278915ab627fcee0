//! What a line says.

use serde::{Deserialize, Serialize};

/// One thing that happened. Nothing in it is a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in seconds since the Unix epoch (UTC).
    pub at: i64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// A daemon began to write.
    Started {
        /// Its version.
        version: String,
        /// Its process.
        pid: u32,
    },
    /// The daemon stopped by itself; everything was wiped.
    Stopped,
    /// The line before this one was not written to its end: the daemon or the machine was killed.
    Recovered {
        /// Bytes of it that there are.
        bytes: u64,
    },
    /// Entries that could not be written.
    Omitted {
        /// How many.
        entries: u64,
        /// Why.
        why: String,
    },
    /// Something happened to the desktop.
    Desktop {
        /// What: `screen-locked`.
        what: String,
        /// Who told it: `logind LockedHint`.
        by: String,
        /// From the signal until everything was wiped, in microseconds.
        took_microseconds: u64,
    },
    /// An account was logged in.
    LoggedIn {
        /// Its name.
        account: String,
        /// What authenticates it: `API key`.
        kind: String,
        /// Its upstream.
        upstream: String,
    },
    /// An account was logged out.
    LoggedOut {
        /// Its name.
        account: String,
        /// Why, as the end of a sentence; empty if somebody asked for it.
        why: String,
        /// Sessions that this ended.
        sessions: u64,
    },
    /// An account was wiped from memory; the keyring keeps it.
    Sealed {
        /// Its name.
        account: String,
        /// Why, as the end of a sentence; empty if somebody asked for it.
        why: String,
    },
    /// An account is in memory again.
    Unsealed {
        /// Its name.
        account: String,
    },
    /// What other programs left was removed, because accounts were purged without being asked.
    FootprintsRemoved {
        /// Why, as the end of a sentence.
        why: String,
        /// Copies that are proven gone.
        removed: u64,
        /// Copies that are not.
        left: u64,
        /// The first of those: what, where and why.
        named: Vec<String>,
        /// Why nothing is known to be removed; empty if that is known.
        error: String,
    },
    /// A session was opened.
    SessionOpened {
        /// Its identifier.
        session: String,
        /// The account it uses.
        account: String,
        /// Its program.
        program: String,
        /// Where it was started.
        directory: String,
        /// Its process.
        pid: u32,
    },
    /// A session is over.
    SessionEnded {
        /// Its identifier.
        session: String,
        /// The account it used last.
        account: String,
        /// Its program.
        program: String,
        /// Where it was started.
        directory: String,
        /// Why.
        why: String,
        /// How long it was open, in seconds.
        seconds: u64,
        /// Requests that it made.
        requests: u64,
        /// Input tokens, as the upstream counted them.
        input_tokens: u64,
        /// Output tokens, as the upstream counted them.
        output_tokens: u64,
    },
    /// Something was refused.
    Refused {
        /// What was asked for: `login`, `connection`.
        what: String,
        /// Why it was refused.
        why: String,
        /// How often that had happened in a row.
        times: u64,
    },
    /// Written by a newer version.
    #[serde(other)]
    Unknown,
}

impl What {
    /// What it is called: `logged-in`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Stopped => "stopped",
            Self::Recovered { .. } => "recovered",
            Self::Omitted { .. } => "omitted",
            Self::Desktop { .. } => "desktop",
            Self::LoggedIn { .. } => "logged-in",
            Self::LoggedOut { .. } => "logged-out",
            Self::Sealed { .. } => "sealed",
            Self::Unsealed { .. } => "unsealed",
            Self::FootprintsRemoved { .. } => "footprints-removed",
            Self::SessionOpened { .. } => "session-opened",
            Self::SessionEnded { .. } => "session-ended",
            Self::Refused { .. } => "refused",
            Self::Unknown => "unknown",
        }
    }
}
