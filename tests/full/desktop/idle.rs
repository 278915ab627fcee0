//! Nobody uses it: the shortest time that the configuration knows is a minute.

use std::{
    fs,
    time::{Duration, Instant},
};

use claudectl_tests::{
    desktop::{Bus, Logind, sightings, status_until, status_within},
    isolation::private_processes,
    json,
    keyring::PrivateBus,
    need,
    require::Missing,
    sandbox::Sandbox,
    session::{Session, message},
    upstream::FakeUpstream,
};
use serde_json::Value;

/// `spare` is sealed, everything else is logged out, and what other programs left is removed.
const CONFIGURATION: &str = "\
[policy]
idle = \"purge\"
idle_minutes = 1
footprints = true

[account.spare]
idle = \"seal\"
";

fn is_over(status: &Value) -> bool {
    let footprints = &status["footprints"];
    footprints["at"].is_number()
        && footprints["running"] == false
        && json::by(&status["accounts"], "name", "spare")["state"] == "sealed"
}

/// A place where nobody asks for anything, but somebody is at the keyboard.
fn attended() -> Result<(Sandbox, Bus, Logind, FakeUpstream), Missing> {
    let mut sandbox = Sandbox::new();
    sandbox.configure(CONFIGURATION);
    let bus = Bus::start(&mut sandbox, "DBUS_SYSTEM_BUS_ADDRESS")?;
    let logind = Logind::start(&bus);
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    drop(logind.delay());
    for idle in [true, false] {
        logind.set_idle(idle);
        let what = if idle { "input-ended" } else { "input-seen" };
        status_until(&sandbox, |status| sightings(status, what) == 1);
    }
    Ok((sandbox, bus, logind, upstream))
}

#[test]
fn a_minute_without_use_logs_out_seals_and_removes_what_is_left_elsewhere() {
    if !need!(private_processes(
        "desktop::idle::a_minute_without_use_logs_out_seals_and_removes_what_is_left_elsewhere"
    )) {
        return;
    }
    let (attended, _bus, _logind, _upstream) = need!(attended());
    let mut sandbox = Sandbox::new();
    sandbox.configure(CONFIGURATION);
    let mut bus = need!(PrivateBus::start(&mut sandbox));
    bus.start_keyring(&sandbox, true);
    let profile = sandbox.home().join(".bashrc");
    fs::write(&profile, format!("A=1\nexport ANTHROPIC_API_KEY={}\n", sandbox.key())).unwrap();
    let upstream = FakeUpstream::plain([]);
    upstream.accept_everything();
    let url = upstream.url();
    for (account, kept) in [("work", &[][..]), ("spare", &["--keep"][..])] {
        let login = [&["login", account, "--upstream", &url], kept].concat();
        sandbox.ctl_with(&login, sandbox.key().as_bytes()).exited(0);
    }
    let began = Instant::now();
    let [mut work, mut spare] = ["work", "spare"].map(|name| Session::open(&sandbox, &["--account", name]));
    assert_eq!((&work.message()["status"], &spare.message()["status"]), (&200.into(), &200.into()));

    let status = status_within(Duration::from_mins(3), &sandbox, is_over);
    let took = began.elapsed();
    assert!(took >= Duration::from_mins(1), "it was used {took:?} ago");
    let there = attended.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(there["logged_in"], true, "somebody is at the keyboard: {there}");
    assert_eq!(status["accounts"].as_array().unwrap().len(), 1, "{status}");
    let done = &status["footprints"];
    let why = "after a while without use";
    assert_eq!((&done["removed"], &done["left"], &done["why"]), (&1.into(), &0.into(), &why.into()));
    assert_eq!(fs::read_to_string(&profile).unwrap(), "A=1\n");
    let refused = work.message();
    assert_eq!(refused["status"], 401, "{refused}");
    assert!(refused["body"].as_str().unwrap().contains(why), "{refused}");
    spare.begin(&message("request"));
    sandbox.ctl(&["unseal", "spare"]).exited(0);
    assert_eq!(spare.answer()["status"], 200);
    sandbox.assert_clean(&[]);
}
