//! Kept accounts, with a real gnome-keyring on a bus of the test's own.

mod asleep;
mod away;
mod daemonless;
mod lifetime;

use claudectl_tests::{
    desktop::{Bus, Logind, status_until},
    json,
    keyring::PrivateBus,
    memory, need,
    require::{self, Missing},
    sandbox::Sandbox,
    session::{Session, message},
    upstream::FakeUpstream,
};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;

/// A sandbox with a keyring, and an upstream that accepts its key.
struct Place {
    sandbox: Sandbox,
    bus: PrivateBus,
    key: String,
    upstream: FakeUpstream,
}

impl Place {
    fn new() -> Result<Self, Missing> {
        let mut sandbox = Sandbox::new();
        let mut bus = PrivateBus::start(&mut sandbox)?;
        bus.start_keyring(&sandbox, true);
        let key = sandbox.key();
        let upstream = FakeUpstream::plain([key.as_str()]);
        Ok(Self { sandbox, bus, key, upstream })
    }

    /// With the account `work` logged in and kept.
    fn kept() -> Result<Self, Missing> {
        let place = Self::new()?;
        let told = place.log_in(&["--keep"]).exited(0).stdout;
        assert!(told.contains("Any process of yours can read it there"), "{told}");
        assert_eq!(place.account()["kept"], true);
        Ok(place)
    }

    fn log_in(&self, more: &[&str]) -> claudectl_tests::program::Output {
        let url = self.upstream.url();
        let login = [&["login", "work", "--upstream", &url], more].concat();
        self.sandbox.ctl_with(&login, self.key.as_bytes())
    }

    fn account(&self) -> Value {
        let status = self.sandbox.ctl(&["status", "--json"]).exited(0).json();
        json::by(&status["accounts"], "name", "work").clone()
    }

    /// Ends the daemon, as a restart of the machine does.
    fn stop(&self) {
        let daemon = self.sandbox.daemon_pid().expect("a daemon");
        kill(nix::unistd::Pid::from_raw(daemon.cast_signed()), Signal::SIGTERM).unwrap();
        claudectl_tests::wait::process_exit(daemon);
    }

    /// Returns when whatever the keyring was asked before is done: it does one thing after the other.
    fn keyring_is_done(&self) {
        let url = self.upstream.url();
        let login = ["login", "other", "--keep", "--upstream", &url];
        self.sandbox.ctl_with(&login, self.key.as_bytes()).exited(0);
        self.sandbox.ctl(&["logout", "other"]).exited(0);
    }

    /// What any other program of the user reads.
    fn others_read(&self) -> String {
        self.bus.lookup(&self.sandbox, "claudectl", "work").stdout
    }

    /// Copies of the key in the memory of the daemon; 0 where the test may not look.
    #[track_caller]
    fn copies(&self) -> usize {
        if require::root().is_err() {
            return 0;
        }
        let daemon = self.sandbox.daemon_pid().expect("a daemon");
        memory::look(daemon, &self.sandbox.search()).unwrap().hits.len()
    }
}

