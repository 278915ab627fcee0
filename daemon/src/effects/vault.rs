//! The credentials that are held.

use std::{collections::BTreeMap, sync::Arc};

use claudectl_core::{
    credential::Part,
    event::{Event, WipedPage},
    ids::SecretId,
};
use claudectl_platform::memory::SecretPage;

use crate::{oauth::Authority, proxy::upstream::Upstream};

/// A credential that is held, with the only servers that may ever see it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// What is injected.
    pub(super) access: Arc<SecretPage>,
    /// What gets a new one.
    pub(super) refresh: Option<Arc<SecretPage>>,
    /// Where requests go.
    pub(super) upstream: Arc<Upstream>,
    /// Where it comes from.
    pub(super) authority: Option<Arc<Authority>>,
}

/// Every secret page of the daemon. Dropping it wipes them all.
#[derive(Debug, Default)]
pub(super) struct Vault {
    held: BTreeMap<SecretId, Held>,
    next: u64,
}

impl Held {
    /// Overwrites the pages in place: whoever still holds one reads nothing. The refresh token may be
    /// that of another credential, too: then it stays.
    fn wipe(&self, stays: impl Fn(&Arc<SecretPage>) -> bool) -> Vec<WipedPage> {
        let pages = [(Part::Access, Some(&self.access)), (Part::Refresh, self.refresh.as_ref())];
        let wiped = pages.into_iter().filter_map(|(part, page)| {
            let page = page.filter(|page| !stays(page))?;
            let wiped = page.wipe();
            Some(WipedPage { part, bytes: wiped.bytes, proven: wiped.proven })
        });
        wiped.collect()
    }
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

    pub(super) fn wipe(&mut self, secret: SecretId) -> Event {
        let pages = match self.held.remove(&secret) {
            Some(held) => held.wipe(|page| self.has_refresh_token(page)),
            None => vec![WipedPage { part: Part::Access, bytes: 0, proven: false }],
        };
        Event::CredentialWiped { secret, pages }
    }

    /// A server that does not rotate leaves the refresh token as it was (RFC 6749 section 6).
    fn has_refresh_token(&self, page: &Arc<SecretPage>) -> bool {
        self.held.values().filter_map(|held| held.refresh.as_ref()).any(|other| Arc::ptr_eq(other, page))
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        // Open requests may still hold a page: it is the content that has to go.
        for held in self.held.values() {
            held.wipe(|_| false);
        }
    }
}
