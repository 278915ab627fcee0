//! What goes through a session, and what stops it.

use std::time::Duration;

use claudectl_tests::{
    json, memory, need, require,
    sandbox::Sandbox,
    session::{Session, message},
    upstream::{FakeUpstream, INPUT_TOKENS, OUTPUT_TOKENS, Reply},
};
use serde_json::{Value, json};

/// A sandbox with an account that works.
fn logged_in() -> (Sandbox, FakeUpstream, String) {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.login("work", &key, &upstream);
    (sandbox, upstream, key)
}

fn field<'a>(answer: &'a Value, name: &str) -> Option<&'a str> {
    let fields = answer["fields"].as_array().unwrap();
    fields.iter().find(|field| field[0] == name).and_then(|field| field[1].as_str())
}

fn usage(sandbox: &Sandbox) -> Value {
    sandbox.ctl(&["sessions", "--json"]).exited(0).json()["sessions"][0]["usage"].clone()
}

#[test]
fn a_prompt_reaches_the_upstream_with_the_one_credential_and_no_placeholder() {
    let (sandbox, upstream, key) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    let variables = session.environment()["variables"].clone();
    let placeholder = variables["ANTHROPIC_AUTH_TOKEN"].as_str().unwrap().to_owned();
    let mut prompt = message("request");
    prompt["path"] = "/v1/messages?beta=true".into();
    prompt["fields"] = json!([
        ["X-Api-Key", "sk-ant-api03-of-somebody-else"],
        ["anthropic-beta", "one,two"],
        ["X-Unknown-Field", "kept  as is"],
        ["Proxy-Authorization", "Basic eDp5"],
        ["Connection", "x-hop"],
        ["x-hop", "goes no further"],
        ["Accept-Encoding", "gzip, br"],
    ]);
    let answer = session.ask(&prompt);
    assert_eq!(answer["status"], 200, "{answer}");
    assert!(answer["body"].as_str().unwrap().contains("Hello from the fake upstream."), "{answer}");

    let request = upstream.messages().pop().unwrap();
    assert_eq!(request.credentials(), [("x-api-key".to_owned(), key)]);
    let head = String::from_utf8(request.head.raw.clone()).unwrap();
    assert!(
        !head.contains(&placeholder) && !head.contains("somebody-else") && !head.contains("x-hop"),
        "{head}"
    );
    assert!(head.starts_with("POST /v1/messages?beta=true HTTP/1.1\r\n"), "{head}");
    assert_eq!(request.head.field("anthropic-beta"), Some("one,two"));
    assert_eq!(request.head.field("x-unknown-field"), Some("kept  as is"));
    assert_eq!(request.head.field("host"), Some(upstream.address().to_string().as_str()));
    assert_ne!(request.head.field("accept-encoding"), Some("gzip, br"), "usage is read as it streams past");
    assert_eq!(String::from_utf8_lossy(&request.body), prompt["body"].as_str().unwrap(), "byte for byte");
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn a_logout_cuts_the_open_stream_and_a_login_revives_the_same_process() {
    let (sandbox, upstream, _) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([Reply::held()]);
    assert_eq!(session.open_stream()["status"], 200);
    sandbox.ctl(&["logout"]).exited(0);
    upstream.wait_for_cuts(1);
    let end = session.drain();
    assert!(end["end"].as_str().unwrap().starts_with("cut"), "{end}");

    let answer = session.message();
    assert_eq!(
        (&answer["status"], field(&answer, "x-should-retry")),
        (&401.into(), Some("false")),
        "{answer}"
    );
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["type"], &body["error"]["type"]), (&"error".into(), &"authentication_error".into()));
    let sentence = body["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("\"work\"") && sentence.contains("`claudectl login work`"), "{sentence}");
    assert_eq!(upstream.messages().len(), 1, "the refused prompt went nowhere");

    let key = sandbox.key();
    upstream.accept(&key);
    sandbox.login("work", &key, &upstream);
    let answer = session.message();
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(upstream.messages().pop().unwrap().credentials()[0].1, key);
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn usage_is_counted_for_streams_and_for_json() {
    let (sandbox, _upstream, _) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    session.message();
    let mut plain = message("request");
    plain["body"] = r#"{"stream":false}"#.into();
    assert_eq!(session.ask(&plain)["status"], 200);
    let usage = usage(&sandbox);
    assert_eq!(usage["requests"], 2, "{usage}");
    assert_eq!(usage["input_tokens"], 2 * INPUT_TOKENS, "{usage}");
    assert_eq!(usage["output_tokens"], 2 * OUTPUT_TOKENS, "{usage}");
    assert!(
        usage["request_bytes"].as_u64() > Some(100) && usage["response_bytes"].as_u64() > Some(500),
        "{usage}"
    );
    assert!(usage["last_request_at"].as_u64() > Some(1_700_000_000), "{usage}");
    assert_eq!(usage["open_streams"], 0, "{usage}");
}

