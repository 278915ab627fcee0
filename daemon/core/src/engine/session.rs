//! Sessions: open, close, reopen, end, remove.

use super::{Engine, refuse, renewal};
use crate::{
    account::{Account, Holding},
    command::OpenSession,
    credential::CredentialKind,
    effect::{Answer, Effect},
    error::Refusal,
    ids::{AccountName, RequestId, SessionId},
    policy::{
        self,
        rules::{self, Why},
    },
    sentence,
    session::{Gate, Session, SessionState, Transport},
    time::Now,
};

impl Engine {
    pub(super) fn open_session(&mut self, request: RequestId, open: OpenSession, now: Now) -> Vec<Effect> {
        let limit = self.policy.max_sessions;
        if self.sessions.len() >= limit {
            return refuse(request, Refusal::LimitReached { what: "sessions", limit });
        }
        if self.sessions.contains_key(&open.id) || self.starting.contains_key(&open.id) {
            return refuse(
                request,
                Refusal::Resource("the session identifier was drawn twice; try again".into()),
            );
        }
        let (named, default) = (open.account.as_ref(), self.default.as_ref());
        let chosen =
            policy::choose_for_session(&self.policy, &open.directory, named, default, &self.accounts);
        let chosen = chosen.and_then(|(account, _)| usable(account));
        let account = match chosen.and_then(|account| suits(account, &open).map(|()| account)) {
            Ok(account) => account,
            Err(why) => return refuse(request, why),
        };
        let gate = gate(account, self.desktop.asleep);
        let state = state(&gate);
        let session = Session {
            id: open.id,
            account: account.name.clone(),
            kind: account.kind,
            process: open.process,
            terminal: open.terminal,
            program: open.program,
            directory: open.directory,
            transport: open.transport,
            children: open.children,
            state,
            opened_at: now.wall,
            refused_peers: 0,
        };
        let account = Box::new(account.clone());
        // A process that opens a second session is about to execute another program: the first is over.
        let mut effects = self.remove_of_process(&session);
        self.sessions.insert(session.id, session.clone());
        self.starting.insert(session.id, request);
        effects.push(Effect::StartSession { request, session, account, gate });
        effects
    }

    pub(super) fn session_started(
        &mut self,
        id: SessionId,
        request: RequestId,
        outcome: Result<(), Refusal>,
    ) -> Vec<Effect> {
        if self.starting.get(&id) != Some(&request) {
            // It was removed meanwhile, and whoever asked for it was told.
            return Vec::new();
        }
        self.starting.remove(&id);
        match outcome {
            Ok(()) => match self.sessions.get(&id) {
                Some(session) => super::answer(request, Answer::SessionOpened { session: session.clone() }),
                None => refuse(request, Refusal::UnknownSession(id)),
            },
            Err(why) => {
                self.sessions.remove(&id);
                refuse(request, why)
            }
        }
    }

    pub(super) fn end_session(&mut self, request: RequestId, id: SessionId, now: Now) -> Vec<Effect> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return refuse(request, Refusal::UnknownSession(id));
        };
        let mut effects = Vec::new();
        if !matches!(session.state, SessionState::Ended { .. }) {
            let sentence = sentence::ended(now.wall);
            effects.push(Effect::PublishGate { session: id, gate: closed(&sentence) });
            session.state = SessionState::Ended { sentence };
        }
        let session = session.clone();
        effects.push(Effect::Answer { request, answer: Ok(Answer::SessionEnded { session }) });
        effects
    }

    /// Gives a session to another account. What it was asking is cut.
    pub(super) fn move_session(
        &mut self,
        request: RequestId,
        id: SessionId,
        name: &AccountName,
    ) -> Vec<Effect> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return refuse(request, Refusal::UnknownSession(id));
        };
        let permitted = rules::permit(&self.policy.rules, &session.directory, name);
        let account =
            permitted.and_then(|()| policy::choose(Some(name), None, &self.accounts)).and_then(usable);
        let account = match account {
            Ok(_) if matches!(session.state, SessionState::Ended { .. }) => {
                return refuse(request, Refusal::UnknownSession(id));
            }
            Ok(account) if !is_alike(session.kind, account.kind) => {
                let (kind, account) = (session.kind.label(), account.name.clone());
                return refuse(request, Refusal::OtherKind { session: id, kind, account });
            }
            Ok(account) => account,
            Err(why) => return refuse(request, why),
        };
        let gate = gate(account, self.desktop.asleep);
        session.account = account.name.clone();
        session.state = state(&gate);
        let session = session.clone();
        let published = Effect::PublishGate { session: id, gate };
        vec![published, Effect::Answer { request, answer: Ok(Answer::SessionMoved { session }) }]
    }

    /// What a session that is started in this directory would get, and why.
    ///
    /// # Errors
    /// As [`policy::choose_for_session`].
    pub fn account_for(
        &self,
        directory: &str,
        named: Option<&AccountName>,
    ) -> Result<(AccountName, Why), Refusal> {
        policy::choose_for_session(&self.policy, directory, named, self.default.as_ref(), &self.accounts)
            .and_then(|(account, why)| usable(account).map(|account| (account.name.clone(), why)))
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Vec<Effect> {
        let Some(session) = self.sessions.remove(&id) else { return Vec::new() };
        let mut effects = vec![Effect::RemoveSession { session }];
        if let Some(request) = self.starting.remove(&id) {
            effects.extend(refuse(request, Refusal::UnknownSession(id)));
        }
        effects
    }

    pub(super) fn peer_refused(&mut self, id: SessionId) -> Vec<Effect> {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.refused_peers = session.refused_peers.saturating_add(1);
        }
        Vec::new()
    }

    /// Tells the sessions of an account how it is now.
    pub(super) fn publish(&mut self, account: &Account) -> Vec<Effect> {
        let rules = &self.policy.rules;
        let gate = gate(account, self.desktop.asleep);
        self.sessions
            .values_mut()
            .filter(|session| session.account == account.name)
            .filter(|session| match session.state {
                SessionState::Ended { .. } => false,
                SessionState::Open | SessionState::Frozen => true,
                // The rules may have changed while the account was logged out.
                SessionState::LoggedOut { .. } => {
                    rules::permit(rules, &session.directory, &account.name).is_ok()
                }
            })
            .map(|session| {
                let gate = if is_alike(session.kind, account.kind) {
                    gate.clone()
                } else {
                    closed(&sentence::other_kind(&account.name))
                };
                session.state = state(&gate);
                Effect::PublishGate { session: session.id, gate }
            })
            .collect()
    }

    fn remove_of_process(&mut self, new: &Session) -> Vec<Effect> {
        let old: Vec<_> =
            self.sessions.values().filter(|old| old.process == new.process).map(|old| old.id).collect();
        old.into_iter().flat_map(|id| self.remove(id)).collect()
    }
}

