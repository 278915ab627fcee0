//! Every state that a keyring can be in, and what comes of it within which time.

use claudectl_tests::need;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::rig::{Probe, Rig, asking, delete, list, load, store};

/// A row of the table that `--nocapture` shows.
#[track_caller]
fn row(variant: &str, answer: &Value, expected: &str) {
    let (outcome, ms) = (answer["outcome"].as_str().unwrap(), answer["ms"].as_u64().unwrap());
    eprintln!("| {variant} | {outcome} | {ms} ms |");
    assert_eq!(outcome, expected, "{variant}: {answer}");
}

#[test]
fn an_account_is_stored_loaded_replaced_listed_and_deleted() {
    let rig = need!(Rig::unlocked());
    let (key, later, refresh) = (rig.sandbox.key(), rig.sandbox.key(), rig.sandbox.key());
    let mut probe = rig.probe(&[]);
    row("load, nothing there", &probe.ask(&load("work")), "NotKept");
    let mut whole = store("work", &key);
    (whole["refresh"], whole["note"]) = (json!(refresh), json!("TEST organisation"));
    row("store", &probe.ask(&whole), "done");
    let loaded = probe.ask(&load("work"));
    row("load", &loaded, "done");
    assert_eq!(loaded["note"], "TEST organisation");
    assert_eq!(loaded["secrets"]["refresh"], crate::probe::fingerprint(refresh.as_bytes()));
    probe.assert_kept("work", &key);
    row("store, in place of another", &probe.ask(&store("work", &later)), "done");
    probe.assert_kept("work", &later);
    probe.store("me@example.org", &key);
    let listed = probe.ask(&list());
    row("list", &listed, "done");
    assert_eq!((&listed["accounts"], &listed["hidden"]), (&json!(["me@example.org", "work"]), &json!(0)));
    let deleted = probe.ask(&delete("work"));
    row("delete", &deleted, "done");
    assert_eq!(deleted["existed"], true);
    assert_eq!(probe.ask(&delete("work"))["existed"], false);
    row("load, deleted", &probe.ask(&load("work")), "NotKept");
    assert_eq!(rig.bus.lookup(&rig.sandbox, "claudectl", "work").code, 1);
    rig.sandbox.assert_clean(&[probe.program.pid()]);
}

#[test]
fn any_process_of_the_user_reads_a_kept_credential_while_the_keyring_is_unlocked() {
    let rig = need!(Rig::unlocked());
    let key = rig.sandbox.key();
    let mut probe = rig.probe(&[]);
    let before = || rig.bus.lookup(&rig.sandbox, "claudectl", "work").stdout;
    assert_eq!(before(), "");
    probe.store("work", &key);
    assert!(rig.bus.lookup(&rig.sandbox, "claudectl", "work").stdout.contains(&key));
    // On the disk it is encrypted.
    rig.sandbox.assert_clean(&[probe.program.pid()]);
}

#[test]
fn without_a_bus_or_a_service_there_is_no_keyring() {
    let mut rig = need!(Rig::new());
    let key = rig.sandbox.key();
    let mut probe = rig.probe(&[]);
    for command in [store("work", &key), asking(store("work", &key)), load("work"), delete("work"), list()] {
        row("no service", &probe.ask(&command), "Absent");
    }
    rig.sandbox.unset("DBUS_SESSION_BUS_ADDRESS");
    row("no bus named", &rig.probe(&[]).ask(&load("work")), "Absent");
    rig.sandbox.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    row("no bus there", &rig.probe(&[]).ask(&load("work")), "Absent");
}

fn locked() -> Result<(Rig, Probe), claudectl_tests::require::Missing> {
    let rig = Rig::unlocked()?;
    let key = rig.sandbox.key();
    let mut probe = rig.probe(&[("PROBE_PERSON_MS", 1500)]);
    probe.store("work", &key);
    rig.bus.lock();
    Ok((rig, probe))
}

#[test]
fn a_locked_keyring_bothers_nobody_unless_told_to() {
    let (rig, mut probe) = need!(locked());
    let key = rig.sandbox.key();
    for command in [store("work", &key), load("work"), delete("work")] {
        let refused = probe.ask(&command);
        row(&format!("{}, locked", command["do"]), &refused, "Locked");
        assert_eq!(refused["asked"], false);
    }
    let listed = probe.ask(&list());
    row("list, locked", &listed, "done");
    assert_eq!(listed["accounts"], json!(["work"]), "locked in this run, so the names are known: {listed}");
    let deleted = probe.ask(&delete("other"));
    row("delete of what is not there, locked", &deleted, "done");
    assert_eq!(deleted["existed"], false);
}

