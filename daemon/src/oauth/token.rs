//! The token endpoint (RFC 6749 sections 4.1.3, 5 and 6).

mod answer;
mod claims;
mod grant;
mod unclaimed;

use std::time::Duration;

use claudectl_platform::memory::{MemoryError, SecretPage};

pub use self::{
    answer::{AnswerError, TokenAnswer},
    grant::TokenSet,
};
pub(super) use self::{
    answer::{read_error, seconds},
    grant::Grant,
    unclaimed::{claim, give_up},
};
use super::{
    Authority,
    authority::Endpoint,
    exchange::{self, ExchangeError, Value},
};

/// Why there are no tokens. Carries nothing secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// The server said why, in the form that the standard has for it (section 5.2).
    #[error("{}{}", .error, .description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Said {
        /// HTTP status.
        status: u16,
        /// The code.
        error: String,
        /// Its words.
        description: Option<String>,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// It answered something else.
    #[error("{origin} answered {status}")]
    Status {
        /// Scheme, host and port.
        origin: String,
        /// HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// It answered 200, but not with tokens that can be used.
    #[error("the token answer of {origin} {why}")]
    Odd {
        /// Scheme, host and port.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// It could not be asked.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// No secret page.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl TokenError {
    /// Whether this is the authorization server's own word: it answers with these (RFC 6749 section 5.2).
    /// What says anything else, in whatever form, may be a proxy or a firewall on the way.
    pub(super) fn is_of_the_server(&self) -> bool {
        matches!(self, Self::Said { status: 400 | 401, .. })
    }
}

/// Sends a grant to the token endpoint.
pub(super) async fn request(authority: &Authority, parts: &[(&str, Value<'_>)]) -> Result<Grant, TokenError> {
    let endpoint = authority.token();
    let client = ("client_id", Value::Plain(&authority.description().client_id));
    let parts: Vec<_> = parts.iter().copied().chain([client]).collect();
    let answer = exchange::post(endpoint, &parts, exchange::TIME).await?;
    if answer.status() == 200 {
        return Grant::read(authority, &answer);
    }
    Err(read_error(endpoint, &answer))
}

/// Completes a grant to a token set: who signed in is asked for where the answer did not say. If it said
/// what cannot be believed, the tokens are revoked.
pub(super) async fn complete(authority: &Authority, grant: Grant) -> Result<TokenSet, TokenError> {
    let (mut tokens, claims) = grant.into_parts(authority);
    let claims = match claims {
        Ok(claims) => claims,
        Err(error) => {
            give_up(authority, tokens).await;
            return Err(error);
        }
    };
    tokens.profile = match (authority.userinfo(), claims.is_enough()) {
        (Some(endpoint), false) => {
            let told = userinfo(endpoint, &tokens.access).await;
            claims.and(told).profile(tokens.profile.scopes)
        }
        _ => claims.profile(tokens.profile.scopes),
    };
    Ok(tokens)
}

/// Asks who the token belongs to (OpenID Connect Core section 5.3). Nothing depends on the answer.
async fn userinfo(endpoint: &Endpoint, access: &SecretPage) -> claims::Claims {
    match exchange::get(endpoint, Some(access), exchange::TIME).await {
        Ok(answer) if answer.status() == 200 => answer.json().map(claims::Claims::read).unwrap_or_default(),
        Ok(answer) => {
            tracing::debug!("userinfo answered {}", answer.status());
            claims::Claims::default()
        }
        Err(error) => {
            tracing::debug!("userinfo: {error}");
            claims::Claims::default()
        }
    }
}
