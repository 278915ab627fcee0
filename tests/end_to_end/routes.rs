//! The way of a held credential is fixed at login (T27).

use claudectl_tests::{
    sandbox::Sandbox,
    session::Session,
    upstream::{FakeUpstream, NAME},
};
use nix::sys::signal::Signal;

#[test]
fn neither_configuration_nor_reload_nor_environment_moves_a_held_credential() {
    let mut sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let trap = FakeUpstream::plain([]);
    let daemon = sandbox.daemon();
    sandbox.login("work", &key, &upstream);

    sandbox.configure(&format!("[upstream]\nproxy = \"{}\"\n", trap.url()));
    sandbox.ctl(&["reload"]).exited(0);
    daemon.signal(Signal::SIGHUP);
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "ANTHROPIC_BASE_URL",
    ] {
        sandbox.set(name, trap.url());
    }
    let mut session = Session::open(&sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    assert_eq!(trap.connections(), 0);
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(
        (&status["accounts"][0]["upstream"], &status["accounts"][0]["proxy"]),
        (&upstream.url().into(), &().into()),
        "{status}"
    );
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn trust_roots_are_read_once() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::tls([key.as_str()]);
    let authority = sandbox.path("work/authority.pem");
    upstream.write_authority(&authority);
    let arguments = [
        "login",
        "work",
        "--api-key",
        "--upstream",
        &upstream.url(),
        "--ca-file",
        authority.to_str().unwrap(),
    ];
    sandbox.ctl_with(&arguments, key.as_bytes()).exited(0);
    FakeUpstream::tls([]).write_authority(&authority);
    sandbox.ctl(&["reload"]).exited(0);
    let mut session = Session::open(&sandbox, &[]);
    assert_eq!(session.message()["status"], 200, "the file of another authority changes nothing");
}

/// Only the client's environment at login counts, and that is shown. The daemon's own means nothing.
#[test]
fn the_environment_of_the_daemon_moves_nothing() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let trap = FakeUpstream::plain([]);
    let mut command = sandbox.command("claudectld");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "ANTHROPIC_BASE_URL"]
    {
        command.env(name, trap.url());
    }
    command.env("ANTHROPIC_API_KEY", sandbox.key());
    let _daemon = sandbox.daemon_with(command);
    sandbox.login("work", &key, &upstream);
    let mut session = Session::open(&sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    assert_eq!(trap.connections(), 0);
    assert_eq!(upstream.messages()[0].credentials(), [("x-api-key".to_owned(), key)]);
}

/// A proxy of the environment at login is part of the route: shown, kept, and asked for a tunnel only.
#[test]
fn a_proxy_is_taken_at_login_and_sees_no_credential() {
    let mut sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::tls([key.as_str()]);
    let authority = sandbox.path("work/authority.pem");
    upstream.write_authority(&authority);
    let proxy = FakeUpstream::plain([]);
    proxy.tunnel_to(&upstream);
    sandbox.set("HTTPS_PROXY", proxy.url());
    let (url, file) = (format!("https://{NAME}"), authority.to_str().unwrap());
    let login = ["login", "work", "--api-key", "--upstream", &url, "--ca-file", file, "--json"];
    let told = sandbox.ctl_with(&login, key.as_bytes()).exited(0).json();
    assert_eq!(told["account"]["proxy"], proxy.url(), "{told}");
    sandbox.unset("HTTPS_PROXY");
    let mut session = Session::open(&sandbox, &[]);
    let answer = session.message();
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(upstream.messages()[0].credentials(), [("x-api-key".to_owned(), key.clone())]);
    let asked = proxy.requests();
    for request in &asked {
        assert_eq!(request.head.line, format!("CONNECT {NAME}:443 HTTP/1.1"));
    }
    assert!(!asked.is_empty() && !format!("{asked:?}").contains(&key[20..40]));
    sandbox.assert_clean(&[session.pid()]);
}
