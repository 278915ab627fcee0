//! The message bus dies while the screen is locked: what was locked stays sealed until its unlock is known.

use claudectl_tests::{
    desktop::{Bus, Locker, Logind, VENDORS, Vendor, status_until},
    need,
    session::{Session, message},
};
use serde_json::Value;

use super::Place;

const GNOME: Vendor = VENDORS[2];

/// What is found when the bus is there again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Unlocked,
    Locked,
    Nobody,
}

const EVERYTHING: [Found; 3] = [Found::Unlocked, Found::Locked, Found::Nobody];

fn is_watched(status: &Value) -> bool {
    status["desktop_watched"] == true
}

fn is_sealed(status: &Value) -> bool {
    status["accounts"][0]["state"] == "sealed"
}

impl Place {
    /// A session, one of whose requests waits since the screen was locked.
    fn locked(&self, lock: impl FnOnce()) -> Session {
        status_until(&self.sandbox, is_watched);
        let mut session = Session::open(&self.sandbox, &[]);
        assert_eq!(session.message()["status"], 200);
        lock();
        status_until(&self.sandbox, is_sealed);
        session.begin(&message("request"));
        session
    }

    /// Returns when the daemon knows that the bus is gone. Nothing is loaded again because of that.
    fn nobody_watches(&self) {
        let status = status_until(&self.sandbox, |status| !is_watched(status));
        assert!(is_sealed(&status), "{status}");
        let doctor = self.sandbox.ctl(&["doctor"]).stdout;
        assert!(doctor.contains("nobody here tells when the screen is locked"), "{doctor}");
        assert_eq!(self.copies(), 0);
    }

    fn still_sealed(&self) {
        self.keyring_is_done();
        let account = self.account();
        assert_eq!(account["state"], "sealed", "{account}");
        assert_eq!(self.upstream.messages().len(), 1, "a request went out behind a locked screen");
    }

    /// Once it is unlocked, by itself or by hand, what waited goes on.
    fn goes_on(&self, mut session: Session) {
        assert_eq!(session.answer()["status"], 200);
        assert_eq!(self.account()["state"], "held");
        assert_eq!(self.sandbox.recorded("unsealed").len(), 1);
    }
}

/// The keyring dies with it, and comes back before the screen saver.
#[test]
fn with_the_session_bus_the_screen_saver_is_asked_anew() {
    for found in EVERYTHING {
        let mut place = need!(Place::kept());
        let locker = Locker::start(place.bus.bus(), GNOME);
        let session = place.locked(|| locker.lock(true));
        place.bus.kill();
        place.nobody_watches();
        drop(locker);
        need!(place.bus.revive(&place.sandbox));
        if found != Found::Unlocked {
            place.still_sealed();
        }
        if found == Found::Nobody {
            place.sandbox.ctl(&["unseal", "work"]).exited(0);
            assert!(!is_watched(&place.sandbox.ctl(&["status", "--json"]).exited(0).json()));
            place.goes_on(session);
            continue;
        }
        let locker = Locker::found(place.bus.bus(), GNOME, found == Found::Locked);
        status_until(&place.sandbox, is_watched);
        if found == Found::Locked {
            place.still_sealed();
            locker.lock(false);
        }
        place.goes_on(session);
    }
}

/// The keyring stays: nothing but the daemon's own word keeps the account sealed.
#[test]
fn with_the_system_bus_logind_is_asked_anew() {
    for found in EVERYTHING {
        let mut place = need!(Place::new());
        let mut bus = need!(Bus::start(&mut place.sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
        let mut logind = Logind::start(&bus);
        place.log_in(&["--keep"]).exited(0);
        drop(logind.delay());
        let session = place.locked(|| logind.hint("_31", true));
        bus.kill();
        place.nobody_watches();
        place.still_sealed();
        need!(bus.revive(&place.sandbox));
        if found == Found::Nobody {
            place.still_sealed();
            place.sandbox.ctl(&["unseal", "work"]).exited(0);
            place.goes_on(session);
            continue;
        }
        logind.change("_31", |facts| facts.locked = found == Found::Locked);
        logind.return_to(&bus);
        status_until(&place.sandbox, is_watched);
        if found == Found::Locked {
            place.still_sealed();
            logind.hint("_31", false);
        }
        place.goes_on(session);
    }
}
