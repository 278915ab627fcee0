//! The engine against a small reference model, on random histories.
//!
//! The model knows only which pages hold a credential, what each session's gate says and who still
//! waits for an answer. The shell is played here: effects are carried out at once or held back, in
//! any order, and the promises are checked after every step.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use claudectl_core::{
    account::Route,
    command::{BeginLogin, Command, OpenSession, Selection},
    credential::CredentialKind,
    effect::{Answer, Effect},
    engine::Engine,
    error::Refusal,
    event::{DesktopEvent, Event},
    ids::{AccountName, LoginId, RequestId, SecretId, SessionId},
    policy::{
        Policy,
        reactions::{Reaction, Reactions, Trigger},
        rules::Rule,
    },
    receipt::Outcome,
    session::{Gate, Process, SessionState, Transport},
    time::Now,
};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    BeginLogin {
        name: u8,
        check: bool,
    },
    /// The oldest login that waits for its credential gets it, or fails.
    Receive {
        arrives: bool,
    },
    /// The oldest login that waits for the upstream hears from it.
    Check {
        accepted: bool,
    },
    Switch {
        name: u8,
    },
    LogOut {
        name: Option<u8>,
    },
    LogOutAll,
    Open {
        id: u8,
        pid: u8,
        name: Option<u8>,
    },
    Move {
        id: u8,
        name: u8,
    },
    End {
        id: u8,
    },
    Exit {
        id: u8,
    },
    Lock,
    Suspend,
    Resume,
    EndDesktop,
    /// Half an hour passes, and the alarm goes off.
    Wait,
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..4_u8;
    let id = 0..6_u8;
    prop_oneof![
        40 => (name.clone(), any::<bool>()).prop_map(|(name, check)| Step::BeginLogin { name, check }),
        50 => prop::bool::weighted(0.8).prop_map(|arrives| Step::Receive { arrives }),
        40 => prop::bool::weighted(0.8).prop_map(|accepted| Step::Check { accepted }),
        10 => name.clone().prop_map(|name| Step::Switch { name }),
        20 => proptest::option::of(name.clone()).prop_map(|name| Step::LogOut { name }),
        8 => Just(Step::LogOutAll),
        50 => (id.clone(), 0..4_u8, proptest::option::of(name))
            .prop_map(|(id, pid, name)| Step::Open { id, pid, name }),
        10 => (id.clone(), 0..4_u8).prop_map(|(id, name)| Step::Move { id, name }),
        10 => id.clone().prop_map(|id| Step::End { id }),
        20 => id.prop_map(|id| Step::Exit { id }),
        4 => Just(Step::Lock),
        4 => Just(Step::Suspend),
        4 => Just(Step::Resume),
        2 => Just(Step::EndDesktop),
        2 => Just(Step::Wait),
        1 => Just(Step::Stop),
    ]
}

fn named(name: u8) -> AccountName {
    format!("account{name}").parse().unwrap()
}

/// Small limits, so that they are met; sessions run in `/`, where one account is denied.
fn policy() -> Policy {
    let denied = Rule { directory: String::new(), account: None, deny: vec![named(3)] };
    Policy {
        max_sessions: 4,
        exit_when_unused: None,
        max_accounts: 3,
        rules: vec![denied],
        reactions: Reactions {
            general: [(Trigger::Suspend, Reaction::Ignore)].into(),
            ..Reactions::default()
        },
        ..Policy::default()
    }
}

/// Plays the shell and keeps the model.
struct World {
    engine: Engine,
    now: Now,
    next_request: u64,
    next_secret: u64,
    unanswered: BTreeSet<RequestId>,
    receiving: Vec<LoginId>,
    checking: Vec<LoginId>,
    /// Pages with a credential in them. A page leaves when it is wiped.
    filled: BTreeSet<SecretId>,
    gates: BTreeMap<SessionId, Gate>,
    generations: BTreeSet<u64>,
    stopped: bool,
}

impl World {
    fn new() -> Self {
        let now = Now { since_boot: Duration::from_secs(1), wall: 1_000 };
        Self {
            engine: Engine::new(policy(), now),
            now,
            next_request: 0,
            next_secret: 0,
            unanswered: BTreeSet::new(),
            receiving: Vec::new(),
            checking: Vec::new(),
            filled: BTreeSet::new(),
            gates: BTreeMap::new(),
            generations: BTreeSet::new(),
            stopped: false,
        }
    }

    fn ask(&mut self, command: Command) {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        self.unanswered.insert(request);
        self.feed(Event::Asked { request, command });
    }

