//! The local record: what it has, what it has not, and that changes show.

use std::fs;

use claudectl_tests::{
    canary,
    desktop::{Bus, Locker, VENDORS, sightings, status_until},
    need,
    sandbox::Sandbox,
    session::{Session, message},
    upstream::FakeUpstream,
};
use nix::sys::signal::Signal;
use serde_json::Value;

fn entries(sandbox: &Sandbox) -> Vec<Value> {
    let log = sandbox.ctl(&["log", "--json", "--lines", "0"]).exited(0).json();
    log["entries"].as_array().unwrap().clone()
}

fn words(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect()
}

/// Waits until the record has so many entries; its writer is a thread of its own.
fn entries_until(sandbox: &Sandbox, count: usize) -> Vec<Value> {
    let deadline = std::time::Instant::now() + claudectl_tests::wait::PATIENCE;
    loop {
        let found = entries(sandbox);
        if found.len() >= count {
            return found;
        }
        assert!(std::time::Instant::now() < deadline, "only {:?}", words(&found));
    }
}

#[test]
fn a_day_in_the_record() {
    let mut sandbox = Sandbox::new();
    let bus = need!(Bus::start(&mut sandbox, "DBUS_SESSION_BUS_ADDRESS"));
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    let mut session = Session::open(&sandbox, &[]);
    let pid = session.pid();
    assert_eq!(session.message()["status"], 200);
    // A child of the session is somebody else.
    session.ask(&message("child"));
    let wrong = canary::key();
    sandbox
        .ctl_with(&["login", "other", "--api-key", "--upstream", &upstream.url()], wrong.as_bytes())
        .exited(1);
    let locker = Locker::start(&bus, VENDORS[2]);
    status_until(&sandbox, |status| status["desktop_watched"] == true);
    locker.lock(true);
    status_until(&sandbox, |status| sightings(status, "screen-locked") == 1);
    session.finish().exited(0);
    let found = entries_until(&sandbox, 8);
    let expected = [
        "started",
        "logged-in",
        "session-opened",
        "refused",
        "refused",
        "logged-out",
        "desktop",
        "session-ended",
    ];
    assert_eq!(words(&found), expected);
    assert_eq!(found[1]["account"], "work");
    assert_eq!((&found[2]["pid"], &found[2]["account"]), (&pid.into(), &"work".into()));
    assert!(found[2]["directory"].as_str().unwrap().ends_with("/work"));
    assert_eq!(found[3]["what"], "connection");
    assert_eq!(found[4]["what"], "login");
    assert_eq!(found[5]["why"], "because the screen was locked");
    assert_eq!(found[5]["sessions"], 1);
    assert_eq!(
        (&found[6]["what"], &found[6]["by"]),
        (&"screen-locked".into(), &"org.gnome.ScreenSaver".into())
    );
    assert!(found[6]["took_microseconds"].as_u64().unwrap() > 0);
    assert!(found[7]["seconds"].is_u64(), "{}", found[7]);
    assert_eq!((&found[7]["requests"], &found[7]["why"]), (&1.into(), &"its process ended".into()));
    sandbox.assert_clean(&[]);
    let shown = sandbox.ctl(&["log"]).exited(0).stdout;
    assert!(shown.contains("work because the screen was locked; 1 session ended"), "{shown}");
    assert!(sandbox.ctl(&["log", "--verify"]).exited(0).stdout.starts_with("Whole."));
}

#[test]
fn what_was_changed_removed_or_cut_off_shows() {
    let sandbox = Sandbox::new();
    let daemon = sandbox.daemon();
    for _ in 0..3 {
        sandbox.ctl(&["switch", "nobody"]).exited(5);
        sandbox.ctl(&["logout", "nobody"]).exited(0);
    }
    // The start and six refusals: nothing else is written while the file is looked at.
    let written = entries_until(&sandbox, 7);
    let file = sandbox.home().join(".local/state/claudectl/record.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = whole.lines().collect();
    let check = |text: String, exit: i32| {
        fs::write(&file, text).unwrap();
        sandbox.ctl(&["log", "--verify", "--json"]).exited(exit).json()
    };
    let checked = check(whole.clone(), 0);
    assert_eq!((&checked["whole"], &checked["compared"]), (&true.into(), &true.into()));
    assert_eq!(checked["entries"], written.len());
    let cut = check(format!("{}\n", lines[..lines.len() - 1].join("\n")), 1);
    assert!(cut["faults"][0]["what"].as_str().unwrap().contains("cut off"), "{cut}");
    check(whole.replacen("refused", "granted", 1), 1);
    check(format!("{}\n", lines[1..].join("\n")), 1);
    let removed = [&lines[..1], &lines[2..]].concat().join("\n") + "\n";
    check(removed, 1);
    check(String::new(), 1);
    check(whole, 0);
    daemon.signal(Signal::SIGTERM);
    daemon.finish().exited(0);
    // Without a daemon the file says the rest: that it stopped.
    assert_eq!(words(&entries(&sandbox)).last(), Some(&"stopped"));
    let alone = sandbox.ctl(&["log", "--verify", "--json"]).exited(0).json();
    assert_eq!(alone["compared"], false);
}

#[test]
fn a_kill_leaves_a_record_that_goes_on() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    sandbox.ctl(&["switch", "nobody"]).exited(5);
    entries_until(&sandbox, 2);
    daemon.signal(Signal::SIGKILL);
    daemon.wait();
    let file = sandbox.home().join(".local/state/claudectl/record.jsonl");
    // As if it had been writing.
    let mut torn = fs::read(&file).unwrap();
    torn.extend(b"{\"number\":3,\"prev");
    fs::write(&file, torn).unwrap();
    let _daemon = sandbox.daemon();
    let found = entries_until(&sandbox, 4);
    assert_eq!(words(&found), ["started", "refused", "recovered", "started"]);
    let checked = sandbox.ctl(&["log", "--verify", "--json"]).exited(0).json();
    assert_eq!((&checked["whole"], &checked["torn"]), (&true.into(), &1.into()));
}

#[test]
fn where_it_cannot_be_written_the_daemon_says_so_and_runs() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.home().join(".local")).unwrap();
    fs::write(sandbox.home().join(".local/state"), "in the way").unwrap();
    let _daemon = sandbox.daemon();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    let doctor = sandbox.ctl(&["doctor"]);
    assert!(doctor.stdout.contains("nothing is written"), "{}", doctor.stdout);
}

#[test]
fn it_can_be_switched_off() {
    let sandbox = Sandbox::new();
    sandbox.configure("[record]\nenabled = false\n");
    let _daemon = sandbox.daemon();
    sandbox.ctl(&["switch", "nobody"]).exited(5);
    assert!(sandbox.ctl(&["log"]).exited(0).stdout.contains("Nothing has happened yet."));
    assert!(!sandbox.home().join(".local/state").exists());
}
