//! The OS keyring: Secret Service, Keychain, Credential Manager.
//!
//! The stores of the `keyring` family move the secrets. Their calls block, have no time limit, and on
//! Linux panic on a thread of an async runtime, so each runs on a thread of its own (`lane`). What
//! must not block or prompt unasked (is it locked? which entries are there?) is asked directly.

#[path = "keyring/lane.rs"]
mod lane;
#[cfg_attr(target_os = "linux", path = "keyring/linux.rs")]
#[cfg_attr(target_os = "macos", path = "keyring/macos.rs")]
#[cfg_attr(windows, path = "keyring/windows.rs")]
mod sys;

use std::time::Duration;

use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use self::lane::Lane;

/// Prepares this process for a keyring: one thread is to carry what it says, not one for every processor.
///
/// Call it first in `main`, before there is a second thread.
pub fn prepare() {
    sys::prepare();
}

/// How long is waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the keyring, before it counts as hung.
    pub answer: Duration,
    /// For a person, who is to answer its prompt.
    pub person: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { answer: Duration::from_secs(5), person: Duration::from_mins(1) }
    }
}

/// Why the keyring did not do as asked. No variant ever carries any of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is none.
    #[error("there is no keyring service here: {why}")]
    Absent {
        /// How that was found out.
        why: String,
    },
    /// It is locked, and nobody was to be asked.
    #[error("the keyring is locked")]
    Locked,
    /// The person said no, or there is no display to ask on.
    #[error("the keyring stays locked: its prompt was dismissed, or could not be shown")]
    PromptDismissed,
    /// The person said nothing.
    #[error("the keyring stays locked: nobody answered its prompt within {} seconds", .after.as_secs())]
    PromptUnanswered {
        /// How long was waited.
        after: Duration,
    },
    /// It took too long. What it was told to store is taken back if it comes to that after all.
    #[error("the keyring did not answer within {} seconds", .after.as_secs())]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// It still owes the answer to an earlier question.
    #[error("the keyring still owes an earlier answer")]
    Hung,
    /// The secret does not fit.
    #[error("the keyring takes at most {limit} bytes at once")]
    TooLarge {
        /// The most it takes.
        limit: usize,
    },
    /// Something else.
    #[error("the keyring failed: {why}")]
    Broken {
        /// What it said.
        why: String,
    },
}

impl KeyringError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Absent { .. } => {
                "start one (gnome-keyring, KWallet or KeePassXC on Linux), or log in without --keep"
            }
            Self::Locked | Self::PromptDismissed | Self::PromptUnanswered { .. } => sys::UNLOCK_HINT,
            Self::TimedOut { .. } | Self::Hung => "see whether the keyring service is running, and try again",
            Self::TooLarge { .. } => "log in without --keep",
            Self::Broken { .. } => "see whether other programs can use the keyring, and try again",
        }
    }
}

/// What happens when the keyring is locked.
#[derive(Clone, Copy)]
pub enum Unlock<'a> {
    /// [`KeyringError::Locked`]: nobody is bothered.
    Never,
    /// The keyring asks the person; before it does, this is called once.
    Ask(&'a (dyn Fn() + Send + Sync)),
}

impl std::fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Never) { "Never" } else { "Ask" })
    }
}

/// Whose secrets a keyring holds for us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// Their names.
    pub names: Vec<String>,
    /// How many more there are whose names a locked keyring does not tell.
    pub hidden: usize,
}

/// The entries of one service in the keyring of this user.
#[derive(Debug)]
pub struct Keyring {
    place: sys::Place,
    lane: Lane,
}

impl Keyring {
    /// The most bytes one entry holds, where there is such a limit.
    pub const LIMIT: Option<usize> = sys::LIMIT;

    /// The entries of `service`, on this session bus where the keyring is on one. Asks nobody yet.
    pub fn new(service: &str, session_bus: Option<&str>, patience: Patience) -> Self {
        let place = sys::Place::new(service, session_bus, patience);
        Self { place, lane: Lane::new(patience.answer) }
    }

    /// Stores a secret, in place of an earlier one.
    ///
    /// # Errors
    /// As [`KeyringError`] says; nothing was stored then, or it is taken back.
    pub async fn set(
        &self,
        user: &str,
        secret: Zeroizing<Vec<u8>>,
        unlock: Unlock<'_>,
    ) -> Result<(), KeyringError> {
        sys::unlock(&self.place, user, Purpose::Write, unlock).await?;
        let (open, undo) = (self.opener(user), self.opener(user));
        let set = move || set(&open()?, &secret);
        self.lane
            .run(set, move |stored| {
                // Nobody waits any longer: what was said to have failed must not be there.
                if stored.is_ok() {
                    drop(undo().and_then(|entry| delete(&entry)));
                }
            })
            .await?
    }

    /// The secret of a user, if there is one.
    ///
    /// # Errors
    /// As [`KeyringError`] says.
    pub async fn get(
        &self,
        user: &str,
        unlock: Unlock<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        sys::unlock(&self.place, user, Purpose::Read, unlock).await?;
        let open = self.opener(user);
        self.lane.run(move || get(&open()?), drop).await?
    }

    /// Deletes the secret of a user and looks that it is gone; whether there was one.
    ///
    /// # Errors
    /// As [`KeyringError`] says; [`KeyringError::Broken`] if it is still there.
    pub async fn delete(&self, user: &str, unlock: Unlock<'_>) -> Result<bool, KeyringError> {
        sys::unlock(&self.place, user, Purpose::Read, unlock).await?;
        let open = self.opener(user);
        let existed = self.lane.run(move || delete(&open()?), drop).await??;
        if sys::users(&self.place, &self.lane, Some(user)).await? != Users::default() {
            return Err(KeyringError::Broken { why: "it says deleted, and still has the entry".into() });
        }
        Ok(existed)
    }

    /// Whose secrets are there. Bothers nobody.
    ///
    /// # Errors
    /// As [`KeyringError`] says.
    pub async fn users(&self) -> Result<Users, KeyringError> {
        sys::users(&self.place, &self.lane, None).await
    }

    /// Opens the entry of a user: on the lane, because that asks the keyring.
    fn opener(&self, user: &str) -> impl Fn() -> Result<Entry, KeyringError> + Send + use<> {
        let (place, user) = (self.place.clone(), user.to_owned());
        move || place.entry(&user)
    }
}

/// What an entry is unlocked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To read or delete what is there.
    Read,
    /// To write what may not be there yet.
    Write,
}

fn set(entry: &Entry, secret: &[u8]) -> Result<(), KeyringError> {
    match entry.set_secret(secret) {
        // Somebody else made more of them.
        Err(Error::Ambiguous(_)) => {
            delete(entry)?;
            Ok(entry.set_secret(secret)?)
        }
        stored => Ok(stored?),
    }
}

fn get(entry: &Entry) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
    match entry.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn delete(entry: &Entry) -> Result<bool, KeyringError> {
    match entry.delete_credential() {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(Error::Ambiguous(entries)) => {
            for entry in entries {
                entry.delete_credential()?;
            }
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

impl From<Error> for KeyringError {
    /// Its text only: some of these errors carry the secret.
    fn from(error: Error) -> Self {
        match error {
            Error::TooLong(_, limit) => {
                Self::TooLarge { limit: usize::try_from(limit).unwrap_or(usize::MAX) }
            }
            Error::Ambiguous(_) => Self::Broken { why: "it has several entries of that name".into() },
            error => Self::Broken { why: error.to_string() },
        }
    }
}
