//! Credential Manager. It is unlocked for as long as its user is logged in.

use std::sync::Arc;

use keyring_core::{Entry, api::CredentialStoreApi as _};
use windows_native_keyring_store::Store;

use super::{KeyringError, Patience, Purpose, Unlock, Users, lane::Lane};

/// `CRED_MAX_CREDENTIAL_BLOB_SIZE` (`wincred.h`).
pub(super) const LIMIT: Option<usize> = Some(2560);
pub(super) const UNLOCK_HINT: &str = "log in to Windows again";

/// What stands between the service and the user in the name of a credential.
const DIVIDER: &str = "/";

/// Nothing to do: its calls have no threads of their own.
pub(super) fn prepare() {}

/// Where the entries are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    service: String,
}

#[allow(clippy::disallowed_types, reason = "what the stores are made to take")]
type Settings<'a> = std::collections::HashMap<&'a str, &'a str>;

impl Place {
    pub(super) fn new(service: &str, _session_bus: Option<&str>, _patience: Patience) -> Self {
        Self { service: service.to_owned() }
    }

    fn store() -> Result<Arc<Store>, KeyringError> {
        Ok(Store::new()?)
    }

    /// The entry of a user. Blocks.
    pub(super) fn entry(&self, user: &str) -> Result<Entry, KeyringError> {
        let target = format!("{}{DIVIDER}{user}", self.service);
        // Not `Enterprise`: that would carry the credential to other machines.
        let settings = Settings::from([("target", target.as_str()), ("persistence", "Local")]);
        Ok(Self::store()?.build(&self.service, user, Some(&settings))?)
    }

    fn users(&self, wanted: Option<&str>) -> Result<Users, KeyringError> {
        let prefix = format!("{}{DIVIDER}", self.service);
        let mut names = Vec::new();
        for entry in Self::store()?.search(&Settings::new())? {
            let attributes = entry.get_attributes()?;
            let target = attributes.get("target_name").map(String::as_str).unwrap_or_default();
            names.extend(target.strip_prefix(&prefix).map(str::to_owned));
        }
        names.retain(|name| wanted.is_none_or(|wanted| name == wanted));
        Ok(Users { names, hidden: 0 })
    }
}

/// There is nothing to unlock.
#[allow(clippy::unused_async, reason = "on Linux it waits for a person")]
pub(super) async fn unlock(
    _place: &Place,
    _user: &str,
    _purpose: Purpose,
    _unlock: Unlock<'_>,
) -> Result<(), KeyringError> {
    Ok(())
}

/// Whose entries there are; of one user if that is all that is wanted.
pub(super) async fn users(place: &Place, lane: &Lane, wanted: Option<&str>) -> Result<Users, KeyringError> {
    let (place, wanted) = (place.clone(), wanted.map(str::to_owned));
    lane.run(move || place.users(wanted.as_deref()), drop).await?
}
