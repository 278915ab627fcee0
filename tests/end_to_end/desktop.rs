//! The screen lock, heard on a real message bus of the test's own.

mod found;
mod order;
mod waiting;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use claudectl_tests::{
    desktop::{Bus, Locker, VENDORS, Vendor, sightings, status_until},
    need, require,
    sandbox::{Sandbox, binaries},
    session::Session,
    upstream::{FakeUpstream, Reply},
};
use serde_json::Value;

const FREEDESKTOP: Vendor = VENDORS[0];

/// A sandbox with a session bus.
fn desktop(configuration: &str) -> Result<(Sandbox, Bus), require::Missing> {
    let mut sandbox = Sandbox::new();
    sandbox.configure(configuration);
    let bus = Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS")?;
    Ok((sandbox, bus))
}

/// An account, and its upstream.
fn log_in(sandbox: &Sandbox) -> FakeUpstream {
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream).exited(0);
    upstream
}

fn is_watched(status: &Value) -> bool {
    status["desktop_watched"] == true
}

fn is_logged_out(status: &Value) -> bool {
    status["logged_in"] == false
}

#[test]
fn locking_the_screen_cuts_the_streams_and_logs_every_account_out() {
    let (sandbox, bus) = need!(desktop(""));
    let upstream = log_in(&sandbox);
    let locker = Locker::start(&bus, FREEDESKTOP);
    assert_eq!(status_until(&sandbox, is_watched)["safe_to_leave"], true);
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    assert_eq!(session.open_stream()["status"], 200);
    let began = Instant::now();
    locker.lock(true);
    let end = session.drain();
    let took = began.elapsed();
    assert!(end["end"].as_str().unwrap().starts_with("cut"), "{end}");
    let refused = session.message();
    assert_eq!(refused["status"], 401, "{refused}");
    assert!(refused["body"].as_str().unwrap().contains("because the screen was locked"), "{refused}");
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(status["logged_in"], false, "{status}");
    let seen = &status["sightings"][0];
    assert_eq!((&seen["what"], &seen["by"]), (&"screen-locked".into(), &FREEDESKTOP.interface.into()));
    eprintln!("signal to cut stream: {took:?}; in the daemon: {} µs", seen["took_microseconds"]);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn every_vendors_screen_saver_is_heard() {
    let (sandbox, bus) = need!(desktop(""));
    for vendor in VENDORS {
        let _upstream = log_in(&sandbox);
        let locker = Locker::start(&bus, vendor);
        if vendor.name == FREEDESKTOP.name {
            // A lock before anybody listens is told to nobody.
            status_until(&sandbox, is_watched);
        }
        locker.lock(true);
        status_until(&sandbox, |status| {
            let last = status["sightings"].as_array().and_then(|sightings| sightings.last());
            is_logged_out(status) && last.is_some_and(|sighting| sighting["by"] == vendor.interface)
        });
        locker.lock(false);
        locker.withdraw();
    }
    let open = status_until(&sandbox, |status| sightings(status, "screen-unlocked") == VENDORS.len());
    assert_eq!(sightings(&open, "screen-locked"), VENDORS.len(), "{open}");
}

#[test]
fn a_lock_that_is_over_within_milliseconds_counts() {
    let (sandbox, bus) = need!(desktop(""));
    let locker = Locker::start(&bus, FREEDESKTOP);
    for _ in 0..20 {
        let _upstream = log_in(&sandbox);
        status_until(&sandbox, is_watched);
        locker.lock(true);
        locker.lock(false);
        status_until(&sandbox, is_logged_out);
    }
}

#[test]
fn one_lock_that_two_sources_tell_of_counts_once_and_is_over_when_both_say_so() {
    let (sandbox, bus) = need!(desktop(""));
    let _upstream = log_in(&sandbox);
    let (one, other) = (Locker::start(&bus, VENDORS[2]), Locker::start(&bus, VENDORS[4]));
    // What nobody listens to yet is not heard, however busy the machine is.
    status_until(&sandbox, is_watched);
    one.lock(true);
    other.lock(true);
    let tellers = |status: &Value| -> BTreeSet<String> {
        status["sightings"].as_array().unwrap().iter().map(|one| one["by"].to_string()).collect()
    };
    let status = status_until(&sandbox, |status| tellers(status).len() == 2);
    // A locker that was asked just before it told is one that told twice.
    let first: Vec<_> = status["sightings"].as_array().unwrap().iter().map(|one| &one["repeated"]).collect();
    assert!(first[0] == false && first[1..].iter().all(|repeated| **repeated == true), "{status}");
    one.lock(false);
    // A login while the other one is still locked; its next lock counts, too.
    let _upstream = log_in(&sandbox);
    one.lock(true);
    let status = status_until(&sandbox, is_logged_out);
    assert_eq!(sightings(&status, "screen-unlocked"), 0, "{status}");
    one.lock(false);
    other.lock(false);
    status_until(&sandbox, |status| sightings(status, "screen-unlocked") == 1);
}

#[test]
fn the_configuration_can_ignore_the_lock_and_status_says_so() {
    let (sandbox, bus) = need!(desktop("[policy]\nscreen_lock = \"ignore\"\n"));
    let _upstream = log_in(&sandbox);
    let locker = Locker::start(&bus, FREEDESKTOP);
    let heard = |status: &Value| {
        sandbox.ctl(&["doctor"]).stdout.contains("the configuration ignores it") || {
            assert_eq!(status["safe_to_leave"], false);
            false
        }
    };
    status_until(&sandbox, heard);
    locker.lock(true);
    let status = status_until(&sandbox, |status| sightings(status, "screen-locked") == 1);
    assert_eq!(status["logged_in"], true, "{status}");
    assert!(sandbox.ctl(&["status"]).stdout.contains("The configuration ignores: screen-lock"));
}

#[test]
fn an_account_may_have_a_rule_of_its_own() {
    let (sandbox, bus) = need!(desktop("[account.spare]\nscreen_lock = \"ignore\"\n"));
    let upstream = log_in(&sandbox);
    let key = sandbox.key();
    upstream.accept(&key);
    sandbox.login("spare", &key, &upstream).exited(0);
    let locker = Locker::start(&bus, FREEDESKTOP);
    // One account would outlive the lock: nobody is told to be safe.
    let heard = status_until(&sandbox, |status| status["desktop_sources"][0] == "screen saver");
    assert!(!is_watched(&heard), "{heard}");
    locker.lock(true);
    let status = status_until(&sandbox, |status| status["accounts"].as_array().unwrap().len() == 1);
    assert_eq!(status["accounts"][0]["name"], "spare");
}

#[test]
fn without_a_bus_or_a_screen_saver_nobody_is_told_to_be_safe() {
    let (sandbox, mut bus) = need!(desktop(""));
    let _upstream = log_in(&sandbox);
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!((&status["desktop_watched"], &status["safe_to_leave"]), (&false.into(), &false.into()));
    let _locker = Locker::start(&bus, FREEDESKTOP);
    status_until(&sandbox, is_watched);
    bus.kill();
    let status = status_until(&sandbox, |status| !is_watched(status));
    assert_eq!((&status["logged_in"], &status["safe_to_leave"]), (&true.into(), &false.into()));
    let told = sandbox.ctl(&["status"]).exited(0).stdout;
    assert!(told.contains("Not safe to leave.") && told.contains("nobody here tells when"), "{told}");
}

#[test]
fn a_lock_while_the_bus_was_away_is_noticed_when_it_comes_back() {
    let (sandbox, mut bus) = need!(desktop(""));
    let _upstream = log_in(&sandbox);
    let locker = Locker::start(&bus, FREEDESKTOP);
    status_until(&sandbox, is_watched);
    bus.kill();
    status_until(&sandbox, |status| !is_watched(status));
    drop(locker);
    need!(bus.revive(&sandbox));
    // It was locked, and nobody told.
    let _locker = Locker::found(&bus, FREEDESKTOP, true);
    status_until(&sandbox, |status| is_watched(status) && is_logged_out(status));
}

/// What stands in for lockers and for what runs them: each notes its name. `xss-lock -- COMMAND…` and
/// `xautolock -locker COMMAND` run it, as the real ones do at a lock.
fn lockers(sandbox: &mut Sandbox) {
    let note = "#!/bin/sh\necho \"${0##*/}\" >>\"$HOME/locked\"\n";
    let programs = [
        ("i3lock", note),
        ("swaylock", note),
        ("hyprlock", note),
        ("pidof", "#!/bin/sh\nexit 1\n"),
        ("xss-lock", "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$@\"\n"),
        ("xautolock", "#!/bin/sh\nwhile [ \"$1\" != -locker ]; do shift; done\nexec sh -c \"$2\"\n"),
    ];
    let directory = sandbox.path("lockers");
    fs::create_dir(&directory).unwrap();
    for (name, text) in programs {
        fs::write(directory.join(name), text).unwrap();
        fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}:/usr/bin:/bin", directory.display(), binaries().display());
    sandbox.set("PATH", path);
}

/// The command in a printed line, as the program reads it that the line is for.
fn command(desktop: &str, line: &str) -> Option<String> {
    let line = line.trim();
    Some(match desktop {
        "swayidle" => line.strip_prefix("lock '")?.strip_suffix('\'')?.to_owned(),
        "hypridle" => line.strip_prefix("lock_cmd = ")?.to_owned(),
        "tmux" => line.split_once("run-shell \"")?.1.split_once('"')?.0.to_owned(),
        // A script of the shell. What it leaves in the background is waited for.
        _ => format!("{line}\nwait"),
    })
}

#[test]
fn the_printed_hook_of_every_desktop_logs_out_and_then_locks() {
    let desktops = [
        ("swayidle", "swaylock\n"),
        ("hypridle", "hyprlock\n"),
        ("xss-lock", "i3lock\n"),
        ("xautolock", "i3lock\n"),
        ("tmux", ""),
        ("shell", ""),
    ];
    let mut sandbox = Sandbox::new();
    lockers(&mut sandbox);
    for (desktop, locked) in desktops {
        let _upstream = log_in(&sandbox);
        let printed = sandbox.ctl(&["hooks", "print", "--desktop", desktop, "--json"]).exited(0).json();
        let lines = printed["hooks"][0]["lines"].as_array().unwrap();
        let commands: Vec<_> =
            lines.iter().filter_map(|line| command(desktop, line.as_str().unwrap())).collect();
        assert_eq!(commands.len(), 1, "{desktop}: {printed}");
        let mut shell = sandbox.command("/bin/sh");
        shell.args(["-c", &commands[0]]);
        sandbox.start(shell).finish().exited(0);
        let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
        assert!(is_logged_out(&status), "{desktop}: {status}");
        let seen = fs::read_to_string(sandbox.home().join("locked")).unwrap_or_default();
        assert_eq!(seen, locked, "{desktop}");
        let _ = fs::remove_file(sandbox.home().join("locked"));
    }
}
