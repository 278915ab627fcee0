//! The state machine: one owner of all state, no clock and no I/O.
//!
//! One file per subject: `engine/login`, `engine/renewal`, `engine/keyring`, `engine/seal`, `engine/logout`,
//! `engine/session`, `engine/desktop`, `engine/footprints`. This file holds the state, the dispatch and what an outsider may see.

mod desktop;
mod footprints;
mod idle;
mod keyring;
mod login;
mod logout;
mod renewal;
mod seal;
mod session;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    account::{Account, Login},
    command::Command,
    effect::{Answer, Effect},
    error::Refusal,
    event::{Event, Revocation, Sighting},
    footprint::Removal,
    ids::{AccountName, Generation, LoginId, RequestId, SecretId, SessionId},
    policy::{
        self, Policy,
        reactions::{Reaction, Trigger},
    },
    sentence::Cause,
    session::Session,
    time::Now,
};

/// All state of the daemon, and everything that may change it.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    accounts: BTreeMap<AccountName, Account>,
    default: Option<AccountName>,
    logins: BTreeMap<LoginId, Login>,
    sessions: BTreeMap<SessionId, Session>,
    /// Sessions whose API socket is not up yet, and who waits for it.
    starting: BTreeMap<SessionId, RequestId>,
    logouts: Vec<logout::Logout>,
    desktop: desktop::Desktop,
    footprints: footprints::Footprints,
    /// Accounts that were let go without being asked, and why, until somebody looks.
    departures: Vec<(AccountName, Cause)>,
    activity: BTreeMap<AccountName, idle::Activity>,
    unseals: Vec<seal::Unseal>,
    /// Renewed tokens that the keyring gets before anybody uses them.
    storing: BTreeMap<SecretId, renewal::Renewed>,
    /// What the keyring was told last of each account.
    entries: BTreeMap<AccountName, keyring::Entry>,
    /// Pages that nobody wants, until their tokens are revoked, and the account that they are of.
    discarded: BTreeMap<SecretId, Option<AccountName>>,
    /// When the machine does not wait any longer for revocations, since boot.
    cut_off_at: Option<Duration>,
    /// Tokens of accounts that are still there which the server did not revoke: their receipt names them.
    unrevoked: BTreeMap<AccountName, Vec<Revocation>>,
    next_generation: u64,
    next_login: u64,
    unused_since: Option<Duration>,
    stopping: bool,
}

/// What an outsider may see: never a credential, by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Accounts that are logged in.
    pub accounts: BTreeMap<AccountName, Account>,
    /// The account that sessions use when they name none.
    pub default: Option<AccountName>,
    /// Sessions.
    pub sessions: BTreeMap<SessionId, Session>,
    /// Sources of desktop events that can be heard.
    pub sources: BTreeSet<&'static str>,
    /// What ends an account without being asked, and how.
    pub policy: Policy,
    /// What the sources told last, oldest first.
    pub sightings: Vec<Sighting>,
    /// Whether locking the screen lets go of every account that is held (of any, if none is), as far as
    /// anybody hears of it.
    pub lock_purges: bool,
    /// Whether nothing waits for its wipe, and the next daemon would know what this one has yet to do: the
    /// machine may sleep or stop.
    pub is_settled: bool,
    /// Why footprints are being removed now; `None` if they are not.
    pub removing: Option<Cause>,
    /// The last removal of footprints that is over.
    pub removal: Option<Removal>,
}

impl Engine {
    /// A daemon that holds nothing.
    pub fn new(policy: Policy, now: Now) -> Self {
        Self {
            policy,
            accounts: BTreeMap::new(),
            default: None,
            logins: BTreeMap::new(),
            sessions: BTreeMap::new(),
            starting: BTreeMap::new(),
            logouts: Vec::new(),
            desktop: desktop::Desktop::default(),
            footprints: footprints::Footprints::default(),
            departures: Vec::new(),
            activity: BTreeMap::new(),
            unseals: Vec::new(),
            storing: BTreeMap::new(),
            entries: BTreeMap::new(),
            discarded: BTreeMap::new(),
            cut_off_at: None,
            unrevoked: BTreeMap::new(),
            next_generation: 1,
            next_login: 1,
            unused_since: Some(now.since_boot),
            stopping: false,
        }
    }

