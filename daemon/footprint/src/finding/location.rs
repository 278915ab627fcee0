//! Where exactly a credential is.

use std::{ops::Range, path::PathBuf};

use claudectl_platform::tree::FileIdentity;

use super::Fingerprint;

/// Where a credential is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In a file.
    Stored(Stored),
    /// In a variable that somebody holds.
    Variable {
        /// Who.
        holder: Holder,
        /// Its name.
        name: String,
    },
    /// In the macOS login keychain.
    Keychain {
        /// The item's service.
        service: String,
        /// The item's account.
        account: String,
    },
    /// In the Windows Credential Manager.
    CredentialManager {
        /// The entry's target name.
        target: String,
    },
    /// In the Windows registry.
    Registry {
        /// The key, such as `HKCU\Environment`.
        key: String,
        /// The value's name.
        value: String,
    },
}

/// Who holds a variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The shell that ran the command.
    ThisShell,
    /// A running process.
    Process {
        /// Its number.
        pid: u32,
        /// When it started, in clock ticks since boot (field 22 of `/proc/PID/stat`), so that a
        /// recycled number is noticed.
        started: u64,
        /// Its name.
        program: String,
    },
    /// The systemd user manager: every service and, on many desktops, every program gets it.
    SystemdUser,
    /// A tmux server: every new window gets it.
    Tmux {
        /// The server's socket.
        socket: PathBuf,
        /// The session whose own environment it is; `None` for the global one.
        session: Option<String>,
    },
    /// launchd of the login session.
    Launchd,
}

/// A credential in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The file; absolute, and no part of it below the searched directory is a link.
    pub path: PathBuf,
    /// The file as it was.
    pub file: FileIdentity,
    /// Every run of bytes in it that is this credential, in order, not overlapping.
    pub occurrences: Vec<Occurrence>,
    /// What stands around it.
    pub structure: Structure,
}

/// A run of bytes in a file that is a credential. Where it is written in an escaped or quoted way,
/// the bytes are those that are written, from its first to its last character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Offsets from the start of the file.
    pub bytes: Range<u64>,
    /// The fingerprint of exactly these bytes: what a removal compares before it overwrites.
    pub raw: Fingerprint,
}

/// What stands around a credential in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Structure {
    /// The string at this JSON pointer (RFC 6901).
    Json {
        /// The pointer, such as `/claudeAiOauth/accessToken`.
        pointer: String,
    },
    /// The value of an assignment in a shell's or an `.env` file.
    Assignment {
        /// The first line of the statement, from 1.
        line: u64,
        /// The variable's name.
        variable: String,
        /// The bytes of the whole statement with the end of its line, if it stands alone on its
        /// lines; `None` if other commands share them.
        statement: Option<Range<u64>>,
        /// The bytes of the value with its quotes.
        value: Range<u64>,
    },
    /// Running text.
    Text {
        /// The line of the first occurrence, from 1.
        line: u64,
    },
}
