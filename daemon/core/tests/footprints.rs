//! What other programs left goes when an event purges accounts, and only then.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use std::{collections::BTreeMap, time::Duration};

use claudectl_core::{
    account::{Obtained, Profile, Route, Way},
    command::{BeginLogin, Command, Selection},
    credential::{CredentialKind, Header, Part},
    effect::Effect,
    engine::Engine,
    event::{DesktopEvent, Event, Revocation, WipedPage},
    footprint::{Left, Removed},
    ids::{AccountName, RequestId, SecretId},
    policy::{
        Policy,
        reactions::{Reaction, Reactions, Trigger},
    },
    sentence::Cause,
    time::Now,
};

fn now() -> Now {
    Now { since_boot: Duration::from_secs(100), wall: 1_800_000_000 }
}

fn policy(footprints: bool, general: &[(Trigger, Reaction)]) -> Policy {
    let general = general.iter().copied().collect();
    Policy { footprints, reactions: Reactions { general, of_account: BTreeMap::new() }, ..Policy::default() }
}

fn purging(trigger: Trigger) -> Policy {
    policy(true, &[(trigger, Reaction::Purge)])
}

/// An engine that holds the account `work`, in these pages.
fn engine(policy: Policy, revocable: bool) -> Engine {
    let mut engine = Engine::new(policy, now());
    let begin = Command::BeginLogin(BeginLogin {
        name: name(),
        kind: CredentialKind::ApiKey,
        way: Way::HandOver,
        route: route(),
        plan: None,
        check: false,
        keep: false,
    });
    let effects = engine.handle(Event::Asked { request: RequestId(1), command: begin }, now());
    let login = effects.iter().find_map(|effect| match effect {
        Effect::ObtainCredential { login, .. } => Some(*login),
        _ => None,
    });
    let obtained = Obtained {
        header: Header::XApiKey,
        route: route(),
        profile: Profile::default(),
        lifetime: None,
        renewable: false,
        revocable,
    };
    let login = login.unwrap();
    engine.handle(Event::CredentialReceived { login, secret: SecretId(1), obtained }, now());
    assert_eq!(engine.accounts().len(), 1);
    engine
}

fn name() -> AccountName {
    "work".parse().unwrap()
}

fn route() -> Route {
    Route { upstream: Route::ANTHROPIC.into(), proxy: None, ca_file: None }
}

/// Why footprints are removed, once for each effect that says so.
fn causes(effects: &[Effect]) -> Vec<Cause> {
    let cause = |effect: &Effect| match effect {
        Effect::RemoveFootprints { cause } => Some(*cause),
        _ => None,
    };
    effects.iter().filter_map(cause).collect()
}

fn desktop(engine: &mut Engine, event: DesktopEvent) -> Vec<Cause> {
    causes(&engine.handle(Event::Desktop(event), now()))
}

fn removed(engine: &mut Engine) -> Vec<Cause> {
    causes(&engine.handle(Event::FootprintsRemoved { outcome: Ok(Removed::default()) }, now()))
}

#[test]
fn every_event_that_purges_removes_them_once_after_the_wipe() {
    for (trigger, event, cause) in [
        (Trigger::ScreenLock, DesktopEvent::ScreenLocked, Cause::ScreenLocked),
        (Trigger::Suspend, DesktopEvent::Suspending, Cause::Suspending),
        (Trigger::DesktopEnd, DesktopEvent::DesktopEnded, Cause::DesktopEnded),
        (Trigger::DesktopEnd, DesktopEvent::ShuttingDown, Cause::ShuttingDown),
    ] {
        let mut engine = engine(purging(trigger), false);
        let effects = engine.handle(Event::Desktop(event), now());
        assert_eq!(causes(&effects), [cause], "{event:?}");
        let wipe = effects.iter().position(|effect| matches!(effect, Effect::WipeCredential { .. }));
        let removal = effects.iter().position(|effect| matches!(effect, Effect::RemoveFootprints { .. }));
        assert!(wipe.unwrap() < removal.unwrap(), "{effects:?}");
        assert_eq!(engine.snapshot().removing, Some(cause));
    }
}

#[test]
fn what_seals_ignores_or_is_not_configured_to_removes_nothing() {
    for reaction in [Reaction::Seal, Reaction::Ignore] {
        let mut engine = engine(policy(true, &[(Trigger::ScreenLock, reaction)]), false);
        assert_eq!(desktop(&mut engine, DesktopEvent::ScreenLocked), [], "{reaction:?}");
    }
    let mut off = engine(policy(false, &[(Trigger::ScreenLock, Reaction::Purge)]), false);
    assert_eq!(desktop(&mut off, DesktopEvent::ScreenLocked), []);
    assert_eq!(causes(&off.handle(Event::FootprintsOwed, now())), []);
    let mut other = engine(purging(Trigger::ScreenLock), false);
    assert_eq!(desktop(&mut other, DesktopEvent::Suspending), []);
    assert_eq!(desktop(&mut other, DesktopEvent::ScreenUnlocked), []);
    let all = Command::LogOut(Selection::All);
    let asked = other.handle(Event::Asked { request: RequestId(9), command: all }, now());
    assert_eq!(causes(&asked), [], "`claudectl logout` is not `claudectl purge`");
}

#[test]
fn without_an_account_the_general_reaction_counts_and_with_one_its_own() {
    let mut empty = Engine::new(purging(Trigger::ScreenLock), now());
    assert_eq!(desktop(&mut empty, DesktopEvent::ScreenLocked), [Cause::ScreenLocked]);
    let own = BTreeMap::from([(name(), BTreeMap::from([(Trigger::ScreenLock, Reaction::Purge)]))]);
    let mut policy = policy(true, &[]);
    policy.reactions.of_account = own;
    let mut empty = Engine::new(policy.clone(), now());
    assert_eq!(desktop(&mut empty, DesktopEvent::ScreenLocked), [], "nothing is purged");
    let mut held = engine(policy, false);
    assert_eq!(desktop(&mut held, DesktopEvent::ScreenLocked), [Cause::ScreenLocked]);
}

