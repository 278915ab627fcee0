//! Accounts of an authorization server: renewed once for everybody, rejected with a reason, revoked at the end.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

use claudectl_tests::{
    authority::{FakeAuthority, Reply},
    desktop::{Bus, Logind, status_until},
    isolation::private_processes,
    need,
    program::{Output, Program},
    sandbox::Sandbox,
    session::Session,
    upstream::FakeUpstream,
    wait,
};
use rustix::process::{Resource, Rlimit};
use serde_json::Value;

struct World {
    sandbox: Sandbox,
    authority: FakeAuthority,
    /// Stops when dropped.
    upstream: Arc<FakeUpstream>,
}

/// An authorization server whose tokens the upstream accepts.
fn world() -> World {
    let sandbox = Sandbox::new();
    let authority = FakeAuthority::plain();
    let upstream = Arc::new(FakeUpstream::plain([]));
    let accepting = Arc::clone(&upstream);
    authority.on_access_token(move |token| {
        accepting.accept(token);
    });
    sandbox.configure(&authority.configuration("acme", &upstream.url()));
    World { sandbox, authority, upstream }
}

impl World {
    /// Signs in with a short code, as somebody over SSH would.
    fn sign_in(&self, arguments: &[&str]) -> Output {
        let login = self.login(&[&["--device"], arguments].concat());
        login.wait_for_error("─┘");
        let text = login.stderr();
        let code = text.lines().find_map(|line| line.strip_prefix("  │   ")).expect("a code");
        self.authority.approve(code.trim_end_matches('│').trim());
        login.finish()
    }

    fn login(&self, arguments: &[&str]) -> Program {
        let mut command = self.sandbox.command("claudectl");
        command.args(["login", "work", "--via", "acme", "--json"]).args(arguments);
        self.sandbox.start(command)
    }

    fn account(&self) -> Value {
        self.sandbox.ctl(&["status", "--json"]).exited(0).json()["accounts"][0].clone()
    }
}

#[test]
fn a_logout_revokes_refresh_token_and_access_token_and_proves_it() {
    let world = world();
    world.sign_in(&[]).exited(0);
    let receipt = world.sandbox.ctl(&["logout", "--json"]).exited(0).json();
    assert_eq!(receipt["proven"], true, "{receipt}");
    let items = receipt["items"].as_array().unwrap();
    let of = |what: &str, action: &str| {
        items
            .iter()
            .any(|item| item["what"] == what && item["action"] == action && item["outcome"] == "proven")
    };
    for what in ["access token", "refresh token"] {
        assert!(of(what, "wiped") && of(what, "revoked"), "{what}: {receipt}");
    }
    let calls = world.authority.calls_to("POST /revoke");
    let hints: Vec<_> = calls.iter().map(|call| call.form["token_type_hint"].as_str()).collect();
    assert_eq!(hints, ["refresh_token", "access_token"]);
    for token in world.authority.access_tokens().iter().chain(&world.authority.refresh_tokens()) {
        assert!(!world.authority.is_live(token), "a token outlived the logout");
    }
}

#[test]
fn a_server_without_a_revocation_endpoint_is_never_called_proven() {
    let world = world();
    world.authority.behave(|behaviour| behaviour.metadata = serde_json::json!({"revocation_endpoint": null}));
    world.sign_in(&[]).exited(0);
    let receipt = world.sandbox.ctl(&["logout", "--json"]).exited(6).json();
    let items = receipt["items"].as_array().unwrap();
    let left: Vec<_> = items.iter().filter(|item| item["outcome"] == "unproven").collect();
    assert_eq!((&receipt["proven"], left.len()), (&false.into(), 1), "{receipt}");
    assert!(left[0]["proof"].as_str().unwrap().contains("no revocation endpoint"), "{receipt}");
    assert!(world.authority.is_live(&world.authority.access_tokens()[0]), "as the receipt says");
}

