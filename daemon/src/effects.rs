//! Carries out what the core decides.
//!
//! Quick effects are done at once and return what follows from them; slow ones run as tasks of
//! their own and report through the event channel.

mod arrival;
mod doors;
mod intake;
mod keep;
mod login;
mod recognition;
mod renewal;
mod sessions;
mod sign_in;
mod vault;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use claudectl_core::{
    account::Login,
    command::Command,
    effect::Effect,
    error::Refusal,
    event::{Event, Refreshed},
    ids::{AccountName, Generation, LoginId, RequestId, SecretId, SessionId},
};
use claudectl_platform::peer::Peer;
use claudectl_proto::endpoint::Endpoints;
use tokio::sync::mpsc;

pub use arrival::Arrival;
pub use keep::Keeper;
use recognition::Allowance;
pub use recognition::{Recognition, TooMany};
pub use sessions::Sessions;
use sign_in::Servers;
pub use sign_in::SignIn;

use crate::{
    config::AuthorizationServer,
    effects::vault::{Held, Vault},
    engine::{Ask, Progress, Replies, Reply},
    footprints::Remover,
    meter::Reading,
};

/// Everything that the engine acts through.
#[derive(Debug)]
pub struct Effects {
    endpoints: Endpoints,
    events: mpsc::Sender<Event>,
    arrivals: mpsc::Sender<Arrival>,
    vault: Vault,
    sessions: Sessions,
    keeper: Keeper,
    remover: Remover,
    servers: Arc<Servers>,
    askers: BTreeMap<RequestId, Asker>,
    next_request: u64,
    allowance: Allowance,
}

/// Who waits for an answer.
#[derive(Debug, Clone)]
struct Asker {
    peer: Peer,
    replies: Replies,
}

impl Effects {
    /// Acts on these sockets; reports on these channels.
    pub fn new(
        endpoints: Endpoints,
        events: mpsc::Sender<Event>,
        arrivals: mpsc::Sender<Arrival>,
        sessions: Sessions,
        keeper: Keeper,
        remover: Remover,
        known_gateways: Option<PathBuf>,
    ) -> Self {
        Self {
            endpoints,
            events,
            arrivals,
            vault: Vault::default(),
            sessions,
            keeper,
            remover,
            servers: Arc::new(Servers { configured: BTreeMap::new(), known_gateways }),
            askers: BTreeMap::new(),
            next_request: 1,
            allowance: Allowance::default(),
        }
    }

    /// Takes over what the configuration says about servers and sessions.
    pub fn configure(&mut self, configured: BTreeMap<String, AuthorizationServer>, patience: Duration) {
        let known_gateways = self.servers.known_gateways.clone();
        self.servers = Arc::new(Servers { configured, known_gateways });
        self.sessions.set_patience(patience);
    }

