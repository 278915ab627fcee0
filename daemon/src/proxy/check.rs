//! Asks an upstream whether it accepts a credential, before an account is logged in with it.

use claudectl_core::credential::CredentialKind;
use claudectl_platform::memory::SecretPage;

use super::upstream::Upstream;

/// Why a credential is not known to be good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The upstream does not accept it.
    #[error("the upstream answered {status}")]
    Refused {
        /// Its answer, 401 or 403.
        status: u16,
    },
    /// The upstream could not be asked, or its answer says nothing about the credential.
    #[error("{why}")]
    Unreachable {
        /// What went wrong, and the way out.
        why: String,
    },
}

/// Sends `GET <base>/v1/models?limit=1` with the credential.
///
/// # Errors
/// [`CheckError::Refused`] for 401 and 403, [`CheckError::Unreachable`] for everything else but 2xx.
#[allow(clippy::unused_async, reason = "the signature is landed ahead of the code")]
pub async fn credential(
    _upstream: &Upstream,
    _secret: &SecretPage,
    _kind: CredentialKind,
) -> Result<(), CheckError> {
    Err(CheckError::Unreachable { why: "the check is not built yet".into() })
}
