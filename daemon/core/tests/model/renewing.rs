//! One refresher for each account, and lives that never get longer.

use std::time::Duration;

use claudectl_core::{
    account::{Account, Holding},
    command::{Command, Selection},
    event::{DesktopEvent, Event},
    policy::reactions::{Reaction, Trigger},
    session::{Gate, SessionState},
};

use crate::{
    steps::{RefreshAnswer, Step, Token},
    world::{World, named},
};

const HOUR: u16 = 3_600;

impl World {
    /// A world with one account, and a session of it.
    pub(crate) fn with_account(keep: bool, lifetime: Option<u16>, renewable: bool) -> Self {
        let mut world = Self::new();
        // Somebody is there, so that nothing is idle.
        world.feed(Event::Desktop(DesktopEvent::InputSeen));
        world.log_in(keep, Token { lifetime, renewable, revocable: true });
        world.open(0, 0, Some(0));
        world.start(0, true);
        world
    }

    pub(crate) fn log_in(&mut self, keep: bool, token: Token) {
        self.begin_login(0, false, keep);
        self.obtain(0, Some(token));
        while !self.told.is_empty() {
            self.keyring(true);
        }
    }

    pub(crate) fn the(&self) -> Account {
        self.account(0).unwrap()
    }

    pub(crate) fn gate(&self) -> &Gate {
        self.gates.values().next().unwrap()
    }

    fn end(&self) -> Duration {
        self.the().expiry.unwrap().at
    }

    /// Until the engine next wants to be told, and tells it; how long that was.
    fn until_deadline(&mut self) -> Duration {
        let time = self.engine.deadline().unwrap().saturating_sub(self.now.since_boot);
        self.wait(time);
        self.feed(Event::DeadlineReached);
        time
    }
}

#[test]
fn a_thousand_refused_requests_of_one_generation_make_one_refresh() {
    let mut world = World::with_account(false, Some(HOUR), true);
    world.wait(Duration::from_mins(1));
    let refused = Event::AccessRefused { account: named(0), generation: world.the().generation };
    for _ in 0..1_000 {
        world.feed(refused.clone());
    }
    assert_eq!(world.refreshing.len(), 1);
    assert!(matches!(world.gate(), Gate::Open { .. }), "whoever's was not refused goes on");
    world.refresh(0, RefreshAnswer::Renewed { lifetime: Some(HOUR), renewable: true });
    world.wait(Duration::from_mins(1));
    // Late ones of the same storm: the tokens are new already.
    for _ in 0..1_000 {
        world.feed(refused.clone());
    }
    assert_eq!(world.refreshing.len(), 0);
    assert!(matches!(world.gate(), Gate::Open { .. }));
}

