//! The three ways to sign in. Dropping one cancels it and closes what it had opened.

use std::{future::Future, time::Duration};

use claudectl_core::ids::AccountName;
use claudectl_platform::memory::{MemoryError, SecretPage};

use super::{Authority, TokenSet};

/// What the person has to know while a sign-in is on its way. Nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announcement {
    /// Open this page in a browser on this machine.
    Browser {
        /// The authorization request (RFC 6749 section 4.1.1).
        url: String,
        /// How long the answer is waited for.
        expires_in: Duration,
    },
    /// Open this page anywhere, then hand over what it shows.
    Paste {
        /// The authorization request.
        url: String,
        /// How long the answer is waited for.
        expires_in: Duration,
    },
    /// Open this page anywhere and type the code (RFC 8628 section 3.3).
    Device {
        /// The page.
        url: String,
        /// The page with the code in it already, if the server has one.
        complete_url: Option<String>,
        /// The code to type. Made harmless for a terminal.
        code: String,
        /// How long the code is good.
        expires_in: Duration,
    },
    /// The server answered; tokens are being fetched from it.
    Exchanging {
        /// Scheme, host and port of the token endpoint.
        origin: String,
    },
}

/// Told each announcement as it comes. Must not block.
pub type Announce<'a> = &'a (dyn Fn(Announcement) + Send + Sync);

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server does not offer this way.
    #[error("{0}")]
    Unsupported(String),
    /// The person, or the server, said no (`access_denied`).
    #[error("sign-in was denied{0}")]
    Denied(String),
    /// The server answered with another error.
    #[error("the authorization server says: {0}")]
    Refused(String),
    /// Nobody signed in in time.
    #[error("nobody signed in within {} minutes", .0.as_secs().div_ceil(60))]
    Expired(Duration),
    /// The server could not be reached.
    #[error("{0}")]
    Unreachable(String),
    /// What the server answered is not to be trusted or not to be understood.
    #[error("{0}")]
    Answer(String),
    /// What was handed over is not the answer to this sign-in.
    #[error("{0}")]
    Pasted(String),
    /// Something on this machine is missing.
    #[error("{0}")]
    Resource(String),
    /// No secret page.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl LoginError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        "run the login again"
    }
}

/// Signs in with a browser on this machine: authorization code with PKCE (RFC 7636) and a loopback
/// redirect (RFC 8252 section 7.3).
///
/// # Errors
/// [`LoginError`]
pub async fn browser(
    authority: &Authority,
    account: &AccountName,
    announce: Announce<'_>,
) -> Result<TokenSet, LoginError> {
    let _ = (authority, account, announce);
    Err(LoginError::Unsupported("not built yet".into()))
}

/// Signs in with a browser anywhere: what the page shows at the end (the code, `CODE#STATE`, or the
/// whole address) is handed over. `pasted` is not polled before the announcement.
///
/// # Errors
/// [`LoginError`]
pub async fn paste(
    authority: &Authority,
    announce: Announce<'_>,
    pasted: impl Future<Output = Result<SecretPage, String>> + Send,
) -> Result<TokenSet, LoginError> {
    let _ = (authority, announce, pasted);
    Err(LoginError::Unsupported("not built yet".into()))
}

/// Signs in with a browser anywhere, where a short code is typed (RFC 8628).
///
/// # Errors
/// [`LoginError`]
pub async fn device(authority: &Authority, announce: Announce<'_>) -> Result<TokenSet, LoginError> {
    let _ = (authority, announce);
    Err(LoginError::Unsupported("not built yet".into()))
}
