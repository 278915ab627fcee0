//! Accounts that are logged in, and logins on their way.

use std::time::Duration;

use crate::{
    credential::{CredentialKind, Header},
    ids::{AccountName, Generation, RequestId, SecretId},
    sentence::Cause,
    time::Now,
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

/// Whose credential it is, as far as the server told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// E-mail address.
    pub email: Option<String>,
    /// Organisation.
    pub organization: Option<String>,
    /// Plan of a subscription: `pro`, `max`, `team`, `enterprise`.
    pub plan: Option<String>,
    /// Scopes that were granted (RFC 6749 section 3.3).
    pub scopes: Vec<String>,
}

/// When an access token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Since boot, suspend included: what is decided by.
    pub at: Duration,
    /// How long it lives in all.
    pub lifetime: Duration,
    /// When it was obtained, wall clock: for the keyring, where no other clock survives.
    pub obtained_at: i64,
}

impl Expiry {
    /// Of a token that is obtained now.
    pub fn from_now(lifetime: Duration, now: Now) -> Self {
        Self { at: now.since_boot.saturating_add(lifetime), lifetime, obtained_at: now.wall }
    }
}

/// Where the next access token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// From nowhere: there is no refresh token, or nothing expires.
    Never,
    /// A refresh is due then, since boot.
    Due {
        /// When.
        at: Duration,
        /// Refreshes in a row that failed.
        failures: u32,
    },
    /// The one refresh is on its way.
    Running {
        /// Refreshes in a row that failed before it.
        failures: u32,
    },
}

/// Where the credential of an account is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// In memory.
    Held {
        /// The pages.
        secret: SecretId,
    },
    /// Only in the OS keyring.
    Sealed {
        /// Since when, wall clock.
        since: i64,
        /// Why.
        cause: Cause,
        /// Whether it is being loaded.
        loading: bool,
    },
    /// Nowhere any more: the authorization server does not renew it.
    Rejected {
        /// Since when, wall clock.
        since: i64,
        /// What the server said.
        why: String,
    },
}

/// What came with a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obtained {
    /// How to inject it.
    pub header: Header,
    /// The way to the upstream.
    pub route: Route,
    /// Whose it is.
    pub profile: Profile,
    /// How long the access token lives from now on; `None` if nobody knows.
    pub lifetime: Option<Duration>,
    /// Whether there is a refresh token.
    pub renewable: bool,
    /// Whether its server takes revocations (RFC 7009).
    pub revocable: bool,
}

/// An account that is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: AccountName,
    /// What authenticates it.
    pub kind: CredentialKind,
    /// The authorization server or gateway that it comes from, as the configuration calls it.
    pub authority: Option<String>,
    /// What came with the credential.
    pub obtained: Obtained,
    /// Where the credential is.
    pub holding: Holding,
    /// Changes whenever the account changes.
    pub generation: Generation,
    /// Of the login that it comes from: stays through refreshes and seals.
    pub login: Generation,
    /// Whether the upstream accepted the credential at login.
    pub checked: bool,
    /// When it was logged in, wall clock.
    pub logged_in_at: i64,
    /// Whether the OS keyring has a copy.
    pub kept: bool,
    /// Why the copy in the keyring is out of date.
    pub kept_stale: Option<String>,
    /// When the access token ends.
    pub expiry: Option<Expiry>,
    /// Where the next one comes from.
    pub renewal: Renewal,
    /// Why the last refresh failed, if it did.
    pub renewal_error: Option<String>,
    /// When the credential was obtained or last renewed, since boot.
    pub renewed_at: Duration,
    /// Whether its sessions wait although it is held: its access token ended or was refused.
    pub is_waiting: bool,
}

impl Account {
    /// The pages that hold its credential.
    pub fn secret(&self) -> Option<SecretId> {
        match self.holding {
            Holding::Held { secret } => Some(secret),
            Holding::Sealed { .. } | Holding::Rejected { .. } => None,
        }
    }

    /// Whether its access token has ended.
    pub fn is_expired(&self, since_boot: Duration) -> bool {
        self.expiry.is_some_and(|expiry| expiry.at <= since_boot)
    }
}

/// An account that the OS keyring has, as far as can be told without reading its credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: AccountName,
    /// What authenticates it.
    pub kind: CredentialKind,
    /// The authorization server or gateway that it comes from.
    pub authority: Option<String>,
    /// What came with the credential.
    pub obtained: Obtained,
    /// When it was logged in, wall clock.
    pub logged_in_at: i64,
    /// Whether it was the default account.
    pub is_default: bool,
}

/// How a credential comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// The client hands it over.
    HandOver,
    /// An authorization server of the configuration gives it.
    Authorize {
        /// Its name.
        authority: String,
        /// How the person signs in.
        grant: Grant,
    },
    /// An organisation's gateway gives it.
    Gateway {
        /// Its URL.
        url: String,
        /// SHA-256 of the certificate that the person accepted, in hexadecimal.
        accepted: Option<String>,
    },
}

/// How the person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A browser on this machine, back by a loopback redirect (RFC 8252).
    Browser,
    /// A browser elsewhere; the code is pasted.
    Paste,
    /// A browser elsewhere; a short code is typed there (RFC 8628).
    Device,
}

/// A login on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Who wants to know.
    pub request: RequestId,
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
    /// Whether the upstream is asked first.
    pub check: bool,
    /// Whether the OS keyring gets a copy.
    pub keep: bool,
    /// The account that it makes, once its credential was received.
    pub received: Option<Account>,
    /// What the keyring has of the account that it takes the place of.
    pub before: Before,
}

/// The credential of a sealed account that another login takes the place of: it is revoked when that login
/// is complete, so it has to be read before the keyring overwrites or deletes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Not asked for yet.
    Unasked,
    /// The keyring was asked, under this number.
    Asked(Generation),
    /// It is in these pages.
    Read(SecretId),
    /// There is none, or it could not be read.
    Nothing,
}

impl Login {
    /// The pages that hold its credential.
    pub fn secret(&self) -> Option<SecretId> {
        self.received.as_ref().and_then(Account::secret)
    }
}
