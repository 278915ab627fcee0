//! Kept accounts: who seals, who thaws, and what the keyring has in the end.

use std::time::Duration;

use claudectl_core::{
    account::Holding,
    command::{Command, Selection},
    effect::Answer,
    error::Refusal,
    event::{DesktopEvent, Event},
    policy::reactions::{Reaction, Trigger},
    receipt::{Outcome, Place},
    sentence::Cause,
    session::{Gate, SessionState},
};

use crate::{
    steps::{RefreshAnswer, Step, Token},
    world::{World, named},
};

const TOKEN: Token = Token { lifetime: Some(3_600), renewable: true, revocable: true };

impl World {
    fn kept() -> Self {
        Self::with_account(true, TOKEN.lifetime, true)
    }

    fn told_all(&mut self) {
        while !self.told.is_empty() {
            self.keyring(true);
        }
    }

    fn family(&self) -> usize {
        self.tokens[self.keyring[&named(0)].token].family
    }
}

#[test]
fn an_unlocked_screen_does_not_thaw_what_a_person_sealed() {
    let mut world = World::kept();
    world.seal(&Selection::All);
    world.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
    world.desktop(DesktopEvent::Suspending, Cause::Suspending);
    world.apply(Step::Resumed);
    world.unlock();
    assert!(world.told.is_empty(), "it thaws");
    let sealed = world.the().holding;
    assert!(matches!(sealed, Holding::Sealed { cause: Cause::Asked, .. }), "{sealed:?}");
}

#[test]
fn an_unlocked_screen_does_not_thaw_what_was_locked_and_then_sealed_by_a_person() {
    let mut world = World::kept();
    world.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
    world.seal(&Selection::All);
    world.unlock();
    assert!(world.told.is_empty(), "it thaws");
}

#[test]
fn an_unlocked_screen_thaws_what_the_lock_sealed_and_sessions_go_on() {
    let mut world = World::kept();
    world.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
    assert!(world.filled.is_empty());
    assert!(matches!(world.gate(), Gate::Frozen { .. }));
    world.unlock();
    world.keyring(true);
    assert!(matches!(world.gate(), Gate::Open { .. }));
}

#[test]
fn what_a_sleep_sealed_stays_so_behind_a_screen_that_was_locked_meanwhile() {
    let mut world = World::kept();
    world.desktop(DesktopEvent::Suspending, Cause::Suspending);
    world.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
    world.apply(Step::Resumed);
    assert!(world.told.is_empty(), "it thaws behind a locked screen");
    world.unlock();
    world.keyring(true);
    assert!(matches!(world.gate(), Gate::Open { .. }));
}

#[test]
fn a_lock_whose_screen_is_gone_is_not_over_because_the_machine_slept() {
    for lock_first in [true, false] {
        let mut world = World::kept();
        let events = [
            (DesktopEvent::ScreenLocked, Cause::ScreenLocked),
            (DesktopEvent::Suspending, Cause::Suspending),
        ];
        let events = if lock_first { events } else { [events[1], events[0]] };
        for (event, cause) in events {
            world.desktop(event, cause);
        }
        // Nobody has unlocked it: the session has ended whose screen it was.
        world.feed(Event::Desktop(DesktopEvent::Resumed { locked: false }));
        assert!(world.told.is_empty(), "it thaws");
        world.asleep = false;
        world.unlock();
        world.keyring(true);
        assert!(matches!(world.gate(), Gate::Open { .. }));
    }
}

/// Held behind a locked screen, as after a login over SSH: after a sleep it waits for the unlock.
#[test]
fn what_was_held_behind_a_lock_does_not_come_back_behind_it() {
    let mut world = World::kept();
    world.desktop(DesktopEvent::Suspending, Cause::Suspending);
    world.feed(Event::Desktop(DesktopEvent::Resumed { locked: true }));
    assert!(world.told.is_empty(), "it thaws");
    world.unlock();
    assert!(!world.told.is_empty());
}

#[test]
fn what_was_locked_and_unlocked_in_a_sleep_thaws_on_waking() {
    let mut world = World::kept();
    world.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
    world.apply(Step::Suspending);
    world.unlock();
    assert!(world.told.is_empty(), "it thaws in the sleep");
    world.apply(Step::Resumed);
    world.keyring(true);
    assert!(matches!(world.gate(), Gate::Open { .. }));
}

