//! Accounts that are logged in, and logins on their way.

use crate::{
    credential::CredentialKind,
    ids::{AccountName, Generation, RequestId, SecretId},
};

/// The way to an upstream. Fixed at login (threat T27): no event changes the route of a held
/// credential, only a new login does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Base URL without a trailing slash.
    pub upstream: String,
    /// HTTP proxy to tunnel through.
    pub proxy: Option<String>,
    /// PEM file of further trust roots, read at login.
    pub ca_file: Option<String>,
}

impl Route {
    /// Base URL of the Anthropic API.
    pub const ANTHROPIC: &'static str = "https://api.anthropic.com";

    /// Whether the upstream is the Anthropic API itself.
    pub fn is_first_party(&self) -> bool {
        self.upstream == Self::ANTHROPIC
    }
}

/// An account that is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: AccountName,
    /// What authenticates it.
    pub kind: CredentialKind,
    /// The way to its upstream.
    pub route: Route,
    /// The page that holds its credential.
    pub secret: SecretId,
    /// Changes whenever the account changes.
    pub generation: Generation,
    /// Whether the upstream accepted the credential at login.
    pub checked: bool,
    /// When it was logged in, wall clock.
    pub logged_in_at: i64,
}

/// A login on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Who wants to know.
    pub request: RequestId,
    /// The account's name.
    pub name: AccountName,
    /// What is being handed over.
    pub kind: CredentialKind,
    /// The way to the upstream.
    pub route: Route,
    /// Whether the upstream is asked first.
    pub check: bool,
    /// The page, once the credential was received.
    pub secret: Option<SecretId>,
}
