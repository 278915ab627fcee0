//! T13: `kill -9` wherever a login, a refresh or a logout can be: no file has a credential, the next daemon
//! brings nothing back that was not kept, and a rotation that was lost ends in a login, never in a loop.

use claudectl_tests::{
    authority::{FakeAuthority, Reply},
    desktop::status_until,
    keyring::PrivateBus,
    need,
    program::Program,
    require::Missing,
    sandbox::Sandbox,
    upstream::FakeUpstream,
    wait,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

struct Place {
    sandbox: Sandbox,
    server: FakeAuthority,
    bus: PrivateBus,
    _upstream: FakeUpstream,
}

/// A server, an upstream that takes what it issues, and an unlocked keyring.
fn place() -> Result<Place, Missing> {
    let mut sandbox = Sandbox::new();
    let mut bus = PrivateBus::start(&mut sandbox)?;
    bus.start_keyring(&sandbox, true);
    let (server, upstream) = (FakeAuthority::plain(), FakeUpstream::plain([]));
    upstream.accept_everything();
    sandbox.configure(&server.configuration("acme", &upstream.url()));
    Ok(Place { sandbox, server, bus, _upstream: upstream })
}

impl Place {
    fn start(&self, arguments: &[&str]) -> Program {
        let mut command = self.sandbox.command("claudectl");
        command.args(arguments);
        self.sandbox.start(command)
    }

    /// A login that waits for the person, and the code that the person is to type.
    fn login(&self, more: &[&str]) -> (Program, String) {
        let login = self.start(&[&["login", "work", "--via", "acme", "--device"], more].concat());
        login.wait_for_error("─┘");
        let told = login.stderr();
        let code = told.lines().find_map(|line| line.strip_prefix("  │   ")).unwrap();
        (login, code.trim_end_matches('│').trim().to_owned())
    }

    fn log_in(&self, more: &[&str]) {
        let (login, code) = self.login(more);
        self.server.approve(&code);
        login.finish().exited(0);
    }

    /// The daemon dies, the program that waits for it gives up, and nothing readable is left.
    fn killed(&self, waiting: Option<Program>) {
        let pid = self.sandbox.daemon_pid().expect("a daemon");
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
        wait::process_exit(pid);
        if let Some(program) = waiting {
            assert_ne!(program.finish().code, 0, "a command that was cut off said that it was done");
        }
        // What the keyring was told before it stood still is in its own hands.
        self.bus.signal(Signal::SIGCONT);
        self.server.secrets().iter().for_each(|secret| self.sandbox.look_for(secret));
        self.sandbox.assert_clean(&[]);
    }

    /// What the next daemon knows.
    fn afterwards(&self) -> Value {
        self.sandbox.ctl(&["unseal", "--all", "--json"]);
        self.sandbox.ctl(&["status", "--json"]).exited(0).json()["accounts"].clone()
    }
}

fn nothing() -> Value {
    Value::Array(Vec::new())
}

#[test]
fn a_login_that_waits_for_the_person() {
    let place = need!(place());
    let (login, _) = place.login(&[]);
    place.killed(Some(login));
    assert_eq!(place.afterwards(), nothing());
}

#[test]
fn a_login_that_waits_for_its_tokens() {
    let place = need!(place());
    let (login, code) = place.login(&[]);
    place.server.next("/token", [Reply::Hang]);
    place.server.approve(&code);
    place.server.wait_for(1, "POST /token");
    place.killed(Some(login));
    assert_eq!(place.afterwards(), nothing());
}

#[test]
fn a_login_whose_tokens_are_on_their_way_into_the_keyring() {
    let place = need!(place());
    let (login, code) = place.login(&["--keep"]);
    place.bus.signal(Signal::SIGSTOP);
    place.server.approve(&code);
    place.server.wait_for_tokens(1);
    place.killed(Some(login));
    // The keyring may have taken it after all: the next daemon knows of it, and a logout takes it away.
    place.sandbox.ctl(&["unseal", "--all"]);
    let logout = place.sandbox.ctl(&["logout", "--all"]);
    assert!([0, 6].contains(&logout.code), "{logout:?}");
    assert_eq!(place.bus.lookup(&place.sandbox, "claudectl", "work").stdout, "");
    assert_eq!(place.afterwards(), nothing());
}

#[test]
fn a_refresh_that_waits_for_the_server() {
    let place = need!(place());
    place.server.behave(|behaviour| behaviour.lifetime = 1);
    place.log_in(&[]);
    let before = place.server.calls_to("POST /token").len();
    place.server.next("/token", [Reply::Hang]);
    place.server.wait_for(before + 1, "POST /token");
    place.killed(None);
    assert_eq!(place.afterwards(), nothing());
}

#[test]
fn a_refresh_whose_rotated_tokens_did_not_reach_the_keyring_ends_in_a_login() {
    let place = need!(place());
    place.server.behave(|behaviour| behaviour.lifetime = 2);
    place.log_in(&["--keep"]);
    place.bus.signal(Signal::SIGSTOP);
    place.server.wait_for_tokens(2);
    place.killed(None);
    let asked = place.server.calls_to("POST /token").len();
    place.sandbox.ctl(&["unseal", "work"]).exited(0);
    let status = status_until(&place.sandbox, |status| status["accounts"][0]["state"] == "login-needed");
    let why = status["accounts"][0]["why"].as_str().unwrap();
    assert!(why.contains("invalid_grant"), "{why}");
    assert_eq!(place.server.calls_to("POST /token").len(), asked + 1, "it asked more than once");
    place.sandbox.ctl(&["run", "--", "true"]).exited(5);
    // A login puts it right.
    place.server.behave(|behaviour| behaviour.lifetime = 3600);
    place.log_in(&["--keep"]);
    place.sandbox.ctl(&["run", "--", "true"]).exited(0);
}

#[test]
fn a_logout_that_waits_for_the_revocation() {
    let place = need!(place());
    place.log_in(&[]);
    place.server.next("/revoke", [Reply::Hang]);
    let logout = place.start(&["logout"]);
    place.server.wait_for(1, "POST /revoke");
    place.killed(Some(logout));
    assert_eq!(place.afterwards(), nothing());
}

#[test]
fn a_logout_that_waits_for_the_keyring_can_be_made_again() {
    let place = need!(place());
    place.log_in(&["--keep"]);
    place.bus.signal(Signal::SIGSTOP);
    let logout = place.start(&["logout"]);
    status_until(&place.sandbox, |status| status["accounts"] == nothing());
    place.killed(Some(logout));
    // It is still kept, and says so; the second logout reads its tokens, revokes them and deletes the entry.
    let receipt = {
        place.sandbox.ctl(&["unseal", "--all"]);
        place.sandbox.ctl(&["logout", "--all", "--json"]).exited(0).json()
    };
    assert_eq!(receipt["proven"], true, "{receipt}");
    assert_eq!(place.bus.lookup(&place.sandbox, "claudectl", "work").stdout, "");
    assert_eq!(place.afterwards(), nothing());
}
