//! What clients ask for.

use crate::{
    account::{Route, Way},
    credential::CredentialKind,
    ids::{AccountName, SessionId},
    session::{Process, Transport},
};

/// One thing a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Log an account in.
    BeginLogin(BeginLogin),
    /// Change the default account.
    SwitchAccount {
        /// The new default.
        account: AccountName,
    },
    /// Log accounts out.
    LogOut(Selection),
    /// Wipe kept accounts from memory; their sessions freeze.
    Seal(Selection),
    /// Load sealed accounts from the keyring; their sessions thaw.
    Unseal(Selection),
    /// Open a session for the asking process.
    OpenSession(OpenSession),
    /// Give a session to another account.
    MoveSession {
        /// Which one.
        session: SessionId,
        /// The account that it uses from now on.
        account: AccountName,
    },
    /// End a session.
    EndSession {
        /// Which one.
        session: SessionId,
    },
}

/// Which accounts are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The default account.
    Default,
    /// These.
    Named(Vec<AccountName>),
    /// Every one.
    All,
}

/// Log an account in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeginLogin {
    /// The account's name.
    pub name: AccountName,
    /// What it is going to be.
    pub kind: CredentialKind,
    /// How it comes in.
    pub way: Way,
    /// The way to the upstream, as far as the client names one.
    pub route: Route,
    /// Plan of a subscription, as the person said.
    pub plan: Option<String>,
    /// Whether to ask the upstream first.
    pub check: bool,
    /// Whether the OS keyring gets a copy.
    pub keep: bool,
}

/// Open a session for the asking process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Drawn at random by the shell.
    pub id: SessionId,
    /// The asking process, named by the kernel.
    pub process: Process,
    /// Leader of its terminal's session.
    pub terminal: Option<Process>,
    /// The account; `None` for the default one.
    pub account: Option<AccountName>,
    /// How it reaches its API socket.
    pub transport: Transport,
    /// Whether child processes may use it too.
    pub children: bool,
    /// Whether the program is the genuine Claude Code, as the client says.
    pub genuine: bool,
    /// The program, as the client named it.
    pub program: String,
    /// The working directory, as the client named it.
    pub directory: String,
}
