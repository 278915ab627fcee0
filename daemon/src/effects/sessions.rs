//! Sessions that run: their gate, their API socket, the watch over their process.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc, time::Duration};

use claudectl_core::{
    account::Account,
    credential::CredentialKind,
    error::Refusal,
    event::Event,
    ids::SessionId,
    secret::Secret,
    sentence,
    session::{Gate as CoreGate, Session, Transport},
};
use claudectl_platform::{
    hardening, permissions,
    process::{ExitWatch, Process, WatchKey},
    socket::QuietListener,
};
use claudectl_proto::endpoint::Endpoints;
use tokio::sync::mpsc;

use super::{
    doors::{Doors, Places},
    vault::Vault,
};
use crate::{
    gate::{Access, Gate, GateState},
    meter::{Meter, Reading},
    proxy::{ApiSession, allowance::Allowance, limits},
    random,
    watchers::processes::{self, Subject},
};

/// The sessions that run.
#[derive(Debug)]
pub struct Sessions {
    endpoints: Endpoints,
    events: mpsc::Sender<Event>,
    doors: Doors,
    exits: Arc<ExitWatch>,
    running: BTreeMap<SessionId, Running>,
    /// What requests of all of them together may keep.
    allowance: Arc<Allowance>,
    /// How long a request waits for a thaw, in sessions that start from now on.
    patience: Duration,
}

#[derive(Debug)]
struct Running {
    session: Arc<ApiSession>,
    socket: Option<PathBuf>,
    /// Ends the watch over the process and its terminal when dropped.
    _watches: Vec<WatchKey>,
}

/// A bound API socket, and what the program has to find in its environment to reach it.
struct Bound {
    listener: QuietListener,
    socket: Option<PathBuf>,
    capability: Option<Secret<String>>,
    /// What the program presents instead of a credential.
    presented: String,
    environment: Vec<(&'static str, String)>,
}

impl Sessions {
    /// No session yet.
    ///
    /// # Errors
    /// What the kernel says when it has no descriptor left to wait on.
    pub fn new(endpoints: Endpoints, events: mpsc::Sender<Event>, exits: Arc<ExitWatch>) -> io::Result<Self> {
        permissions::private_directory(&endpoints.sessions()).map_err(io::Error::other)?;
        Ok(Self {
            endpoints,
            events,
            doors: Doors::start(Places::of(hardening::open_files()))?,
            exits,
            running: BTreeMap::new(),
            allowance: Arc::new(Allowance::new(limits::KEPT_BY_ALL)),
            patience: PATIENCE,
        })
    }

    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Brings up a session; returns what its program has to find in its environment.
    pub(super) fn start(
        &mut self,
        session: &Session,
        account: &Account,
        gate: &CoreGate,
        vault: &Vault,
    ) -> Result<Vec<(&'static str, String)>, Refusal> {
        let watches = self.watch(session).map_err(|error| unwatched(session, &error))?;
        let bound = self.bind(session)?;
        let environment = environment(session, account, &bound);
        let api = Arc::new(ApiSession {
            id: session.id,
            process: session.process,
            children: session.children,
            capability: bound.capability,
            gate: Gate::new(state(gate, vault)),
            meter: Meter::default(),
            allowance: Arc::clone(&self.allowance),
            patience: self.patience,
            events: self.events.clone(),
        });
        self.doors.open(session.id, bound.listener, Arc::clone(&api));
        self.running.insert(session.id, Running { session: api, socket: bound.socket, _watches: watches });
        Ok(environment)
    }

    /// Replaces what the requests of a session read.
    pub(super) fn publish(&self, id: SessionId, gate: &CoreGate, vault: &Vault) {
        if let Some(running) = self.running.get(&id) {
            running.session.gate.publish(state(gate, vault));
        }
    }

    /// Takes a session down: its socket disappears, its streams are cut.
    pub(super) fn remove(&mut self, id: SessionId) {
        let Some(running) = self.running.remove(&id) else { return };
        running.session.gate.publish(GateState::Closed { sentence: sentence::over() });
        self.doors.close(id);
        if let Some(socket) = running.socket {
            remove_socket(&socket);
        }
    }

    /// What each session used.
    pub(super) fn readings(&self) -> BTreeMap<SessionId, Reading> {
        self.running.iter().map(|(id, running)| (*id, running.session.meter.read())).collect()
    }

    /// What one session used.
    pub(super) fn reading(&self, id: SessionId) -> Reading {
        self.running.get(&id).map(|running| running.session.meter.read()).unwrap_or_default()
    }

    /// When each session last had a request open, since boot.
    pub(super) fn last_used(&self, now: Duration) -> Vec<(SessionId, Duration)> {
        let used = |(id, running): (&SessionId, &Running)| Some((*id, running.session.meter.last_used(now)?));
        self.running.iter().filter_map(used).collect()
    }

