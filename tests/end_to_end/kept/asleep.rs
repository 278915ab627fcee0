//! The machine sleeps: what is kept is sealed before it does, and comes back when it is awake and nobody else
//! can be at it.

use claudectl_tests::{
    desktop::{Bus, Facts, Logind, sightings, status_until},
    need,
    session::{Session, message},
};

use super::Place;

#[test]
fn a_sleep_seals_and_a_wake_thaws_unless_the_screen_is_locked_by_then() {
    for locked in [false, true] {
        let mut place = need!(Place::new());
        let bus = need!(Bus::start(&mut place.sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
        let logind = Logind::start(&bus);
        place.log_in(&["--keep"]).exited(0);
        let delay = logind.delay();
        status_until(&place.sandbox, |status| status["desktop_watched"] == true);
        let mut session = Session::open(&place.sandbox, &[]);
        logind.prepare_for_sleep(true);
        assert!(Logind::is_let_go(&delay), "the machine would not sleep");
        assert_eq!((&place.account()["state"], place.copies()), (&"sealed".into(), 0));
        session.begin(&message("request"));
        // Whatever is told while it sleeps, or whoever asks: nothing is loaded.
        logind.hint("_31", true);
        logind.hint("_31", false);
        status_until(&place.sandbox, |status| sightings(status, "screen-unlocked") == 1);
        let refused = place.sandbox.ctl(&["unseal", "work"]).exited(1);
        assert!(refused.stderr.contains("the machine goes to sleep"), "{}", refused.stderr);
        assert_eq!((&place.account()["state"], place.copies()), (&"sealed".into(), 0));
        logind.change("_31", |facts| facts.locked = locked);
        logind.prepare_for_sleep(false);
        status_until(&place.sandbox, |status| sightings(status, "resumed") == 1);
        if locked {
            place.keyring_is_done();
            assert_eq!(place.account()["state"], "sealed", "behind a locked screen");
            assert_eq!(place.upstream.messages().len(), 0, "a request went out behind a locked screen");
            logind.hint("_31", false);
        }
        assert_eq!(session.answer()["status"], 200);
        assert_eq!(place.account()["state"], "held");
    }
}

/// The session that was locked has ended, and that unlocks nothing.
#[test]
fn a_lock_whose_session_is_gone_is_not_over_because_the_machine_slept() {
    let mut place = need!(Place::new());
    let bus = need!(Bus::start(&mut place.sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
    let logind = Logind::start(&bus);
    place.log_in(&["--keep"]).exited(0);
    let delay = logind.delay();
    status_until(&place.sandbox, |status| status["desktop_watched"] == true);
    let mut session = Session::open(&place.sandbox, &[]);
    logind.hint("_31", true);
    status_until(&place.sandbox, |status| status["accounts"][0]["state"] == "sealed");
    session.begin(&message("request"));
    logind.add_session("_32", Facts::default());
    logind.remove_session("_31");
    logind.prepare_for_sleep(true);
    assert!(Logind::is_let_go(&delay), "the machine would not sleep");
    logind.prepare_for_sleep(false);
    status_until(&place.sandbox, |status| sightings(status, "resumed") == 1);
    place.keyring_is_done();
    assert_eq!(place.account()["state"], "sealed", "nobody has unlocked it");
    assert_eq!(place.upstream.messages().len(), 0, "a request went out");
    logind.hint("_32", true);
    logind.hint("_32", false);
    assert_eq!(session.answer()["status"], 200);
}