#[test]
fn an_account_that_a_lock_is_nothing_to_thaws_on_waking_also_behind_one() {
    let mut world = World::kept();
    world.policy.reactions.general.insert(Trigger::ScreenLock, Reaction::Ignore);
    world.feed(Event::PolicyLoaded(world.policy.clone()));
    world.desktop(DesktopEvent::Suspending, Cause::Suspending);
    world.feed(Event::Desktop(DesktopEvent::ScreenLocked));
    world.feed(Event::Desktop(DesktopEvent::Resumed { locked: true }));
    world.keyring(true);
    assert!(matches!(world.gate(), Gate::Open { .. }));
}

#[test]
fn an_unseal_is_answered_even_if_its_account_leaves_or_is_logged_in_anew() {
    let refused = |world: &World, asked| matches!(world.answer(asked), Some(Err(Refusal::NotLoggedIn(_))));
    let mut world = World::kept();
    world.seal(&Selection::All);
    let asked = world.ask(Command::Unseal(Selection::All));
    world.ask(Command::LogOut(Selection::All));
    assert!(refused(&world, asked), "it waits for ever");
    world.answer_all();
    world.check_quiet();

    let mut world = World::kept();
    world.seal(&Selection::All);
    world.begin_login(0, false, false);
    world.obtain(0, Some(TOKEN));
    let asked = world.ask(Command::Unseal(Selection::All));
    world.keyring(true);
    assert!(matches!(world.answer(asked), Some(Ok(Answer::Unsealed { .. }))), "it waits for ever");
    world.answer_all();
    world.check_quiet();
}

#[test]
fn a_login_that_fails_late_leaves_the_copy_of_the_account_before_it() {
    let mut world = World::kept();
    let before = world.family();
    world.begin_login(0, false, true);
    world.obtain(0, Some(TOKEN));
    // The keyring is busy with the new one when the screen is locked.
    world.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
    world.told_all();
    assert_eq!(world.family(), before);
    world.unlock();
    world.told_all();
    world.check();
    assert!(world.the().secret().is_some());
}

#[test]
fn a_sealed_account_whose_copy_gave_way_to_a_login_that_failed_is_not_loaded_from_it() {
    let mut world = World::kept();
    world.seal(&Selection::All);
    world.begin_login(0, false, true);
    world.obtain(0, Some(TOKEN));
    world.keyring(true);
    world.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
    world.answer_all();
    assert!(matches!(world.the().holding, Holding::Rejected { .. }));
    assert!(world.keyring.is_empty(), "the tokens of a failed login stay behind");
}

#[test]
fn of_two_logins_at_once_the_failed_one_does_not_delete_the_copy_of_the_other() {
    let mut world = World::new();
    for _ in 0..2 {
        world.begin_login(0, false, true);
        world.obtain(0, Some(TOKEN));
    }
    world.keyring(false);
    world.answer_all();
    world.check();
    assert!(world.the().kept && world.keyring.contains_key(&named(0)), "kept, and the keyring has nothing");
}

#[test]
fn a_logout_in_the_middle_of_a_refresh_waits_for_its_tokens_and_revokes_them() {
    let mut world = World::kept();
    world.wait(std::time::Duration::from_mins(1));
    world.refuse_access(0);
    let asked = world.ask(Command::LogOut(Selection::All));
    world.revoke(0);
    world.told_all();
    assert!(world.answer(asked).is_none(), "a receipt before the last tokens came");
    world.revoked.clear();
    world.refresh(0, RefreshAnswer::Renewed { lifetime: Some(9), renewable: true });
    world.revoke(0);
    let Some(Ok(Answer::LoggedOut { receipt })) = world.answer(asked) else { panic!("no receipt") };
    let count = |place: &Place| receipt.items.iter().filter(|item| item.place == *place).count();
    assert_eq!(count(&Place::Memory), 4, "two pages, twice");
    assert_eq!(count(&Place::Keyring), 1);
    assert!(world.filled.is_empty() && world.keyring.is_empty());
}

#[test]
fn a_daemon_that_stops_while_it_stores_keeps_the_entry_and_wipes_every_page() {
    let mut world = World::kept();
    world.wait(std::time::Duration::from_mins(1));
    world.refuse_access(0);
    world.refresh(0, RefreshAnswer::Renewed { lifetime: Some(9), renewable: true });
    world.apply(Step::Stop { told: 7 });
    assert!(world.keyring.contains_key(&named(0)), "a stop is no logout");
    assert!(matches!(world.the().holding, Holding::Sealed { cause: Cause::Restarted, .. }));
}

