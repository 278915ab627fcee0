//! Idle accounts and old logins, with every trick that a clock can play (threat T12).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    reason = "a test says what went wrong by panicking"
)]

use std::time::Duration;

use claudectl_core::{
    account::{Obtained, Profile, Route, Way},
    command::{BeginLogin, Command, OpenSession},
    credential::{CredentialKind, Header, Part},
    effect::Effect,
    engine::Engine,
    event::{DesktopEvent, Event, Refreshed, WipedPage},
    ids::{AccountName, RequestId, SecretId, SessionId},
    policy::{
        Policy,
        reactions::{Reaction, Reactions, Trigger},
    },
    session::{Process, SessionState, Transport},
    time::Now,
};
use proptest::prelude::*;

const IDLE: Duration = Duration::from_mins(30);
const LIFETIME: Duration = Duration::from_hours(8);
const DAY: i64 = 86_400;

fn name() -> AccountName {
    "work".parse().unwrap()
}

fn obtained() -> Obtained {
    Obtained {
        header: Header::XApiKey,
        route: Route { upstream: Route::ANTHROPIC.into(), proxy: None, ca_file: None },
        profile: Profile::default(),
        lifetime: None,
        renewable: false,
        revocable: false,
    }
}

/// An engine with its two clocks.
struct World {
    engine: Engine,
    now: Now,
    next: u64,
}

impl World {
    fn new(policy: Policy) -> Self {
        let now = Now { since_boot: Duration::from_secs(100), wall: 1_800_000_000 };
        Self { engine: Engine::new(policy, now), now, next: 0 }
    }

    fn feed(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = self.engine.handle(event, self.now);
        let mut follow = Vec::new();
        for effect in &effects {
            match effect {
                Effect::ObtainCredential { login, .. } => {
                    self.next += 1;
                    let secret = SecretId(self.next);
                    follow.push(Event::CredentialReceived { login: *login, secret, obtained: obtained() });
                }
                Effect::WipeCredential { secret } => {
                    follow.push(Event::CredentialWiped {
                        secret: *secret,
                        pages: vec![WipedPage { part: Part::Access, bytes: 9, proven: true }],
                    });
                }
                Effect::StartSession { request, session, .. } => {
                    let (request, session) = (*request, session.id);
                    follow.push(Event::SessionStarted { session, request, outcome: Ok(()) });
                }
                _ => {}
            }
        }
        for event in follow {
            effects.extend(self.feed(event));
        }
        effects
    }

    fn ask(&mut self, command: Command) {
        self.next += 1;
        self.feed(Event::Asked { request: RequestId(self.next), command });
    }

    fn log_in(&mut self) {
        let route = Route { upstream: Route::ANTHROPIC.into(), proxy: None, ca_file: None };
        let kind = CredentialKind::ApiKey;
        self.ask(Command::BeginLogin(BeginLogin {
            name: name(),
            kind,
            way: Way::HandOver,
            route,
            plan: None,
            check: false,
            keep: false,
        }));
        assert!(self.is_held());
    }

    fn open_session(&mut self) -> SessionId {
        let id = SessionId(7);
        self.ask(Command::OpenSession(OpenSession {
            id,
            process: Process { pid: 5, started: 1 },
            terminal: None,
            account: Some(name()),
            transport: Transport::Unix,
            children: false,
            genuine: true,
            program: "claude".into(),
            directory: "/".into(),
        }));
        id
    }