#[test]
fn a_server_that_does_not_revoke_is_never_called_proven_and_the_local_copies_go_all_the_same() {
    for reply in [Reply::error(400, "invalid_request"), Reply::Json(500, Value::Null), Reply::Close] {
        let world = world();
        world.sign_in(&[]).exited(0);
        world.authority.next("/revoke", vec![reply.clone(); 4]);
        let receipt = world.sandbox.ctl(&["logout", "--json"]).exited(6).json();
        assert_eq!(receipt["proven"], false, "{reply:?}: {receipt}");
        let wiped = receipt["items"].as_array().unwrap().iter().filter(|item| item["action"] == "wiped");
        assert_eq!(wiped.filter(|item| item["outcome"] == "proven").count(), 2, "{reply:?}: {receipt}");
        assert_eq!(world.sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false);
    }
}

/// Threat T8: the server ends the whole grant if a refresh token is used twice.
#[test]
fn a_thousand_requests_at_the_end_of_a_token_make_one_refresh_and_none_fails() {
    const REQUESTS: usize = 1000;
    // This process is both ends: every client, and the upstream of each.
    let limit = rustix::process::getrlimit(Resource::Nofile);
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let world = world();
    // Long enough for a slow machine to say, before the first refresh, what becomes of it.
    world.authority.behave(|behaviour| behaviour.lifetime = 6);
    world.sign_in(&[]).exited(0);
    // The refreshes ahead of the end fail, and the next one comes after it.
    world.authority.next("/token", vec![Reply::Json(503, Value::Null); 2]);
    world.authority.behave(|behaviour| behaviour.lifetime = 3600);
    let before = world.authority.calls_to("POST /token").len();
    let mut session = Session::open(&world.sandbox, &["--tcp"]);
    let environment = session.environment();
    let of = |name: &str| environment["variables"][name].as_str().unwrap().to_owned();
    let (place, capability) = (of("ANTHROPIC_BASE_URL").replace("http://", ""), of("ANTHROPIC_AUTH_TOKEN"));
    status_until(&world.sandbox, |status| status["accounts"][0]["state"] == "renewing");
    let start = Arc::new(Barrier::new(REQUESTS));
    let asking = (0..REQUESTS).map(|_| {
        let (place, capability, start) = (place.clone(), capability.clone(), Arc::clone(&start));
        thread::Builder::new().stack_size(128 * 1024).spawn(move || {
            start.wait();
            ask(&place, &capability)
        })
    });
    let asking: Vec<_> = asking.map(Result::unwrap).collect();
    let answers: Vec<_> = asking.into_iter().map(|asking| asking.join().unwrap()).collect();
    let good = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200")).count();
    let bad = answers.iter().find(|answer| !answer.starts_with("HTTP/1.1 200"));
    assert_eq!(good, REQUESTS, "{bad:?}");
    let refreshes = world.authority.calls_to("POST /token").len() - before;
    assert_eq!(refreshes, 3, "the two that failed, and one for everybody");
    assert_eq!(world.account()["state"], "held");
}

fn ask(place: &str, capability: &str) -> String {
    let mut stream = TcpStream::connect(place).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let body = "{}";
    write!(
        stream,
        "POST /v1/messages HTTP/1.1\r\nHost: {place}\r\nAuthorization: Bearer {capability}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        Ok(_) => answer,
        Err(error) => format!("{error} after {answer:?}"),
    }
}

#[test]
fn a_refresh_that_the_server_rejects_says_why_and_never_tries_again() {
    let world = world();
    world.authority.behave(|behaviour| behaviour.lifetime = 1);
    world.sign_in(&[]).exited(0);
    let mut session = Session::open(&world.sandbox, &[]);
    world.authority.next("/token", [Reply::error(400, "invalid_grant")]);
    status_until(&world.sandbox, |status| status["accounts"][0]["state"] == "login-needed");
    let refused = session.message();
    assert_eq!(refused["status"], 401, "{refused}");
    let body = refused["body"].as_str().unwrap();
    assert!(body.contains("needs a new login") && body.contains("claudectl login work"), "{body}");
    let asked = world.authority.calls_to("POST /token").len();
    world.sandbox.ctl(&["run", "--", "true"]).exited(5);
    assert_eq!(world.authority.calls_to("POST /token").len(), asked);
    // The same session goes on after a new login.
    world.authority.behave(|behaviour| behaviour.lifetime = 3600);
    world.sign_in(&[]).exited(0);
    assert_eq!(session.message()["status"], 200);
}