#[test]
fn what_the_upstream_says_comes_through_as_it_is() {
    let (sandbox, upstream, _) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ] {
        upstream.next([Reply::status(status, kind, "a message of its own")]);
        let answer = session.message();
        assert_eq!(
            (&answer["status"], field(&answer, "request-id")),
            (&status.into(), Some("req_TEST")),
            "{answer}"
        );
        assert!(answer["body"].as_str().unwrap().contains(kind), "{answer}");
        assert_eq!(field(&answer, "x-should-retry"), None, "that is for ours only");
    }
    // A redirect is returned and not followed: the credential stays with its upstream.
    let elsewhere = FakeUpstream::plain([]);
    upstream.next([Reply::redirect(&format!("{}/v1/messages", elsewhere.url()))]);
    let answer = session.message();
    assert_eq!((&answer["status"], elsewhere.connections()), (&307.into(), 0), "{answer}");
}

#[test]
fn events_arrive_one_by_one() {
    let (sandbox, upstream, _) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    // The upstream goes on only after the session has seen the first event.
    upstream.next([Reply::held()]);
    let opened = session.open_stream();
    assert!(opened["first"].as_u64() > Some(0), "{opened}");
    upstream.release();
    let end = session.drain();
    assert_eq!(end["end"], "complete");
    assert!(end["body"].as_str().unwrap().contains("message_stop"), "{end}");
    assert_eq!(usage(&sandbox)["output_tokens"], OUTPUT_TOKENS);
}

#[test]
fn slow_answers_and_pauses_are_waited_for() {
    let (sandbox, upstream, _) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    upstream.next([
        Reply::message("late").after(Duration::from_millis(300)),
        Reply::slow(Duration::from_millis(20), 10),
    ]);
    assert!(session.message()["body"].as_str().unwrap().contains("late"));
    let answer = session.message();
    assert_eq!(answer["body"].as_str().unwrap().matches("part ").count(), 10, "{answer}");
}

#[test]
fn connections_are_kept_and_a_closed_one_is_replaced() {
    let (sandbox, upstream, _) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    let mut prompt = message("request");
    prompt["keep"] = true.into();
    let before = upstream.connections();
    for _ in 0..5 {
        assert_eq!(session.ask(&prompt)["status"], 200);
    }
    assert!(
        upstream.connections() - before <= 1,
        "{} connections for 5 requests",
        upstream.connections() - before
    );
    upstream.next([Reply::message("last").closing()]);
    session.ask(&message("request"));
    for _ in 0..3 {
        assert_eq!(
            session.message()["status"],
            200,
            "a connection that the upstream closed is not used again"
        );
    }
}

