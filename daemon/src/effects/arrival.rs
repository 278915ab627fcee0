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
        let renewable = held.refresh.is_some();
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
