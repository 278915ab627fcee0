//! Gets the next access token (RFC 6749 section 6).

use std::time::Duration;

use claudectl_platform::memory::SecretPage;

use super::{
    Authority, TokenSet,
    exchange::Value,
    token::{self, TokenError},
};

/// What came of a refresh. Closed: there is nothing else.
#[derive(Debug)]
pub enum RefreshOutcome {
    /// There are new tokens. Without a refresh token among them the old one stays good.
    Refreshed(Box<TokenSet>),
    /// Not now: the server cannot be reached, is busy, or talks nonsense.
    Transient {
        /// What went wrong. For people; carries nothing secret.
        why: String,
        /// How long the server asks to wait, an hour at most.
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
///
/// The profile of the new tokens says only which scopes the server named; nobody else is asked.
pub async fn refresh(authority: &Authority, token: &SecretPage) -> RefreshOutcome {
    let parts = [("grant_type", Value::Plain("refresh_token")), ("refresh_token", Value::Secret(token))];
    match token::request(authority, &parts).await {
        Ok(grant) => RefreshOutcome::Refreshed(Box::new(grant.into_renewed())),
        Err(error) => outcome(error),
    }
}

fn outcome(error: TokenError) -> RefreshOutcome {
    let why = error.to_string();
    let is_of_the_server = error.is_of_the_server();
    match error {
        TokenError::Said { error, .. } if is_of_the_server && is_final(&error) => {
            RefreshOutcome::Rejected { why }
        }
        TokenError::Said { retry_after, .. } | TokenError::Status { retry_after, .. } => {
            RefreshOutcome::Transient { why, retry_after }
        }
        TokenError::Odd { .. } | TokenError::Exchange(_) | TokenError::Memory(_) => {
            RefreshOutcome::Transient { why, retry_after: None }
        }
    }
}

/// The codes that only a new login helps against (RFC 6749 section 5.2, OpenID Connect Core section 3.1.2.6).
/// A closed list: on a rejection the credential is wiped, so an unknown code has to mean "not now".
fn is_final(error: &str) -> bool {
    matches!(
        error,
        "invalid_grant"
            | "invalid_client"
            | "unauthorized_client"
            | "consent_required"
            | "interaction_required"
            | "login_required"
    )
}
