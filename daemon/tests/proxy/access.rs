//! Over TCP, every request carries the session's capability.

use crate::rig::{CAPABILITY, KEY, OK, Rig, Script, get};

#[tokio::test]
async fn without_the_capability_nothing_goes_through() {
    let rig = Rig::new().await;
    for request in [
        get("/v1/messages"),
        get("/v1/messages").replace("ssh-placeholder", &format!("{CAPABILITY}1")),
        get("/v1/messages").replace("Bearer ssh-placeholder", &format!("Basic {CAPABILITY}")),
        format!("GET /{CAPABILITY} HTTP/1.1\r\nHost: a\r\nCookie: {CAPABILITY}\r\n\r\n"),
    ] {
        let mut client = rig.tcp_client().await;
        client.say(request).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 401 ") && head.contains("x-should-retry: false"), "{head}");
        client.rest().await;
    }
    assert!(rig.is_left_alone().await);
}

/// What is answered here is not for strangers either, but for the genuine client's first sign of life; and
/// that keeps no connection.
#[tokio::test]
async fn without_the_capability_nothing_is_answered_twice() {
    let rig = Rig::new().await;
    let limits = get("/api/claude_code/policy_limits");
    let hello = "HEAD /api/hello HTTP/1.1\r\nHost: a\r\n\r\n".to_owned();
    for (request, status) in [(&limits, "401"), (&hello, "200")] {
        let mut client = rig.tcp_client().await;
        client.say(request).await;
        let head = client.head().await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")) && head.contains("Connection: close"),
            "{head}"
        );
        client.rest().await;
    }
    let mut client = rig.tcp_client().await;
    client.say(limits.replace("ssh-placeholder", CAPABILITY)).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    client.expect(r#"{"restrictions":{}}"#).await;
    assert!(rig.is_left_alone().await);
}

#[tokio::test]
async fn with_the_capability_in_either_place() {
    let rig = Rig::new().await;
    let mut client = rig.tcp_client().await;
    let mut upstream = None;
    for request in [
        get("/").replace("ssh-placeholder", CAPABILITY),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: {CAPABILITY}\r\n\r\n"),
    ] {
        client.say(request).await;
        let stream = match &mut upstream {
            None => upstream.insert(rig.accept().await),
            Some(stream) => stream,
        };
        let head = stream.head().await;
        assert!(!head.contains(CAPABILITY) && head.matches(KEY).count() == 1, "{head}");
        stream.say(OK).await;
        client.expect(OK).await;
    }
    client.say(get("/")).await;
    assert!(client.head().await.starts_with("HTTP/1.1 401 "), "each request needs it");
}
