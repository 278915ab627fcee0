//! Which account holds a credential that was found elsewhere: told from fingerprints under the asker's key,
//! so that no credential is shown to anybody.

use std::time::Duration;

use claudectl_core::{account::Account, engine::Snapshot, ids::AccountName};
use claudectl_footprint::finding::Fingerprint;
use subtle::ConstantTimeEq as _;

use super::Effects;
use crate::engine::Found;

/// What is known of credentials that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognition {
    /// For each of them, the account that holds it.
    pub accounts: Vec<Option<AccountName>>,
    /// Accounts whose credential is not in memory: nothing is known about them.
    pub unknown: Vec<AccountName>,
}

/// More was asked in a minute than anybody finds: whoever guesses keys has to do it elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {} credentials were asked about within a minute", Allowance::MOST)]
pub struct TooMany;

/// How much has been asked in this minute.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    minute: u64,
    asked: usize,
}

impl Allowance {
    const MOST: usize = 10_000;

    fn take(&mut self, count: usize, now: Duration) -> Result<(), TooMany> {
        let minute = now.as_secs() / 60;
        if self.minute != minute {
            *self = Self { minute, asked: 0 };
        }
        self.asked = self.asked.saturating_add(count);
        if self.asked > Self::MOST { Err(TooMany) } else { Ok(()) }
    }
}

impl Effects {
    /// Compares what was found with all that is held. Every fingerprint is compared with every credential,
    /// and each time in full: how long it takes says nothing about them.
    ///
    /// # Errors
    /// If too much was asked lately.
    pub fn recognize(
        &mut self,
        snapshot: &Snapshot,
        found: &Found,
        now: Duration,
    ) -> Result<Recognition, TooMany> {
        self.allowance.take(found.fingerprints.len(), now)?;
        let mut recognition =
            Recognition { accounts: vec![None; found.fingerprints.len()], unknown: Vec::new() };
        for account in snapshot.accounts.values() {
            match self.fingerprints(account, found) {
                Some(held) => recognition.compare(&account.name, &held, &found.fingerprints),
                None => recognition.unknown.push(account.name.clone()),
            }
        }
        Ok(recognition)
    }

    /// Those of an account's access and refresh token; `None` if they are not in memory.
    fn fingerprints(&self, account: &Account, found: &Found) -> Option<Vec<Fingerprint>> {
        let held = self.vault.get(account.secret()?)?;
        let pages = [Some(held.access), held.refresh];
        pages.iter().flatten().map(|page| page.expose(|secret| found.key.of(secret))).collect()
    }
}

impl Recognition {
    fn compare(&mut self, account: &AccountName, held: &[Fingerprint], asked: &[Fingerprint]) {
        for (answer, asked) in self.accounts.iter_mut().zip(asked) {
            let is_one = |held: &Fingerprint| held.bytes().ct_eq(asked.bytes());
            // All of them, whichever it is.
            let is_its = held.iter().map(is_one).fold(0.into(), |one: subtle::Choice, other| one | other);
            if bool::from(is_its) && answer.is_none() {
                *answer = Some(account.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_minute_and_no_more() {
        let mut allowance = Allowance::default();
        let at = Duration::from_secs;
        assert_eq!(allowance.take(9_999, at(61)), Ok(()));
        assert_eq!(allowance.take(1, at(119)), Ok(()));
        assert_eq!(allowance.take(1, at(119)), Err(TooMany));
        assert_eq!(allowance.take(usize::MAX, at(119)), Err(TooMany));
        assert_eq!(allowance.take(1, at(120)), Ok(()));
    }

    #[test]
    fn each_one_gets_the_account_that_has_it_under_either_token() {
        let fingerprint = |byte: u8| Fingerprint::from([byte; 16]);
        let name = |name: &str| name.parse::<AccountName>().unwrap();
        let mut recognition = Recognition { accounts: vec![None; 3], unknown: Vec::new() };
        let asked = [fingerprint(2), fingerprint(9), fingerprint(3)];
        recognition.compare(&name("work"), &[fingerprint(1), fingerprint(2)], &asked);
        recognition.compare(&name("home"), &[fingerprint(2), fingerprint(3)], &asked);
        assert_eq!(recognition.accounts, [Some(name("work")), None, Some(name("home"))]);
    }
}