#[test]
fn a_refresh_that_fails_for_now_is_tried_again_after_1_2_4_and_at_most_60_seconds() {
    let mut world = World::with_account(false, Some(HOUR), true);
    world.until_deadline();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        world.refresh(0, RefreshAnswer::Transient { retry_after: None });
        // Neither a refused request nor a seal of nothing shortens it.
        world.refuse_access(0);
        assert!(world.refreshing.is_empty(), "the pause does not stand");
        pauses.push(world.until_deadline().as_secs());
        assert_eq!(world.refreshing.len(), 1);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn a_server_that_asks_for_a_longer_pause_gets_it_but_not_a_shorter_one_nor_for_ever() {
    let mut world = World::with_account(false, Some(HOUR), true);
    world.until_deadline();
    world.refresh(0, RefreshAnswer::Transient { retry_after: Some(90) });
    assert_eq!(world.until_deadline(), Duration::from_secs(90));
    world.refresh(0, RefreshAnswer::Transient { retry_after: Some(0) });
    assert_eq!(world.until_deadline(), Duration::from_secs(2));
    let outcome = claudectl_core::event::Refreshed::Transient {
        why: "busy".into(),
        retry_after: Some(Duration::from_hours(24)),
    };
    let generation = world.the().login;
    world.refreshing.clear();
    world.feed(Event::CredentialRefreshed { account: named(0), generation, outcome });
    // The end of the token comes first.
    while world.refreshing.is_empty() {
        assert!(world.until_deadline() <= Duration::from_mins(10));
    }
}

#[test]
fn while_a_refresh_fails_its_sessions_go_on_until_the_token_ends_and_then_wait() {
    let mut world = World::with_account(false, Some(100), true);
    world.until_deadline();
    world.refresh(0, RefreshAnswer::Transient { retry_after: Some(255) });
    assert!(matches!(world.gate(), Gate::Open { .. }));
    assert_eq!(world.until_deadline(), Duration::from_secs(20));
    assert!(matches!(world.gate(), Gate::Frozen { .. }));
    world.until_deadline();
    world.refresh(0, RefreshAnswer::Renewed { lifetime: Some(100), renewable: true });
    assert!(matches!(world.gate(), Gate::Open { .. }));
}

/// Somebody's request was refused, whatever for: whoever's is not refused goes on.
#[test]
fn a_refusal_makes_nobody_wait_before_the_token_ends() {
    let mut world = World::with_account(false, Some(HOUR), true);
    world.wait(Duration::from_mins(1));
    world.refuse_access(0);
    assert_eq!(world.refreshing.len(), 1);
    assert!(matches!(world.gate(), Gate::Open { .. }), "frozen by a refusal");
    while world.now.since_boot < world.end() {
        assert!(matches!(world.gate(), Gate::Open { .. }), "frozen by a refresh that failed");
        world.refresh(0, RefreshAnswer::Transient { retry_after: None });
        world.until_deadline();
    }
    assert!(matches!(world.gate(), Gate::Frozen { .. }), "open with a token that ended");
}

#[test]
fn a_rejected_refresh_ends_in_a_login_and_never_in_another_refresh() {
    let mut world = World::with_account(true, Some(HOUR), true);
    world.until_deadline();
    world.refresh(0, RefreshAnswer::Rejected);
    world.answer_all();
    assert!(matches!(world.the().holding, Holding::Rejected { .. }));
    assert!(matches!(world.gate(), Gate::Closed { sentence } if sentence.contains("claudectl login")));
    assert!(world.keyring.is_empty() && world.filled.is_empty(), "a copy is left");
    world.wait(Duration::from_mins(5));
    world.refuse_access(0);
    world.unlock();
    let asked = world.ask(Command::Unseal(Selection::Named(vec![named(0)])));
    assert!(world.answer(asked).unwrap().is_err());
    assert!(world.is_quiet(), "it goes on");
    assert!(world.account(0).is_some());
}

#[test]
fn a_server_whose_tokens_have_ended_already_is_not_asked_without_pause() {
    let mut world = World::with_account(false, Some(0), true);
    assert!(!matches!(world.gate(), Gate::Open { .. }), "open with a token that ended");
    for _ in 0..5 {
        assert!(world.until_deadline() >= Duration::from_secs(1));
        world.refresh(0, RefreshAnswer::Renewed { lifetime: Some(0), renewable: true });
        assert!(!matches!(world.gate(), Gate::Open { .. }), "open with a token that ended");
    }
}

#[test]
fn an_access_token_without_a_refresh_token_closes_its_sessions_at_its_end() {
    let mut world = World::with_account(false, Some(HOUR), false);
    assert_eq!(world.until_deadline(), Duration::from_hours(1));
    assert!(matches!(world.gate(), Gate::Closed { .. }));
    world.answer_all();
    assert!(world.filled.is_empty());
}

#[test]
fn a_life_counts_from_the_answer_of_the_server_however_long_the_check_and_the_keyring_take() {
    let mut world = World::new();
    world.begin_login(0, true, true);
    world.obtain(0, Some(Token { lifetime: Some(HOUR), renewable: true, revocable: true }));
    let obtained = world.now.since_boot;
    world.wait(Duration::from_mins(10));
    world.check_login(0, true);
    world.wait(Duration::from_mins(10));
    world.keyring(true);
    assert_eq!(world.end(), obtained + Duration::from_hours(1));
}

#[test]
fn a_wall_clock_set_back_between_seal_and_unseal_does_not_lengthen_a_life() {
    for back in [60, 1_800, 86_400] {
        let mut world = World::with_account(true, Some(HOUR), true);
        let end = world.end();
        world.wait(Duration::from_mins(30));
        world.seal(&Selection::All);
        world.set_clock(-back);
        world.apply(Step::Unseal { name: None });
        world.keyring(true);
        assert!(world.the().secret().is_some());
        assert!(world.end() <= end, "set back by {back} s, it lives longer");
    }
}

#[test]
fn a_wall_clock_set_back_before_the_daemon_starts_again_ends_the_life() {
    let mut world = World::with_account(true, Some(HOUR), true);
    world.set_clock(-86_400);
    world.apply(Step::Stop { told: 0 });
    world.open(0, 0, Some(0));
    world.apply(Step::Unseal { name: None });
    world.keyring(true);
    assert!(world.the().is_expired(world.now.since_boot));
    assert!(world.the().is_waiting, "it is renewed before it is used");
    assert_eq!(world.refreshing.len(), 1);
}

#[test]
fn a_seal_in_the_middle_of_a_refresh_neither_loses_the_new_tokens_nor_asks_twice() {
    let mut world = World::with_account(true, Some(HOUR), true);
    world.until_deadline();
    world.seal(&Selection::All);
    world.apply(Step::Unseal { name: None });
    world.keyring(true);
    world.feed(Event::DeadlineReached);
    assert_eq!(world.refreshing.len(), 1, "the refresh token is used twice");
    world.seal(&Selection::All);
    world.refresh(0, RefreshAnswer::Renewed { lifetime: Some(HOUR), renewable: true });
    world.keyring(true);
    assert!(world.filled.is_empty(), "sealed, and something is in memory");
    world.apply(Step::Unseal { name: None });
    world.keyring(true);
    let held = world.the().secret().unwrap();
    assert_eq!(world.token(held).number, 1, "the renewed tokens are lost");
    assert_eq!(world.seen().sessions.values().next().unwrap().state, SessionState::Open);
}

/// What a sleep leaves in memory by configuration asks nobody for new tokens before the wake.
#[test]
fn nobody_is_asked_for_new_tokens_while_the_machine_sleeps() {
    let mut world = World::with_account(false, Some(HOUR), true);
    world.policy.reactions.general.insert(Trigger::Suspend, Reaction::Ignore);
    world.feed(Event::PolicyLoaded(world.policy.clone()));
    world.feed(Event::Desktop(DesktopEvent::Suspending));
    world.asleep = true;
    // Alarms of the boot clock may go off before it is told that the machine is awake.
    world.wait(Duration::from_hours(2));
    world.feed(Event::DeadlineReached);
    world.refuse_access(0);
    assert!(world.refreshing.is_empty() && !matches!(world.gate(), Gate::Open { .. }));
    assert!(world.engine.deadline().is_none_or(|at| at > world.now.since_boot), "it would be asked for ever");
    world.asleep = false;
    world.feed(Event::Desktop(DesktopEvent::Resumed { locked: false }));
    assert_eq!(world.refreshing.len(), 1);
    world.refresh(0, RefreshAnswer::Renewed { lifetime: Some(HOUR), renewable: true });
    assert!(matches!(world.gate(), Gate::Open { .. }));
    world.check_quiet();
}
