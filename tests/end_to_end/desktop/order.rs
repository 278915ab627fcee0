//! Nothing is lost between whoever tells and the engine, and what one source tells stays in order: also when
//! the daemon stands still meanwhile.

use std::time::Instant;

use claudectl_tests::{
    desktop::{Bus, Locker, Logind, status_until},
    need,
    sandbox::Sandbox,
    wait,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use super::{FREEDESKTOP, desktop, is_logged_out, is_watched, log_in};

/// Locks, and as many unlocks: far more than any queue on the way has room for, fewer than wait for the disk.
const LOCKS: usize = 200;

/// Everything that was told, while nobody listened: `(what, by)`.
type Told = Vec<(&'static str, String)>;

/// Stops the daemon, lets everything be told, and has it go on.
fn told_in_its_absence(sandbox: &Sandbox, tell: impl FnOnce() -> Told) -> Told {
    let daemon = Pid::from_raw(sandbox.daemon_pid().unwrap().cast_signed());
    kill(daemon, Signal::SIGSTOP).unwrap();
    let told = tell();
    kill(daemon, Signal::SIGCONT).unwrap();
    told
}

/// What the record says of the desktop, once it says so much: its writer is a thread of its own.
fn recorded(sandbox: &Sandbox, count: usize) -> Told {
    let word = |entry: &Value| match entry["what"].as_str() {
        Some("screen-locked") => "screen-locked",
        Some("screen-unlocked") => "screen-unlocked",
        _ => "something else",
    };
    let deadline = Instant::now() + wait::PATIENCE;
    loop {
        let log = sandbox.ctl(&["log", "--json", "--lines", "0"]).exited(0).json();
        let entries = log["entries"].as_array().unwrap().iter();
        let desktop = entries.filter(|entry| entry["event"] == "desktop");
        let found: Told =
            desktop.map(|entry| (word(entry), entry["by"].as_str().unwrap().to_owned())).collect();
        if found.len() >= count {
            return found;
        }
        assert!(Instant::now() < deadline, "{} of {count}, the last {:?}", found.len(), found.last());
    }
}

#[track_caller]
fn assert_same(heard: &Told, told: &Told) {
    let lost = told.iter().zip(heard).position(|(told, heard)| told != heard);
    assert_eq!((lost, heard.len()), (None, told.len()), "{:?}", lost.map(|at| (&told[at], &heard[at])));
}

#[test]
fn a_screen_saver_that_tells_four_hundred_times_is_heard_as_often_and_in_order() {
    let (sandbox, bus) = need!(desktop(""));
    let _upstream = log_in(&sandbox);
    let locker = Locker::start(&bus, FREEDESKTOP);
    status_until(&sandbox, is_watched);
    let told = told_in_its_absence(&sandbox, || {
        let mut told = Vec::new();
        for number in 0..LOCKS {
            // Each lock has a name, so that none can stand for another.
            let name = format!("org.example.Number{number}.ScreenSaver");
            for (active, what) in [(true, "screen-locked"), (false, "screen-unlocked")] {
                locker.tell(&name, active);
                told.push((what, name.clone()));
            }
        }
        told
    });
    assert_same(&recorded(&sandbox, told.len()), &told);
    assert!(is_logged_out(&sandbox.ctl(&["status", "--json"]).exited(0).json()));
}

#[test]
fn a_logind_that_tells_four_hundred_times_is_heard_as_often_and_in_order() {
    let mut sandbox = Sandbox::new();
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
    let logind = Logind::start(&bus);
    let _upstream = log_in(&sandbox);
    let _delay = logind.delay();
    status_until(&sandbox, is_watched);
    let told = told_in_its_absence(&sandbox, || {
        let mut told = Vec::new();
        for number in 0..LOCKS {
            // Two ways of telling take turns.
            let by = if number % 2 == 0 {
                logind.ask("_31", "Lock");
                logind.ask("_31", "Unlock");
                ["logind Lock", "logind Unlock"]
            } else {
                logind.hint("_31", true);
                logind.hint("_31", false);
                ["logind LockedHint"; 2]
            };
            told.extend(["screen-locked", "screen-unlocked"].into_iter().zip(by.map(str::to_owned)));
        }
        told
    });
    assert_same(&recorded(&sandbox, told.len()), &told);
    assert!(is_logged_out(&sandbox.ctl(&["status", "--json"]).exited(0).json()));
}
