//! A screen that is locked when the daemon starts: nobody tells, so everybody is asked.

use claudectl_tests::{
    desktop::{Bus, Facts, Locker, Logind, VENDORS, sightings, status_until},
    need,
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use super::{desktop, is_watched};

/// What was told, and by whom.
fn told(status: &Value) -> Value {
    let sightings = status["sightings"].as_array().unwrap().iter();
    sightings.map(|one| json!([one["what"], one["by"]])).collect()
}

#[test]
fn every_vendors_screen_saver_is_asked_when_the_daemon_starts() {
    let (sandbox, bus) = need!(desktop(""));
    // The last one has a name that nobody knows to ask for.
    for vendor in &VENDORS[..VENDORS.len() - 1] {
        for active in [true, false] {
            let locker = Locker::found(&bus, *vendor, active);
            let _daemon = sandbox.daemon();
            let word = |active: bool| if active { "screen-locked" } else { "screen-unlocked" };
            if active {
                let status = status_until(&sandbox, |status| sightings(status, "screen-locked") == 1);
                assert!(is_watched(&status), "{vendor:?}: {status}");
            } else {
                status_until(&sandbox, is_watched);
            }
            // What was found is what changes: an unlock counts only of what was locked.
            locker.lock(!active);
            let status = status_until(&sandbox, |status| sightings(status, word(!active)) == 1);
            let by = |active: bool| json!([word(active), vendor.interface]);
            let expected = if active { json!([by(true), by(false)]) } else { json!([by(true)]) };
            assert_eq!(told(&status), expected, "{vendor:?}");
            locker.withdraw();
        }
    }
}

#[test]
fn logind_is_asked_when_the_daemon_starts() {
    let mut sandbox = Sandbox::new();
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
    let logind = Logind::start(&bus);
    let locked: fn(&mut Facts) = |facts| facts.locked = true;
    let away: fn(&mut Facts) = |facts| facts.active = false;
    for (by, change) in [("logind LockedHint", locked), ("logind Active", away)] {
        logind.change("_31", |facts| *facts = Facts::default());
        logind.change("_31", change);
        let _daemon = sandbox.daemon();
        status_until(&sandbox, |status| sightings(status, "screen-locked") == 1);
        logind.hint("_31", false);
        logind.show("_31", true);
        let status = status_until(&sandbox, |status| sightings(status, "screen-unlocked") == 1);
        assert_eq!(told(&status), json!([["screen-locked", by], ["screen-unlocked", by]]));
    }
}