#[test]
fn sealed_it_is_nowhere_but_in_the_keyring_and_a_session_goes_on_after_the_unseal() {
    let place = need!(Place::kept());
    assert!(place.others_read().contains(&place.key), "this is what --keep warns of");
    let mut session = Session::open(&place.sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    assert!(place.copies() <= 1, "{}", place.copies());

    place.sandbox.ctl(&["seal", "work"]).exited(0);
    assert_eq!(place.account()["state"], "sealed");
    assert_eq!(place.copies(), 0, "sealed");
    place.sandbox.ctl(&["status", "--check"]).exited(4);
    session.begin(&message("request"));
    place.sandbox.ctl(&["unseal", "work"]).exited(0);
    assert_eq!(session.answer()["status"], 200, "the request waited");
    assert!(place.copies() <= 1, "{}", place.copies());

    let receipt = place.sandbox.ctl(&["logout", "work", "--json"]).exited(0).json();
    let keyring = json::by(&receipt["items"], "where", "the OS keyring");
    assert_eq!((&keyring["action"], &keyring["outcome"]), (&"deleted".into(), &"proven".into()), "{receipt}");
    assert_eq!(place.others_read(), "");
    assert_eq!(place.copies(), 0, "logged out");
    assert_eq!(session.message()["status"], 401);
    place.sandbox.assert_clean(&[session.pid()]);
}

/// What is not in memory is not compared, and nobody guesses.
#[test]
fn a_copy_of_a_sealed_accounts_key_is_not_called_its_own() {
    let place = need!(Place::kept());
    let settings = place.sandbox.home().join(".claude/settings.json");
    std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
    std::fs::write(&settings, format!("{{\"env\":{{\"ANTHROPIC_API_KEY\":\"{}\"}}}}", place.key)).unwrap();
    let audit = || place.sandbox.ctl(&["audit", "--files-only", "--json"]).exited(1).json();
    let told = |audit: &Value| json::by(&audit["findings"], "place", "claude.settings")["account"].clone();
    place.sandbox.ctl(&["seal", "work"]).exited(0);
    let sealed = audit();
    assert_eq!((told(&sealed), &sealed["accounts"]["unknown"]), (Value::Null, &serde_json::json!(["work"])));
    let text = place.sandbox.ctl(&["audit", "--files-only"]).exited(1).stdout;
    assert!(text.contains("Whether it is account work is not known"), "{text}");
    place.sandbox.ctl(&["unseal", "work"]).exited(0);
    assert_eq!(told(&audit()), "work");
}

#[test]
fn after_a_kill_it_is_there_sealed_and_can_be_unsealed() {
    let place = need!(Place::kept());
    let daemon = place.sandbox.daemon_pid().unwrap();
    kill(nix::unistd::Pid::from_raw(daemon.cast_signed()), Signal::SIGKILL).unwrap();
    claudectl_tests::wait::process_exit(daemon);
    place.sandbox.ctl(&["unseal", "work"]).exited(0);
    assert_eq!((&place.account()["state"], &place.account()["kept"]), (&"held".into(), &true.into()));
    let mut session = Session::open(&place.sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    place.sandbox.ctl(&["logout", "--all"]).exited(0);
    assert_eq!(place.others_read(), "");
}

#[test]
fn with_a_locked_keyring_each_command_says_so_and_nothing_hangs() {
    let place = need!(Place::kept());
    place.sandbox.ctl(&["seal", "--all"]).exited(0);
    place.bus.lock();
    let refused = place.sandbox.ctl(&["unseal", "work"]);
    assert!(refused.code != 0 && refused.stderr.contains("keyring stays locked"), "{refused:?}");
    assert!(refused.stderr.contains("unlock the keyring"), "with a hint: {refused:?}");
    assert_eq!(place.account()["state"], "sealed");
    // It goes from here, and the receipt does not pretend that it went from there.
    let receipt = place.sandbox.ctl(&["logout", "work", "--json"]).exited(6).json();
    let keyring = json::by(&receipt["items"], "where", "the OS keyring");
    assert_eq!((&receipt["proven"], &keyring["outcome"]), (&false.into(), &"unproven".into()), "{receipt}");
}

#[test]
fn a_keyring_that_hangs_or_is_gone_holds_nobody_up() {
    let place = need!(Place::kept());
    place.sandbox.ctl(&["seal", "--all"]).exited(0);
    place.bus.signal(Signal::SIGSTOP);
    #[allow(clippy::disallowed_methods, reason = "a test measures")]
    let began = std::time::Instant::now();
    let refused = place.sandbox.ctl(&["unseal", "work"]);
    assert!(refused.code != 0 && refused.stderr.contains("did not answer within 5 seconds"), "{refused:?}");
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    // Others are answered meanwhile, and the daemon stops when it is told to.
    place.sandbox.ctl(&["status"]).exited(0);
    place.bus.signal(Signal::SIGCONT);
    place.sandbox.ctl(&["unseal", "work"]).exited(0);
    place.bus.signal(Signal::SIGKILL);
    let receipt = place.sandbox.ctl(&["logout", "work", "--json"]).exited(6).json();
    assert_eq!(json::by(&receipt["items"], "where", "the OS keyring")["outcome"], "unproven", "{receipt}");
    assert_eq!(place.copies(), 0, "what is here goes in every case");
}

#[test]
fn a_daemon_that_waits_for_the_keyring_stops_at_once() {
    let place = need!(Place::kept());
    place.sandbox.ctl(&["seal", "--all"]).exited(0);
    place.bus.signal(Signal::SIGSTOP);
    let mut command = place.sandbox.command("claudectl");
    command.args(["unseal", "work"]);
    let unsealing = place.sandbox.start(command);
    let daemon = place.sandbox.daemon_pid().unwrap();
    kill(nix::unistd::Pid::from_raw(daemon.cast_signed()), Signal::SIGTERM).unwrap();
    assert!(claudectl_tests::wait::exits_within(daemon, std::time::Duration::from_secs(2)));
    assert_ne!(unsealing.finish().code, 0);
}

#[test]
fn an_account_that_is_not_kept_has_no_entry_and_is_not_sealed() {
    let place = need!(Place::new());
    place.log_in(&[]).exited(0);
    assert_eq!((place.others_read().as_str(), &place.account()["kept"]), ("", &false.into()));
    let refused = place.sandbox.ctl(&["seal", "work"]);
    assert!(refused.code != 0 && refused.stderr.contains("not kept"), "{refused:?}");
    assert_eq!(place.account()["state"], "held");
}

#[test]
fn without_a_keyring_keep_is_refused_by_name() {
    let mut sandbox = Sandbox::new();
    let bus = need!(PrivateBus::start(&mut sandbox));
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let place = Place { sandbox, bus, key, upstream };
    let refused = place.log_in(&["--keep"]);
    assert!(refused.code != 0 && refused.stderr.contains("no keyring service"), "{refused:?}");
    assert!(refused.stderr.contains("without --keep"), "with a hint: {refused:?}");
    place.log_in(&[]).exited(0);
}

#[test]
fn a_lock_seals_and_an_unlock_thaws_and_nobody_types_anything() {
    let mut place = need!(Place::new());
    let bus = need!(Bus::start(&mut place.sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
    let logind = Logind::start(&bus);
    place.log_in(&["--keep"]).exited(0);
    drop(logind.delay());
    status_until(&place.sandbox, |status| status["desktop_watched"] == true);
    let mut session = Session::open(&place.sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    logind.hint("_31", true);
    status_until(&place.sandbox, |status| status["accounts"][0]["state"] == "sealed");
    assert_eq!(place.copies(), 0);
    session.begin(&message("request"));
    logind.hint("_31", false);
    assert_eq!(session.answer()["status"], 200);
    assert_eq!(place.account()["state"], "held");
}

#[test]
fn a_daemon_that_was_stopped_finds_what_is_kept() {
    let place = need!(Place::kept());
    place.stop();
    let record = place.sandbox.ctl(&["log"]).exited(0).stdout;
    assert!(record.contains("work because claudectld stopped"), "{record}");
    assert!(record.contains("sealed") && !record.contains("logged-out"), "{record}");
    place.sandbox.ctl(&["unseal", "work"]).exited(0);
    assert_eq!(Session::open(&place.sandbox, &[]).message()["status"], 200);
}

/// The record tells what is gone from what is only asleep.
#[test]
fn a_daemon_that_stops_logs_out_what_only_it_had_and_seals_what_is_kept() {
    let place = need!(Place::kept());
    let login = ["login", "spare", "--upstream", &place.upstream.url()];
    place.sandbox.ctl_with(&login, place.key.as_bytes()).exited(0);
    place.stop();
    // The next one finds it sealed, and leaves it so.
    let daemon = place.sandbox.daemon();
    daemon.signal(Signal::SIGTERM);
    daemon.finish().exited(0);
    let log = place.sandbox.ctl(&["log", "--json", "--lines", "0"]).exited(0).json();
    let entries = log["entries"].as_array().unwrap().iter();
    let gone = entries.filter(|entry| entry["event"] == "sealed" || entry["event"] == "logged-out");
    let told: Vec<_> =
        gone.map(|entry| ["event", "account", "why"].map(|field| entry[field].as_str().unwrap())).collect();
    let why = "because claudectld stopped";
    assert_eq!(told, [["logged-out", "spare", why], ["sealed", "work", why]], "{log}");
}