    fn watch(&self, session: &Session) -> io::Result<Vec<WatchKey>> {
        let subjects = [(Some(session.process), Subject::Process), (session.terminal, Subject::Terminal)];
        let mut keys = Vec::new();
        for (process, subject) in subjects {
            let Some(process) = process else { continue };
            keys.push(self.exits.add(platform_process(process), processes::token(session.id, subject))?);
        }
        Ok(keys)
    }

    fn bind(&self, session: &Session) -> Result<Bound, Refusal> {
        match session.transport {
            Transport::Unix => self.bind_local(session.id),
            Transport::Tcp => bind_loopback(),
        }
        .map_err(|error| Refusal::Resource(format!("no API socket for the session: {error}")))
    }

    fn bind_local(&self, id: SessionId) -> io::Result<Bound> {
        let path = self.endpoints.session(&id.to_string()).map_err(io::Error::other)?;
        let listener = QuietListener::local(&path)?;
        permissions::restrict_socket(&path)?;
        let environment = vec![
            ("ANTHROPIC_UNIX_SOCKET", path.display().to_string()),
            ("ANTHROPIC_BASE_URL", "http://claudectl.invalid".to_owned()),
        ];
        let presented = PLACEHOLDER.to_owned();
        Ok(Bound { listener, socket: Some(path), capability: None, presented, environment })
    }
}

/// What the program has to find in its environment (facts about the genuine client, section 3).
fn environment(session: &Session, account: &Account, bound: &Bound) -> Vec<(&'static str, String)> {
    let mut environment = bound.environment.clone();
    // The client asks for a subscription in another way than for an API key.
    let presents = match account.kind {
        CredentialKind::Subscription => "CLAUDE_CODE_OAUTH_TOKEN",
        CredentialKind::ApiKey | CredentialKind::Oauth => "ANTHROPIC_AUTH_TOKEN",
    };
    environment.push((presents, bound.presented.clone()));
    let plan = account.obtained.profile.plan.clone();
    if let Some(plan) = plan.filter(|_| account.kind == CredentialKind::Subscription) {
        // Else it takes a smaller model, and says "Claude API".
        environment.push(("CLAUDE_CODE_SUBSCRIPTION_TYPE", plan));
    }
    environment.extend([
        // Else the placeholder is sent to Anthropic beside the socket: harmless, but noisy.
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        // `/login` inside a session would plant a plaintext login.
        ("DISABLE_LOGIN_COMMAND", "1".to_owned()),
        ("CLAUDECTL_SESSION", session.id.to_string()),
        ("CLAUDECTL_ACCOUNT", session.account.to_string()),
    ]);
    environment
}

/// How long a request waits for a thaw where the configuration says nothing: a little less than the
/// genuine client waits for an answer.
const PATIENCE: Duration = Duration::from_mins(9);

/// What stands where a credential is expected. The genuine client knows it for what it is.
const PLACEHOLDER: &str = "ssh-placeholder";

fn bind_loopback() -> io::Result<Bound> {
    let (listener, port) = QuietListener::loopback()?;
    let capability = random::hexadecimal(32)?;
    let environment = vec![
        ("ANTHROPIC_BASE_URL", format!("http://127.0.0.1:{port}")),
        // No settings file may point the session elsewhere; over a socket none can.
        ("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1".to_owned()),
    ];
    let presented = capability.clone();
    Ok(Bound { listener, socket: None, capability: Some(Secret::new(capability)), presented, environment })
}

fn state(gate: &CoreGate, vault: &Vault) -> GateState {
    match gate {
        CoreGate::Closed { sentence } => GateState::Closed { sentence: sentence.clone() },
        CoreGate::Frozen { account, login, sentence } => {
            GateState::Frozen { account: account.clone(), login: *login, sentence: sentence.clone() }
        }
        CoreGate::Open { account, secret, generation, login, header, renewable_from, is_kept } => {
            match vault.get(*secret) {
                Some(held) => GateState::Open(Arc::new(Access {
                    account: account.clone(),
                    secret: held.access,
                    generation: *generation,
                    login: *login,
                    header: *header,
                    renewable_from: *renewable_from,
                    is_kept: *is_kept,
                    upstream: held.upstream,
                })),
                // The core opened a gate with a page that the vault does not know: stay closed.
                None => GateState::Closed { sentence: sentence::lost(account) },
            }
        }
    }
}

fn remove_socket(path: &std::path::Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!("{}: {error}", path.display());
    }
}

fn unwatched(session: &Session, error: &io::Error) -> Refusal {
    Refusal::Resource(format!("process {} cannot be watched: {error}", session.process.pid))
}

fn platform_process(process: claudectl_core::session::Process) -> Process {
    Process { pid: process.pid, started: process.started }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        while let Some(id) = self.running.keys().next().copied() {
            self.remove(id);
        }
    }
}
