//! The login keychain. The system itself asks the person where it must.

use std::sync::Arc;

use apple_native_keyring_store::keychain::Store;
use keyring_core::{Entry, api::CredentialStoreApi as _};

use super::{KeyringError, Patience, Purpose, Unlock, Users, lane::Lane};

pub(super) const LIMIT: Option<usize> = None;
pub(super) const UNLOCK_HINT: &str = "unlock the login keychain (security unlock-keychain), and try again";

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
        Ok(Self::store()?.build(&self.service, user, None)?)
    }

    fn users(&self, wanted: Option<&str>) -> Result<Users, KeyringError> {
        let mut settings = Settings::from([("service", self.service.as_str())]);
        settings.extend(wanted.map(|user| ("user", user)));
        let found = Self::store()?.search(&settings)?;
        let names = found.iter().filter_map(|entry| Some(entry.get_specifiers()?.1)).collect();
        Ok(Users { names, hidden: 0 })
    }
}

/// Nothing to do: a call that needs the person waits for the person.
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
