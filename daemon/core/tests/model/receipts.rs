//! Receipts that must not be silent about tokens that may live on.

use std::time::Duration;

use claudectl_core::{
    account::Holding,
    command::{Command, Selection},
    credential::Part,
    effect::Answer,
    event::{DesktopEvent, Event, Revocation},
    policy::reactions::{Reaction, Trigger},
    receipt::{Outcome, Place, Receipt},
    sentence::Cause,
};

use crate::{
    steps::{RefreshAnswer, Step},
    world::{World, named},
};

impl World {
    /// An account whose access token the server refuses: a refresh is on its way.
    fn refreshing() -> Self {
        let mut world = Self::with_account(false, Some(3_600), true);
        world.wait(Duration::from_mins(1));
        world.refuse_access(0);
        world
    }

    /// The server does not revoke the oldest of what it was asked to.
    fn fail_to_revoke(&mut self) {
        let secret = self.revoking.remove(0);
        let outcome = Err("HTTP 503".to_owned());
        let revocations = vec![Revocation { part: Part::Refresh, endpoint: "acme".into(), outcome }];
        self.feed(Event::CredentialRevoked { secret, revocations });
    }

    fn log_out_all(&mut self) -> Receipt {
        let asked = self.ask(Command::LogOut(Selection::All));
        self.answer_all();
        match self.answer(asked) {
            Some(Ok(Answer::LoggedOut { receipt })) => receipt.clone(),
            other => panic!("no receipt: {other:?}"),
        }
    }
}

fn unrevoked(receipt: &Receipt) -> usize {
    receipt.items.iter().filter(|item| matches!(item.outcome, Outcome::NotRevoked(_))).count()
}

#[test]
fn tokens_whose_refresh_was_answered_by_nothing_are_not_said_to_be_revoked() {
    let mut world = World::refreshing();
    let asked = world.ask(Command::LogOut(Selection::All));
    world.refresh(0, RefreshAnswer::Transient { retry_after: None });
    world.answer_all();
    let Some(Ok(Answer::LoggedOut { receipt })) = world.answer(asked) else { panic!("no receipt") };
    assert!(unrevoked(receipt) > 0, "{receipt:?}");
}

#[test]
fn a_refresh_that_was_refused_brought_nothing_to_revoke() {
    let mut world = World::refreshing();
    let asked = world.ask(Command::LogOut(Selection::All));
    world.refresh(0, RefreshAnswer::Rejected);
    let failed_anyway = world.revoking.clone();
    world.answer_all();
    let Some(Ok(Answer::LoggedOut { receipt })) = world.answer(asked) else { panic!("no receipt") };
    let refused = failed_anyway.iter().filter_map(|secret| world.revocations.get(secret)).flatten();
    assert_eq!(unrevoked(receipt), refused.filter(|revocation| revocation.outcome.is_err()).count());
}

#[test]
fn the_tokens_of_a_rejected_account_that_the_server_did_not_revoke_are_in_its_receipt() {
    let mut world = World::refreshing();
    world.refresh(0, RefreshAnswer::Rejected);
    assert!(matches!(world.the().holding, Holding::Rejected { .. }));
    world.fail_to_revoke();
    let receipt = world.log_out_all();
    assert_eq!(unrevoked(&receipt), 1, "{receipt:?}");
    assert_eq!(receipt.accounts, [named(0)]);
}

#[test]
fn the_tokens_before_another_login_that_the_server_did_not_revoke_are_in_the_receipt_once() {
    let mut world = World::with_account(false, Some(3_600), true);
    world.begin_login(0, false, false);
    world.obtain(0, Some(crate::steps::Token { lifetime: None, renewable: true, revocable: true }));
    world.fail_to_revoke();
    let told = |receipt: &Receipt| {
        let of_server = |outcome: &Outcome| *outcome == Outcome::NotRevoked("HTTP 503".into());
        receipt.items.iter().filter(|item| of_server(&item.outcome) && item.part == Part::Refresh).count()
    };
    let first = world.log_out_all();
    assert!(told(&first) >= 1, "{first:?}");
    world.log_in(false, crate::steps::Token { lifetime: None, renewable: false, revocable: false });
    let second = world.log_out_all();
    assert_eq!(unrevoked(&second), 0, "{second:?}");
}

#[test]
fn a_login_over_a_sealed_account_revokes_what_only_the_keyring_had() {
    for keep in [false, true] {
        let mut world = World::with_account(true, Some(3_600), true);
        let family = world.tokens[world.keyring[&named(0)].token].family;
        world.ask(Command::Seal(Selection::All));
        world.begin_login(0, false, keep);
        world.obtain(0, Some(crate::steps::Token { lifetime: None, renewable: true, revocable: true }));
        while !world.told.is_empty() {
            world.keyring(true);
        }
        let revokes = |world: &World| world.revoking.iter().any(|page| world.token(*page).family == family);
        assert!(revokes(&world), "keep {keep}: nobody revokes them");
        world.answer_all();
        world.check_quiet();
    }
}