#[test]
fn a_stop_in_the_middle_of_a_logout_says_what_was_not_proven() {
    let mut world = World::kept();
    world.seal(&Selection::All);
    let asked = world.ask(Command::LogOut(Selection::All));
    world.is_stopping = true;
    world.feed(Event::StopRequested);
    let Some(Ok(Answer::LoggedOut { receipt })) = world.answer(asked) else { panic!("no receipt") };
    let has = |wanted: fn(&Outcome) -> bool| receipt.items.iter().any(|item| wanted(&item.outcome));
    assert!(has(|outcome| matches!(outcome, Outcome::NotRevoked(_))), "{receipt:?}");
    assert!(has(|outcome| matches!(outcome, Outcome::NotAbsent(_))), "{receipt:?}");
}

#[test]
fn the_machine_does_not_sleep_before_a_login_that_was_given_up_is_wiped() {
    let mut world = World::new();
    world.begin_login(0, true, false);
    world.obtain(0, Some(TOKEN));
    world.desktop(DesktopEvent::Suspending, Cause::Suspending);
    assert!(!world.seen().is_settled, "it is still in memory");
    world.revoke(0);
    assert!(world.seen().is_settled && world.filled.is_empty());
}

#[test]
fn an_account_that_is_unsealed_after_a_long_time_is_not_idle_at_once() {
    let mut world = World::kept();
    world.feed(Event::Desktop(DesktopEvent::InputEnded));
    world.seal(&Selection::All);
    world.open(1, 1, None);
    world.apply(Step::Wait { seconds: 20_000 });
    world.apply(Step::Unseal { name: None });
    world.apply(Step::Keyring { works: true });
    world.apply(Step::Refresh { which: 0, answer: RefreshAnswer::Transient { retry_after: None } });
    assert!(world.the().secret().is_some(), "{:?}", world.the().holding);
}

#[test]
fn a_session_that_moves_to_an_account_that_waits_is_frozen() {
    let mut world = World::kept();
    world.begin_login(1, false, false);
    world.obtain(0, Some(Token { lifetime: Some(30), ..TOKEN }));
    world.wait(std::time::Duration::from_mins(1));
    world.feed(Event::DeadlineReached);
    world.apply(Step::Move { id: 0, name: 1 });
    assert_eq!(world.seen().sessions.values().next().unwrap().state, SessionState::Frozen);
    world.check();
}

#[test]
fn a_seal_gives_the_keyring_the_tokens_that_it_refused_before() {
    let mut world = World::kept();
    world.wait(Duration::from_mins(1));
    world.refuse_access(0);
    world.refresh(0, RefreshAnswer::Renewed { lifetime: Some(3_600), renewable: true });
    world.keyring(false);
    assert!(world.the().kept_stale.is_some());
    world.seal(&Selection::All);
    assert!(world.filled.is_empty());
    assert!(!world.seen().is_settled, "the machine may sleep before the keyring has its copy");
    world.told_all();
    assert!(world.seen().is_settled);
    assert_eq!(world.tokens[world.keyring[&named(0)].token].number, 1, "the renewed tokens are lost");
}

#[test]
fn the_end_of_the_desktop_does_what_the_configuration_says_with_what_is_kept() {
    for reaction in [None, Some(Reaction::Seal), Some(Reaction::Ignore)] {
        let mut world = World::kept();
        if let Some(reaction) = reaction {
            world.policy.reactions.general.insert(Trigger::DesktopEnd, reaction);
            world.feed(Event::PolicyLoaded(world.policy.clone()));
        }
        world.feed(Event::Desktop(DesktopEvent::DesktopEnded));
        world.answer_all();
        let holding = world.account(0).map(|account| account.holding);
        match reaction {
            None => assert!(holding.is_none() && world.keyring.is_empty(), "{holding:?}"),
            Some(Reaction::Seal) => assert!(matches!(holding, Some(Holding::Sealed { .. })), "{holding:?}"),
            _ => assert!(matches!(holding, Some(Holding::Held { .. })), "{holding:?}"),
        }
    }
}

/// A login and a renewal are both on their way into the keyring when the screen is locked: the login comes too
/// late, and what was renewed is stored anew, with its own end.
#[test]
fn what_was_renewed_is_stored_with_what_is_known_of_it() {
    let mut world = World::with_account(true, Some(0), true);
    let renewed = RefreshAnswer::Renewed { lifetime: None, renewable: false };
    for step in [
        Step::Wait { seconds: 1 },
        Step::BeginLogin { name: 0, check: false, keep: true },
        Step::Refresh { which: 0, answer: renewed },
        Step::Obtain { which: 0, arrives: Some(TOKEN) },
        Step::Locked { purges: false, footprints: false },
        Step::Unseal { name: None },
    ] {
        world.apply(step);
        world.check();
    }
    world.answer_all();
    world.check_quiet();
    assert_eq!((world.the().expiry, world.the().is_waiting), (None, false), "it ended at once");
}
