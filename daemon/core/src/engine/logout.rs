//! Logging out: close the sessions, wipe, prove.

use super::{Engine, answer, refuse, wipe};
use crate::{
    account::Account,
    command::Selection,
    effect::{Answer, Effect},
    error::Refusal,
    ids::{AccountName, RequestId, SecretId},
    policy,
    receipt::{Outcome, Place, Receipt, ReceiptItem},
    sentence::{self, Cause},
    session::SessionState,
    time::Now,
};

/// A logout that still waits for proof.
#[derive(Debug)]
pub(super) struct Logout {
    request: RequestId,
    receipt: Receipt,
    wiping: Vec<(SecretId, Account)>,
}

impl Engine {
    pub(super) fn log_out(&mut self, request: RequestId, selection: Selection, now: Now) -> Vec<Effect> {
        let accounts = match self.selected(selection) {
            Ok(accounts) => accounts,
            Err(why) => return refuse(request, why),
        };
        let mut effects = Vec::new();
        let mut logout = Logout {
            request,
            receipt: Receipt {
                issued_at: now.wall,
                accounts: accounts.iter().map(|account| account.name.clone()).collect(),
                sessions_ended: 0,
                items: Vec::new(),
            },
            wiping: Vec::new(),
        };
        for account in accounts {
            let (ended, more) = self.leave(&account.name, Cause::Asked, now);
            logout.receipt.sessions_ended += ended;
            logout.wiping.push((account.secret, account));
            effects.extend(more);
        }
        if logout.wiping.is_empty() {
            return answer(request, Answer::LoggedOut { receipt: logout.receipt });
        }
        self.logouts.push(logout);
        effects
    }

    /// Takes an account out: first its gates close, then its credential is wiped. Returns how many
    /// sessions that ended.
    pub(super) fn leave(&mut self, name: &AccountName, cause: Cause, now: Now) -> (usize, Vec<Effect>) {
        let Some(account) = self.accounts.remove(name) else { return (0, Vec::new()) };
        if self.default.as_ref() == Some(name) {
            self.default = None;
        }
        let sentence = sentence::logged_out(name, cause, now.wall);
        let mut effects: Vec<_> = self
            .sessions
            .values_mut()
            .filter(|session| session.account == *name && session.state == SessionState::Open)
            .map(|session| {
                session.state = SessionState::LoggedOut { sentence: sentence.clone() };
                Effect::PublishGate { session: session.id, gate: super::session::closed(&sentence) }
            })
            .collect();
        let ended = effects.len();
        effects.push(wipe(account.secret));
        (ended, effects)
    }

    pub(super) fn wiped(&mut self, secret: SecretId, bytes: usize, proven: bool, now: Now) -> Vec<Effect> {
        let waits = |logout: &Logout| logout.wiping.iter().any(|(waiting, _)| *waiting == secret);
        let Some(place) = self.logouts.iter().position(waits) else { return Vec::new() };
        let Some(logout) = self.logouts.get_mut(place) else { return Vec::new() };
        for (_, account) in logout.wiping.extract_if(.., |(waiting, _)| *waiting == secret) {
            logout.receipt.items.extend(copies(account, bytes, proven));
        }
        if !logout.wiping.is_empty() {
            return Vec::new();
        }
        let Logout { request, mut receipt, .. } = self.logouts.swap_remove(place);
        receipt.issued_at = now.wall;
        answer(request, Answer::LoggedOut { receipt })
    }

    fn selected(&self, selection: Selection) -> Result<Vec<Account>, Refusal> {
        let mut names = match selection {
            Selection::All => return Ok(self.accounts.values().cloned().collect()),
            Selection::Default => {
                return policy::choose(None, self.default.as_ref(), &self.accounts).map(|a| vec![a.clone()]);
            }
            Selection::Named(names) => names,
        };
        names.sort();
        names.dedup();
        names.iter().map(|name| policy::choose(Some(name), None, &self.accounts).cloned()).collect()
    }
}

/// Every copy of an account's credential that there was.
fn copies(account: Account, bytes: usize, proven: bool) -> [ReceiptItem; 2] {
    let what = account.kind.label();
    let wiped = if proven && bytes > 0 { Outcome::Wiped(bytes) } else { Outcome::WipedUnproven(bytes) };
    let upstream = Place::Upstream(account.route.upstream);
    [
        ReceiptItem { account: account.name.clone(), what, place: Place::Memory, outcome: wiped },
        ReceiptItem { account: account.name, what, place: upstream, outcome: Outcome::OutOfReach },
    ]
}
