//! The three ways to sign in. Dropping one cancels it and closes what it had opened.

mod authorization;
mod browser;
mod device;
mod paste;
pub mod response;

use std::time::Duration;

use claudectl_platform::memory::MemoryError;

pub use self::{browser::browser, device::device, paste::paste};
use super::token::TokenError;

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

/// How long a person may take to sign in, where the server sets no limit.
const PATIENCE: Duration = Duration::from_mins(10);

/// Why nobody was signed in. Carries nothing secret.
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
    /// Somebody else keeps answering.
    #[error("{0} answers came that do not belong to this sign-in")]
    Strangers(usize),
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
        match self {
            Self::Unsupported(_) => "choose another way: --device, --no-browser, or none of them",
            Self::Denied(_) => "run the login again, and allow it in the browser",
            Self::Refused(_) => {
                "check client_id, scopes and the redirect URI that are registered at the server"
            }
            Self::Expired(_) => "run the login again",
            Self::Unreachable(_) => {
                "check the network, the proxy and the trust roots, then run the login again"
            }
            Self::Answer(_) => "do not go on with this server before its operator knows why it answers so",
            Self::Pasted(_) => "run the login again, and paste what its own page shows at the end",
            Self::Strangers(_) => "close old sign-in pages, then run the login again",
            Self::Resource(_) | Self::Memory(_) => "see `claudectl doctor`, then run the login again",
        }
    }
}

impl From<TokenError> for LoginError {
    fn from(error: TokenError) -> Self {
        let told = error.to_string();
        match error {
            TokenError::Said { error, description, .. } => Self::said(&error, description.as_deref()),
            TokenError::Status { .. } | TokenError::Exchange(_) => Self::Unreachable(told),
            TokenError::Odd { .. } => Self::Answer(told),
            TokenError::Memory(error) => Self::Memory(error),
        }
    }
}

impl LoginError {
    /// What an error code of the server means (RFC 6749 sections 4.1.2.1 and 5.2).
    fn said(error: &str, description: Option<&str>) -> Self {
        match (error, description) {
            ("access_denied", Some(text)) => Self::Denied(format!(": {text}")),
            ("access_denied", None) => Self::Denied(String::new()),
            (error, Some(text)) => Self::Refused(format!("{error} ({text})")),
            (error, None) => Self::Refused(error.to_owned()),
        }
    }
}
