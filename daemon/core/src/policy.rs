//! Who may ask for what.

pub mod reactions;
pub mod rules;

use std::{collections::BTreeMap, time::Duration};

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
    /// What ends an account, and how.
    pub reactions: reactions::Reactions,
    /// Whether what purges accounts also removes what other programs left.
    pub footprints: bool,
    /// How long after its last request, and the last sign of a person, an account is idle; `None` for
    /// never.
    pub idle_after: Option<Duration>,
    /// How long after its login an account is logged out, whatever it is used for; `None` for never.
    pub login_lifetime: Option<Duration>,
    /// Which account a directory uses, and which it must not.
    pub rules: Vec<rules::Rule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_sessions: 10_000,
            max_accounts: 64,
            exit_when_unused: Some(Duration::from_mins(10)),
            reactions: reactions::Reactions::default(),
            footprints: false,
            idle_after: Some(Duration::from_mins(30)),
            login_lifetime: None,
            rules: Vec::new(),
        }
    }
}

/// The account that a command means: the one it names, else the default. Never a guess: with several
/// accounts and no default, a forgotten flag must not bill the wrong one.
///
/// # Errors
/// [`Refusal::NotLoggedIn`], [`Refusal::NothingLoggedIn`] or [`Refusal::NoDefault`].
pub fn choose<'a>(
    named: Option<&AccountName>,
    default: Option<&AccountName>,
    accounts: &'a BTreeMap<AccountName, Account>,
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

/// The account that a session in `directory` gets, and why. A rule that names an account which is not
/// logged in does not fall back to another one.
///
/// # Errors
/// As [`choose`], and [`Refusal::Denied`] if a rule forbids the account there.
pub fn choose_for_session<'a>(
    policy: &Policy,
    directory: &str,
    named: Option<&AccountName>,
    default: Option<&AccountName>,
    accounts: &'a BTreeMap<AccountName, Account>,
) -> Result<(&'a Account, rules::Why), Refusal> {
    match rules::choose(&policy.rules, directory, named, default)? {
        Some(choice) => choose(Some(&choice.name), None, accounts).map(|account| (account, choice.why)),
        None => choose(None, None, accounts).map(|account| (account, rules::Why::Default)),
    }
}
