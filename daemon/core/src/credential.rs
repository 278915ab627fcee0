//! What authenticates an account, and what can be told from its form alone.

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// An API key.
    ApiKey,
    /// A token set of an authorization server (RFC 6749): an access token, and mostly a refresh token.
    Oauth,
    /// The long-lived token that the genuine client's `setup-token` printed.
    Subscription,
}

/// How a credential is put into a request. Fixed at login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Header {
    /// `x-api-key: …`
    XApiKey,
    /// `Authorization: Bearer …` (RFC 6750 section 2.1)
    Bearer,
}

/// One secret of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What is injected: the API key or the access token.
    Access,
    /// What gets a new access token.
    Refresh,
}

impl CredentialKind {
    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::Oauth => "OAuth tokens",
            Self::Subscription => "setup token",
        }
    }

    /// What people call one secret of it.
    pub fn part(self, part: Part) -> &'static str {
        match (self, part) {
            (_, Part::Refresh) => "refresh token",
            (Self::Oauth, Part::Access) => "access token",
            (kind, Part::Access) => kind.label(),
        }
    }

    /// How it is injected where nothing else says so.
    pub fn header(self) -> Header {
        match self {
            Self::ApiKey => Header::XApiKey,
            Self::Oauth | Self::Subscription => Header::Bearer,
        }
    }
}

/// Why something cannot be a credential of its kind. None of these ever carries any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Nothing there.
    #[error("nothing was handed over")]
    Empty,
    /// White space, control or non-ASCII characters inside.
    #[error("an API key has no spaces, line breaks or special characters inside")]
    Character,
    /// Too short or too long.
    #[error("an API key has 20 to 512 characters")]
    Length,
    /// An OAuth access, refresh or setup token.
    #[error("this is an OAuth token, not an API key")]
    OauthToken,
    /// The Anthropic API only takes keys that start with `sk-ant-`.
    #[error("an Anthropic API key starts with sk-ant-api")]
    Prefix,
    /// Something else than what `setup-token` prints.
    #[error("a setup token starts with sk-ant-oat and has no spaces or special characters inside")]
    SetupToken,
}

/// Checks the form of a token that the genuine client's `setup-token` printed.
///
/// # Errors
/// Why it cannot be one.
pub fn check_setup_token(token: &[u8]) -> Result<(), FormError> {
    if token.is_empty() {
        return Err(FormError::Empty);
    }
    let plain = token.iter().all(u8::is_ascii_graphic) && (20..=512).contains(&token.len());
    if plain && token.starts_with(b"sk-ant-oat") { Ok(()) } else { Err(FormError::SetupToken) }
}

/// Checks the form of an API key for the Anthropic API itself (`first_party`) or for another
/// upstream, whose keys may look different.
///
/// # Errors
/// Why it cannot be one.
pub fn check_api_key(key: &[u8], first_party: bool) -> Result<(), FormError> {
    if key.is_empty() {
        return Err(FormError::Empty);
    }
    if !key.iter().all(u8::is_ascii_graphic) {
        return Err(FormError::Character);
    }
    if key.starts_with(b"sk-ant-oat") || key.starts_with(b"sk-ant-ort") {
        return Err(FormError::OauthToken);
    }
    if first_party && !key.starts_with(b"sk-ant-api") {
        return Err(FormError::Prefix);
    }
    if !(20..=512).contains(&key.len()) {
        return Err(FormError::Length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setup_tokens() {
        assert_eq!(check_setup_token(b"sk-ant-oat01-TESTTESTTEST"), Ok(()));
        assert_eq!(check_setup_token(b""), Err(FormError::Empty));
        for other in [b"sk-ant-api03-TESTTESTTEST".as_slice(), b"sk-ant-oat01-TEST TESTTEST", b"sk-ant-oat"] {
            assert_eq!(check_setup_token(other), Err(FormError::SetupToken));
        }
    }

    #[test]
    fn forms() {
        assert_eq!(check_api_key(b"sk-ant-api03-TESTTESTTEST", true), Ok(()));
        assert_eq!(check_api_key(b"", true), Err(FormError::Empty));
        assert_eq!(check_api_key(b"sk-ant-api03-TEST TESTTEST", true), Err(FormError::Character));
        assert_eq!(check_api_key(b"sk-ant-api03-TEST\nTESTTES", true), Err(FormError::Character));
        assert_eq!(check_api_key(b"sk-ant-oat01-TESTTESTTEST", false), Err(FormError::OauthToken));
        assert_eq!(check_api_key(b"gateway-key-TESTTESTTEST", true), Err(FormError::Prefix));
        assert_eq!(check_api_key(b"gateway-key-TESTTESTTEST", false), Ok(()));
        assert_eq!(check_api_key(b"sk-ant-api", true), Err(FormError::Length));
    }
}
