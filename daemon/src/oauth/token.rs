//! What a token endpoint gives (RFC 6749 section 5).

use std::time::Duration;

use claudectl_platform::memory::SecretPage;

use super::Profile;

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
