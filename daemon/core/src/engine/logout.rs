//! Logging out: close the sessions, revoke, delete the keyring's copy, wipe, prove.

mod called_off;
mod departure;
mod unrevoked;

use std::{collections::BTreeSet, time::Duration};

pub(super) use self::departure::Logout;
use self::departure::{Departure, receipt};

use super::{Engine, answer, refuse, wipe};
use crate::{
    account::{Account, Holding, Renewal},
    command::Selection,
    credential::Part,
    effect::{Answer, Effect},
    error::Refusal,
    event::{Loaded, Refreshed, Revocation, WipedPage},
    ids::{AccountName, Generation, RequestId, SecretId},
    policy,
    receipt::{Outcome, Place},
    sentence::{self, Cause},
    session::SessionState,
    time::Now,
};

/// How long the revocations of one account may take: five seconds, and once more.
pub(super) const REVOCATION: Duration = Duration::from_secs(11);
/// How long they may take while the machine waits for us to go to sleep.
const HASTY_REVOCATION: Duration = Duration::from_millis(700);
/// Most tokens of one account that are remembered because the server did not revoke them.
const UNREVOKED: usize = 16;

impl Engine {
    pub(super) fn log_out(&mut self, request: RequestId, selection: Selection, now: Now) -> Vec<Effect> {
        let logins = self.logins_on_their_way(&selection);
        let mut names: Vec<_> = match self.selected(self.without_logins(selection)) {
            Ok(accounts) => accounts.into_iter().map(|account| account.name).collect(),
            Err(why) => return refuse(request, why),
        };
        let mut effects = Vec::new();
        for (login, name) in logins {
            effects.extend(self.call_off(login, now));
            names.push(name);
        }
        effects.extend(self.leave(Some(request), &names, Cause::Asked, now));
        effects
    }

    /// Takes accounts out: first their gates close, then their copies go.
    pub(super) fn leave(
        &mut self,
        request: Option<RequestId>,
        names: &[AccountName],
        cause: Cause,
        now: Now,
    ) -> Vec<Effect> {
        let mut logout = Logout { request, sessions_ended: 0, departures: Vec::new() };
        let mut effects = Vec::new();
        for name in names {
            let Some(account) = self.accounts.remove(name) else { continue };
            if self.default.as_ref() == Some(name) {
                self.default = None;
            }
            let closed = self.close_sessions(name, &sentence::logged_out(name, cause, now.wall));
            logout.sessions_ended += closed.len();
            effects.extend(closed);
            let (departure, more) = self.set_out(account, within(cause));
            logout.departures.push(departure);
            effects.extend(more);
            effects.extend(self.settle_unseals(name, Some(&Refusal::NotLoggedIn(name.clone()))));
        }
        self.logouts.push(logout);
        effects.extend(self.finished(now));
        effects
    }

    /// What has to happen before an account is gone.
    fn set_out(&mut self, account: Account, within: Duration) -> (Departure, Vec<Effect>) {
        let (name, generation) = (account.name.clone(), account.generation);
        let renewed = self.take_renewed(&account);
        let is_renewing = matches!(account.renewal, Renewal::Running { .. }) && renewed.is_none();
        let secrets: Vec<_> = account.secret().into_iter().chain(renewed).collect();
        let is_sealed = matches!(account.holding, Holding::Sealed { .. });
        let mut departure = Departure {
            // Only the keyring has the tokens that are to be revoked.
            is_loading: is_sealed && account.obtained.revocable && secrets.is_empty(),
            is_renewing,
            account,
            within,
            pages: BTreeSet::new(),
            revoking: BTreeSet::new(),
            deleting: 0,
            items: Vec::new(),
        };
        if !departure.account.obtained.revocable {
            departure.note_out_of_reach();
        }
        for Revocation { part, endpoint, outcome } in self.unrevoked.remove(&name).unwrap_or_default() {
            let outcome = outcome.map_or_else(Outcome::NotRevoked, Outcome::Revoked);
            departure.note(part, Place::AuthorizationServer(endpoint), outcome);
        }
        // What it had before, or failed to get, is on its way out already.
        let before: Vec<_> = self.discarded.extract_if(.., |_, of| of.as_ref() == Some(&name)).collect();
        departure.pages.extend(before.iter().map(|(secret, _)| *secret));
        departure.revoking.clone_from(&departure.pages);
        let mut effects: Vec<_> = secrets.into_iter().map(|secret| departure.take(secret)).collect();
        if departure.is_loading {
            effects.push(Effect::LoadCredential { account: name, generation });
        } else if self.may_be_stored(&name) {
            let (effect, answers) = self.delete(&name);
            departure.deleting = answers;
            effects.push(effect);
        }
        (departure, effects)
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
        let is_meant = |departure: &&mut Departure| departure.revoking.contains(&secret);
        if let Some(departure) = self.leaving().find(is_meant) {
            departure.revoking.remove(&secret);
            for Revocation { part, endpoint, outcome } in revocations {
                let outcome = outcome.map_or_else(Outcome::NotRevoked, Outcome::Revoked);
                departure.note(part, Place::AuthorizationServer(endpoint), outcome);
            }
            return vec![wipe(secret)];
        }
        // What nobody waits for was wiped when the daemon was told to stop.
        let Some(of) = self.discarded.remove(&secret) else { return Vec::new() };
        if let Some(name) = of.filter(|name| self.accounts.contains_key(name)) {
            self.note_unrevoked(name, revocations);
        }
        vec![wipe(secret)]
    }

