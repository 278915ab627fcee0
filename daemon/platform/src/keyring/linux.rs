//! Secret Service.

#[path = "linux/service.rs"]
mod service;

use keyring_core::{Entry, api::CredentialStoreApi as _};
use zbus_secret_service_keyring_store::Store;

use self::service::Service;
use super::{KeyringError, Patience, Purpose, Unlock, Users, lane::Lane};

pub(super) const LIMIT: Option<usize> = None;
pub(super) const UNLOCK_HINT: &str =
    "unlock the keyring (log in to the desktop, or open its password program), and try again";

/// The store of the keyring family has its bus connection carried by a runtime that lives as long as the
/// process, with a thread for every processor unless this variable says otherwise (tokio, `Builder::worker_threads`).
pub(super) fn prepare() {
    // SAFETY: called before there is a second thread, which could be reading the environment.
    unsafe { std::env::set_var("TOKIO_WORKER_THREADS", "1") };
}

/// Where the entries are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    service: String,
    bus: Option<String>,
    patience: Patience,
}

#[allow(clippy::disallowed_types, reason = "what the stores are made to take")]
type Settings<'a> = std::collections::HashMap<&'a str, &'a str>;

impl Place {
    pub(super) fn new(service: &str, session_bus: Option<&str>, patience: Patience) -> Self {
        Self { service: service.to_owned(), bus: session_bus.map(str::to_owned), patience }
    }

    /// The entry of a user, on a connection of its own: what was known of an earlier keyring service
    /// means nothing to the next. Blocks.
    pub(super) fn entry(&self, user: &str) -> Result<Entry, KeyringError> {
        let label = format!("{}: {user}", self.service);
        let settings = Settings::from([("label", label.as_str())]);
        // Tried twice: gnome-keyring 42 may refuse the first call of a connection, before it knows it.
        Ok(Store::new().or_else(|_| Store::new())?.build(&self.service, user, Some(&settings))?)
    }

    async fn connect(&self) -> Result<Service, KeyringError> {
        let bus = self.bus.as_deref();
        let bus = bus.ok_or_else(|| KeyringError::Absent { why: "there is no session bus".into() })?;
        Service::connect(bus, self.patience).await
    }

    /// The attributes that the store of the keyring family gives an entry.
    fn attributes<'a>(&'a self, user: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
        let mut attributes = vec![("service", self.service.as_str())];
        attributes.extend(user.map(|user| ("username", user)));
        attributes
    }
}

/// Unlocks what is needed, so that the store has nothing left to ask the person for.
pub(super) async fn unlock(
    place: &Place,
    user: &str,
    purpose: Purpose,
    unlock: Unlock<'_>,
) -> Result<(), KeyringError> {
    let service = place.connect().await?;
    let mut locked = service.bounded(service.search(&place.attributes(Some(user)))).await?.locked;
    if purpose == Purpose::Write {
        match service.bounded(service.default_collection()).await? {
            Some(collection) => locked.push(collection),
            None => service.create_default_collection(unlock).await?,
        }
    }
    service.unlock(&locked, unlock).await
}

/// Whose entries there are; of one user if that is all that is wanted.
pub(super) async fn users(place: &Place, _lane: &Lane, wanted: Option<&str>) -> Result<Users, KeyringError> {
    let service = place.connect().await?;
    let users = async {
        let found = service.search(&place.attributes(wanted)).await?;
        let mut users = Users::default();
        for item in found.unlocked.iter().chain(&found.locked) {
            match (wanted, service.attribute(item, "username").await?) {
                (Some(wanted), _) => users.names.push(wanted.to_owned()),
                (None, Some(name)) => users.names.push(name),
                (None, None) => users.hidden += 1,
            }
        }
        Ok(users)
    };
    service.bounded(users).await
}
