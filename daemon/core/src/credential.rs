//! What authenticates an account, and what can be told from its form alone.

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// An API key, injected as `x-api-key`.
    ApiKey,
}

impl CredentialKind {
    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
        }
    }
}

/// Why something cannot be an API key. None of these ever carries any of it.
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