    pub(super) fn wiped(&mut self, secret: SecretId, pages: &[WipedPage], now: Now) -> Vec<Effect> {
        let departure = self.leaving().find(|departure| departure.pages.contains(&secret));
        let Some(departure) = departure else { return Vec::new() };
        departure.pages.remove(&secret);
        for WipedPage { part, bytes, proven } in pages {
            let proven = *proven && *bytes > 0;
            let outcome = if proven { Outcome::Wiped(*bytes) } else { Outcome::WipedUnproven(*bytes) };
            departure.note(*part, Place::Memory, outcome);
        }
        self.finished(now)
    }

    pub(super) fn departing_deleted(
        &mut self,
        name: &AccountName,
        outcome: &Result<(), String>,
        now: Now,
    ) -> Vec<Effect> {
        let is_meant = |departure: &&mut Departure| departure.deleting > 0 && departure.account.name == *name;
        for departure in self.leaving().filter(is_meant) {
            departure.deleting = departure.deleting.saturating_sub(1);
            if departure.deleting == 0 {
                let outcome = outcome.clone().map_or_else(Outcome::NotAbsent, |()| Outcome::Absent);
                departure.note(Part::Access, Place::Keyring, outcome);
            }
        }
        self.finished(now)
    }

    /// A refresh of an account that is not there any more: what came must not stay valid.
    pub(super) fn departing_refreshed(
        &mut self,
        name: &AccountName,
        login: Generation,
        outcome: Refreshed,
        now: Now,
    ) -> Vec<Effect> {
        let is_meant = |departure: &&mut Departure| {
            departure.is_renewing && departure.account.name == *name && departure.account.login == login
        };
        let departure = self.leaving().find(is_meant);
        let Some(departure) = departure else {
            return match outcome {
                Refreshed::Renewed { secret, .. } => {
                    vec![self.discard(secret, Some(name), true, REVOCATION)]
                }
                Refreshed::Transient { .. } | Refreshed::Rejected { .. } => Vec::new(),
            };
        };
        departure.is_renewing = false;
        let mut effects = Vec::new();
        match outcome {
            Refreshed::Renewed { secret, .. } => effects.push(departure.take(secret)),
            // The server may have given tokens that never came here.
            Refreshed::Transient { why, .. } => {
                departure.note_not_revoked(Part::Access, format!("new tokens were asked for: {why}"));
            }
            Refreshed::Rejected { .. } => {}
        }
        effects.extend(self.finished(now));
        effects
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
        let Some(departure) = self.departing(name, generation) else { return Vec::new() };
        departure.is_loading = false;
        let mut effects = Vec::new();
        match outcome {
            Ok(Loaded { secret, .. }) => effects.push(departure.take(secret)),
            Err(why) => {
                departure.note_not_revoked(Part::Refresh, format!("the tokens could not be read: {why}"));
            }
        }
        // Only now: they had to be read first.
        let (effect, answers) = self.delete(name);
        effects.push(effect);
        if let Some(departure) = self.leaving().find(|departure| departure.account.generation == generation) {
            departure.deleting = answers;
        }
        // Somebody may have logged in anew meanwhile.
        effects.extend(self.settle_entry(name, now));
        effects
    }

    /// The daemon stops: memory is wiped; the keyring keeps what it has. Logouts that wait are
    /// answered with what is known by now.
    pub(super) fn drop_everything(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = self.fail_logins(&Refusal::Stopping, REVOCATION, now);
        effects.extend(self.cut_logouts_short(now));
        for account in std::mem::take(&mut self.accounts).into_values() {
            let sentence = sentence::logged_out(&account.name, Cause::Stopping, now.wall);
            effects.extend(self.close_sessions(&account.name, &sentence));
            self.departures.push((account.name.clone(), Cause::Stopping));
            effects.extend(account.secret().map(wipe));
        }
        effects.extend(std::mem::take(&mut self.storing).into_keys().map(wipe));
        effects.extend(std::mem::take(&mut self.discarded).into_keys().map(wipe));
        for unseal in std::mem::take(&mut self.unseals) {
            effects.extend(refuse(unseal.request, Refusal::Stopping));
        }
        effects
    }

    fn cut_logouts_short(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let unrevoked = || "claudectld stopped before the server answered".to_owned();
        for departure in self.leaving() {
            let was_loading = std::mem::take(&mut departure.is_loading);
            if std::mem::take(&mut departure.deleting) > 0 || was_loading {
                let why = "claudectld stopped before the keyring answered".to_owned();
                departure.note(Part::Access, Place::Keyring, Outcome::NotAbsent(why));
            }
            if was_loading {
                departure.note_not_revoked(Part::Refresh, unrevoked());
            }
            if std::mem::take(&mut departure.is_renewing) {
                departure.note_not_revoked(Part::Access, unrevoked());
            }
            for secret in std::mem::take(&mut departure.revoking) {
                departure.note_not_revoked(Part::Refresh, unrevoked());
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

/// How long revocations may take.
pub(super) fn within(cause: Cause) -> Duration {
    if cause == Cause::Suspending { HASTY_REVOCATION } else { REVOCATION }
}
