//! Gets the next access token (RFC 6749 section 6).

use std::time::Duration;

use claudectl_platform::memory::SecretPage;

use super::{Authority, TokenSet};

/// What came of a refresh. Closed: there is nothing else.
#[derive(Debug)]
pub enum RefreshOutcome {
    /// There are new tokens.
    Refreshed(Box<TokenSet>),
    /// Not now: the server cannot be reached, is busy, or talks nonsense.
    Transient {
        /// What went wrong. For people; carries nothing secret.
        why: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// Never again: the server does not take this refresh token.
    Rejected {
        /// What it said. For people; carries nothing secret.
        why: String,
    },
}

/// Asks the token endpoint once; takes 30 seconds at most. Never call it twice at once for one token:
/// servers that rotate take the second call for theft.
pub async fn refresh(authority: &Authority, token: &SecretPage) -> RefreshOutcome {
    let _ = (authority, token);
    RefreshOutcome::Transient { why: "not built yet".into(), retry_after: None }
}
