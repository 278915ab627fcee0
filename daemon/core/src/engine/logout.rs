//! Logging out: close the sessions, revoke, delete the keyring's copy, wipe, prove.

use std::time::Duration;

use super::{Engine, answer, refuse, wipe};
use crate::{
    account::{Account, Holding},
    command::Selection,
    credential::{CredentialKind, Part},
    effect::{Answer, Effect},
    error::Refusal,
    event::{Loaded, Revocation, WipedPage},
    ids::{AccountName, Generation, RequestId, SecretId},
    policy,
    receipt::{Outcome, Place, Receipt, ReceiptItem},
    sentence::{self, Cause},
    session::SessionState,
    time::Now,
};

/// How long the revocations of one account may take: five seconds, and once more.
const REVOCATION: Duration = Duration::from_secs(11);
/// How long they may take while the machine waits for us to go to sleep.
const HASTY_REVOCATION: Duration = Duration::from_millis(700);

/// A logout that still waits for proof.
#[derive(Debug)]
pub(super) struct Logout {
    /// Who wants to know; nobody, if the desktop asked for it.
    request: Option<RequestId>,
    sessions_ended: usize,
    within: Duration,
    departures: Vec<Departure>,
}

/// One account on its way out.
#[derive(Debug)]
struct Departure {
    account: Account,
    /// The pages, until they are wiped.
    secret: Option<SecretId>,
    /// Whether the keyring is being read, for the tokens that are to be revoked.
    is_loading: bool,
    /// Whether the keyring's copy is being deleted.
    is_deleting: bool,
    items: Vec<ReceiptItem>,
}

impl Departure {
    fn is_over(&self) -> bool {
        self.secret.is_none() && !self.is_loading && !self.is_deleting
    }

    fn note(&mut self, part: Part, place: Place, outcome: Outcome) {
        let (account, kind) = (self.account.name.clone(), self.account.kind);
        self.items.push(ReceiptItem { account, kind, part, place, outcome });
    }

    /// What nothing from here can make invalid.
    fn note_out_of_reach(&mut self) {
        let place = match (self.account.kind, &self.account.authority) {
            (CredentialKind::Oauth, Some(authority)) => Place::AuthorizationServer(authority.clone()),
            _ => Place::Upstream(self.account.obtained.route.upstream.clone()),
        };
        self.note(Part::Access, place, Outcome::OutOfReach);
    }
}

impl Engine {
    pub(super) fn log_out(&mut self, request: RequestId, selection: Selection, now: Now) -> Vec<Effect> {
        match self.selected(selection) {
            Ok(accounts) => {
                let names: Vec<_> = accounts.into_iter().map(|account| account.name).collect();
                self.leave(Some(request), &names, Cause::Asked, now)
            }
            Err(why) => refuse(request, why),
        }
    }

    /// Takes accounts out: first their gates close, then their copies go.
    pub(super) fn leave(
        &mut self,
        request: Option<RequestId>,
        names: &[AccountName],
        cause: Cause,
        now: Now,
    ) -> Vec<Effect> {
        let within = if cause == Cause::Suspending { HASTY_REVOCATION } else { REVOCATION };
        let mut logout = Logout { request, sessions_ended: 0, within, departures: Vec::new() };
        let mut effects = Vec::new();
        for name in names {
            let Some(account) = self.accounts.remove(name) else { continue };
            if self.default.as_ref() == Some(name) {
                self.default = None;
            }
            let closed = self.close_sessions(name, &sentence::logged_out(name, cause, now.wall));
            logout.sessions_ended += closed.len();
            effects.extend(closed);
            let (departure, more) = depart(account, within);
            logout.departures.push(departure);
            effects.extend(more);
        }
        self.logouts.push(logout);
        effects.extend(self.finished(now));
        effects
    }

    /// Closes the gates of an account's sessions.
    fn close_sessions(&mut self, name: &AccountName, sentence: &str) -> Vec<Effect> {
        let is_live = |state: &SessionState| matches!(state, SessionState::Open | SessionState::Frozen);
        self.sessions
            .values_mut()
            .filter(|session| session.account == *name && is_live(&session.state))
            .map(|session| {
                session.state = SessionState::LoggedOut { sentence: sentence.to_owned() };
                Effect::PublishGate { session: session.id, gate: super::session::closed(sentence) }
            })
            .collect()
    }

    pub(super) fn revoked(&mut self, secret: SecretId, revocations: Vec<Revocation>) -> Vec<Effect> {
        let departure = self.leaving().find(|departure| departure.secret == Some(secret));
        if let Some(departure) = departure {
            for Revocation { part, endpoint, outcome } in revocations {
                let outcome = outcome.map_or_else(Outcome::NotRevoked, Outcome::Revoked);
                departure.note(part, Place::AuthorizationServer(endpoint), outcome);
            }
        }
        vec![wipe(secret)]
    }

    pub(super) fn wiped(&mut self, secret: SecretId, pages: &[WipedPage], now: Now) -> Vec<Effect> {
        let departure = self.leaving().find(|departure| departure.secret == Some(secret));
        let Some(departure) = departure else { return Vec::new() };
        departure.secret = None;
        for WipedPage { part, bytes, proven } in pages {
            let proven = *proven && *bytes > 0;
            let outcome = if proven { Outcome::Wiped(*bytes) } else { Outcome::WipedUnproven(*bytes) };
            departure.note(*part, Place::Memory, outcome);
        }
        self.finished(now)
    }

