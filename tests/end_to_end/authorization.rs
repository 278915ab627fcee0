//! Signing in at an authorization server, every way, and what is left of it afterwards.

use claudectl_tests::{
    authority::{FakeAuthority, Reply},
    memory,
    program::Program,
    require,
    sandbox::Sandbox,
    session::Session,
    upstream::FakeUpstream,
};
use serde_json::{Value, json};

/// A sandbox whose configuration has a server, and an upstream that takes whatever it issues.
fn place() -> (Sandbox, FakeAuthority, FakeUpstream) {
    let (sandbox, server, upstream) = (Sandbox::new(), FakeAuthority::plain(), FakeUpstream::plain([]));
    upstream.accept_everything();
    sandbox.configure(&server.configuration("acme", &upstream.url()));
    (sandbox, server, upstream)
}

fn login(sandbox: &Sandbox, arguments: &[&str]) -> Program {
    let mut command = sandbox.command("claudectl");
    command.args(["login", "work"]).args(arguments);
    sandbox.start(command)
}

/// The address that the person is to open, once it is on the terminal.
fn address(login: &Program, server: &FakeAuthority) -> String {
    let start = format!("{}/authorize?", server.url());
    login.wait_for_error(&start);
    login.wait_for_error("\n\n");
    let told = login.stderr();
    told.split_whitespace().find(|word| word.starts_with(&start)).unwrap().to_owned()
}

/// The account works with the token that was issued last; after a logout the server says that all are
/// dead, and nothing of them is left here.
fn works_until_the_logout(sandbox: &Sandbox, server: &FakeAuthority, upstream: &FakeUpstream) {
    let daemon = sandbox.daemon_pid().unwrap();
    let mut session = Session::open(sandbox, &["--account", "work"]);
    assert_eq!(session.message()["status"], 200);
    let access = server.access_tokens().pop().unwrap();
    let carried = upstream.messages().pop().unwrap().credentials();
    assert_eq!(carried, [("Authorization".to_owned(), format!("Bearer {access}"))]);
    server.secrets().iter().for_each(|secret| sandbox.look_for(secret));
    sandbox.assert_clean(&[session.pid()]);

    let receipt = sandbox.ctl(&["logout", "work", "--json"]).exited(0).json();
    assert_eq!(receipt["proven"], true, "{receipt}");
    let tokens = [server.access_tokens(), server.refresh_tokens()].concat();
    assert!(!tokens.is_empty() && tokens.iter().all(|token| !server.is_live(token)), "{receipt}");
    assert_eq!(session.message()["status"], 401);
    sandbox.assert_clean(&[session.pid()]);
    if require::root().is_ok() {
        let after = memory::look(daemon, &sandbox.search()).unwrap();
        assert!(after.hits.is_empty(), "{:?}", after.hits);
    }
}

#[test]
fn with_a_browser_here() {
    let (sandbox, server, upstream) = place();
    let login = login(&sandbox, &["--via", "acme", "--browser", "--json"]);
    let consent = server.consent(&address(&login, &server));
    let shown = consent.deliver();
    assert!(shown.contains("Signed in") && shown.contains("ada@acme.example"), "{shown}");
    let account = login.finish().exited(0).json();
    assert_eq!(account["account"]["name"], "work", "{account}");
    let status = sandbox.ctl(&["status"]).exited(0).stdout;
    for words in ["ada@acme.example", "Acme"] {
        assert!(status.contains(words), "{words}: {status}");
    }
    works_until_the_logout(&sandbox, &server, &upstream);
}

#[test]
fn with_a_code_that_is_pasted() {
    let (sandbox, server, upstream) = place();
    let mut login = login(&sandbox, &["--via", "acme", "--no-browser"]);
    let consent = server.consent(&address(&login, &server));
    login.write(format!("{}#{}\n", consent.form["code"], consent.form["state"]).as_bytes());
    login.close_input();
    let output = login.finish().exited(0);
    assert!(!output.stderr.contains(&consent.form["code"]), "{}", output.stderr);
    works_until_the_logout(&sandbox, &server, &upstream);
}

#[test]
fn with_a_code_on_another_device() {
    let (sandbox, server, upstream) = place();
    let login = login(&sandbox, &["--via", "acme", "--device"]);
    login.wait_for_error("WDJB-0000");
    server.approve("WDJB-0000");
    login.finish().exited(0);
    works_until_the_logout(&sandbox, &server, &upstream);
}

#[test]
fn two_people_at_once_get_an_account_each() {
    let (sandbox, server, _upstream) = place();
    let begin = |name: &str| {
        let mut command = sandbox.command("claudectl");
        command.args(["login", name, "--via", "acme", "--browser"]);
        sandbox.start(command)
    };
    let (one, other) = (begin("one"), begin("other"));
    let (first, second) =
        (server.consent(&address(&one, &server)), server.consent(&address(&other, &server)));
    server.behave(|behaviour| behaviour.claims = json!({"email": "second@acme.example"}));
    assert!(second.deliver().contains("second@acme.example"));
    other.finish().exited(0);
    server.behave(|behaviour| behaviour.claims = json!({"email": "first@acme.example"}));
    assert!(first.deliver().contains("first@acme.example"));
    one.finish().exited(0);
    let accounts = sandbox.ctl(&["accounts", "--json"]).exited(0).json();
    let of = |name: &str| {
        let found = accounts["accounts"].as_array().unwrap().iter().find(|account| account["name"] == name);
        found.unwrap().to_string()
    };
    assert!(of("one").contains("first@acme.example") && of("other").contains("second@acme.example"));
}

