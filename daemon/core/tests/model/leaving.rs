//! What a receipt has to say.

use std::collections::BTreeSet;

use claudectl_core::{
    account::{Account, Holding},
    command::Selection,
    effect::Answer,
    error::Refusal,
    ids::{RequestId, SecretId},
    receipt::{Outcome, Place, Receipt, ReceiptItem},
};

use crate::world::World;

/// An account that is about to be logged out.
#[derive(Debug)]
pub(crate) struct Leaving {
    account: Account,
    /// Deletions and revocations that were answered before.
    deleted: usize,
    revoked: BTreeSet<SecretId>,
}

impl World {
    pub(crate) fn about_to_leave(&self, selection: &Selection) -> Vec<Leaving> {
        let seen = self.seen();
        let names: Vec<_> = match selection {
            Selection::Default => seen.default.into_iter().collect(),
            Selection::Named(names) => names.clone(),
            Selection::All => seen.accounts.keys().cloned().collect(),
        };
        let accounts = names.iter().filter_map(|name| seen.accounts.get(name).cloned());
        accounts
            .map(|account| Leaving {
                account,
                deleted: self.deleted.len(),
                revoked: self.revocations.keys().copied().collect(),
            })
            .collect()
    }

    pub(crate) fn check_answer(&mut self, request: RequestId, answer: &Result<Answer, Refusal>) {
        let leaving = self.leaving.remove(&request).unwrap_or_default();
        if let (Ok(Answer::LoggedOut { receipt }), false) = (answer, self.is_stopping) {
            for leaving in &leaving {
                assert!(receipt.accounts.contains(&leaving.account.name), "not in the receipt: {leaving:?}");
                self.check_receipt(leaving, receipt);
            }
        }
        if let Ok(Answer::Unsealed { accounts }) = answer {
            let held = |account: &Account| account.secret().is_some();
            assert!(accounts.iter().all(held), "said to be unsealed: {accounts:?}");
        }
        if let Ok(Answer::Sealed { accounts }) = answer {
            let sealed = |account: &Account| matches!(account.holding, Holding::Sealed { .. });
            assert!(accounts.iter().all(sealed), "said to be sealed: {accounts:?}");
        }
    }

    fn check_receipt(&self, leaving: &Leaving, receipt: &Receipt) {
        let account = &leaving.account;
        let items: Vec<_> = receipt.items.iter().filter(|item| item.account == account.name).collect();
        let of_login = (account.name.clone(), account.login);
        let is_its = |refresh: &crate::world::Refreshing| {
            refresh.account == account.name && refresh.login == account.login
        };
        assert!(!self.refreshing.iter().any(is_its), "a receipt before the last tokens came");
        let late = self.renewed.get(&of_login).copied();
        let pages = account.secret().into_iter().chain(late.filter(|late| Some(*late) != account.secret()));
        if let Some(secret) = account.secret() {
            self.check_page(secret, account, &items);
        }
        if let Some(late) =
            late.filter(|late| self.revocations.contains_key(late) && !leaving.revoked.contains(late))
        {
            self.check_page(late, account, &items);
        }
        for secret in pages {
            assert!(!self.filled.contains(&secret), "a receipt before the wipe");
        }
        if account.obtained.revocable {
            let asked = |item: &&ReceiptItem| matches!(item.place, Place::AuthorizationServer(_));
            let rejected = matches!(account.holding, Holding::Rejected { .. });
            assert!(
                rejected || items.iter().copied().any(|item| asked(&item)),
                "nothing of the server: {items:?}"
            );
        } else {
            assert!(items.iter().any(|item| item.outcome == Outcome::OutOfReach), "silent about the server");
        }
        self.check_keyring_item(leaving, &items);
    }

    /// Each page is in the receipt, with what really became of it here and at the server.
    fn check_page(&self, secret: SecretId, account: &Account, items: &[&ReceiptItem]) {
        let wiped = if Self::is_proven(secret) { Outcome::Wiped(30) } else { Outcome::WipedUnproven(30) };
        for part in self.parts(secret) {
            let said = |item: &&&ReceiptItem| {
                item.part == part && item.place == Place::Memory && item.outcome == wiped
            };
            assert!(items.iter().any(|item| said(&item)), "no proof of {part:?} in memory: {items:?}");
        }
        let cut_off = |item: &&&ReceiptItem| matches!(&item.outcome, Outcome::NotRevoked(why) if why.contains("did not wait"));
        if items.iter().any(|item| cut_off(&item)) {
            return;
        }
        let revocations = self.revocations.get(&secret).cloned().unwrap_or_default();
        assert!(!account.obtained.revocable || !revocations.is_empty(), "not revoked");
        for revocation in revocations {
            let outcome = revocation.outcome.map_or_else(Outcome::NotRevoked, Outcome::Revoked);
            let said = |item: &&&ReceiptItem| item.part == revocation.part && item.outcome == outcome;
            assert!(items.iter().any(|item| said(&item)), "no word of a revocation: {items:?}");
        }
    }

    /// The keyring is in the receipt if it had a copy, with what it really said.
    fn check_keyring_item(&self, leaving: &Leaving, items: &[&ReceiptItem]) {
        let name = &leaving.account.name;
        let said: Vec<_> = items.iter().filter(|item| item.place == Place::Keyring).collect();
        assert!(said.len() <= 1, "the keyring twice: {items:?}");
        assert_eq!(said.len() == 1, leaving.account.kept || !said.is_empty(), "silent about the keyring");
        let outcomes: Vec<_> = self
            .deleted
            .iter()
            .skip(leaving.deleted)
            .filter(|(of, _)| of == name)
            .map(|(_, ok)| *ok)
            .collect();
        let absent = said.iter().any(|item| item.outcome == Outcome::Absent);
        if absent {
            assert!(outcomes.contains(&true), "said to be absent, and nobody looked");
        } else if !said.is_empty() {
            assert!(outcomes.contains(&false), "said not to be absent, though it is");
        }
    }
}