/// What needs the tokens is waited for before the machine sleeps, but not for ever; a lock does not wait at all.
#[test]
fn the_machine_waits_a_moment_for_revocations_and_a_lock_does_not() {
    for locked_first in [false, true] {
        let mut world = world();
        let lock = if locked_first { "[policy]\nscreen_lock = \"purge\"\n" } else { "" };
        let upstream = world.upstream.url();
        world.sandbox.configure(&format!("{}{lock}", world.authority.configuration("acme", &upstream)));
        let bus = need!(Bus::start(&mut world.sandbox, "DBUS_SYSTEM_BUS_ADDRESS"));
        let logind = Logind::start(&bus);
        world.sign_in(&[]).exited(0);
        let delay = logind.delay();
        let mut session = Session::open(&world.sandbox, &[]);
        world.authority.next("/revoke", [Reply::Hang, Reply::Hang]);
        if locked_first {
            logind.hint("_31", true);
            world.authority.wait_for(1, "POST /revoke");
            assert_eq!(session.message()["status"], 401, "the lock waits for the server");
        }
        logind.prepare_for_sleep(true);
        world.authority.wait_for(1, "POST /revoke");
        let slept_at_once = wait::readable(&delay, Duration::from_millis(100)).unwrap();
        assert!(!slept_at_once, "asleep with tokens in memory");
        assert!(wait::readable(&delay, Duration::from_secs(4)).unwrap(), "logind would not wait any longer");
    }
}

/// What the client's log-out finds: the accounts of the daemon are gone, and dead at their server.
#[test]
fn a_purge_revokes_the_accounts_first_and_then_has_the_client_log_out() {
    if !need!(private_processes(
        "renewal::a_purge_revokes_the_accounts_first_and_then_has_the_client_log_out"
    )) {
        return;
    }
    let mut world = world();
    let client = world.sandbox.path("tmp/client");
    fs::create_dir(&client).unwrap();
    fs::write(client.join("package.json"), "{\"version\":\"2.1.300\"}").unwrap();
    world.sandbox.set("PATH", format!("{}:/usr/bin:/bin", client.display()));
    let login = world.sandbox.home().join(".claude/.credentials.json");
    let ctl = world.sandbox.command("claudectl").get_program().to_owned();
    let script = format!(
        "#!/bin/sh\n'{}' status --json | grep -q '\"logged_in\":false' || exit 8\nrm '{}'\necho Successfully logged out\n",
        Path::new(&ctl).display(),
        login.display()
    );
    fs::write(client.join("claude"), script).unwrap();
    fs::set_permissions(client.join("claude"), fs::Permissions::from_mode(0o755)).unwrap();
    let token = |kind: &str| world.sandbox.key().replace("api03", kind);
    let stored =
        serde_json::json!({"claudeAiOauth": {"accessToken": token("oat01"), "refreshToken": token("ort01")}});
    fs::create_dir(login.parent().unwrap()).unwrap();
    fs::write(&login, stored.to_string()).unwrap();
    world.sign_in(&[]).exited(0);
    let (access, refresh) = (world.authority.access_tokens(), world.authority.refresh_tokens());
    let receipt = world.sandbox.ctl(&["purge", "--yes", "--json"]).exited(0).json();
    for token in access.iter().chain(&refresh) {
        assert!(!world.authority.is_live(token), "{receipt:#}");
    }
    assert!(!login.exists(), "{receipt:#}");
    assert_eq!(receipt["proven"], true, "{receipt:#}");
}
