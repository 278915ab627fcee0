//! What a token endpoint answers.

use std::time::Duration;

use claudectl_platform::memory::SecretPage;
use serde::{Deserialize, Deserializer, de};

use super::{TokenError, claims::Claims};
use crate::oauth::{
    Authority, Profile,
    authority::Endpoint,
    exchange::Answer,
    json::{self, SecretError, SecretText},
    text,
};

/// No access token is believed to live longer.
const LONGEST: u64 = 10 * 365 * 24 * 3600;

/// What a sign-in or a refresh obtained.
#[derive(Debug)]
pub struct TokenSet {
    /// What is injected.
    pub access: SecretPage,
    /// What gets the next one. After a refresh: `None` means that the old one stays good (RFC 6749
    /// section 6).
    pub refresh: Option<SecretPage>,
    /// How long the access token lives from now on; `None` if the server did not say.
    pub lifetime: Option<Duration>,
    /// Whose it is.
    pub profile: Profile,
}

/// Tokens, and what came with them about who signed in.
#[derive(Debug)]
pub(in crate::oauth) struct Grant {
    pub(in crate::oauth) tokens: TokenSet,
    pub(in crate::oauth) claims: Claims,
}

/// Section 5.1. The secrets are still where they were received.
#[derive(Deserialize)]
struct Success<'a> {
    #[serde(borrow)]
    access_token: SecretText<'a>,
    token_type: String,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(borrow, default)]
    refresh_token: Option<SecretText<'a>>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(borrow, default)]
    id_token: Option<SecretText<'a>>,
}

/// Section 5.2.
#[derive(Deserialize)]
struct Failure {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Grant {
    pub(super) fn read(authority: &Authority, answer: &Answer) -> Result<Self, TokenError> {
        let odd = |why: String| TokenError::Odd { origin: authority.token().origin().to_owned(), why };
        let body = answer.json().ok_or_else(|| odd("is not JSON".into()))?;
        let success: Success<'_> = json::read(body).map_err(|error| odd(format!("is {error}")))?;
        // Section 7.1: a token of a type that is not understood must not be used.
        if !success.token_type.eq_ignore_ascii_case("bearer") {
            return Err(odd("has tokens of another type than Bearer".into()));
        }
        let page = |name: &str, secret: SecretText<'_>| match secret.page() {
            Ok(page) => Ok(page),
            Err(SecretError::Form) => Err(odd(format!("has no {name} that could be sent"))),
            Err(SecretError::Memory(error)) => Err(error.into()),
        };
        let access = page("access token", success.access_token)?;
        let refresh = success.refresh_token.map(|token| page("refresh token", token)).transpose()?;
        let claims = match success.id_token {
            Some(token) => Claims::of_id_token(&page("id token", token)?, authority).map_err(odd)?,
            None => Claims::read(body),
        };
        // Section 5.1: a scope that is left out is the one that was asked for.
        let scope = success.scope.unwrap_or_else(|| authority.description().scope());
        let lifetime = success.expires_in.map(|seconds| Duration::from_secs(seconds.min(LONGEST)));
        let tokens = TokenSet { access, refresh, lifetime, profile: Profile::with_scope(&scope) };
        Ok(Self { tokens, claims })
    }
}

impl Grant {
    /// The tokens, and what came with them.
    pub(in crate::oauth) fn into_tokens(self) -> TokenSet {
        let Self { mut tokens, claims } = self;
        tokens.profile = claims.profile(tokens.profile.scopes);
        tokens
    }
}

/// What an answer other than 200 says.
pub(in crate::oauth) fn read_error(endpoint: &Endpoint, answer: &Answer) -> TokenError {
    let retry_after = answer.retry_after();
    let failure = answer.json().and_then(|body| json::read::<Failure>(body).ok());
    match failure {
        Some(Failure { error, error_description }) if (400..500).contains(&answer.status()) => {
            TokenError::Said {
                error: text::harmless(&error),
                description: error_description.as_deref().and_then(text::harmless_or_none),
                retry_after,
            }
        }
        _ => {
            TokenError::Status { origin: endpoint.origin().to_owned(), status: answer.status(), retry_after }
        }
    }
}

/// Seconds, as a number or (as some servers have it) as digits in a text.
pub(in crate::oauth) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Text(String),
    }
    match Option::<Seconds>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Seconds::Number(seconds)) => Ok(Some(seconds)),
        Some(Seconds::Text(text)) => {
            text.parse().map(Some).map_err(|_| de::Error::custom("not a number of seconds"))
        }
    }
}