    pub(super) fn stored_deleted(
        &mut self,
        name: &AccountName,
        outcome: Result<(), String>,
        now: Now,
    ) -> Vec<Effect> {
        let is_meant = |departure: &&mut Departure| departure.is_deleting && departure.account.name == *name;
        let departure = self.leaving().find(is_meant);
        let Some(departure) = departure else { return Vec::new() };
        departure.is_deleting = false;
        let outcome = outcome.map_or_else(Outcome::NotAbsent, |()| Outcome::Absent);
        departure.note(Part::Access, Place::Keyring, outcome);
        self.finished(now)
    }

    /// Whether a departing account waits for its tokens.
    pub(super) fn departs(&mut self, name: &AccountName, generation: Generation) -> bool {
        self.departing(name, generation).is_some()
    }

    pub(super) fn departing_loaded(
        &mut self,
        name: &AccountName,
        generation: Generation,
        outcome: Result<Loaded, Refusal>,
        now: Now,
    ) -> Vec<Effect> {
        let within = self.logouts.iter().map(|logout| logout.within).min().unwrap_or(REVOCATION);
        let Some(departure) = self.departing(name, generation) else { return Vec::new() };
        departure.is_loading = false;
        let mut effects = Vec::new();
        match outcome {
            Ok(Loaded { secret, .. }) => {
                departure.secret = Some(secret);
                effects.push(Effect::RevokeCredential { secret, within });
            }
            Err(why) => {
                let server = departure.account.authority.clone().unwrap_or_default();
                let why = Outcome::NotRevoked(format!("the tokens could not be read: {why}"));
                departure.note(Part::Refresh, Place::AuthorizationServer(server), why);
            }
        }
        // Only now: they had to be read first.
        departure.is_deleting = true;
        effects.push(Effect::DeleteStored { account: name.clone() });
        effects.extend(self.finished(now));
        effects
    }

    /// The daemon stops: memory is wiped; the keyring keeps what it has. Logouts that wait are
    /// answered with what is known by now.
    pub(super) fn drop_everything(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = self.fail_logins(&Refusal::Stopping);
        effects.extend(self.cut_logouts_short(now));
        for account in std::mem::take(&mut self.accounts).into_values() {
            let sentence = sentence::logged_out(&account.name, Cause::Stopping, now.wall);
            effects.extend(self.close_sessions(&account.name, &sentence));
            effects.extend(account.secret().map(wipe));
        }
        for unseal in std::mem::take(&mut self.unseals) {
            effects.extend(refuse(unseal.request, Refusal::Stopping));
        }
        effects
    }

    fn cut_logouts_short(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        for departure in self.leaving() {
            if std::mem::replace(&mut departure.is_loading, false) {
                departure.note_out_of_reach();
            }
            if std::mem::replace(&mut departure.is_deleting, false) {
                let why = "claudectld stopped before the keyring answered".to_owned();
                departure.note(Part::Access, Place::Keyring, Outcome::NotAbsent(why));
            }
            if let Some(secret) = departure.secret
                && departure.account.obtained.revocable
                && !departure.items.iter().any(|item| matches!(item.place, Place::AuthorizationServer(_)))
            {
                let server = departure.account.authority.clone().unwrap_or_default();
                let why = Outcome::NotRevoked("claudectld stopped before the server answered".to_owned());
                departure.note(Part::Refresh, Place::AuthorizationServer(server), why);
                effects.push(wipe(secret));
            }
        }
        effects.extend(self.finished(now));
        effects
    }

    /// Answers the logouts that wait for nothing more.
    fn finished(&mut self, now: Now) -> Vec<Effect> {
        let over = |logout: &mut Logout| logout.departures.iter().all(Departure::is_over);
        let done: Vec<_> = self.logouts.extract_if(.., over).collect();
        let answers = done.into_iter().filter_map(|logout| {
            let request = logout.request?;
            Some(answer(request, Answer::LoggedOut { receipt: receipt(logout, now) }))
        });
        answers.flatten().collect()
    }

    fn leaving(&mut self) -> impl Iterator<Item = &mut Departure> {
        self.logouts.iter_mut().flat_map(|logout| &mut logout.departures)
    }

    fn departing(&mut self, name: &AccountName, generation: Generation) -> Option<&mut Departure> {
        self.leaving().find(|departure| {
            departure.is_loading
                && departure.account.name == *name
                && departure.account.generation == generation
        })
    }

    pub(super) fn selected(&self, selection: Selection) -> Result<Vec<Account>, Refusal> {
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

/// What has to happen before an account is gone.
fn depart(account: Account, within: Duration) -> (Departure, Vec<Effect>) {
    let (name, generation) = (account.name.clone(), account.generation);
    let secret = account.secret();
    let (revocable, kept) = (account.obtained.revocable, account.kept);
    let is_sealed = matches!(account.holding, Holding::Sealed { .. });
    let is_loading = is_sealed && revocable;
    let mut departure =
        Departure { account, secret, is_loading, is_deleting: kept && !is_loading, items: Vec::new() };
    if !revocable {
        departure.note_out_of_reach();
    }
    let mut effects = Vec::new();
    match secret {
        // The wipe follows the revocation, which needs the tokens.
        Some(secret) if revocable => effects.push(Effect::RevokeCredential { secret, within }),
        Some(secret) => effects.push(wipe(secret)),
        None if is_loading => {
            effects.push(Effect::LoadCredential { account: name.clone(), generation });
        }
        None => {}
    }
    if departure.is_deleting {
        effects.push(Effect::DeleteStored { account: name });
    }
    (departure, effects)
}

fn receipt(logout: Logout, now: Now) -> Receipt {
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