#[test]
fn a_login_that_fails_over_a_sealed_account_leaves_its_tokens_alone() {
    let mut world = World::with_account(true, Some(3_600), true);
    world.ask(Command::Seal(Selection::All));
    world.begin_login(0, false, true);
    world.obtain(0, Some(crate::steps::Token { lifetime: None, renewable: true, revocable: false }));
    world.keyring(true);
    world.keyring(false);
    world.answer_all();
    assert!(world.revoked.is_empty() && world.filled.is_empty());
    world.ask(Command::Unseal(Selection::All));
    world.answer_all();
    assert!(world.the().secret().is_some());
}

#[test]
fn what_a_login_could_not_read_of_a_sealed_account_is_in_the_receipt() {
    let mut world = World::with_account(true, Some(3_600), true);
    world.ask(Command::Seal(Selection::All));
    world.begin_login(0, false, false);
    world.obtain(0, Some(crate::steps::Token { lifetime: None, renewable: false, revocable: false }));
    world.keyring(false);
    let receipt = world.log_out_all();
    assert_eq!(unrevoked(&receipt), 1, "{receipt:?}");
}

#[test]
fn a_login_that_waits_for_the_keyring_is_logged_out_as_well() {
    for named_one in [false, true] {
        let mut world = World::new();
        let login = world.begin_login(0, false, true);
        world.obtain(0, Some(crate::steps::Token { lifetime: None, renewable: true, revocable: true }));
        let selection = if named_one { Selection::Named(vec![named(0)]) } else { Selection::All };
        let asked = world.ask(Command::LogOut(selection));
        assert!(matches!(world.answer(login), Some(Err(_))), "the login goes on");
        world.answer_all();
        let Some(Ok(Answer::LoggedOut { receipt })) = world.answer(asked) else { panic!("no receipt") };
        assert_eq!(receipt.accounts, [named(0)]);
        assert!(receipt.items.iter().any(|item| item.place == Place::Memory), "{receipt:?}");
        assert!(receipt.items.iter().any(|item| item.place == Place::Keyring), "{receipt:?}");
        assert!(world.filled.is_empty() && world.keyring.is_empty() && world.account(0).is_none());
    }
}

#[test]
fn a_suspend_right_after_a_lock_does_not_wait_for_a_server_that_is_silent() {
    let mut world = World::with_account(false, Some(3_600), true);
    world.policy.reactions.general.insert(Trigger::ScreenLock, Reaction::Purge);
    world.feed(Event::PolicyLoaded(world.policy.clone()));
    world.desktop(DesktopEvent::ScreenLocked, Cause::ScreenLocked);
    assert_eq!(world.filled.len(), 1, "it is being revoked");
    world.apply(Step::Suspending);
    world.wait(Duration::from_millis(800));
    world.feed(Event::DeadlineReached);
    assert!(world.filled.is_empty() && world.seen().is_settled, "the machine sleeps with tokens in memory");
}

#[test]
fn a_suspend_after_a_logout_of_a_sealed_account_does_not_wait_for_a_person() {
    let mut world = World::with_account(true, Some(3_600), true);
    world.ask(Command::Seal(Selection::All));
    let asked = world.ask(Command::LogOut(Selection::All));
    world.apply(Step::Suspending);
    world.wait(Duration::from_millis(800));
    world.feed(Event::DeadlineReached);
    world.answer_all();
    let Some(Ok(Answer::LoggedOut { receipt })) = world.answer(asked) else { panic!("no receipt") };
    assert_eq!(unrevoked(receipt), 1, "{receipt:?}");
    assert!(world.filled.is_empty() && world.keyring.is_empty());
}

#[test]
fn an_old_copy_that_the_keyring_does_not_delete_is_told() {
    let mut world = World::with_account(true, Some(3_600), true);
    world.begin_login(0, false, false);
    world.obtain(0, Some(crate::steps::Token { lifetime: None, renewable: false, revocable: false }));
    world.keyring(false);
    assert!(world.the().kept_stale.is_some_and(|why| why.contains("earlier login")));
}

#[test]
fn a_login_of_an_earlier_daemon_does_not_last_longer_than_the_configuration_allows() {
    for (age, is_over) in [(3_600, false), (30 * 86_400, true), (-60, true)] {
        let mut world = World::with_account(true, None, false);
        world.policy.login_lifetime = Some(Duration::from_hours(8));
        world.set_clock(age);
        world.start_again();
        world.feed(Event::DeadlineReached);
        assert_eq!(world.account(0).is_none(), is_over, "{age}");
    }
}
