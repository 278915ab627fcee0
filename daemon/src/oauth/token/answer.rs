//! What a token endpoint answers.

use std::time::Duration;

use claudectl_platform::memory::{MemoryError, SecretPage};
use serde::{Deserialize, Deserializer, de};

use super::TokenError;
use crate::oauth::{
    authority::Endpoint,
    exchange::Answer,
    json::{self, SecretError, SecretText},
    text,
};

/// No access token is believed to live longer.
const LONGEST: u64 = 10 * 365 * 24 * 3600;

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

/// A token answer, with its secrets in pages of their own.
#[derive(Debug)]
pub struct TokenAnswer {
    /// The access token: visible ASCII, so that it fits in a header.
    pub access: SecretPage,
    /// The refresh token.
    pub refresh: Option<SecretPage>,
    /// The id token (OpenID Connect).
    pub id_token: Option<SecretPage>,
    /// How long the access token lives.
    pub lifetime: Option<Duration>,
    /// What was granted; `None` means what was asked for.
    pub scope: Option<String>,
}

/// Why a document is no token answer. Carries nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// Not JSON, or without what the standard asks for.
    #[error("is {0}")]
    Form(String),
    /// A token of a type that is not understood must not be used (section 7.1).
    #[error("has tokens of another type than Bearer")]
    Type,
    /// A token that could not be sent.
    #[error("has no {0} that could be sent")]
    Token(&'static str),
    /// No secret page, or one that is too small.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl TokenAnswer {
    /// Reads a document.
    ///
    /// # Errors
    /// [`AnswerError`]
    pub fn parse(document: &[u8]) -> Result<Self, AnswerError> {
        let success: Success<'_> =
            json::read(document).map_err(|error| AnswerError::Form(error.to_string()))?;
        if !success.token_type.eq_ignore_ascii_case("bearer") {
            return Err(AnswerError::Type);
        }
        let page = |name, secret: SecretText<'_>| match secret.page() {
            Ok(page) => Ok(page),
            Err(SecretError::Form) => Err(AnswerError::Token(name)),
            Err(SecretError::Memory(error)) => Err(error.into()),
        };
        Ok(Self {
            access: page("access token", success.access_token)?,
            refresh: success.refresh_token.map(|token| page("refresh token", token)).transpose()?,
            id_token: success.id_token.map(|token| page("id token", token)).transpose()?,
            lifetime: success.expires_in.map(|seconds| Duration::from_secs(seconds.min(LONGEST))),
            scope: success.scope,
        })
    }
}

/// What an answer other than 200 says.
pub(in crate::oauth) fn read_error(endpoint: &Endpoint, answer: &Answer) -> TokenError {
    let retry_after = answer.retry_after();
    let failure = answer.json().and_then(|body| json::read::<Failure>(body).ok());
    match failure {
        Some(Failure { error, error_description }) if (400..500).contains(&answer.status()) => {
            TokenError::Said {
                status: answer.status(),
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
