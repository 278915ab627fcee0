//! The desktop under load: every source with times, 200 locks, 100 suspends, 1,000 open streams, and a
//! real screen locker.

mod idle;
mod strangers;
mod streams;
mod table;

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use claudectl_tests::{
    desktop::{Bus, Locker, Logind, VENDORS, sightings, status_until},
    memory, need, require,
    sandbox::{Sandbox, binaries},
    session::{Session, message},
    upstream::{FakeUpstream, Reply},
    wait,
};
use serde_json::Value;

/// How much longer anything takes in a build that is not optimised.
fn patience(optimised: Duration) -> Duration {
    if binaries().ends_with("release") { optimised } else { optimised * 10 }
}

fn is_logged_out(status: &Value) -> bool {
    status["logged_in"] == false
}

#[test]
fn two_hundred_locks_under_traffic_leave_nothing() {
    const CYCLES: usize = 200;
    need!(require::root());
    let mut sandbox = Sandbox::new();
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    let daemon = sandbox.daemon_pid().unwrap();
    let locker = Locker::start(&bus, VENDORS[2]);
    status_until(&sandbox, |status| status["desktop_watched"] == true);
    let mut sessions: Vec<_> = (0..4).map(|_| Session::open(&sandbox, &[])).collect();
    let mut flood = message("flood");
    (flood["connections"], flood["requests"]) = (4.into(), 20.into());
    let search = sandbox.search();
    for cycle in 0..CYCLES {
        if cycle > 0 {
            sandbox.login("work", &key, &upstream);
        }
        for session in &mut sessions {
            session.begin(&flood);
        }
        locker.lock(true);
        locker.lock(false);
        status_until(&sandbox, is_logged_out);
        for session in &mut sessions {
            session.answer();
        }
        if cycle % 10 == 0 {
            let look = memory::look(daemon, &search).unwrap();
            assert_eq!(look.hits, [], "cycle {cycle}");
        }
    }
    assert_eq!(sessions[0].message()["status"], 401);
    assert_eq!(memory::look(daemon, &search).unwrap().hits, []);
    sandbox.assert_clean(&[]);
}

#[test]
fn a_hundred_suspends_race_with_logins_and_never_win() {
    const ROUNDS: usize = 100;
    let mut sandbox = Sandbox::new();
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
    let logind = Logind::start(&bus);
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    let mut delay = logind.delay();
    let mut longest = Duration::ZERO;
    for round in 0..ROUNDS {
        let url = upstream.url();
        thread::scope(|scope| {
            // A login at any moment before, while and after: it holds, or it is refused.
            let login = scope.spawn(|| {
                thread::sleep(Duration::from_micros(u64::try_from(round).unwrap() * 400));
                let arguments = ["login", "late", "--api-key", "--upstream", &url];
                sandbox.ctl_with(&arguments, key.as_bytes())
            });
            thread::sleep(Duration::from_millis(15));
            let began = Instant::now();
            logind.prepare_for_sleep(true);
            assert!(Logind::is_let_go(&delay), "round {round}");
            longest = longest.max(began.elapsed());
            let asleep = sandbox.ctl(&["accounts", "--json"]).exited(0).json();
            assert_eq!(asleep["accounts"], serde_json::json!([]), "round {round}: slept with a credential");
            login.join().unwrap();
            let asleep = sandbox.ctl(&["accounts", "--json"]).exited(0).json();
            assert_eq!(asleep["accounts"], serde_json::json!([]), "round {round}: a login during the sleep");
        });
        logind.prepare_for_sleep(false);
        delay = logind.delay();
        let resumed = |status: &Value| {
            status["sightings"].as_array().unwrap().last().is_some_and(|last| last["what"] == "resumed")
        };
        status_until(&sandbox, resumed);
        sandbox.login("work", &key, &upstream);
    }
    eprintln!("longest delay of a suspend: {longest:?}");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}

#[test]
fn a_real_screen_locker_is_heard() {
    let xvfb = need!(require::program("Xvfb"));
    let locker = need!(require::program("mate-screensaver"));
    let command = need!(require::program("mate-screensaver-command"));
    let mut sandbox = Sandbox::new();
    let _bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    sandbox.set("GSETTINGS_BACKEND", "memory");
    let mut display = sandbox.command(xvfb);
    display.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]);
    let mut display = sandbox.start(display);
    sandbox.set("DISPLAY", format!(":{}", display.line()));
    let mut locker = sandbox.command(locker);
    locker.arg("--no-daemon");
    let _locker = sandbox.start(locker);
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    status_until(&sandbox, |status| status["desktop_watched"] == true);
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    assert_eq!(session.open_stream()["status"], 200);
    let mut lock = sandbox.command(command);
    lock.arg("--lock").stdout(Stdio::null());
    let began = Instant::now();
    assert!(lock.status().unwrap().success());
    let end = session.drain();
    eprintln!("mate-screensaver-command --lock to cut stream: {:?}", began.elapsed());
    assert!(end["end"].as_str().unwrap().starts_with("cut"), "{end}");
    let status = status_until(&sandbox, |status| sightings(status, "screen-locked") > 0);
    let by: Vec<_> = status["sightings"].as_array().unwrap().iter().map(|one| one["by"].clone()).collect();
    assert_eq!(by, ["org.mate.ScreenSaver"], "{status}");
    assert!(is_logged_out(&status));
}

#[test]
fn every_step_of_the_whole_drill_passes() {
    for program in ["dbus-daemon", "dbus-send", "script"] {
        need!(require::program(program));
    }
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("claudectl");
    command.args(["drill", "--json"]);
    let drill = sandbox.start(command);
    // Longer than any test waits for an event: the idle minute is in it.
    assert!(wait::exits_within(drill.pid(), Duration::from_mins(2)), "{}", drill.stderr());
    let drill = drill.finish().exited(0).json();
    let of = |step: &Value| (step["name"].to_string(), step["outcome"].to_string());
    let steps: Vec<_> = drill["steps"].as_array().unwrap().iter().map(of).collect();
    let names = ["screen lock", "closed terminal", "kill -9", "idle"];
    let passed = names.map(|name| (format!("\"{name}\""), "\"pass\"".to_owned()));
    assert_eq!(steps, passed, "{drill}");
    // It was the minute that ended it, not something before it.
    let idle = drill["steps"][3]["milliseconds"].as_u64().unwrap();
    assert!((55_000..75_000).contains(&idle), "{drill}");
}
