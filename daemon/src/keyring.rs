//! The OS keyring: where the accounts that are kept live while the daemon does not hold them.
//!
//! Every call is bounded in time. The entry of an account is a [`Record`]; where the keyring takes
//! only so many bytes at once, it is cut into parts.

mod parts;
mod record;

use std::collections::BTreeSet;

use claudectl_platform::keyring as platform;
use zeroize::Zeroizing;

use self::parts::Cut;

pub use self::record::{Details, Expires, Profile, Record, RecordError};
pub use claudectl_platform::keyring::{KeyringError as Cause, Patience, Unlock};

/// What the entries of claudectl are filed under.
pub const SERVICE: &str = "claudectl";

/// Why the keyring did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The keyring would not.
    #[error(transparent)]
    Keyring(#[from] Cause),
    /// What is there is no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The operating system gave no random number.
    #[error("no random number: {0}")]
    Random(#[from] std::io::Error),
    /// There is nothing of this account.
    #[error("the keyring has no entry of account \"{account}\"")]
    NotKept {
        /// The account.
        account: String,
    },
}

impl KeyringError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Keyring(cause) => cause.hint(),
            Self::Record(RecordError::Version { .. }) => "update claudectl, or log out and in again",
            Self::Record(_) | Self::Random(_) => "log the account out and in again",
            Self::NotKept { .. } => "log in again with --keep",
        }
    }
}

/// Which accounts the keyring keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Their names.
    pub accounts: Vec<String>,
    /// How many entries there are whose names a locked keyring does not tell.
    pub hidden: usize,
}

/// The keyring of this user.
#[derive(Debug)]
pub struct Keyring {
    entries: platform::Keyring,
    /// The most bytes one entry holds.
    limit: Option<usize>,
}

impl Keyring {
    /// The keyring on this session bus, where it is on one. Asks nobody yet.
    pub fn new(session_bus: Option<&str>) -> Self {
        Self::with(session_bus, Patience::default(), platform::Keyring::LIMIT)
    }

    /// As [`new`](Self::new), with other patience and entries of at most `limit` bytes.
    pub fn with(session_bus: Option<&str>, patience: Patience, limit: Option<usize>) -> Self {
        Self { entries: platform::Keyring::new(SERVICE, session_bus, patience), limit }
    }

    /// Stores an account, in place of what was there of it. A crash leaves the old record or the new one.
    ///
    /// # Errors
    /// [`KeyringError`]; the old record is still there then, or none.
    pub async fn store(&self, record: &Record, unlock: Unlock<'_>) -> Result<(), KeyringError> {
        let (account, bytes) = (&record.details.account, record.encode()?);
        let stored = match self.limit {
            Some(limit) if bytes.len() > limit => self.store_parts(account, &bytes, limit, unlock).await,
            _ => Ok(self.entries.set(account, bytes, unlock).await?),
        };
        // Whether that worked or not: what nothing names any more goes.
        let swept = self.sweep(account).await;
        stored.and(swept)
    }

    async fn store_parts(
        &self,
        account: &str,
        bytes: &[u8],
        limit: usize,
        unlock: Unlock<'_>,
    ) -> Result<(), KeyringError> {
        let cut = Cut::new(bytes.len(), limit)?;
        for (number, part) in bytes.chunks(limit).enumerate() {
            let part = Zeroizing::new(part.to_vec());
            self.entries.set(&cut.name(account, number), part, unlock).await?;
        }
        Ok(self.entries.set(account, Zeroizing::new(cut.line().into_bytes()), unlock).await?)
    }

    /// Loads an account.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn load(&self, account: &str, unlock: Unlock<'_>) -> Result<Record, KeyringError> {
        let not_kept = || KeyringError::NotKept { account: account.to_owned() };
        let mut bytes = self.entries.get(account, unlock).await?.ok_or_else(not_kept)?;
        if let Some(cut) = Cut::parse(&bytes)? {
            bytes = self.load_parts(account, &cut, unlock).await?;
        }
        let record = Record::decode(&bytes)?;
        if record.details.account != account {
            return Err(RecordError::OtherAccount.into());
        }
        Ok(record)
    }

    async fn load_parts(
        &self,
        account: &str,
        cut: &Cut,
        unlock: Unlock<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        // Never grows: a smaller buffer would be left behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(cut.length));
        for number in 0..cut.count {
            let part = self.entries.get(&cut.name(account, number), unlock).await?;
            let part = part.ok_or(RecordError::Damaged("a part is missing"))?;
            if part.len() > cut.length - bytes.len() {
                return Err(RecordError::Damaged("a part is too long").into());
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }

    /// Deletes everything of an account and looks that nothing is left; whether there was something.
    ///
    /// # Errors
    /// [`KeyringError`]; that it is gone was not proven then.
    pub async fn delete(&self, account: &str, unlock: Unlock<'_>) -> Result<bool, KeyringError> {
        let mut existed = false;
        // The parts first: as long as the account's own entry is there, it counts as kept.
        for part in self.parts_of(account).await? {
            existed |= self.entries.delete(&part, unlock).await?;
        }
        existed |= self.entries.delete(account, unlock).await?;
        Ok(existed)
    }

    /// Which accounts are kept. Bothers nobody, even if the keyring is locked.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn list(&self) -> Result<Kept, KeyringError> {
        let users = self.entries.users().await?;
        let accounts: BTreeSet<_> = users.names.iter().map(|entry| parts::account_of(entry).0).collect();
        Ok(Kept { accounts: accounts.into_iter().map(str::to_owned).collect(), hidden: users.hidden })
    }

    /// Deletes the parts of an account that its entry does not name.
    async fn sweep(&self, account: &str) -> Result<(), KeyringError> {
        if self.limit.is_none() {
            return Ok(());
        }
        let parts = self.parts_of(account).await?;
        if parts.is_empty() {
            return Ok(());
        }
        let entry = self.entries.get(account, Unlock::Never).await?;
        let cut = entry.as_deref().map(|entry| Cut::parse(entry)).transpose()?.flatten();
        for part in parts.iter().filter(|part| !cut.as_ref().is_some_and(|cut| cut.names(part))) {
            self.entries.delete(part, Unlock::Never).await?;
        }
        Ok(())
    }

    async fn parts_of(&self, account: &str) -> Result<Vec<String>, KeyringError> {
        let mut entries = self.entries.users().await?.names;
        entries.retain(|entry| parts::account_of(entry) == (account, true));
        Ok(entries)
    }
}
