//! The proxy is nobody's deputy (T18), and an upstream that echoes the credential is not passed on (T19).

use claudectl_tests::{
    sandbox::Sandbox,
    session::{Session, message},
    upstream::{Echo, FakeUpstream, Reply},
};
use serde_json::json;

struct Place {
    sandbox: Sandbox,
    upstream: FakeUpstream,
    session: Session,
    key: String,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let key = sandbox.key();
        let upstream = FakeUpstream::plain([key.as_str()]);
        sandbox.login("work", &key, &upstream);
        let session = Session::open(&sandbox, &[]);
        Self { sandbox, upstream, session, key }
    }

    /// The status that these bytes get; 0 if the connection was closed instead.
    fn raw(&mut self, request: &str) -> u64 {
        let answer =
            self.session.ask(&json!({"do": "request", "method": "POST", "path": "/", "raw": request}));
        answer["status"].as_u64().unwrap_or(0)
    }
}

#[test]
fn whatever_the_request_claims_only_the_upstream_is_asked() {
    let mut place = Place::new();
    let elsewhere = FakeUpstream::plain([]);
    let other = elsewhere.address();
    for request in [
        format!("GET http://{other}/v1/models HTTP/1.1\r\nhost: {other}\r\n\r\n"),
        format!("GET /v1/models HTTP/1.1\r\nhost: {other}\r\n\r\n"),
        format!("GET //{other}/v1/models HTTP/1.1\r\nhost: x\r\n\r\n"),
        format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nx-forwarded-host: {other}\r\n\r\n"),
        format!("GET @{other}/v1/models HTTP/1.1\r\nhost: x\r\n\r\n"),
        format!("CONNECT {other} HTTP/1.1\r\nhost: {other}\r\n\r\n"),
    ] {
        place.raw(&request);
    }
    assert_eq!(elsewhere.connections(), 0);
    for request in place.upstream.requests() {
        let hosts = request.head.all("host");
        assert_eq!(hosts, [place.upstream.address().to_string()], "{request:?}");
    }
    place.sandbox.assert_clean(&[]);
}

#[test]
fn what_two_programs_could_read_in_two_ways_is_refused() {
    let mut place = Place::new();
    let before = place.upstream.requests().len();
    let hidden = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    for fields in [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "content-length: 4\r\ncontent-length: 5",
        "content-length: 4, 5",
        "content-length: +4",
        "content-length: 0x4",
        "content-length: -1",
        "content-length: 99999999999999999999999",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "transfer-encoding: xchunked",
        "transfer-encoding : chunked",
        " folded: yes",
        "folded: one\r\n two",
        "bad name: x",
        "nul: a\0b",
        "bare: a\rb",
        "no-colon",
        ": no name",
    ] {
        let status =
            place.raw(&format!("POST /v1/messages HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n0\r\n\r\n{hidden}"));
        assert!(status == 400 || status == 501 || status == 431 || status == 0, "{fields:?}: {status}");
    }
    for line in [
        "POST  /v1/messages HTTP/1.1",
        "POST /v1/messages",
        "POST /v1/messages HTTP/2.0",
        "POST /v1/ messages HTTP/1.1",
        "PO\tST / HTTP/1.1",
    ] {
        let status = place.raw(&format!("{line}\r\nhost: x\r\ncontent-length: 0\r\n\r\n"));
        assert!(status == 400 || status == 505 || status == 0, "{line:?}: {status}");
    }
    assert_eq!(place.upstream.requests().len(), before, "none of it reached the upstream");
    assert_eq!(place.session.message()["status"], 200, "and the session still works");
}

#[test]
fn an_upgrade_is_not_passed_on() {
    let mut place = Place::new();
    place.raw("GET /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    for request in place.upstream.requests() {
        assert_eq!(request.head.field("upgrade"), None);
    }
}

#[test]
fn a_head_that_never_ends_is_refused() {
    let mut place = Place::new();
    let fields = "x-long: y\r\n".repeat(100_000);
    let status = place.raw(&format!("GET / HTTP/1.1\r\nhost: x\r\n{fields}\r\n"));
    assert!(status == 431 || status == 400 || status == 0, "{status}");
    assert_eq!(place.session.message()["status"], 200);
}

#[test]
fn a_chunked_body_arrives_whole() {
    let mut place = Place::new();
    let request =
        json!({"do": "request", "method": "POST", "path": "/digest", "chunked": true, "body": "abc"});
    let answer = place.session.ask(&request);
    assert!(answer["body"].as_str().unwrap().contains(r#""length":3"#), "{answer}");
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(answer["body"].as_str().unwrap().contains(sum), "{answer}");
}

#[test]
fn the_credential_that_the_upstream_echoes_never_arrives() {
    let mut place = Place::new();
    for echo in [Echo::Header, Echo::Body, Echo::SplitBody, Echo::Drip] {
        place.upstream.next([Reply::echo(echo)]);
        let answer = place.session.message();
        // Replaced or cut: either is fine, as long as the key is not there.
        assert!(!answer.to_string().contains(&place.key[20..40]), "{echo:?}: {answer}");
        assert_eq!(place.session.message()["status"], 200, "{echo:?}: the next request works");
    }
    place.sandbox.assert_clean(&[place.session.pid()]);
}

#[test]
fn an_upstream_that_breaks_off_is_not_a_complete_answer() {
    let mut place = Place::new();
    for raw in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200",
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        place.upstream.next([Reply::raw(raw)]);
        let answer = place.session.ask(&message("request"));
        let broken = answer["error"].is_string() || answer["status"] == 502;
        assert!(broken, "{:?}: {answer}", String::from_utf8_lossy(raw));
    }
    place.upstream.next([]);
    assert_eq!(place.session.message()["status"], 200);
}

#[test]
fn requests_that_never_end_keep_nobody_out() {
    let mut place = Place::new();
    let mut slow: Vec<_> = (0..3).map(|_| Session::open(&place.sandbox, &[])).collect();
    for session in &mut slow {
        // Half a head, half a body: the program waits for an answer that cannot come yet.
        let half = "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf";
        session.begin(&json!({"do": "request", "method": "POST", "path": "/", "raw": half}));
    }
    let began = std::time::Instant::now();
    for _ in 0..50 {
        assert_eq!(place.session.message()["status"], 200);
    }
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