#[test]
fn an_account_that_is_idle_removes_them_if_idleness_purges_it() {
    for (reaction, expected) in [(Reaction::Purge, vec![Cause::Idle]), (Reaction::Seal, vec![])] {
        let mut engine = engine(policy(true, &[(Trigger::Idle, reaction)]), false);
        let later = Now { since_boot: engine.deadline().unwrap(), ..now() };
        assert_eq!(causes(&engine.handle(Event::DeadlineReached, later)), expected, "{reaction:?}");
        assert!(engine.accounts().is_empty());
    }
}

#[test]
fn one_lock_that_two_sources_tell_of_is_one_removal() {
    let mut engine = engine(purging(Trigger::ScreenLock), false);
    assert_eq!(desktop(&mut engine, DesktopEvent::ScreenLocked), [Cause::ScreenLocked]);
    assert_eq!(causes(&engine.handle(Event::LockToldAgain, now())), []);
    assert_eq!(removed(&mut engine), [], "and none is owed");
    assert_eq!(causes(&engine.handle(Event::LockToldAgain, now())), [], "however late it tells");
    assert_eq!(desktop(&mut engine, DesktopEvent::ScreenLocked), [Cause::ScreenLocked], "another lock");
}

#[test]
fn a_lock_during_a_removal_is_followed_by_one_more_however_many_there_were() {
    let mut engine = engine(purging(Trigger::ScreenLock), false);
    assert_eq!(desktop(&mut engine, DesktopEvent::ScreenLocked), [Cause::ScreenLocked]);
    for _ in 0..3 {
        assert_eq!(desktop(&mut engine, DesktopEvent::ScreenLocked), [], "never two at once");
    }
    assert_eq!(removed(&mut engine), [Cause::ScreenLocked]);
    assert_eq!(removed(&mut engine), []);
    assert_eq!(removed(&mut engine), [], "an end without a beginning is nothing");
}

#[test]
fn what_came_of_it_is_remembered_and_what_was_interrupted_is_begun_anew() {
    let mut engine = Engine::new(purging(Trigger::ScreenLock), now());
    assert_eq!(causes(&engine.handle(Event::FootprintsOwed, now())), [Cause::Interrupted]);
    let left = Left { what: "API key …abcd".into(), place: "~/.zshrc".into(), why: "read-only".into() };
    let outcome = Ok(Removed { gone: 2, remaining: 1, left: vec![left] });
    engine.handle(Event::FootprintsRemoved { outcome: outcome.clone() }, now());
    let removal = engine.snapshot().removal.unwrap();
    assert_eq!((removal.cause, removal.at, removal.outcome), (Cause::Interrupted, now().wall, outcome));
    assert_eq!(engine.snapshot().removing, None);
}

/// A token that is being revoked is wiped afterwards: the shell waits for that (`is_settled`).
#[test]
fn while_a_wipe_is_waited_for_it_is_said() {
    let mut engine = engine(purging(Trigger::ScreenLock), true);
    assert_eq!(desktop(&mut engine, DesktopEvent::ScreenLocked), [Cause::ScreenLocked]);
    assert!(!engine.snapshot().is_settled);
    let revocations = vec![Revocation { part: Part::Access, endpoint: "s".into(), outcome: Ok(200) }];
    engine.handle(Event::CredentialRevoked { secret: SecretId(1), revocations }, now());
    engine.handle(Event::FootprintsNoted, now());
    let pages = vec![WipedPage { part: Part::Access, bytes: 9, proven: true }];
    engine.handle(Event::CredentialWiped { secret: SecretId(1), pages }, now());
    assert!(engine.snapshot().is_settled);
}

/// The machine neither sleeps nor stops before the next daemon would know, but does not wait for the removal.
#[test]
fn nothing_is_settled_before_a_removal_is_noted() {
    let mut engine = engine(purging(Trigger::Suspend), false);
    assert_eq!(desktop(&mut engine, DesktopEvent::Suspending), [Cause::Suspending]);
    let pages = vec![WipedPage { part: Part::Access, bytes: 9, proven: true }];
    engine.handle(Event::CredentialWiped { secret: SecretId(1), pages }, now());
    assert!(!engine.snapshot().is_settled, "nobody would know");
    engine.handle(Event::FootprintsNoted, now());
    assert!(engine.snapshot().is_settled, "the machine waits for the removal itself");
    assert_eq!(desktop(&mut engine, DesktopEvent::Suspending), []);
    assert_eq!(removed(&mut engine), [Cause::Suspending], "a second one");
    assert!(!engine.snapshot().is_settled, "which is noted anew");
    assert_eq!(removed(&mut engine), []);
    assert!(engine.snapshot().is_settled);
}

#[test]
fn a_daemon_that_has_this_to_do_is_never_unused_and_one_that_stops_begins_nothing() {
    let mut engine = Engine::new(purging(Trigger::ScreenLock), now());
    assert_eq!(engine.deadline(), None, "it would not be there when the screen is locked");
    assert!(Engine::new(policy(false, &[]), now()).deadline().is_some());
    desktop(&mut engine, DesktopEvent::ScreenLocked);
    desktop(&mut engine, DesktopEvent::ScreenLocked);
    engine.handle(Event::StopRequested, now());
    assert_eq!(removed(&mut engine), [], "the next daemon does it");
}
