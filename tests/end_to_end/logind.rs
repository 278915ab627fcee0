//! What logind tells, from a stand-in on a bus of the test's own. The real one: `ci/systemd/proof`.

use std::os::fd::OwnedFd;

use claudectl_tests::{
    desktop::{Bus, Facts, Locker, Logind, VENDORS, sightings, status_until},
    need, require,
    sandbox::Sandbox,
    session::{Session, message},
    upstream::{FakeUpstream, Reply},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// A sandbox with a system bus and a logind on it, a daemon that hears it, and an account.
struct Place {
    sandbox: Sandbox,
    bus: Bus,
    logind: Logind,
    upstream: FakeUpstream,
    key: String,
    delay: OwnedFd,
}

impl Place {
    fn set_up(configuration: &str) -> Result<Self, require::Missing> {
        Self::with_delays_of("sleep", configuration)
    }

    fn with_delays_of(what: &'static str, configuration: &str) -> Result<Self, require::Missing> {
        let mut sandbox = Sandbox::new();
        sandbox.configure(configuration);
        let bus = Bus::start(&mut sandbox, "DBUS_SYSTEM_BUS_ADDRESS")?;
        let logind = Logind::giving_delays_of(&bus, what);
        let key = sandbox.key();
        let upstream = FakeUpstream::plain([key.as_str()]);
        sandbox.login("work", &key, &upstream).exited(0);
        let delay = logind.delay();
        let place = Self { sandbox, bus, logind, upstream, key, delay };
        place.until(|status| status["desktop_watched"] == true);
        Ok(place)
    }

    fn log_in(&self) {
        self.sandbox.login("work", &self.key, &self.upstream).exited(0);
    }

    fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        status_until(&self.sandbox, wanted)
    }

    /// Waits until nothing is held, because of the last thing that was told.
    fn logged_out_by(&self, by: &str) {
        let status = self.until(|status| {
            let last = status["sightings"].as_array().and_then(|sightings| sightings.last());
            status["logged_in"] == false && last.is_some_and(|sighting| sighting["by"] == by)
        });
        assert_eq!(status["accounts"].as_array().unwrap().len(), 0);
    }
}

#[test]
fn lock_and_locked_hint_and_another_user_in_front_of_the_machine_log_out() {
    let place = need!(Place::set_up(""));
    place.logind.ask("_31", "Lock");
    place.logged_out_by("logind Lock");
    place.logind.ask("_31", "Unlock");
    place.until(|status| sightings(status, "screen-unlocked") == 1);
    place.log_in();
    place.logind.hint("_31", true);
    place.logged_out_by("logind LockedHint");
    place.logind.hint("_31", false);
    place.until(|status| sightings(status, "screen-unlocked") == 2);
    place.log_in();
    place.logind.show("_31", false);
    place.logged_out_by("logind Active");
    place.logind.show("_31", true);
    place.until(|status| sightings(status, "screen-unlocked") == 3);
    place.log_in();
    // Somebody else's session.
    place.logind.ask("c9", "Lock");
    place.logind.set_idle(true);
    let status = place.until(|status| sightings(status, "input-ended") == 1);
    assert_eq!(status["logged_in"], true, "{status}");
}