    fn feed(&mut self, event: Event) {
        self.now.since_boot += Duration::from_millis(7);
        for effect in self.engine.handle(event, self.now) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Answer { request, answer } => {
                assert!(self.unanswered.remove(&request), "answered twice, or unasked: {answer:?}");
                self.check_answer(answer);
            }
            Effect::ReceiveCredential { login, .. } => self.receiving.push(login),
            Effect::CheckCredential { login, secret, .. } => {
                assert!(self.filled.contains(&secret), "asks with a page that is not filled");
                self.checking.push(login);
            }
            Effect::WipeCredential { secret } => {
                assert!(self.filled.remove(&secret), "wiped twice, or never filled");
                for gate in self.gates.values() {
                    let open = matches!(gate, Gate::Open { secret: held, .. } if *held == secret);
                    assert!(!open, "wiped under an open gate: close first, then wipe");
                }
                self.feed(Event::CredentialWiped { secret, bytes: 30, proven: true });
            }
            Effect::StartSession { session, gate, .. } => {
                assert!(self.gates.insert(session.id, gate).is_none(), "started twice");
                self.feed(Event::SessionStarted { session: session.id, outcome: Ok(()) });
            }
            Effect::PublishGate { session, gate } => {
                assert!(self.gates.insert(session, gate).is_some(), "a gate of no session");
            }
            Effect::RemoveSession { session } => {
                assert!(self.gates.remove(&session.id).is_some(), "removed twice");
            }
            Effect::Stop => self.stopped = true,
        }
    }

    fn check_answer(&mut self, answer: Result<Answer, Refusal>) {
        match answer {
            Ok(Answer::LoggedIn { account, .. }) => {
                assert!(self.generations.insert(account.generation.0), "a generation came twice");
                assert_eq!(self.generations.last(), Some(&account.generation.0), "generations go up");
            }
            Ok(Answer::LoggedOut { receipt }) => {
                for account in &receipt.accounts {
                    let wiped = Outcome::Wiped(30);
                    let proven =
                        receipt.items.iter().any(|item| item.account == *account && item.outcome == wiped);
                    assert!(proven, "a receipt without proof for {account}");
                }
            }
            _ => {}
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::BeginLogin { name, check } => {
                let route = Route { upstream: Route::ANTHROPIC.into(), proxy: None, ca_file: None };
                let kind = CredentialKind::ApiKey;
                self.ask(Command::BeginLogin(BeginLogin { name: named(name), kind, route, check }));
            }
            Step::Receive { arrives } if !self.receiving.is_empty() => self.receive(arrives),
            Step::Check { accepted } if !self.checking.is_empty() => {
                let login = self.checking.remove(0);
                let refused = Refusal::CredentialRefused { upstream: "u".into(), status: 401 };
                let verdict = if accepted { Ok(()) } else { Err(refused) };
                self.feed(Event::CredentialChecked { login, verdict });
            }
            Step::Receive { .. } | Step::Check { .. } => {}
            Step::Switch { name } => self.ask(Command::SwitchAccount { account: named(name) }),
            Step::LogOut { name: None } => self.ask(Command::LogOut(Selection::Default)),
            Step::LogOut { name: Some(name) } => {
                self.ask(Command::LogOut(Selection::Named(vec![named(name), named(name)])));
            }
            Step::LogOutAll => self.ask(Command::LogOut(Selection::All)),
            Step::Open { id, pid, name } => self.open(id, pid, name),
            Step::Move { id, name } => {
                self.ask(Command::MoveSession { session: SessionId(id.into()), account: named(name) });
            }
            Step::End { id } => self.ask(Command::EndSession { session: SessionId(id.into()) }),
            Step::Exit { id } => self.feed(Event::ProcessExited { session: SessionId(id.into()) }),
            Step::Lock => {
                self.feed(Event::Desktop(DesktopEvent::ScreenLocked));
                assert_eq!(self.engine.snapshot().accounts.len(), 0, "an account outlived the lock");
                // A verdict that comes later finds no login.
                self.filled_are_held();
            }
            Step::Suspend => {
                let held = self.engine.snapshot().accounts;
                self.feed(Event::Desktop(DesktopEvent::Suspending));
                assert_eq!(self.engine.snapshot().accounts, held, "suspending is ignored by this policy");
            }
            Step::Resume => self.feed(Event::Desktop(DesktopEvent::Resumed)),
            Step::EndDesktop => {
                self.feed(Event::Desktop(DesktopEvent::DesktopEnded));
                self.filled_are_held();
                assert_eq!(self.filled.len(), 0, "an account outlived the desktop");
            }
            Step::Wait => {
                self.now.since_boot += Duration::from_mins(30);
                self.feed(Event::DeadlineReached);
                assert_eq!(self.engine.snapshot().accounts.len(), 0, "an account outlived its time");
            }
            Step::Stop => self.stop(),
        }
    }

    fn receive(&mut self, arrives: bool) {
        let login = self.receiving.remove(0);
        if arrives {
            let secret = SecretId(self.next_secret);
            self.next_secret += 1;
            self.filled.insert(secret);
            self.feed(Event::CredentialReceived { login, secret });
        } else {
            self.feed(Event::LoginFailed { login, why: Refusal::IntakeFailed("gone".into()) });
        }
    }

    fn stop(&mut self) {
        // Whatever was being checked is given up with its page; a late verdict finds no login.
        self.feed(Event::StopRequested);
    }

    fn open(&mut self, id: u8, pid: u8, name: Option<u8>) {
        self.ask(Command::OpenSession(OpenSession {
            id: SessionId(id.into()),
            process: Process { pid: pid.into(), started: 1 },
            terminal: None,
            account: name.map(named),
            transport: Transport::Unix,
            children: false,
            program: "claude".into(),
            directory: "/".into(),
        }));
    }

    /// No page is filled that no account holds.
    fn filled_are_held(&self) {
        let held = self.engine.snapshot().accounts.len();
        assert_eq!(self.filled.len(), held, "a credential is left that no account holds");
    }

    /// What must hold after every step.
    fn check(&self) {
        let seen = self.engine.snapshot();
        let held: BTreeSet<_> = seen.accounts.values().map(|account| account.secret).collect();
        assert_eq!(held.len(), seen.accounts.len(), "two accounts share a page");
        assert!(held.is_subset(&self.filled), "an account holds a wiped page");
        let checking = self.checking.len();
        assert!(self.filled.len() <= held.len() + checking, "a page that nobody holds was not wiped");
        assert!(seen.accounts.len() <= 3 && seen.sessions.len() <= 4, "over a limit");
        if let Some(default) = &seen.default {
            assert!(seen.accounts.contains_key(default), "the default is not logged in");
        }
        let sessions: Vec<_> = seen.sessions.keys().collect();
        assert_eq!(sessions, self.gates.keys().collect::<Vec<_>>(), "sessions and gates differ");
        for (id, session) in &seen.sessions {
            assert_ne!(session.account, named(3), "a session uses an account that a rule denies");
            let account = seen.accounts.get(&session.account);
            match (&self.gates[id], &session.state) {
                (Gate::Open { secret, generation, .. }, SessionState::Open) => {
                    assert_eq!(account.map(|a| (a.secret, a.generation)), Some((*secret, *generation)));
                }
                (Gate::Closed { sentence }, SessionState::Ended { .. }) => {
                    assert!(sentence.contains("ended"));
                }
                (Gate::Closed { sentence }, SessionState::LoggedOut { .. }) => {
                    assert!(account.is_none(), "closed although its account is logged in");
                    assert!(sentence.contains(session.account.as_str()));
                }
                (gate, state) => panic!("{gate:?} does not fit {state:?}"),
            }
        }
        assert!(!self.stopped || seen.accounts.is_empty(), "stopped with a credential");
        let open_logins = self.receiving.len() + self.checking.len();
        assert!(self.unanswered.len() <= open_logins, "somebody waits for ever");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_promises(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.apply(step);
            world.check();
        }
        world.stop();
        world.check();
        prop_assert!(world.unanswered.is_empty(), "unanswered after the stop");
        while !world.receiving.is_empty() {
            world.receive(true);
        }
        prop_assert!(world.filled.is_empty(), "a credential outlived the daemon: {:?}", world.filled);
    }
}

#[test]
fn an_unused_daemon_retires_and_a_used_one_does_not() {
    let mut world = World::new();
    world.feed(Event::PolicyLoaded(Policy::default()));
    let deadline = world.engine.deadline().unwrap();
    world.apply(Step::BeginLogin { name: 0, check: false });
    assert_eq!(world.engine.deadline(), None);
    world.apply(Step::Receive { arrives: false });
    assert!(world.engine.deadline().unwrap() > deadline);
    world.now.since_boot = world.engine.deadline().unwrap();
    world.feed(Event::DeadlineReached);
    assert!(world.stopped);
}
