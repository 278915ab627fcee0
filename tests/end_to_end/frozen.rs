//! What a sealed account's sessions see, and what is left of it in a real gnome-keyring after a logout.

use claudectl_tests::{
    keyring::PrivateBus,
    need,
    require::Missing,
    sandbox::Sandbox,
    session::Session,
    upstream::{FakeUpstream, Reply},
};

struct World {
    sandbox: Sandbox,
    bus: PrivateBus,
    upstream: FakeUpstream,
    key: String,
}

/// A keyring that is unlocked, as after a login at the desktop; and an account that it keeps.
fn world() -> Result<World, Missing> {
    let mut sandbox = Sandbox::new();
    let mut bus = PrivateBus::start(&mut sandbox)?;
    bus.start_keyring(&sandbox, true);
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let world = World { sandbox, bus, upstream, key };
    let login = world.log_in("work", &["--keep"]);
    assert!(login.contains("Any process of yours can read it"), "{login}");
    Ok(world)
}

impl World {
    fn log_in(&self, account: &str, arguments: &[&str]) -> String {
        let upstream = self.upstream.url();
        let arguments = [&["login", account, "--upstream", upstream.as_str()], arguments].concat();
        self.sandbox.ctl_with(&arguments, self.key.as_bytes()).exited(0).stdout
    }

    fn kept(&self) -> String {
        self.bus.lookup(&self.sandbox, "claudectl", "work").stdout
    }
}

#[test]
fn a_stream_stands_still_while_its_account_is_sealed_and_goes_on_after_it() {
    let world = need!(world());
    let mut session = Session::open(&world.sandbox, &[]);
    world.upstream.next([Reply::held()]);
    assert_eq!(session.open_stream()["status"], 200);
    world.sandbox.ctl(&["seal", "work"]).exited(0);
    world.upstream.release();
    world.sandbox.ctl(&["unseal", "work"]).exited(0);
    let end = session.drain();
    assert!(!end["end"].as_str().unwrap().starts_with("cut"), "{end}");
}

#[test]
fn a_request_that_waits_too_long_gets_the_sentence() {
    let world = need!(world());
    world.sandbox.configure("[limits]\nfrozen_seconds = 1\n");
    world.sandbox.ctl(&["reload"]).exited(0);
    let mut session = Session::open(&world.sandbox, &[]);
    world.sandbox.ctl(&["seal"]).exited(0);
    let refused = session.message();
    assert_eq!(refused["status"], 401, "{refused}");
    let body = refused["body"].as_str().unwrap();
    assert!(body.contains("was sealed at") && body.contains("claudectl unseal work"), "{body}");
}

#[test]
fn a_logout_deletes_the_entry_and_proves_it_also_when_sealed() {
    for is_sealed in [false, true] {
        let world = need!(world());
        if is_sealed {
            world.sandbox.ctl(&["seal"]).exited(0);
        }
        let receipt = world.sandbox.ctl(&["logout", "--json"]).exited(0).json();
        let items = receipt["items"].as_array().unwrap();
        let deleted = items.iter().find(|item| item["where"] == "the OS keyring").unwrap();
        assert_eq!((&deleted["action"], &deleted["outcome"]), (&"deleted".into(), &"proven".into()));
        assert_eq!(world.kept(), "");
        // Nothing comes back with the next daemon.
        assert_eq!(
            world.sandbox.ctl(&["unseal", "--all", "--json"]).exited(0).json()["accounts"],
            serde_json::json!([])
        );
    }
}