#[test]
fn the_machine_sleeps_when_nothing_is_held_and_wakes_with_the_lock_known() {
    let mut place = need!(Place::set_up(""));
    place.logind.prepare_for_sleep(true);
    assert!(Logind::is_let_go(&place.delay), "the machine would not sleep");
    let asleep = place.sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(asleep["logged_in"], false, "{asleep}");
    let arguments = ["login", "work", "--api-key", "--offline"];
    let refused = place.sandbox.ctl_with(&arguments, place.key.as_bytes()).exited(1);
    assert!(refused.stderr.contains("log in when it is awake"), "{}", refused.stderr);
    // It was locked meanwhile, and nobody told.
    place.logind.change("_31", |facts| facts.locked = true);
    place.logind.prepare_for_sleep(false);
    place.delay = place.logind.delay();
    let awake = place.until(|status| sightings(status, "resumed") == 1);
    let order: Vec<_> =
        awake["sightings"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(order, ["suspending", "screen-locked", "resumed"]);
    place.log_in();
}

#[test]
fn a_suspend_is_delayed_until_the_wipe_every_time() {
    let mut place = need!(Place::set_up(""));
    for round in 0..10 {
        let mut session = Session::open(&place.sandbox, &[]);
        place.upstream.next([Reply::held()]);
        session.open_stream();
        let daemon = Pid::from_raw(place.sandbox.daemon_pid().unwrap().cast_signed());
        place.logind.prepare_for_sleep(true);
        assert!(Logind::is_let_go(&place.delay), "round {round}");
        // From here on the machine sleeps: what is not done by now is done by nobody.
        kill(daemon, Signal::SIGSTOP).unwrap();
        let end = session.drain();
        assert!(end["end"].as_str().unwrap().starts_with("cut"), "round {round}: {end}");
        kill(daemon, Signal::SIGCONT).unwrap();
        let held = place.sandbox.ctl(&["accounts", "--json"]).exited(0).json();
        assert_eq!(held["accounts"].as_array().unwrap().len(), 0, "round {round}: slept with a credential");
        place.logind.prepare_for_sleep(false);
        place.delay = place.logind.delay();
        place.until(|status| sightings(status, "resumed") == round + 1);
        place.log_in();
    }
}

#[test]
fn a_shutdown_waits_for_the_wipe() {
    let place = need!(Place::with_delays_of("shutdown", "[policy]\nsuspend = \"ignore\"\n"));
    place.logind.prepare_for_shutdown();
    assert!(Logind::is_let_go(&place.delay));
    let held = place.sandbox.ctl(&["accounts", "--json"]).exited(0).json();
    assert_eq!(held["accounts"].as_array().unwrap().len(), 0);
}

#[test]
fn the_end_of_the_last_session_logs_out_and_that_of_another_does_not() {
    let place = need!(Place::set_up(""));
    place.logind.add_session("_32", Facts { kind: "tty", seat: "", ..Default::default() });
    place.logind.remove_session("_31");
    let one_left = place.until(|status| status["desktop_watched"] == false);
    assert_eq!(one_left["logged_in"], true, "{one_left}");
    place.logind.remove_session("_32");
    place.until(|status| status["logged_in"] == false && sightings(status, "desktop-ended") == 1);
}

#[test]
fn a_locked_session_that_ends_unlocks_nothing_and_is_not_waited_for() {
    let place = need!(Place::set_up(""));
    place.logind.hint("_31", true);
    place.logged_out_by("logind LockedHint");
    place.logind.add_session("_32", claudectl_tests::desktop::Facts::default());
    place.logind.remove_session("_31");
    place.logind.set_idle(true);
    let status = place.until(|status| sightings(status, "input-ended") == 1);
    assert_eq!(sightings(&status, "screen-unlocked"), 0, "{status}");
    // The next lock is over when its own screen is unlocked.
    place.logind.hint("_32", true);
    place.logind.hint("_32", false);
    place.until(|status| sightings(status, "screen-unlocked") == 1);
}

#[test]
fn a_session_that_only_waits_for_its_processes_has_ended() {
    let place = need!(Place::set_up(""));
    place.logind.change("_31", |facts| facts.state = "closing");
    place.logind.show("_31", false);
    place.until(|status| status["logged_in"] == false && sightings(status, "desktop-ended") == 1);
}

#[test]
fn a_lock_and_an_unlock_while_the_bus_was_away_are_noticed_when_it_comes_back() {
    let mut place = need!(Place::set_up(""));
    place.bus.kill();
    place.until(|status| status["desktop_watched"] == false);
    place.logind.change("_31", |facts| facts.locked = true);
    need!(place.bus.revive(&place.sandbox));
    place.logind.return_to(&place.bus);
    place.logged_out_by("logind LockedHint");
    place.delay = place.logind.delay();
    place.bus.kill();
    place.until(|status| status["desktop_watched"] == false);
    place.logind.change("_31", |facts| facts.locked = false);
    need!(place.bus.revive(&place.sandbox));
    place.logind.return_to(&place.bus);
    place.until(|status| sightings(status, "screen-unlocked") == 1);
}

#[test]
fn a_bus_that_dies_in_the_middle_of_a_sleep_keeps_nobody_out_for_ever() {
    let mut place = need!(Place::set_up(""));
    place.logind.prepare_for_sleep(true);
    assert!(Logind::is_let_go(&place.delay));
    place.bus.kill();
    place.until(|status| status["desktop_watched"] == false);
    need!(place.bus.revive(&place.sandbox));
    place.logind.return_to(&place.bus);
    // Still asleep, as it says.
    let _ = place.logind.delay();
    place.until(|status| status["desktop_watched"] == true);
    place.logind.prepare_for_sleep(false);
    place.until(|status| sightings(status, "resumed") == 1);
    place.log_in();
}

/// i3lock and its like tell nobody: a session of such a desktop is not said to be watched.
#[test]
fn a_desktop_whose_locker_tells_nobody_is_not_watched_until_it_has_told() {
    let place = need!(Place::set_up(""));
    place.logind.add_session("_32", Facts { desktop: "i3", ..Facts::default() });
    place.logind.remove_session("_31");
    let status = place.until(|status| status["desktop_watched"] == false);
    assert_eq!(status["safe_to_leave"], false, "{status}");
    place.logind.hint("_32", true);
    place.logged_out_by("logind LockedHint");
    place.logind.hint("_32", false);
    place.until(|status| status["desktop_watched"] == true);
}

#[test]
fn a_logind_that_stops_is_not_said_to_watch() {
    let mut place = need!(Place::set_up(""));
    place.logind.stop();
    place.until(|status| status["desktop_watched"] == false);
    place.logind.restart();
    place.until(|status| status["desktop_watched"] == true);
    place.delay = place.logind.delay();
    place.logind.hint("_31", true);
    place.logged_out_by("logind LockedHint");
}

/// A lock that only a screen saver knows of, while the machine slept.
#[test]
fn on_waking_the_screen_savers_are_asked_before_anything_goes_on() {
    let mut sandbox = Sandbox::new();
    sandbox.configure("[policy]\nsuspend = \"ignore\"\n");
    let system = need!(Bus::start(&mut sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
    let session = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    let logind = Logind::start(&system);
    let locker = Locker::start(&session, VENDORS[0]);
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream).exited(0);
    let delay = logind.delay();
    let watched =
        |status: &Value| status["desktop_sources"].as_array().is_some_and(|sources| sources.len() == 2);
    status_until(&sandbox, watched);
    let mut session = Session::open(&sandbox, &[]);
    logind.prepare_for_sleep(true);
    assert!(Logind::is_let_go(&delay));
    session.begin(&message("request"));
    locker.become_active(true);
    logind.prepare_for_sleep(false);
    let awake = status_until(&sandbox, |status| sightings(status, "resumed") == 1);
    let order: Vec<_> =
        awake["sightings"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(order, ["suspending", "screen-locked", "resumed"], "{awake}");
    assert_eq!(awake["logged_in"], false, "{awake}");
    let refused = session.answer();
    assert_eq!((&refused["status"], upstream.messages().len()), (&401.into(), 0), "{refused}");
}
