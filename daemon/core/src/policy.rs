//! Who may ask for what.

use std::time::Duration;

use crate::{account::Account, error::Refusal, ids::AccountName};

/// What the configuration decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Sessions that may be open at once.
    pub max_sessions: usize,
    /// Accounts that may be logged in at once.
    pub max_accounts: usize,
    /// How long the daemon stays after nothing is held and no session is open; `None` for ever.
    pub exit_when_unused: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_sessions: 10_000, max_accounts: 64, exit_when_unused: Some(Duration::from_mins(10)) }
    }
}

/// The account that a session gets: the one it names, else the default. Never a guess: with several
/// accounts and no default, a forgotten flag must not bill the wrong one.
///
/// # Errors
/// [`Refusal::NotLoggedIn`], [`Refusal::NothingLoggedIn`] or [`Refusal::NoDefault`].
pub fn choose<'a>(
    named: Option<&AccountName>,
    default: Option<&AccountName>,
    accounts: &'a std::collections::BTreeMap<AccountName, Account>,
) -> Result<&'a Account, Refusal> {
    let Some(name) = named.or(default) else {
        let logged_in: Vec<_> = accounts.keys().map(AccountName::as_str).collect();
        return Err(if logged_in.is_empty() {
            Refusal::NothingLoggedIn
        } else {
            Refusal::NoDefault(logged_in.join(", "))
        });
    };
    accounts.get(name).ok_or_else(|| Refusal::NotLoggedIn(name.clone()))
}
