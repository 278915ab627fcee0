//! What becomes of heads, and what is answered without the upstream.

use tokio::io::AsyncWriteExt;

use crate::rig::{KEY, OK, Rig, Script, get, post};

#[tokio::test]
async fn a_request_goes_up_byte_for_byte_with_one_credential() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client
        .say(
            "POST /v1/messages?beta=true HTTP/1.1\r\nHost: claudectl.invalid\r\nx-api-key: stolen\r\n\
             Authorization: Bearer ssh-placeholder\r\nCookie: a=b\r\nanthropic-beta: a,b\r\nX-Odd:   spaced \r\n\
             Accept-Encoding: gzip, br\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nContent-Length: 5\r\n\r\nhello",
        )
        .await;
    let mut upstream = rig.accept().await;
    let host = rig.upstream.local_addr().unwrap();
    upstream
        .expect(format!(
            "POST /v1/messages?beta=true HTTP/1.1\r\nHost: {host}\r\nanthropic-beta: a,b\r\nX-Odd:   spaced \r\n\
             Content-Length: 5\r\nAccept-Encoding: identity\r\nx-api-key: {KEY}\r\n\r\nhello"
        ))
        .await;
    upstream
        .say("HTTP/1.1 200 Fine\r\nrequest-id:  x \r\nKeep-Alive: 5\r\nContent-Length: 2\r\n\r\nok")
        .await;
    client.expect("HTTP/1.1 200 Fine\r\nrequest-id:  x \r\nContent-Length: 2\r\n\r\nok").await;
}

#[tokio::test]
async fn what_is_answered_without_the_upstream() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say("HEAD /api/hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.expect("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n").await;
    client.say(get("/api/claude_code/policy_limits")).await;
    client
        .expect("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n{\"restrictions\":{}}")
        .await;
    assert!(rig.is_left_alone().await);
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    let (rig, elsewhere) = (Rig::new().await, crate::rig::listen().await);
    let mut client = rig.client().await;
    client.say(get("/v1/models")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    let target = elsewhere.local_addr().unwrap();
    let redirect = format!("HTTP/1.1 307 Moved\r\nLocation: http://{target}/\r\nContent-Length: 0\r\n\r\n");
    upstream.say(&redirect).await;
    client.expect(&redirect).await;
    let followed = tokio::time::timeout(std::time::Duration::from_millis(50), elsewhere.accept()).await;
    assert!(followed.is_err());
}

/// Threat T18: nothing of these reaches any upstream.
#[tokio::test]
async fn a_request_that_could_mean_two_things_is_refused_and_closed() {
    let rig = Rig::new().await;
    for request in [
        "GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\n\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx-api-key: a\r\n\r\n",
    ] {
        let mut client = rig.client().await;
        client.say(request).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{request:?}: {head}");
        assert!(head.contains("x-should-retry: false\r\n") && head.contains("Connection: close\r\n"));
        assert!(client.rest().await.contains(r#"{"type":"error","error":{"type":"invalid_request_error""#));
    }
    assert!(rig.is_left_alone().await);
}

#[tokio::test]
async fn a_flaw_in_a_body_on_its_way_cuts_the_upstream() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    let mut upstream = rig.accept().await;
    assert!(upstream.head().await.contains("Transfer-Encoding: chunked\r\n"));
    upstream.expect("5\r\nhello\r\n").await;
    client.say("0\r\nAuthorization: x\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 400 "));
    upstream.expect_end().await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_one_after_the_other() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say([post("one"), post("two"), get("/three")].concat()).await;
    let mut upstream = rig.accept().await;
    for body in ["one", "two", ""] {
        upstream.head().await;
        upstream.expect(body).await;
        upstream.say(OK).await;
        client.expect(OK).await;
    }
}

#[tokio::test]
async fn heads_arrive_in_any_pieces() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    for byte in post("hello").bytes() {
        client.say([byte]).await;
        tokio::task::yield_now().await;
    }
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.expect("hello").await;
    for byte in OK.bytes() {
        upstream.say([byte]).await;
        tokio::task::yield_now().await;
    }
    client.expect(OK).await;
}

#[tokio::test]
async fn interim_answers_and_expectations_pass() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    assert!(upstream.head().await.contains("Expect: 100-continue\r\n"));
    upstream.say("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.expect("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.say("hello").await;
    upstream.expect("hello").await;
    upstream.say(format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{OK}")).await;
    client.expect(format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{OK}")).await;
    client.say(get("/again")).await;
    upstream.head().await;
}

#[tokio::test]
async fn an_upgrade_is_not_relayed() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    assert!(!upstream.head().await.to_lowercase().contains("upgrade"));
    upstream
        .say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 502 "));
    upstream.expect_end().await;
}

#[tokio::test]
async fn an_early_answer_is_relayed_and_closes_the_connection() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nstart").await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.expect("start").await;
    upstream.say("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await;
    client.expect("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno").await;
    client.expect_end().await;
    upstream.expect_end().await;
}

#[tokio::test]
async fn an_old_client_gets_its_answer_and_the_end() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say("GET /old HTTP/1.0\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    assert!(upstream.head().await.starts_with("GET /old HTTP/1.0\r\nHost: "));
    upstream.say("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    upstream.shutdown().await.unwrap();
    client.expect("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end").await;
    client.expect_end().await;
}
