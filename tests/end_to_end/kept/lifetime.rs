//! How long a login lasts, over a restart. Time is not waited for: the list of what is kept says when it began.

use std::fs;

use claudectl_tests::{desktop::status_until, need};
use serde_json::Value;

use super::Place;

/// Makes the login so much older, while no daemon runs.
fn age(place: &Place, seconds: i64) {
    let path = place.sandbox.home().join(".local/state/claudectl/kept.json");
    let mut list: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let began = &mut list["accounts"][0]["logged_in_at"];
    *began = (began.as_i64().unwrap() - seconds).into();
    fs::write(&path, list.to_string()).unwrap();
}

#[test]
fn a_login_that_is_too_old_is_logged_out_by_the_next_daemon_and_a_younger_one_is_not() {
    for (minutes, lasts) in [(30, true), (61, false)] {
        let place = need!(Place::kept());
        place.stop();
        age(&place, minutes * 60);
        place.sandbox.configure("[policy]\nlogin_hours = 1\n");
        let _daemon = place.sandbox.daemon();
        if lasts {
            place.sandbox.ctl(&["unseal", "work"]).exited(0);
            assert_eq!(place.account()["state"], "held", "after {minutes} minutes");
            continue;
        }
        status_until(&place.sandbox, |status| status["accounts"].as_array().unwrap().is_empty());
        place.sandbox.ctl(&["unseal", "work"]).exited(5);
        place.keyring_is_done();
        assert_eq!(place.others_read(), "", "it is still in the keyring");
        let ended = &place.sandbox.recorded("logged-out")[0];
        let why = "at the end of the time that the configuration allows";
        assert_eq!((&ended["account"], &ended["why"]), (&"work".into(), &why.into()), "{ended}");
    }
}
