//! The one plain sentence that a session gets when its requests do not go through: which account,
//! why, since when, and the command that fixes it.

use crate::{ids::AccountName, time::clock_time};

/// Why an account was logged out or sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked for it.
    Asked,
    /// The screen was locked.
    ScreenLocked,
    /// The machine went to sleep.
    Suspending,
    /// Nobody used it for a while.
    Idle,
    /// Its login was as old as the configuration allows.
    LifetimeOver,
    /// The last desktop or login session of the user ended.
    DesktopEnded,
    /// The machine was shut down.
    ShuttingDown,
    /// The daemon stops.
    Stopping,
    /// The daemon was started anew, and found it in the keyring.
    Restarted,
    /// What was to be done before was not done to its end.
    Interrupted,
}

impl Cause {
    /// The cause as the end of a sentence; empty if it goes without saying.
    pub fn words(self) -> &'static str {
        match self {
            Self::Asked => "",
            Self::ScreenLocked => " because the screen was locked",
            Self::Suspending => " because the machine went to sleep",
            Self::Idle => " after a while without use",
            Self::LifetimeOver => " at the end of the time that the configuration allows",
            Self::DesktopEnded => " because the last desktop session ended",
            Self::ShuttingDown => " because the machine was shut down",
            Self::Stopping => " because claudectld stopped",
            Self::Restarted => " because claudectld was started anew",
            Self::Interrupted => " because it was interrupted before",
        }
    }
}

/// The account was logged out.
pub fn logged_out(account: &AccountName, cause: Cause, since: i64) -> String {
    let why = cause.words();
    format!(
        "claudectl: account \"{account}\" was logged out at {}{why}. \
         Run `claudectl login {account}` in a terminal, then send your message again.",
        clock_time(since)
    )
}

/// The account is sealed, and was not unsealed in time.
pub fn sealed(account: &AccountName, cause: Cause, since: i64) -> String {
    let why = cause.words();
    format!(
        "claudectl: account \"{account}\" was sealed at {}{why}. \
         Run `claudectl unseal {account}` in a terminal, then send your message again.",
        clock_time(since)
    )
}

/// The access token ended, and was not renewed in time.
pub fn not_renewed(account: &AccountName) -> String {
    format!(
        "claudectl: the login of account \"{account}\" could not be renewed in time, because its authorization \
         server did not answer. Send your message again; `claudectl status` says more."
    )
}

/// The machine sleeps, or has just woken and does not know yet whether its screen is locked.
pub fn asleep(account: &AccountName) -> String {
    format!(
        "claudectl: account \"{account}\" waits for the machine to be awake. Send your message again; \
         `claudectl status` says more."
    )
}

/// The authorization server does not renew the login any more.
pub fn rejected(account: &AccountName, why: &str, since: i64) -> String {
    format!(
        "claudectl: account \"{account}\" needs a new login since {}: {why}. \
         Run `claudectl login {account}` in a terminal, then send your message again.",
        clock_time(since)
    )
}

/// The account was logged in anew as something that the running program cannot use.
pub fn other_kind(account: &AccountName) -> String {
    format!(
        "claudectl: account \"{account}\" was logged in anew with another kind of credential. \
         Start `claude` again to go on."
    )
}

/// The session was ended by hand.
pub fn ended(since: i64) -> String {
    format!(
        "claudectl: this session was ended at {} with `claudectl end`. Start `claude` again to go on.",
        clock_time(since)
    )
}

/// The session's process or terminal is gone, but somebody still holds a connection.
pub fn over() -> String {
    "claudectl: this session is over, because its process or its terminal ended. Start `claude` again to go on."
        .to_owned()
}

/// Another process holds the session.
pub fn not_yours() -> &'static str {
    "claudectl: this API socket belongs to another process. Only the session's own process may use it; \
     start it with `claudectl run --children` if its child processes should, too."
}

/// The credential is not where it should be. Never seen; refusing is the safe answer.
pub fn lost(account: &AccountName) -> String {
    format!("claudectl: the credential of account \"{account}\" is gone. Run `claudectl login {account}`.")
}
