//! Credentials that come in from somewhere, on their way into the vault.

use std::time::Duration;

use claudectl_core::{
    account::Obtained,
    event::{Event, Loaded, Refreshed},
    ids::{AccountName, Generation, LoginId},
};

use super::vault::{Held, Vault};

/// What arrived. Dropping a credential on the way wipes it.
#[derive(Debug)]
pub enum Arrival {
    /// A credential.
    Credential(Credential),
    /// An answer of the keyring that has none: on the same way as those that have one, so that their
    /// order stays.
    Told(Event),
}

/// A credential that arrived.
#[derive(Debug)]
pub struct Credential {
    pub(super) held: Held,
    pub(super) from: From,
}

/// Where a credential comes from.
#[derive(Debug)]
pub(super) enum From {
    /// A login.
    Login { login: LoginId, obtained: Obtained },
    /// A refresh.
    Refresh { account: AccountName, generation: Generation, lifetime: Option<Duration>, scopes: Vec<String> },
    /// The OS keyring.
    Keyring { account: AccountName, generation: Generation, obtained: Obtained, obtained_at: i64 },
}

impl Arrival {
    pub(super) fn new(held: Held, from: From) -> Self {
        Self::Credential(Credential { held, from })
    }

    /// Takes it into the vault.
    pub(super) fn settle(self, vault: &mut Vault) -> Event {
        let Credential { held, from } = match self {
            Self::Credential(credential) => credential,
            Self::Told(event) => return event,
        };
        // A server that does not rotate leaves it as it was; a logout meanwhile revoked it, and wiped it.
        let refresh = held.refresh.filter(|page| !page.is_empty());
        let renewable = refresh.is_some();
        let held = Held { refresh, ..held };
        let secret = vault.keep(held);
        match from {
            From::Login { login, obtained } => Event::CredentialReceived { login, secret, obtained },
            From::Refresh { account, generation, lifetime, scopes } => Event::CredentialRefreshed {
                account,
                generation,
                outcome: Refreshed::Renewed { secret, lifetime, renewable, scopes },
            },
            From::Keyring { account, generation, obtained, obtained_at } => Event::CredentialLoaded {
                account,
                generation,
                outcome: Ok(Loaded { secret, obtained, obtained_at }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use claudectl_core::account::Route;
    use claudectl_platform::memory::SecretPage;

    use super::*;
    use crate::proxy::upstream::Upstream;

    fn page(mut token: &[u8]) -> Arc<SecretPage> {
        Arc::new(SecretPage::fill(|free| std::io::Read::read(&mut token, free)).unwrap())
    }

    #[tokio::test]
    async fn a_refresh_token_that_a_logout_wiped_meanwhile_does_not_arrive_again() {
        let upstream = "http://127.0.0.1:1".to_owned();
        let upstream = Upstream::build(&Route { upstream, proxy: None, ca_file: None }).await.unwrap();
        let upstream = Arc::new(upstream);
        for was_wiped in [false, true] {
            let refresh = page(b"TESTTOKEN-refresh");
            let held = Held {
                access: page(b"TESTTOKEN-access"),
                refresh: Some(Arc::clone(&refresh)),
                upstream: Arc::clone(&upstream),
                authority: None,
            };
            let (account, generation) = ("work".parse().unwrap(), Generation(1));
            let arrival =
                Arrival::new(held, From::Refresh { account, generation, lifetime: None, scopes: Vec::new() });
            if was_wiped {
                refresh.wipe();
            }
            let mut vault = Vault::default();
            let Event::CredentialRefreshed { outcome, .. } = arrival.settle(&mut vault) else { panic!() };
            let Refreshed::Renewed { secret, renewable, .. } = outcome else { panic!() };
            assert_eq!(renewable, !was_wiped);
            let Event::CredentialWiped { pages, .. } = vault.wipe(secret) else { panic!() };
            assert!(pages.iter().all(|page| page.bytes > 0 && page.proven), "{pages:?}");
        }
    }
}