    /// Takes in what happened and says what is to be done about it, in this order.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Effect> {
        let default = self.default.clone();
        let mut effects = match event {
            Event::Asked { request, command } => self.asked(request, command, now),
            Event::CredentialReceived { login, secret, obtained } => {
                self.credential_received(login, secret, obtained, now)
            }
            Event::CredentialChecked { login, verdict } => self.credential_checked(login, verdict, now),
            Event::LoginFailed { login, why } => self.login_failed(login, why, now),
            Event::CredentialStored { secret, outcome } => self.stored(secret, outcome, now),
            Event::CredentialLoaded { account, generation, outcome } => {
                self.loaded(&account, generation, outcome, now)
            }
            Event::StoredDeleted { account, outcome } => self.stored_deleted(&account, &outcome, now),
            Event::KeptFound(kept) => self.kept_found(kept, now),
            Event::CredentialRefreshed { account, generation, outcome } => {
                self.refreshed(&account, generation, outcome, now)
            }
            Event::AccessRefused { account, generation } => self.access_refused(&account, generation, now),
            Event::CredentialRevoked { secret, revocations } => self.revoked(secret, revocations),
            Event::CredentialWiped { secret, pages } => self.wiped(secret, &pages, now),
            Event::SessionStarted { session, request, outcome } => {
                self.session_started(session, request, outcome)
            }
            Event::ProcessExited { session } | Event::TerminalClosed { session } => self.remove(session),
            Event::PeerRefused { session } => self.peer_refused(session),
            Event::SessionUsed { session, at } => self.session_used(session, at),
            Event::Desktop(event) => self.desktop(event, now),
            Event::LockToldAgain => self.let_go_of_all(Trigger::ScreenLock, Cause::ScreenLocked, now),
            Event::Sighted(sighting) => self.sighted(sighting),
            Event::SourceHeard { source } => self.source_heard(source),
            Event::SourceLost { source } => self.source_lost(source),
            Event::PolicyLoaded(policy) => {
                self.policy = policy;
                Vec::new()
            }
            Event::FootprintsOwed => self.remove_footprints(Cause::Interrupted),
            Event::FootprintsNoted => self.footprints_noted(),
            Event::FootprintsRemoved { outcome } => self.footprints_removed(outcome, now),
            Event::StopRequested => self.stop(now),
            Event::DeadlineReached => self.deadline_reached(now),
        };
        self.note_logins(now);
        self.note_use(now);
        effects.extend(self.note_default(default.as_ref()));
        effects
    }

    /// The next daemon is to have the same default, if the keyring has that account.
    fn note_default(&self, before: Option<&AccountName>) -> Option<Effect> {
        (self.default.as_ref() != before && !self.stopping)
            .then(|| Effect::NoteDefault { account: self.default.clone() })
    }

    /// When the engine next wants to hear `DeadlineReached`, since boot.
    pub fn deadline(&self) -> Option<Duration> {
        // Asleep, nobody is asked for new tokens: whether the screen is locked is known on waking.
        let renewals = self.accounts.values().filter(|_| !self.desktop.asleep).filter_map(renewal::deadline);
        [self.retires_at(), self.next_end(), self.cut_off_at].into_iter().flatten().chain(renewals).min()
    }

    /// When an unused daemon stops.
    fn retires_at(&self) -> Option<Duration> {
        // Once is enough.
        // Nor is a daemon unused that a lock of the screen has something to do for.
        let unused_since = self.unused_since.filter(|_| !self.stopping && !self.policy.footprints)?;
        Some(unused_since.saturating_add(self.policy.exit_when_unused?))
    }

    /// What an outsider may see.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            accounts: self.accounts.clone(),
            default: self.default.clone(),
            sessions: self.sessions.clone(),
            sources: self.desktop.sources.clone(),
            policy: self.policy.clone(),
            sightings: self.desktop.sightings.iter().cloned().collect(),
            lock_purges: self.lock_counts_for_all(),
            is_settled: self.logouts.iter().all(logout::Logout::is_settled)
                && self.storing.is_empty()
                && self.discarded.is_empty()
                && !self.has_copies_on_their_way()
                && self.footprints.are_noted(),
            removing: self.footprints.running,
            removal: self.footprints.last.clone(),
        }
    }

    /// Accounts that are logged in.
    pub fn accounts(&self) -> &BTreeMap<AccountName, Account> {
        &self.accounts
    }

    /// Sessions.
    pub fn sessions(&self) -> &BTreeMap<SessionId, Session> {
        &self.sessions
    }

    /// Accounts that were let go without being asked since the last look, and why.
    pub fn departures(&mut self) -> Vec<(AccountName, Cause)> {
        std::mem::take(&mut self.departures)
    }

    fn lock_counts_for_all(&self) -> bool {
        let reactions = &self.policy.reactions;
        let counts = |name: &AccountName| reactions.to(Trigger::ScreenLock, name) != Reaction::Ignore;
        if self.accounts.is_empty() {
            reactions.in_general(Trigger::ScreenLock) != Reaction::Ignore
        } else {
            self.accounts.keys().all(counts)
        }
    }

    fn asked(&mut self, request: RequestId, command: Command, now: Now) -> Vec<Effect> {
        if self.stopping {
            return refuse(request, Refusal::Stopping);
        }
        match command {
            Command::BeginLogin(_) | Command::Unseal(_) if self.desktop.asleep => refuse(request, asleep()),
            Command::BeginLogin(begin) => self.begin_login(request, begin),
            Command::SwitchAccount { account } => self.switch(request, &account),
            Command::LogOut(selection) => self.log_out(request, selection, now),
            Command::Seal(selection) => self.seal_asked(request, selection, now),
            Command::Unseal(selection) => self.unseal_asked(request, selection),
            Command::OpenSession(open) => self.open_session(request, open, now),
            Command::MoveSession { session, account } => self.move_session(request, session, &account),
            Command::EndSession { session } => self.end_session(request, session, now),
        }
    }

    fn switch(&mut self, request: RequestId, name: &AccountName) -> Vec<Effect> {
        match policy::choose(Some(name), None, &self.accounts) {
            Err(why) => refuse(request, why),
            Ok(account) => {
                let account = account.clone();
                self.default = Some(account.name.clone());
                answer(request, Answer::Switched { account })
            }
        }
    }

    fn stop(&mut self, now: Now) -> Vec<Effect> {
        self.stopping = true;
        self.cut_off_at = None;
        let mut effects = self.drop_everything(now);
        effects.push(Effect::Stop);
        effects
    }

    fn deadline_reached(&mut self, now: Now) -> Vec<Effect> {
        match self.retires_at() {
            Some(deadline) if deadline <= now.since_boot => self.stop(now),
            _ => {
                let mut effects = self.cut_off(now);
                effects.extend(self.end_what_is_due(now));
                effects.extend(self.renew_what_is_due(now));
                effects
            }
        }
    }

    fn note_use(&mut self, now: Now) {
        // What is only in the keyring is there when the daemon starts again.
        let holds = self.accounts.values().any(|account| account.secret().is_some());
        let works = !(self.logouts.is_empty()
            && self.unseals.is_empty()
            && self.logins.is_empty()
            && self.storing.is_empty()
            && self.discarded.is_empty()
            && self.footprints.running.is_none());
        let used = holds || works || !self.sessions.is_empty();
        self.unused_since = match self.unused_since {
            _ if used => None,
            None => Some(now.since_boot),
            since => since,
        };
    }

    fn next_generation(&mut self) -> Generation {
        let generation = Generation(self.next_generation);
        self.next_generation = self.next_generation.saturating_add(1);
        generation
    }
}

fn asleep() -> Refusal {
    Refusal::Resource("the machine goes to sleep; log in when it is awake".to_owned())
}

fn refuse(request: RequestId, why: Refusal) -> Vec<Effect> {
    vec![Effect::Answer { request, answer: Err(why) }]
}

fn answer(request: RequestId, answer: Answer) -> Vec<Effect> {
    vec![Effect::Answer { request, answer: Ok(answer) }]
}

fn wipe(secret: SecretId) -> Effect {
    Effect::WipeCredential { secret }
}
