//! Words that the core shares.

/// How a token is put into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// `x-api-key: …`
    XApiKey,
    /// `Authorization: Bearer …` (RFC 6750 section 2.1)
    Bearer,
}

/// One secret of a token set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is injected.
    Access,
    /// What gets a new access token.
    Refresh,
}

/// Whose token it is, as far as the server told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// E-mail address.
    pub email: Option<String>,
    /// Organisation.
    pub organization: Option<String>,
    /// Plan of a subscription.
    pub plan: Option<String>,
    /// Scopes that were granted (RFC 6749 section 3.3).
    pub scopes: Vec<String>,
}
