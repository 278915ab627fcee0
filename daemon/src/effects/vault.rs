//! The credentials that are held.

use std::collections::BTreeMap;

use claudectl_core::{event::Event, ids::SecretId};

use super::Held;

/// Every secret page of the daemon. Dropping it wipes them all.
#[derive(Debug, Default)]
pub(super) struct Vault {
    held: BTreeMap<SecretId, Held>,
    next: u64,
}

impl Vault {
    pub(super) fn keep(&mut self, held: Held) -> SecretId {
        let secret = SecretId(self.next);
        self.next = self.next.wrapping_add(1);
        self.held.insert(secret, held);
        secret
    }

    pub(super) fn get(&self, secret: SecretId) -> Option<Held> {
        self.held.get(&secret).cloned()
    }

    /// Overwrites a page in place: whoever still holds it reads nothing.
    pub(super) fn wipe(&mut self, secret: SecretId) -> Event {
        let (bytes, proven) = match self.held.remove(&secret) {
            Some(held) => {
                let wiped = held.page.wipe();
                (wiped.bytes, wiped.proven)
            }
            None => (0, false),
        };
        Event::CredentialWiped { secret, bytes, proven }
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        // Open requests may still hold a page: it is the content that has to go.
        for held in self.held.values() {
            held.page.wipe();
        }
    }
}
