//! From the signal to the wipe and to the first refusal nobody is waited for, whoever is stuck.

use std::time::Duration;

use claudectl_tests::{
    authority::{FakeAuthority, Reply as Says},
    desktop::{Locker, VENDORS, sightings, status_until},
    keyring::PrivateBus,
    need,
    program::Program,
    sandbox::Sandbox,
    session::{Session, message},
    upstream::{FakeUpstream, Reply},
};
use nix::sys::signal::Signal;

use super::is_watched;

/// The shortest time after which somebody who is stuck is given up.
const GIVEN_UP: Duration = Duration::from_secs(3);

/// Signs in with a short code at a server that will not answer a revocation.
fn sign_in(sandbox: &Sandbox, authority: &FakeAuthority) {
    let mut command = sandbox.command("claudectl");
    command.args(["login", "oauth", "--via", "acme", "--device"]);
    let login = sandbox.start(command);
    login.wait_for_error("WDJB-0000");
    authority.approve("WDJB-0000");
    login.finish().exited(0);
    authority.next("/revoke", [Says::Hang, Says::Hang, Says::Hang, Says::Hang]);
}

/// Keeps two accounts: `work` is sealed by a lock, `gone` is logged out and deleted from the keyring.
fn keep(sandbox: &Sandbox, upstream: &FakeUpstream) {
    for account in ["work", "gone"] {
        let key = sandbox.key();
        upstream.accept(&key);
        let url = upstream.url();
        sandbox.ctl_with(&["login", account, "--keep", "--upstream", &url], key.as_bytes()).exited(0);
    }
}

/// Follows the status, and stops to read it.
fn stopped_follower(sandbox: &Sandbox) -> Program {
    let mut command = sandbox.command("claudectl");
    command.args(["status", "--watch", "--json"]);
    let mut follower = sandbox.start(command);
    follower.line();
    follower.signal(Signal::SIGSTOP);
    follower
}

/// A stream of a session that does not read it.
fn stalled_stream(sandbox: &Sandbox, upstream: &FakeUpstream) -> Session {
    let mut session = Session::open(sandbox, &["--account", "oauth"]);
    upstream.next([Reply::bytes(50_000_000)]);
    let mut download = message("open");
    download["peek"] = false.into();
    assert_eq!(session.ask(&download)["status"], 200);
    session
}

#[test]
fn a_lock_waits_for_no_server_no_keyring_no_reader_and_no_notification() {
    let mut sandbox = Sandbox::new();
    let mut bus = need!(PrivateBus::start(&mut sandbox));
    bus.start_keyring(&sandbox, true);
    let (authority, upstream) = (FakeAuthority::plain(), FakeUpstream::plain([]));
    upstream.accept_everything();
    let server = authority.configuration("acme", &upstream.url());
    sandbox.configure(&format!("{server}\n[account.gone]\nscreen_lock = \"purge\"\n"));
    sign_in(&sandbox, &authority);
    keep(&sandbox, &upstream);
    let locker = Locker::start(bus.bus(), VENDORS[2]);
    status_until(&sandbox, is_watched);
    let [mut oauth, mut work, mut gone] =
        ["oauth", "work", "gone"].map(|name| Session::open(&sandbox, &["--account", name]));
    let mut stalled = stalled_stream(&sandbox, &upstream);
    let follower = stopped_follower(&sandbox);
    let _silent = bus.bus().take("org.freedesktop.Notifications");
    bus.signal(Signal::SIGSTOP);

    locker.lock(true);
    let status = status_until(&sandbox, |status| sightings(status, "screen-locked") == 1);
    let asked = upstream.messages().len();
    for refused in [oauth.message(), gone.message()] {
        assert_eq!(refused["status"], 401, "{refused}");
        assert!(refused["body"].as_str().unwrap().contains("because the screen was locked"), "{refused}");
    }
    work.begin(&message("request"));
    let accounts: Vec<_> = status["accounts"].as_array().unwrap().iter().collect();
    assert_eq!(accounts.len(), 1, "{status}");
    assert_eq!((&accounts[0]["name"], &accounts[0]["state"]), (&"work".into(), &"sealed".into()));
    let took = Duration::from_micros(status["sightings"][0]["took_microseconds"].as_u64().unwrap());
    assert!(took < GIVEN_UP, "somebody was waited for: {took:?}");
    authority.wait_for(1, "POST /revoke");
    assert!(stalled.drain()["end"].as_str().unwrap().starts_with("cut"));
    assert_eq!(upstream.messages().len(), asked, "a request went out behind a locked screen");

    bus.signal(Signal::SIGCONT);
    follower.signal(Signal::SIGCONT);
    locker.lock(false);
    assert_eq!(work.answer()["status"], 200);
}
