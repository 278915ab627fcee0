//! Not only a lock: whatever event purges accounts.

use claudectl_tests::{
    desktop::{Bus, Logind, status_until},
    isolation::private_processes,
    need, require,
    sandbox::Sandbox,
    upstream::FakeUpstream,
};
use nix::sys::signal::Signal;
use serde_json::Value;

use super::{StuckClient, is_over, kill_removals, read, recorded, seed, seed_login};

/// Something that logind tells.
struct Telling {
    /// The key of `[policy]`.
    trigger: &'static str,
    /// Why what happens, happens.
    why: &'static str,
    tell: fn(&Logind),
    /// What the machine waits for us with.
    delay: &'static str,
}

const EVENTS: [Telling; 3] = [
    Telling {
        trigger: "suspend",
        why: "because the machine went to sleep",
        tell: |logind| logind.prepare_for_sleep(true),
        delay: "sleep",
    },
    Telling {
        trigger: "desktop_end",
        why: "because the machine was shut down",
        tell: Logind::prepare_for_shutdown,
        delay: "shutdown",
    },
    Telling {
        trigger: "desktop_end",
        why: "because the last desktop session ended",
        tell: |logind| logind.remove_session("_31"),
        delay: "sleep",
    },
];

impl Telling {
    /// A logind that will tell, and a configuration by which `purging` purges.
    fn place(&self, purging: &str) -> Result<(Sandbox, Bus, Logind), require::Missing> {
        let mut sandbox = Sandbox::new();
        // What is not said purges at the end of the desktop only.
        let rest = if purging == "desktop_end" { "" } else { "desktop_end = \"seal\"\n" };
        sandbox.configure(&format!("[policy]\nfootprints = true\n{purging} = \"purge\"\n{rest}"));
        let bus = Bus::start(&mut sandbox, "DBUS_SYSTEM_BUS_ADDRESS")?;
        let logind = Logind::giving_delays_of(&bus, self.delay);
        Ok((sandbox, bus, logind))
    }
}

/// An account of the daemon's, which hears logind.
fn log_in(sandbox: &Sandbox) -> FakeUpstream {
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    status_until(sandbox, |status| status["desktop_watched"] == true);
    upstream
}

#[test]
fn a_sleep_a_shutdown_and_the_end_of_the_last_session_remove_them_too() {
    if !need!(private_processes(
        "footprints::events::a_sleep_a_shutdown_and_the_end_of_the_last_session_remove_them_too"
    )) {
        return;
    }
    for event in EVENTS {
        let (sandbox, _bus, logind) = need!(event.place(event.trigger));
        let profile = seed(&sandbox, ".bashrc", "A=1\nexport ANTHROPIC_API_KEY=@@\n");
        let _upstream = log_in(&sandbox);
        let delay = logind.delay();
        (event.tell)(&logind);
        let status = status_until(&sandbox, is_over);
        assert_eq!(status["logged_in"], false, "{status}");
        let done = &status["footprints"];
        assert_eq!(
            (&done["removed"], &done["left"], &done["why"]),
            (&1.into(), &0.into(), &event.why.into()),
            "{status}"
        );
        assert_eq!(read(&profile), "A=1\n");
        let recorded = recorded(&sandbox);
        assert_eq!((recorded.len(), &recorded[0]["why"]), (1, &event.why.into()), "{recorded:?}");
        drop(delay);
        sandbox.assert_clean(&[]);
    }
}

#[test]
fn an_event_that_does_not_purge_removes_nothing_whatever_another_one_does() {
    if !need!(private_processes(
        "footprints::events::an_event_that_does_not_purge_removes_nothing_whatever_another_one_does"
    )) {
        return;
    }
    for event in EVENTS {
        let (sandbox, _bus, logind) = need!(event.place("screen_lock"));
        let profile = seed(&sandbox, ".bashrc", "export ANTHROPIC_API_KEY=@@\n");
        let before = read(&profile);
        let _upstream = log_in(&sandbox);
        let _delay = logind.delay();
        (event.tell)(&logind);
        // The account is not kept: it goes in every case.
        let status = status_until(&sandbox, |status| status["logged_in"] == false);
        let footprints = &status["footprints"];
        assert_eq!((&footprints["running"], &footprints["at"]), (&false.into(), &Value::Null), "{status}");
        assert_eq!(read(&profile), before, "{}", event.why);
    }
}

/// The machine waits until the next daemon would know, but not for the removal itself.
#[test]
fn what_a_machine_that_stops_cuts_short_is_done_by_the_next_daemon() {
    if !need!(private_processes(
        "footprints::events::what_a_machine_that_stops_cuts_short_is_done_by_the_next_daemon"
    )) {
        return;
    }
    for event in &EVENTS[..2] {
        let (mut sandbox, _bus, logind) = need!(event.place(event.trigger));
        let client = StuckClient::in_path(&mut sandbox);
        let profile = seed(&sandbox, ".bashrc", "export ANTHROPIC_API_KEY=@@\n");
        let login = seed_login(&sandbox);
        let mut daemon = sandbox.daemon();
        let _upstream = log_in(&sandbox);
        let delay = logind.delay();
        (event.tell)(&logind);
        assert!(Logind::is_let_go(&delay), "the machine waits for more than the wipe");
        // The removal is a program of its own by now, which is found by its name.
        client.wait();
        daemon.signal(Signal::SIGKILL);
        daemon.wait();
        kill_removals(&sandbox);
        let owed = sandbox.home().join(".local/state/claudectl/footprints.owed");
        assert!(owed.exists(), "nobody would know, {}", event.why);
        assert!(login.exists() && read(&profile).contains("ANTHROPIC_API_KEY"), "it was killed too late");

        client.log_out(&login);
        let _daemon = sandbox.daemon();
        let status = status_until(&sandbox, is_over);
        let done = &status["footprints"];
        assert_eq!((&done["why"], &done["left"]), (&"because it was interrupted before".into(), &0.into()));
        assert_eq!(read(&profile), "", "{status}");
        assert!(!login.exists() && !owed.exists());
    }
}
