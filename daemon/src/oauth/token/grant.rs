//! Tokens, and what came with them about who signed in.

use std::time::Duration;

use claudectl_platform::memory::SecretPage;

use super::{TokenAnswer, TokenError, answer::AnswerError, claims::Claims};
use crate::oauth::{Authority, Profile, exchange::Answer, text};

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
    tokens: TokenSet,
    /// What was granted, if the server said.
    scope: Option<String>,
    /// What the id token says, or why it says nothing that counts.
    claims: Result<Claims, TokenError>,
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
            Some(token) => Claims::of_id_token(token, authority).map_err(odd),
            None => Ok(Claims::read(body).or_of_token(&answer.access, authority)),
        };
        let TokenAnswer { access, refresh, lifetime, scope, .. } = answer;
        let tokens = TokenSet { access, refresh, lifetime, profile: Profile::default() };
        Ok(Self { tokens, scope, claims })
    }

    /// The tokens of a refresh, with the scopes that it named. Who signed in is known since the login: an id
    /// token that is not to be believed is no reason to lose a refresh token that replaced the old one.
    pub(in crate::oauth) fn into_renewed(self) -> TokenSet {
        let Self { mut tokens, scope, .. } = self;
        tokens.profile = with_scope(scope.as_deref().unwrap_or_default());
        tokens
    }

    /// The tokens of a sign-in, and what came with them. A scope that is left out is the one that was asked
    /// for (section 5.1).
    pub(super) fn into_parts(self, authority: &Authority) -> (TokenSet, Result<Claims, TokenError>) {
        let Self { mut tokens, scope, claims } = self;
        tokens.profile = with_scope(&scope.unwrap_or_else(|| authority.description().scope()));
        (tokens, claims)
    }
}

/// A profile with the scopes of a text (section 3.3).
fn with_scope(scope: &str) -> Profile {
    let scopes = scope.split_ascii_whitespace().take(100).map(text::harmless).collect();
    Profile { scopes, ..Profile::default() }
}