#[test]
fn a_keyring_that_was_never_unlocked_tells_how_many_entries_it_has() {
    let mut rig = need!(Rig::unlocked());
    let key = rig.sandbox.key();
    rig.probe(&[]).store("work", &key);
    rig.bus.signal(Signal::SIGKILL);
    rig.bus.start_keyring(&rig.sandbox, false);
    let mut probe = rig.probe(&[]);
    let listed = probe.ask(&list());
    row("list, never unlocked", &listed, "done");
    assert_eq!((&listed["accounts"], &listed["hidden"]), (&json!([]), &json!(1)), "{listed}");
    row("load, never unlocked", &probe.ask(&load("work")), "Locked");
}

#[test]
fn without_a_display_the_prompt_is_over_at_once() {
    let (rig, mut probe) = need!(locked());
    let key = rig.sandbox.key();
    for command in [load("work"), store("work", &key), delete("work")] {
        let refused = probe.ask(&asking(command.clone()));
        row(&format!("{}, locked, asks, no display", command["do"]), &refused, "PromptDismissed");
        assert_eq!(refused["asked"], true);
    }
}

#[test]
fn a_prompt_that_nobody_answers_ends() {
    let (rig, mut probe) = need!(locked());
    rig.bus.ask_nobody();
    let refused = probe.ask(&asking(load("work")));
    row("load, locked, asks, nobody answers (1.5 s)", &refused, "PromptUnanswered");
    let ms = refused["ms"].as_u64().unwrap();
    assert!((1400..4000).contains(&ms) && refused["asked"] == true, "{refused}");
    // The prompt is gone: what needs none works.
    row("list, after that", &probe.ask(&list()), "done");
}

#[test]
fn a_service_that_hangs_is_given_up_and_works_again_later() {
    let rig = need!(Rig::unlocked());
    let (key, later) = (rig.sandbox.key(), rig.sandbox.key());
    let mut probe = rig.probe(&[("PROBE_ANSWER_MS", 1000)]);
    probe.store("work", &key);
    rig.bus.signal(Signal::SIGSTOP);
    for command in [load("work"), store("work", &later), delete("work"), list()] {
        let given_up = probe.ask(&command);
        row(&format!("{}, stopped (1 s)", command["do"]), &given_up, "TimedOut");
        assert!((900..3000).contains(&given_up["ms"].as_u64().unwrap()), "{given_up}");
    }
    rig.bus.signal(Signal::SIGCONT);
    probe.assert_kept("work", &key);
}

#[test]
fn a_service_that_dies_in_the_middle_of_a_call_is_noticed_at_once() {
    let mut rig = need!(Rig::unlocked());
    let key = rig.sandbox.key();
    let mut probe = rig.probe(&[]);
    probe.store("work", &key);
    rig.bus.signal(Signal::SIGSTOP);
    probe.send(&load("work"));
    rig.bus.signal(Signal::SIGKILL);
    let broken = probe.answer();
    eprintln!("| load, killed | {} | {} ms |", broken["outcome"], broken["ms"]);
    // Depending on whether the call was on its way already.
    assert!(broken["outcome"] == "Broken" || broken["outcome"] == "Absent", "{broken}");
    assert!(broken["ms"].as_u64().unwrap() < 3000, "{broken}");
    rig.bus.start_keyring(&rig.sandbox, true);
    probe.assert_kept("work", &key);
}

#[test]
fn what_another_program_put_there_is_refused_by_name_and_deleted_by_logout() {
    let rig = need!(Rig::unlocked());
    let key = rig.sandbox.key();
    let mut probe = rig.probe(&[]);
    let ours = ["service", "claudectl", "username", "work"];
    rig.bus.store(&rig.sandbox, &ours, "hunter2");
    row("load, not a record", &probe.ask(&load("work")), "Damaged");
    rig.bus.store(&rig.sandbox, &[&ours[..], &["target", "default"]].concat(), "hunter2");
    row("load, two entries", &probe.ask(&load("work")), "Broken");
    row("store, two entries", &probe.ask(&store("work", &key)), "done");
    probe.assert_kept("work", &key);
    rig.bus.store(&rig.sandbox, &[&ours[..], &["target", "default"]].concat(), "hunter2");
    row("delete, two entries", &probe.ask(&delete("work")), "done");
    row("load, deleted", &probe.ask(&load("work")), "NotKept");
    probe.store("home", &key);
    let moved = rig.bus.lookup(&rig.sandbox, "claudectl", "home").stdout;
    rig.bus.store(&rig.sandbox, &ours, &moved);
    row("load, the entry of another account", &probe.ask(&load("work")), "OtherAccount");
}