    /// Notes who waits for the answer to a command.
    pub fn expect_answer(&mut self, ask: Ask) -> (RequestId, Command) {
        let Ask { peer, command, replies } = ask;
        let request = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1);
        self.askers.insert(request, Asker { peer, replies });
        (request, command)
    }

    /// Takes a credential that arrived into the vault.
    pub fn keep(&mut self, arrival: Arrival) -> Event {
        arrival.settle(&mut self.vault)
    }

    /// What each session used.
    pub fn readings(&self) -> BTreeMap<SessionId, Reading> {
        self.sessions.readings()
    }

    /// What one session used.
    pub fn reading(&self, session: SessionId) -> Reading {
        self.sessions.reading(session)
    }

    /// Sessions that made a request, and when they last had one open, since boot. `now` for those that
    /// have one open now.
    pub fn last_used(&self, now: Duration) -> Vec<(SessionId, Duration)> {
        self.sessions.last_used(now)
    }

    /// Does one thing; returns what followed from it at once.
    pub fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Answer { request, answer } => {
                if let Some(asker) = self.askers.remove(&request) {
                    tell(&asker.replies, Reply::Done(answer));
                }
                None
            }
            Effect::ObtainCredential { login, details } => self.obtain(login, details),
            Effect::CheckCredential { login, details, secret } => self.check(login, &details, secret),
            Effect::StoreCredential { account, secret, request } => {
                let replies = request.and_then(|request| self.askers.get(&request));
                let replies = replies.map(|asker| asker.replies.clone());
                self.keeper.store(*account, secret, self.held(secret), replies);
                None
            }
            Effect::LoadCredential { account, generation } => {
                self.keeper.load(account, generation);
                None
            }
            Effect::DeleteStored { account } => {
                self.keeper.delete(account);
                None
            }
            Effect::NoteDefault { account } => {
                self.keeper.set_default(account);
                None
            }
            Effect::RefreshCredential { account, generation, secret } => {
                self.refresh(account, generation, secret)
            }
            Effect::RevokeCredential { secret, within } => {
                renewal::revoke(secret, self.vault.get(secret), within, self.events.clone());
                None
            }
            Effect::WipeCredential { secret } => Some(self.vault.wipe(secret)),
            Effect::StartSession { request, session, account, gate } => {
                let started = self.sessions.start(&session, &account, &gate, &self.vault);
                let outcome =
                    started.map(|environment| self.progress(request, Progress::Environment(environment)));
                Some(Event::SessionStarted { session: session.id, request, outcome })
            }
            Effect::PublishGate { session, gate } => {
                self.sessions.publish(session, &gate, &self.vault);
                None
            }
            Effect::RemoveSession { session } => {
                self.sessions.remove(session.id);
                None
            }
            Effect::RemoveFootprints { .. } => self.remover.remove(),
            Effect::Stop => None,
        }
    }
}

impl Effects {
    fn obtain(&mut self, login: LoginId, details: Login) -> Option<Event> {
        let Some(asker) = self.askers.get(&details.request).cloned() else {
            return Some(Event::LoginFailed { login, why: login::client_gone() });
        };
        match self.endpoints.intake(login.0) {
            Ok(socket) => {
                let (arrivals, events) = (self.arrivals.clone(), self.events.clone());
                let servers = Arc::clone(&self.servers);
                login::obtain(login, details, asker, socket, servers, arrivals, events);
                None
            }
            Err(error) => Some(Event::LoginFailed { login, why: Refusal::Resource(error.to_string()) }),
        }
    }

    fn check(&self, login: LoginId, details: &Login, secret: SecretId) -> Option<Event> {
        let Some(asker) = self.askers.get(&details.request).cloned() else {
            return Some(Event::LoginFailed { login, why: login::client_gone() });
        };
        match self.held(secret) {
            Ok(held) => {
                login::check(login, details, asker, held, self.events.clone());
                None
            }
            Err(why) => Some(Event::LoginFailed { login, why }),
        }
    }

    fn refresh(&self, account: AccountName, generation: Generation, secret: SecretId) -> Option<Event> {
        match self.held(secret) {
            Ok(held) => {
                let (arrivals, events) = (self.arrivals.clone(), self.events.clone());
                renewal::refresh(account, generation, held, arrivals, events);
                None
            }
            Err(why) => {
                let outcome = Refreshed::Transient { why: why.to_string(), retry_after: None };
                Some(Event::CredentialRefreshed { account, generation, outcome })
            }
        }
    }

    /// A credential. The engine waits for an answer to whatever it asks for: one that is not there is an answer,
    /// too.
    fn held(&self, secret: SecretId) -> Result<Held, Refusal> {
        self.vault.get(secret).ok_or_else(|| Refusal::Resource("the credential is not held any more".into()))
    }

    fn progress(&self, request: RequestId, progress: Progress) {
        if let Some(asker) = self.askers.get(&request) {
            tell(&asker.replies, Reply::Progress(progress));
        }
    }
}

/// Never blocks the engine: a client that does not read its few replies loses them.
fn tell(replies: &Replies, reply: Reply) {
    let _ = replies.try_send(reply);
}