#[test]
fn a_thousand_requests_on_sixty_four_connections() {
    let (sandbox, upstream, key) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    let mut flood = message("flood");
    (flood["connections"], flood["requests"], flood["expect"]) =
        (64.into(), 1000.into(), "message_stop".into());
    let told = session.ask(&flood);
    assert_eq!(told, json!({"statuses": {"200": 1000}, "failures": []}));
    assert_eq!(usage(&sandbox)["requests"], 1000);
    assert_eq!(usage(&sandbox)["input_tokens"], 1000 * INPUT_TOKENS);
    assert!(
        upstream
            .messages()
            .iter()
            .all(|request| request.credentials() == [("x-api-key".to_owned(), key.clone())])
    );
}

/// SHA-256 of what the session program sends as a body of this size.
fn digest_of_upload(size: u64) -> String {
    let block: Vec<u8> = (0..=255_u8).cycle().take(64 * 1024).collect();
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    let mut left = usize::try_from(size).unwrap();
    while left > 0 {
        let piece = &block[..block.len().min(left)];
        digest.update(piece);
        left -= piece.len();
    }
    digest.finish().as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// 100 MB up, byte for byte, and the daemon keeps little of it.
#[test]
fn a_huge_body_is_streamed_in_bounded_memory() {
    let (sandbox, upstream, _) = logged_in();
    let daemon = sandbox.daemon_pid().unwrap();
    let mut session = Session::open(&sandbox, &[]);
    session.message();
    let before = memory::peak(daemon);
    let size = 100_000_000_u64;
    let upload = json!({"do": "request", "method": "POST", "path": "/digest", "size": size});
    let answer = session.ask(&upload);
    assert_eq!(answer["status"], 200, "{answer}");
    let digest: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let expected = digest_of_upload(size);
    assert_eq!(digest, json!({"length": size, "sha256": expected}));

    upstream.next([Reply::bytes(size)]);
    let mut download = message("open");
    download["peek"] = false.into();
    session.ask(&download);
    assert_eq!(session.drain()["length"], size);
    let grown = memory::peak(daemon).saturating_sub(before);
    assert!(grown < 4 << 20, "100 MB each way took {grown} bytes of the daemon");
}

/// A session that does not read makes the upstream wait, and the daemon keeps little of it.
#[test]
fn a_slow_reader_costs_little() {
    let (sandbox, upstream, _) = logged_in();
    let daemon = sandbox.daemon_pid().unwrap();
    let mut session = Session::open(&sandbox, &[]);
    session.message();
    let before = memory::peak(daemon);
    upstream.next([Reply::bytes(50_000_000)]);
    let mut download = message("open");
    download["peek"] = false.into();
    assert_eq!(session.ask(&download)["status"], 200);
    // Others are served while it sleeps.
    let mut other = Session::open(&sandbox, &[]);
    for _ in 0..20 {
        assert_eq!(other.message()["status"], 200);
    }
    assert_eq!(session.drain()["length"], 50_000_000);
    let grown = memory::peak(daemon).saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes");
}

#[test]
fn an_idle_session_that_was_logged_out_says_so_on_its_kept_connection() {
    let (sandbox, _upstream, _) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    let mut prompt = message("request");
    prompt["keep"] = true.into();
    assert_eq!(session.ask(&prompt)["status"], 200);
    sandbox.ctl(&["logout"]).exited(0);
    let mut answer = session.ask(&prompt);
    if answer["error"].is_string() {
        // The idle connection was cut; a client connects again.
        answer = session.ask(&prompt);
    }
    assert_eq!(answer["status"], 401, "{answer}");
}

#[test]
fn with_tls_the_upstream_is_checked_against_the_roots_of_the_login() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::tls([key.as_str()]);
    let authority = sandbox.path("work/authority.pem");
    upstream.write_authority(&authority);
    let url = upstream.url();
    let login = |file: Option<&str>| {
        let mut arguments = vec!["login", "work", "--api-key", "--upstream", &url, "--json"];
        arguments.extend(file.into_iter().flat_map(|file| ["--ca-file", file]));
        sandbox.ctl_with(&arguments, key.as_bytes())
    };
    let error = login(None).exited(1).json();
    assert_eq!(error["reason"], "upstream-unreachable", "an unknown authority: {error}");
    assert_eq!(upstream.requests().len(), 0, "the key was not shown to it");
    login(authority.to_str()).exited(0);
    let mut session = Session::open(&sandbox, &[]);
    let answer = session.message();
    assert_eq!(answer["status"], 200, "{answer}");
    let mut flood = message("flood");
    (flood["connections"], flood["requests"], flood["expect"]) =
        (16.into(), 200.into(), "message_stop".into());
    assert_eq!(session.ask(&flood), json!({"statuses": {"200": 200}, "failures": []}));
    upstream.next([Reply::held()]);
    session.open_stream();
    sandbox.ctl(&["logout"]).exited(0);
    upstream.wait_for_cuts(1);
    assert!(session.drain()["end"].as_str().unwrap().starts_with("cut"));
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn what_the_client_asks_on_the_side_is_answered_here() {
    let (sandbox, upstream, _) = logged_in();
    let mut session = Session::open(&sandbox, &[]);
    let before = upstream.requests().len();
    let hello = session.ask(&json!({"do": "request", "method": "HEAD", "path": "/api/hello"}));
    assert_eq!(hello["status"], 200, "{hello}");
    let limits = session.ask(&json!({"do": "request", "method": "GET", "path": "/api/claude_code/policy_limits", "credential": false}));
    assert_eq!(limits["status"], 200, "{limits}");
    assert_eq!(
        serde_json::from_str::<Value>(limits["body"].as_str().unwrap()).unwrap(),
        json!({"restrictions": {}})
    );
    assert_eq!(upstream.requests().len(), before);
    assert_eq!(json::count(&sandbox.ctl(&["sessions", "--json"]).json()["sessions"]), 1);
}

/// Logged out means: nothing of the key is left in the daemon (T4; the long version is in `full`).
#[test]
fn after_a_logout_the_memory_of_the_daemon_holds_nothing() {
    need!(require::root());
    let (sandbox, _upstream, _) = logged_in();
    let daemon = sandbox.daemon_pid().unwrap();
    let mut session = Session::open(&sandbox, &[]);
    for _ in 0..20 {
        session.message();
    }
    let held = memory::look(daemon, &sandbox.search()).unwrap();
    assert!(held.hits.len() <= 1, "{:?}", held.hits);
    sandbox.ctl(&["logout"]).exited(0);
    let after = memory::look(daemon, &sandbox.search()).unwrap();
    assert!(after.hits.is_empty(), "{:?}", after.hits);
}

/// Logins and logouts in the middle of traffic: every request is answered or cut, none hangs, none is
/// answered with anything but the upstream's words or ours, and all works at the end.
#[test]
fn logins_and_logouts_in_the_middle_of_traffic() {
    let (sandbox, upstream, first) = logged_in();
    let daemon = sandbox.daemon_pid().unwrap();
    let mut session = Session::open(&sandbox, &[]);
    let mut flood = message("flood");
    (flood["connections"], flood["requests"]) = (8.into(), 2000.into());
    session.begin(&flood);
    upstream.wait_for(10, |request| request.path() == "/v1/messages");
    for _ in 0..8 {
        sandbox.ctl(&["logout"]).exited(0);
        let key = sandbox.key();
        upstream.accept(&key);
        sandbox.login("work", &key, &upstream);
    }
    let told = session.answer();
    let statuses = told["statuses"].as_object().unwrap();
    assert!(statuses.keys().all(|status| status == "200" || status == "401"), "{told}");
    assert_eq!(session.message()["status"], 200);
    assert_ne!(upstream.messages().pop().unwrap().credentials()[0].1, first);
    sandbox.ctl(&["logout"]).exited(0);
    if require::root().is_ok() {
        let after = memory::look(daemon, &sandbox.search()).unwrap();
        assert!(after.hits.is_empty(), "{:?}", after.hits);
    }
    sandbox.assert_clean(&[session.pid()]);
}