/// Whether a program that was started for the one asks in a way that fits the other: the genuine
/// client says beta features of subscriptions by itself.
fn is_alike(one: CredentialKind, other: CredentialKind) -> bool {
    (one == CredentialKind::Subscription) == (other == CredentialKind::Subscription)
}

/// Whether a program may use an account. A subscription is for the genuine client alone: not for another
/// program, not for what it starts, and not for whoever has a capability. A session never changes to one
/// later ([`is_alike`]).
fn suits(account: &Account, open: &OpenSession) -> Result<(), Refusal> {
    let is_genuine = open.genuine && !open.children && open.transport == Transport::Unix;
    if account.kind != CredentialKind::Subscription || is_genuine {
        return Ok(());
    }
    Err(Refusal::GenuineOnly(account.name.clone()))
}

/// An account whose credential is in memory.
pub(super) fn usable(account: &Account) -> Result<&Account, Refusal> {
    match &account.holding {
        Holding::Sealed { .. } => Err(Refusal::Sealed(account.name.clone())),
        Holding::Held { .. } | Holding::Rejected { .. } => rejection(account).map_or(Ok(account), Err),
    }
}

/// Why nothing but a new login helps an account.
pub(super) fn rejection(account: &Account) -> Option<Refusal> {
    match &account.holding {
        Holding::Rejected { why, .. } => {
            Some(Refusal::LoginNeeded { account: account.name.clone(), why: why.clone() })
        }
        Holding::Held { .. } | Holding::Sealed { .. } => None,
    }
}

/// What the requests of an account's sessions read.
fn gate(account: &Account, asleep: bool) -> Gate {
    let (name, login) = (&account.name, account.login);
    let frozen = |sentence| Gate::Frozen { account: name.clone(), login, sentence };
    match &account.holding {
        // Nothing leaves on wake before it is known whether the screen is locked, and what is due.
        Holding::Held { .. } if asleep => frozen(sentence::asleep(name)),
        Holding::Held { .. } if account.is_waiting => frozen(sentence::not_renewed(name)),
        Holding::Held { secret } => Gate::Open {
            account: name.clone(),
            secret: *secret,
            generation: account.generation,
            login,
            header: account.obtained.header,
            renewable_from: renewal::renewable_from(account),
            is_kept: account.kept,
        },
        Holding::Sealed { since, cause, .. } => frozen(sentence::sealed(name, *cause, *since)),
        Holding::Rejected { since, why } => closed(&sentence::rejected(name, why, *since)),
    }
}

fn state(gate: &Gate) -> SessionState {
    match gate {
        Gate::Open { .. } => SessionState::Open,
        Gate::Frozen { .. } => SessionState::Frozen,
        Gate::Closed { sentence } => SessionState::LoggedOut { sentence: sentence.clone() },
    }
}

pub(super) fn closed(sentence: &str) -> Gate {
    Gate::Closed { sentence: sentence.to_owned() }
}