    /// Time passes; the engine is woken at each deadline that it named, as its alarm would.
    fn pass(&mut self, time: Duration) {
        let end = self.now.since_boot + time;
        while let Some(deadline) = self.engine.deadline().filter(|deadline| *deadline <= end) {
            self.advance_to(deadline.max(self.now.since_boot));
            self.feed(Event::DeadlineReached);
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, since_boot: Duration) {
        let passed = i64::try_from((since_boot - self.now.since_boot).as_secs()).unwrap();
        self.now = Now { since_boot, wall: self.now.wall + passed };
    }

    fn is_held(&self) -> bool {
        self.engine.snapshot().accounts.contains_key(&name())
    }
}

fn policy() -> Policy {
    Policy {
        idle_after: Some(IDLE),
        login_lifetime: Some(LIFETIME),
        exit_when_unused: None,
        ..Policy::default()
    }
}

#[test]
fn an_account_that_nobody_uses_is_logged_out_with_the_reason() {
    let mut world = World::new(policy());
    world.log_in();
    let session = world.open_session();
    world.pass(IDLE - Duration::from_secs(1));
    assert!(world.is_held());
    // A request half a minute ago, of which the engine hears when it asks.
    let at = world.now.since_boot - Duration::from_secs(30);
    world.feed(Event::SessionUsed { session, at });
    world.pass(Duration::from_secs(1));
    assert!(world.is_held(), "it was used");
    world.pass(IDLE - Duration::from_secs(31));
    assert!(!world.is_held());
    let state = &world.engine.snapshot().sessions[&session].state;
    let SessionState::LoggedOut { sentence } = state else { panic!("{state:?}") };
    assert!(sentence.contains("after a while without use"), "{sentence}");
}

#[test]
fn input_counts_as_use_where_the_desktop_tells_and_only_there() {
    let mut world = World::new(policy());
    world.log_in();
    world.feed(Event::Desktop(DesktopEvent::InputEnded));
    world.pass(Duration::from_mins(20));
    world.feed(Event::Desktop(DesktopEvent::InputSeen));
    world.pass(Duration::from_hours(2));
    assert!(world.is_held(), "somebody is there");
    world.feed(Event::Desktop(DesktopEvent::InputEnded));
    world.pass(IDLE - Duration::from_secs(1));
    assert!(world.is_held());
    world.pass(Duration::from_secs(1));
    assert!(!world.is_held());
}

#[test]
fn what_the_configuration_ignores_ends_nothing() {
    let ignored = Reactions { general: [(Trigger::Idle, Reaction::Ignore)].into(), ..Reactions::default() };
    let mut world = World::new(Policy { reactions: ignored, login_lifetime: None, ..policy() });
    world.log_in();
    assert_eq!(world.engine.deadline(), None);
    world.pass(Duration::from_hours(100));
    assert!(world.is_held());
}

#[test]
fn a_login_lives_as_long_as_the_configuration_allows_however_busy_it_is() {
    let mut world = World::new(policy());
    world.log_in();
    let session = world.open_session();
    for _ in 0..8 * 4 - 1 {
        world.pass(Duration::from_mins(15));
        let at = world.now.since_boot;
        world.feed(Event::SessionUsed { session, at });
        assert!(world.is_held());
    }
    world.pass(Duration::from_mins(15));
    assert!(!world.is_held());
    // Another login is another life.
    world.log_in();
    world.pass(Duration::from_mins(29));
    assert!(world.is_held());
}

#[test]
fn what_was_due_while_the_machine_slept_is_gone_before_it_is_awake() {
    let ignored =
        Reactions { general: [(Trigger::Suspend, Reaction::Ignore)].into(), ..Reactions::default() };
    let mut world = World::new(Policy { reactions: ignored, ..policy() });
    world.log_in();
    world.feed(Event::Desktop(DesktopEvent::Suspending));
    // No alarm goes off: the machine sleeps. The clock since boot goes on.
    world.advance_to(world.now.since_boot + IDLE);
    world.feed(Event::Desktop(DesktopEvent::Resumed { locked: false }));
    assert!(!world.is_held());
}

#[test]
fn what_stays_in_memory_through_a_sleep_is_frozen_until_the_machine_is_known_to_be_awake() {
    let ignored =
        Reactions { general: [(Trigger::Suspend, Reaction::Ignore)].into(), ..Reactions::default() };
    let mut world = World::new(Policy { reactions: ignored, ..policy() });
    world.log_in();
    let session = world.open_session();
    let state = |world: &World| world.engine.snapshot().sessions[&session].state.clone();
    world.feed(Event::Desktop(DesktopEvent::Suspending));
    assert_eq!((world.is_held(), state(&world)), (true, SessionState::Frozen));
    world.feed(Event::Desktop(DesktopEvent::Resumed { locked: false }));
    assert_eq!(state(&world), SessionState::Open);
    // A lock that is noticed on wake comes before the thaw.
    world.feed(Event::Desktop(DesktopEvent::Suspending));
    world.feed(Event::Desktop(DesktopEvent::ScreenLocked));
    world.feed(Event::Desktop(DesktopEvent::Resumed { locked: false }));
    assert!(!world.is_held());
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Pass { seconds: u64 },
    Sleep { seconds: u64 },
    SetClock { by: i64 },
    Use,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_000_u64).prop_map(|seconds| Step::Pass { seconds }),
        (0..4_000_u64).prop_map(|seconds| Step::Sleep { seconds }),
        (-DAY..=DAY).prop_map(|by| Step::SetClock { by }),
        Just(Step::Use),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two engines live through the same, but one has its wall clock set again and again: both hold the
    /// same at every moment, and neither holds anything beyond what it may.
    #[test]
    fn setting_the_clock_changes_no_lifetime(steps in proptest::collection::vec(step(), 1..60)) {
        let mut worlds = [World::new(policy()), World::new(policy())];
        for world in &mut worlds {
            world.log_in();
            world.open_session();
        }
        let began = worlds[0].now.since_boot;
        let mut used = began;
        for step in steps {
            for (number, world) in worlds.iter_mut().enumerate() {
                match step {
                    Step::Pass { seconds } => world.pass(Duration::from_secs(seconds)),
                    Step::Sleep { seconds } => {
                        world.advance_to(world.now.since_boot + Duration::from_secs(seconds));
                        world.feed(Event::DeadlineReached);
                    }
                    Step::SetClock { by } if number == 1 => world.now.wall += by,
                    Step::Use if world.is_held() => {
                        let at = world.now.since_boot;
                        world.feed(Event::SessionUsed { session: SessionId(7), at });
                        used = at;
                    }
                    Step::SetClock { .. } | Step::Use => {}
                }
            }
            let [honest, set] = &worlds;
            prop_assert_eq!(honest.is_held(), set.is_held());
            prop_assert_eq!(honest.engine.deadline(), set.engine.deadline());
            let now = honest.now.since_boot;
            let may_hold = now < began + LIFETIME && now < used + IDLE;
            prop_assert_eq!(honest.is_held(), may_hold, "now {:?}, used {:?}", now, used);
        }
    }
}

#[test]
fn the_account_may_what_a_refresh_says() {
    let mut world = World::new(policy());
    world.log_in();
    // Silence means that nothing changed.
    for said in [vec!["read", "write"], vec![], vec!["read"]] {
        let before = world.engine.snapshot().accounts[&name()].clone();
        world.next += 1;
        let scopes: Vec<_> = said.into_iter().map(ToOwned::to_owned).collect();
        let expected = if scopes.is_empty() { before.obtained.profile.scopes } else { scopes.clone() };
        let outcome =
            Refreshed::Renewed { secret: SecretId(world.next), lifetime: None, renewable: true, scopes };
        world.feed(Event::CredentialRefreshed { account: name(), generation: before.login, outcome });
        assert_eq!(world.engine.snapshot().accounts[&name()].obtained.profile.scopes, expected);
        assert!(!expected.is_empty());
    }
}