#[test]
fn cancelled_with_control_c_nobody_listens_and_nothing_is_held() {
    let (sandbox, server, _upstream) = place();
    let login = login(&sandbox, &["--via", "acme", "--browser"]);
    let consent = server.consent(&address(&login, &server));
    login.signal(nix::sys::signal::Signal::SIGINT);
    assert_ne!(login.finish().code, 0);
    assert!(consent.is_refused(), "the listener of the sign-in outlived it");
    assert_eq!(sandbox.ctl(&["accounts", "--json"]).exited(0).json()["accounts"], json!([]));
    assert!(server.calls_to("POST /token").is_empty());
}

#[test]
fn what_goes_wrong_is_said_with_a_way_out() {
    let (sandbox, server, _upstream) = place();
    let refused = sandbox.ctl(&["login", "work", "--via", "nobody"]);
    assert!(refused.code != 0 && refused.stderr.contains("nobody"), "{refused:?}");
    server.behave(|behaviour| behaviour.metadata = json!({"issuer": "https://evil.example"}));
    let refused = sandbox.ctl(&["login", "work", "--via", "acme"]);
    assert!(refused.code != 0 && refused.stderr.contains("exactly that"), "{refused:?}");
    assert!(refused.stderr.contains("hint: check that it is the right server"), "{refused:?}");
    server.behave(|behaviour| behaviour.metadata = json!({}));
    let login = login(&sandbox, &["--via", "acme", "--device"]);
    login.wait_for_error("WDJB-0000");
    server.deny("WDJB-0000");
    let refused = login.finish();
    assert!(refused.code != 0 && refused.stderr.contains("denied"), "{refused:?}");
    assert!(refused.stderr.contains("allow it in the browser"), "{refused:?}");
}

#[test]
fn a_logout_that_the_server_does_not_confirm_is_not_called_proven() {
    let (sandbox, server, _upstream) = place();
    let login = login(&sandbox, &["--via", "acme", "--device"]);
    login.wait_for_error("WDJB-0000");
    server.approve("WDJB-0000");
    login.finish().exited(0);
    let no = || Reply::html(500, "no");
    server.next("/revoke", [no(), no(), no(), no()]);
    let receipt = sandbox.ctl(&["logout", "work", "--json"]).exited(6).json();
    assert_eq!(receipt["proven"], false, "{receipt}");
    assert!(receipt.to_string().contains("500"), "{receipt}");
    server.secrets().iter().for_each(|secret| sandbox.look_for(secret));
    sandbox.assert_clean(&[]);
    let accounts = sandbox.ctl(&["accounts", "--json"]).exited(0).json();
    assert_eq!(accounts["accounts"], json!([]));
}

#[test]
fn at_an_organisations_gateway() {
    let sandbox = Sandbox::new();
    let server = FakeAuthority::tls();
    server.behave(|behaviour| {
        behaviour.metadata = json!({"authorization_endpoint": null, "userinfo_endpoint": null});
    });
    let ca_file = sandbox.path("ca.pem");
    server.write_certificate(&ca_file);
    let (url, ca_file) = (server.url(), ca_file.to_str().unwrap().to_owned());
    let login = login(&sandbox, &["--gateway", &url, "--ca-file", &ca_file]);
    login.wait_for_error("WDJB-0000");
    assert!(login.stderr().contains(&server.fingerprint()), "{}", login.stderr());
    server.approve("WDJB-0000");
    login.finish().exited(0);

    // Whatever a gateway serves goes through as it is, with the token.
    let mut session = Session::open(&sandbox, &["--account", "work"]);
    for (method, path) in [
        ("POST", "/v1/messages"),
        ("GET", "/v1/models"),
        ("GET", "/managed/settings"),
        ("POST", "/v1/metrics"),
        ("POST", "/v1/logs"),
        ("POST", "/v1/traces"),
    ] {
        let answer = ask(&mut session, method, path);
        assert_eq!(answer["status"], 200, "{method} {path}: {answer}");
    }
    let access = server.access_tokens().pop().unwrap();
    let settings = server.calls_to("GET /managed/settings");
    assert_eq!(settings[0].bearer.as_deref(), Some(format!("Bearer {access}").as_str()));
    assert_eq!(settings[0].if_none_match.as_deref(), Some("\"x\""));

    // Another certificate than the one that is known now is refused.
    let refused = sandbox.ctl(&[
        "login",
        "again",
        "--gateway",
        &url,
        "--ca-file",
        &ca_file,
        "--fingerprint",
        &"ab".repeat(32),
    ]);
    assert!(refused.code != 0 && refused.stderr.contains("--fingerprint"), "{refused:?}");
    sandbox.ctl(&["logout", "work"]).exited(0);
    assert!(!server.is_live(&access));
    server.secrets().iter().for_each(|secret| sandbox.look_for(secret));
    sandbox.assert_clean(&[session.pid()]);
}

fn ask(session: &mut Session, method: &str, path: &str) -> Value {
    session.ask(&json!({"do": "request", "method": method, "path": path, "body": if method == "POST" { "{}" } else { "" },
        "fields": [["If-None-Match", "\"x\""]]}))
}
