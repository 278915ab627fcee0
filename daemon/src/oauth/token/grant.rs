//! Tokens, and what came with them about who signed in.

use std::time::Duration;

use claudectl_platform::memory::SecretPage;

use super::{TokenAnswer, TokenError, answer::AnswerError, claims::Claims};
use crate::oauth::{Authority, Profile, exchange::Answer};

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

impl Grant {
    pub(super) fn read(authority: &Authority, answer: &Answer) -> Result<Self, TokenError> {
        let odd = |why: String| TokenError::Odd { origin: authority.token().origin().to_owned(), why };
        let body = answer.json().ok_or_else(|| odd("is not JSON".into()))?;
        let answer = TokenAnswer::parse(body).map_err(|error| match error {
            AnswerError::Memory(error) => error.into(),
            error => odd(error.to_string()),
        })?;
        let claims = match &answer.id_token {
            Some(token) => Claims::of_id_token(token, authority).map_err(odd)?,
            None => Claims::read(body).or_of_token(&answer.access, authority),
        };
        let TokenAnswer { access, refresh, lifetime, scope, .. } = answer;
        // Section 5.1: a scope that is left out is the one that was asked for.
        let scope = scope.unwrap_or_else(|| authority.description().scope());
        let tokens = TokenSet { access, refresh, lifetime, profile: super::with_scope(&scope) };
        Ok(Self { tokens, claims })
    }

    /// The tokens, and what came with them.
    pub(in crate::oauth) fn into_tokens(self) -> TokenSet {
        let Self { mut tokens, claims } = self;
        tokens.profile = claims.profile(tokens.profile.scopes);
        tokens
    }
}
