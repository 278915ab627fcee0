//! Accounts on their way out, and what is proven about each of their copies.

use std::{collections::BTreeSet, time::Duration};

use super::super::wipe;
use crate::{
    account::Account,
    credential::{CredentialKind, Part},
    effect::Effect,
    ids::{RequestId, SecretId},
    receipt::{Outcome, Place, Receipt, ReceiptItem},
    time::Now,
};

/// A logout that still waits for proof.
#[derive(Debug)]
pub(in crate::engine) struct Logout {
    /// Who wants to know; nobody, if the desktop asked for it.
    pub(super) request: Option<RequestId>,
    pub(super) sessions_ended: usize,
    pub(super) departures: Vec<Departure>,
}

impl Logout {
    /// Whether nothing waits for its wipe. What a refresh may still bring is wiped when it comes.
    pub(in crate::engine) fn is_settled(&self) -> bool {
        self.departures.iter().all(Departure::is_settled)
    }
}

/// One account on its way out.
#[derive(Debug)]
pub(super) struct Departure {
    pub(super) account: Account,
    /// How long its revocations may take.
    pub(super) within: Duration,
    /// The pages, until they are wiped.
    pub(super) pages: BTreeSet<SecretId>,
    /// Those whose tokens the server was asked to revoke.
    pub(super) revoking: BTreeSet<SecretId>,
    /// Whether the keyring is being read, for the tokens that are to be revoked.
    pub(super) is_loading: bool,
    /// Whether a refresh is on its way: the tokens that it brings are to go, too.
    pub(super) is_renewing: bool,
    /// Answers of the keyring until it is known whether its copy is gone.
    pub(super) deleting: usize,
    pub(super) items: Vec<ReceiptItem>,
}

impl Departure {
    pub(super) fn is_settled(&self) -> bool {
        self.pages.is_empty() && !self.is_loading && self.deleting == 0
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_settled() && !self.is_renewing
    }

    /// Takes pages over: they are revoked if that is possible, and wiped.
    pub(super) fn take(&mut self, secret: SecretId) -> Effect {
        self.pages.insert(secret);
        if !self.account.obtained.revocable {
            return wipe(secret);
        }
        // The wipe follows the revocation, which needs the tokens.
        self.revoking.insert(secret);
        Effect::RevokeCredential { secret, within: self.within }
    }

    pub(super) fn note(&mut self, part: Part, place: Place, outcome: Outcome) {
        let (account, kind) = (self.account.name.clone(), self.account.kind);
        self.items.push(ReceiptItem { account, kind, part, place, outcome });
    }

    /// The tokens are not known to be revoked.
    pub(super) fn note_not_revoked(&mut self, part: Part, why: String) {
        let server = self.account.authority.clone().unwrap_or_default();
        self.note(part, Place::AuthorizationServer(server), Outcome::NotRevoked(why));
    }

    /// What nothing from here can make invalid.
    pub(super) fn note_out_of_reach(&mut self) {
        let place = match (self.account.kind, &self.account.authority) {
            (CredentialKind::Oauth, Some(authority)) => Place::AuthorizationServer(authority.clone()),
            _ => Place::Upstream(self.account.obtained.route.upstream.clone()),
        };
        self.note(Part::Access, place, Outcome::OutOfReach);
    }
}

pub(super) fn receipt(logout: Logout, now: Now) -> Receipt {
    let accounts = logout.departures.iter().map(|departure| departure.account.name.clone()).collect();
    let items = logout.departures.into_iter().flat_map(|mut departure| {
        departure.items.sort_by_key(|item| (rank(&item.place), item.part));
        departure.items
    });
    Receipt { issued_at: now.wall, accounts, sessions_ended: logout.sessions_ended, items: items.collect() }
}

/// From the nearest copy to the farthest.
fn rank(place: &Place) -> u8 {
    match place {
        Place::Memory => 0,
        Place::Keyring => 1,
        Place::AuthorizationServer(_) => 2,
        Place::Upstream(_) => 3,
    }
}
