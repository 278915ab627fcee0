//! One row of the catalogue.

use crate::{finding::Kind, scan::word::Dialect};

/// Where a place is. Patterns are paths below a directory; `*` stands for any part of one name, and
/// `**` at the end for everything below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Files below the home directory (`.config/` also below `XDG_CONFIG_HOME`, and so on).
    Home(&'static [&'static str]),
    /// Files below each of Claude Code's configuration directories.
    ConfigDirectory(&'static [&'static str]),
    /// Files of the project: below the working directory, and its parents up to the repository's root.
    Project(&'static [&'static str]),
    /// Files that variables name, wherever those are set.
    NamedByVariable,
    /// The variables of the shell that runs the command.
    ThisShell,
    /// The variables of this user's processes.
    Processes(Which),
    /// The variables of the systemd user manager.
    SystemdUser,
    /// The variables of tmux servers.
    Tmux,
    /// The variables of launchd's login session.
    Launchd,
    /// Items of the macOS login keychain whose service starts like this.
    Keychain(&'static str),
    /// Entries of the Windows Credential Manager whose target contains this.
    CredentialManager(&'static str),
    /// Values of this key of the Windows registry.
    Registry(&'static str),
}

/// Which processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The genuine client.
    Claude,
    /// What the session bus started: its activation environment cannot be read, but it is inherited.
    OfTheBus,
    /// All others.
    Others,
}

/// How a credential is recognised in a file. The forms of Anthropic's own credentials are recognised
/// everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// JSON; strings at these places are credentials whatever they look like.
    Json(&'static [Rule]),
    /// Assignments of known variables.
    Assignments(Dialect),
    /// The variables of a job of launchd.
    PropertyList,
    /// `machine NAME login NAME password SECRET`
    Netrc,
    /// A credential and nothing else, or JSON with names such as `token`.
    Credential,
    /// Running text, of any size.
    Text,
}

/// What a string in JSON means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Names from the root, separated by `/`; `*` is any one, `**` any number of them.
    pub path: &'static str,
    /// What the string is.
    pub means: Means,
}

/// What a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A credential of this kind, unless its form says another one.
    Is(Kind),
    /// The value of the variable that it is named like, if that is a known one.
    Variable,
    /// A credential of this kind if its name says that it is one: `…token`, `…key`, `…secret`.
    NamedLikeOne(Kind),
}

/// A rule.
pub(crate) const fn rule(path: &'static str, means: Means) -> Rule {
    Rule { path, means }
}

/// What a place belongs to; findings are grouped by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What Claude Code itself stores.
    ClaudeCode,
    /// Variables of this shell, of service managers and terminals.
    Environment,
    /// Files that a shell or a login reads.
    Profiles,
    /// What shells remember.
    Histories,
    /// Other programs that keep Anthropic credentials.
    Neighbours,
    /// The project in the working directory.
    Project,
    /// Programs that run now.
    Processes,
    /// Keychains and credential managers of the operating system.
    Keychains,
}

/// On which operating systems a place can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platforms {
    /// Linux.
    pub linux: bool,
    /// macOS.
    pub macos: bool,
    /// Windows.
    pub windows: bool,
}

impl Platforms {
    /// Everywhere.
    pub const ALL: Self = Self { linux: true, macos: true, windows: true };
    /// Linux and macOS.
    pub const UNIX: Self = Self { linux: true, macos: true, windows: false };
    /// Linux only.
    pub const LINUX: Self = Self { linux: true, macos: false, windows: false };
    /// macOS only.
    pub const MACOS: Self = Self { linux: false, macos: true, windows: false };
    /// Windows only.
    pub const WINDOWS: Self = Self { linux: false, macos: false, windows: true };
}

/// How a credential is removed from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// The genuine client's own `claude auth logout` (it revokes at the server), then what it leaves.
    ClientLogout,
    /// The member at the JSON pointer is taken out; the rest of the file stays.
    EditJson,
    /// The statement that assigns it is taken out of the file; every other byte stays.
    EditStatement,
    /// Only the credential's own characters are overwritten: the file is somebody's record.
    Overwrite,
    /// The file exists only for the credential: overwritten and unlinked.
    DeleteFile,
    /// The variable is unset where it is held (service manager, terminal multiplexer, registry).
    UnsetVariable,
    /// The item is deleted from the operating system's store.
    DeleteItem,
    /// The process has to end: nobody can take a variable from it.
    EndProcess,
    /// Only the person can: the program's own log-out, another user's file, the current shell.
    Person,
}

/// A place where credentials are known to be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its name, never changed: an interface of `--json` and SARIF, such as `claude.credentials`.
    pub id: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// Where it is.
    pub at: At,
    /// How a credential is recognised there, if it is a file.
    pub reader: Reader,
    /// Where it can be.
    pub platforms: Platforms,
    /// What somebody who takes a credential from there can do with it.
    pub power: &'static str,
    /// How a credential is removed from there.
    pub remedy: Remedy,
    /// Whether looking costs next to nothing, so that `status` and the guard can.
    pub cheap: bool,
    /// Whether it was seen on a real system; the others are known from documentation only.
    pub seen: bool,
}
