//! Closing the gate, and everything else that ends a request before its time.

use std::time::{Duration, Instant};

use claudectl_core::event::Event;

use crate::rig::{OK, Rig, Script, get, patiently, post};

const STREAM: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";

/// A client and an upstream in the middle of a response.
async fn open_stream(rig: &Rig) -> (tokio::net::UnixStream, tokio::net::TcpStream) {
    let mut client = rig.client().await;
    client.say(get("/stream")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.say(STREAM).await;
    client.expect(STREAM).await;
    (client, upstream)
}

#[tokio::test]
async fn closing_the_gate_cuts_open_streams_at_once() {
    let rig = Rig::new().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(open_stream(&rig).await);
    }
    #[allow(clippy::disallowed_methods, reason = "a test measures")]
    let before = Instant::now();
    rig.close("logged out");
    for (client, upstream) in &mut streams {
        client.expect_end().await;
        upstream.expect_end().await;
    }
    assert!(before.elapsed() < Duration::from_millis(500), "{:?}", before.elapsed());
    assert_eq!(rig.session.meter.read().open_streams, 0);
}

#[tokio::test]
async fn a_new_login_cuts_the_streams_of_the_old_one() {
    let rig = Rig::new().await;
    let (mut client, mut upstream) = open_stream(&rig).await;
    rig.close("logged out");
    rig.reopen(2).await;
    client.expect_end().await;
    upstream.expect_end().await;
}

#[tokio::test]
async fn the_same_connection_works_again_after_a_new_login() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    rig.close("claudectl: logged out at \"noon\"");
    client.say(post(&"x".repeat(300_000))).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 401 ") && head.contains("x-should-retry: false\r\n"), "{head}");
    assert!(!head.contains("Connection: close"));
    client
        .expect(r#"{"type":"error","error":{"type":"authentication_error","message":"claudectl: logged out at \"noon\""}}"#)
        .await;
    assert!(rig.is_left_alone().await);
    rig.reopen(2).await;
    client.say(get("/")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.say(OK).await;
    client.expect(OK).await;
}

#[tokio::test]
async fn a_request_that_waits_for_its_answer_gets_the_sentence() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say(get("/slow")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    rig.close("logged out");
    assert!(client.head().await.starts_with("HTTP/1.1 401 "));
    upstream.expect_end().await;
}

#[tokio::test]
async fn a_wiped_page_goes_nowhere_even_if_the_gate_is_open() {
    let rig = Rig::new().await;
    let secret = match &**rig.session.gate.load() {
        claudectld::gate::GateState::Open(access) => access.secret.clone(),
        _ => panic!("it is open"),
    };
    let (mut client, mut upstream) = open_stream(&rig).await;
    secret.wipe();
    upstream.say("2\r\nho\r\n").await;
    client.expect_end().await;
    let mut other = rig.client().await;
    other.say(get("/")).await;
    assert!(other.head().await.starts_with("HTTP/1.1 502 "));
    let mut upstream = rig.accept().await;
    upstream.expect_end().await;
}

#[tokio::test]
async fn a_client_that_goes_takes_its_upstream_along() {
    let rig = Rig::new().await;
    let (client, mut upstream) = open_stream(&rig).await;
    drop(client);
    upstream.expect_end().await;
}

/// Nobody can tell it from one that is gone, over TCP: so it is over everywhere.
#[tokio::test]
async fn a_client_that_says_it_sends_no_more_is_gone() {
    let rig = Rig::new().await;
    let (mut client, mut upstream) = open_stream(&rig).await;
    patiently(tokio::io::AsyncWriteExt::shutdown(&mut client)).await.unwrap();
    upstream.expect_end().await;
    client.expect_end().await;
}

#[tokio::test]
async fn a_response_that_breaks_off_is_not_completed() {
    let rig = Rig::new().await;
    let (mut client, upstream) = open_stream(&rig).await;
    drop(upstream);
    client.expect_end().await;
}

#[tokio::test]
async fn an_upstream_that_closes_without_an_answer_is_told_in_one_sentence() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say(get("/")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    drop(upstream);
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 502 ") && head.contains("x-should-retry: true\r\n"), "{head}");
}

/// Threat T5. The test runs itself again as the child.
#[tokio::test]
async fn a_child_process_is_refused_and_recorded() {
    let mut rig = Rig::new().await;
    let child = child(&rig);
    assert_eq!(patiently(rig.events.recv()).await, Some(Event::PeerRefused { session: rig.session.id }));
    let output = patiently(child.wait_with_output()).await;
    let heard = String::from_utf8_lossy(&output.stdout);
    assert!(heard.contains("HTTP/1.1 403 ") && heard.contains("belongs to another process"), "{heard}");
    assert!(heard.contains("x-should-retry: false") && heard.contains("permission_error"), "{heard}");
    assert!(rig.is_left_alone().await);
}

#[tokio::test]
async fn a_child_process_may_use_a_session_that_allows_it() {
    let upstream = crate::rig::listen().await;
    let route = crate::rig::plain(&upstream);
    let rig = Rig::with(upstream, &route, true).await;
    let child = child(&rig);
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.say(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
    let heard = patiently(child.wait_with_output()).await;
    assert!(String::from_utf8_lossy(&heard.stdout).contains("HTTP/1.1 200 OK"));
}

fn child(rig: &Rig) -> Child {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cuts::as_the_child", "--nocapture"])
        .env("TEST_SOCKET", &rig.socket)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    Child(child)
}

struct Child(std::process::Child);

impl Child {
    async fn wait_with_output(self) -> std::process::Output {
        tokio::task::spawn_blocking(|| self.0.wait_with_output().unwrap()).await.unwrap()
    }
}

/// The child of the tests above; by itself it has nothing to do.
#[test]
fn as_the_child() {
    use std::io::{Read, Write};
    #[allow(clippy::disallowed_methods, reason = "how the parent tells where to connect")]
    let Some(socket) = std::env::var_os("TEST_SOCKET") else { return };
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.write_all(get("/").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    println!("{heard}");
}
