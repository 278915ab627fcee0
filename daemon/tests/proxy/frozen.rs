//! Gates that freeze and thaw: requests wait, streams stand still, a refused token is renewed.

use std::{sync::Arc, time::Duration};

use claudectl_core::{credential::Header, event::Event, ids::Generation};
use claudectld::{
    gate::{Access, GateState},
    proxy::upstream::Upstream,
};
use tokio::{io::AsyncReadExt, time::timeout};

use crate::rig::{OK, Rig, Script, page, patiently, plain, post};

const OLD: &str = "TESTTOKEN-old-abcdefghijklmnopqrstuvwxyz-0123456789-TEST";
const NEW: &str = "TESTTOKEN-new-abcdefghijklmnopqrstuvwxyz-0123456789-TEST";
const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nnope";

/// A token of the rig's one login.
async fn token(rig: &Rig, token: &str, generation: u64, renewable_from: Option<Duration>) -> Arc<Access> {
    Arc::new(Access {
        account: "work".parse().unwrap(),
        secret: page(token),
        generation: Generation(generation),
        login: Generation(7),
        header: Header::Bearer,
        renewable_from,
        is_kept: true,
        upstream: Arc::new(Upstream::build(&plain(&rig.upstream)).await.unwrap()),
    })
}

fn freeze(rig: &Rig) {
    let (account, login) = ("work".parse().unwrap(), Generation(7));
    rig.session.gate.publish(GateState::Frozen { account, login, sentence: "sealed".into() });
}

async fn rig(renewable_from: Option<Duration>) -> Rig {
    let rig = Rig::new().await;
    rig.session.gate.publish(GateState::Open(token(&rig, OLD, 1, renewable_from).await));
    rig
}

/// Too soon for another renewal.
fn just_renewed() -> Duration {
    claudectl_platform::clock::since_boot() + Duration::from_secs(10)
}

async fn says_nothing(stream: &mut (impl AsyncReadExt + Unpin)) -> bool {
    timeout(Duration::from_millis(50), stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn nothing_moves_while_the_gate_is_frozen() {
    let rig = rig(None).await;
    let mut streaming = rig.client().await;
    streaming.say(post("{}")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.hear(2).await;
    // Closed afterwards, so that the request that waits comes by a connection of its own.
    upstream.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\none").await;
    streaming.head().await;
    streaming.expect("one").await;
    freeze(&rig);
    upstream.say("two").await;
    let mut asking = rig.client().await;
    asking.say(post("{}")).await;
    assert!(says_nothing(&mut streaming).await, "a stream went on");
    assert!(rig.is_left_alone().await && says_nothing(&mut asking).await, "a request went out");
    rig.session.gate.publish(GateState::Open(token(&rig, NEW, 2, None).await));
    streaming.expect("two").await;
    let mut upstream = rig.accept().await;
    assert!(upstream.head().await.contains(NEW));
    upstream.hear(2).await;
    upstream.say(OK).await;
    asking.expect("HTTP/1.1 200 OK").await;
}

/// However much of its request is unread.
#[tokio::test]
async fn a_client_that_gives_up_waiting_is_not_waited_for() {
    for size in [2, 20 * 1024, 100 * 1024] {
        let rig = rig(None).await;
        freeze(&rig);
        let mut asking = rig.client().await;
        asking.say(post(&"x".repeat(size))).await;
        assert!(says_nothing(&mut asking).await);
        drop(asking);
        assert!(rig.is_left_alone().await);
        rig.session.gate.publish(GateState::Open(token(&rig, NEW, 2, None).await));
        assert!(rig.is_left_alone().await, "a request went out that nobody wants any more: {size} bytes");
    }
}

#[tokio::test]
async fn a_client_that_goes_while_its_token_is_renewed_is_not_waited_for() {
    let mut rig = rig(Some(Duration::ZERO)).await;
    let mut asking = rig.client().await;
    asking.say(post("prompt")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.expect("prompt").await;
    upstream.say(REFUSED).await;
    assert!(matches!(patiently(rig.events.recv()).await, Some(Event::AccessRefused { .. })));
    drop(asking);
    upstream.expect_end().await;
    rig.session.gate.publish(GateState::Open(token(&rig, NEW, 2, Some(just_renewed())).await));
    assert!(rig.is_left_alone().await, "a request was sent again that nobody wants any more");
    assert_eq!(rig.session.meter.read().open_streams, 0);
}

#[tokio::test]
async fn a_client_that_goes_while_its_stream_stands_still_takes_its_upstream_along() {
    let rig = rig(None).await;
    let mut streaming = rig.client().await;
    streaming.say(post("{}")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.hear(2).await;
    upstream.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none").await;
    streaming.head().await;
    streaming.expect("one").await;
    freeze(&rig);
    // The rest of an answer, and the next request, lie there unread.
    upstream.say("two").await;
    streaming.say(post(&"x".repeat(20 * 1024))).await;
    assert!(says_nothing(&mut streaming).await, "a stream went on");
    drop(streaming);
    // Sooner than a frozen stream is given up anyway.
    let end = timeout(rig.session.patience / 2, upstream.read(&mut [0; 1])).await;
    assert!(end.is_ok_and(|read| !matches!(read, Ok(1..))), "its upstream stays");
    assert_eq!(rig.session.meter.read().open_streams, 0);
}

/// While the refresh fails for now, the gate stays open, and the request waits.
#[tokio::test]
async fn a_refused_request_is_told_when_nothing_was_renewed_in_time() {
    let mut rig = rig(Some(Duration::ZERO)).await;
    let mut asking = rig.client().await;
    asking.say(post("prompt")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.expect("prompt").await;
    upstream.say(REFUSED).await;
    assert!(matches!(patiently(rig.events.recv()).await, Some(Event::AccessRefused { .. })));
    tokio::time::pause();
    tokio::time::sleep(rig.session.patience + Duration::from_secs(1)).await;
    tokio::time::resume();
    let head = asking.head().await;
    assert!(head.starts_with("HTTP/1.1 502 ") && head.contains("x-should-retry: true"), "{head}");
    let sentence = "claudectl: the access token was refused and could not be renewed in time.";
    asking
        .expect(format!(r#"{{"type":"error","error":{{"type":"api_error","message":"{sentence}"}}}}"#))
        .await;
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_request_is_sent_again() {
    let mut rig = rig(Some(Duration::ZERO)).await;
    let mut asking = rig.client().await;
    asking.say(post("the whole prompt")).await;
    let mut upstream = rig.accept().await;
    assert!(upstream.head().await.contains(OLD));
    upstream.expect("the whole prompt").await;
    upstream.say(REFUSED).await;
    let told = patiently(rig.events.recv()).await.unwrap();
    let expected = Event::AccessRefused { account: "work".parse().unwrap(), generation: Generation(1) };
    assert_eq!(told, expected);
    freeze(&rig);
    assert!(says_nothing(&mut asking).await, "the refusal got through");
    rig.session.gate.publish(GateState::Open(token(&rig, NEW, 2, Some(just_renewed())).await));
    let mut upstream = rig.accept().await;
    assert!(upstream.head().await.contains(NEW));
    upstream.expect("the whole prompt").await;
    // A token that was just obtained is refused for another reason: that is an answer.
    upstream.say(REFUSED).await;
    asking.expect("HTTP/1.1 401 Unauthorized").await;
    assert!(rig.events.try_recv().is_err(), "told twice");
}

/// Two requests are out with a token that the upstream refuses; the second one hears of it when the renewal
/// that the first one asked for is under way, or over.
#[tokio::test]
async fn requests_that_are_refused_together_are_all_sent_again() {
    for is_over in [false, true] {
        let mut rig = rig(Some(Duration::ZERO)).await;
        let (mut first, mut second) = (rig.client().await, rig.client().await);
        first.say(post("first")).await;
        let mut upstream_of_first = rig.accept().await;
        upstream_of_first.head().await;
        upstream_of_first.expect("first").await;
        second.say(post("second")).await;
        let mut upstream_of_second = rig.accept().await;
        upstream_of_second.head().await;
        upstream_of_second.expect("second").await;
        upstream_of_first.say(REFUSED).await;
        assert!(matches!(patiently(rig.events.recv()).await, Some(Event::AccessRefused { .. })));
        freeze(&rig);
        if !is_over {
            upstream_of_second.say(REFUSED).await;
            assert!(says_nothing(&mut second).await, "the refusal got through");
        }
        rig.session.gate.publish(GateState::Open(token(&rig, NEW, 2, Some(just_renewed())).await));
        if is_over {
            upstream_of_second.say(REFUSED).await;
        }
        for _ in 0..2 {
            let mut upstream = rig.accept().await;
            let head = upstream.head().await;
            assert!(head.contains(NEW));
            upstream.expect(if head.contains("Content-Length: 5") { "first" } else { "second" }).await;
            upstream.say(OK).await;
        }
        first.expect(OK).await;
        second.expect(OK).await;
        assert!(rig.events.try_recv().is_err(), "told again, of a token that is gone");
    }
}

#[tokio::test]
async fn a_refusal_passes_where_nothing_can_be_renewed() {
    let mut rig = rig(None).await;
    let mut asking = rig.client().await;
    asking.say(post("{}")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.hear(2).await;
    upstream.say(REFUSED).await;
    asking.expect("HTTP/1.1 401 Unauthorized").await;
    assert!(rig.events.try_recv().is_err());
}

#[tokio::test]
async fn a_request_too_long_to_be_kept_gets_the_refusal() {
    let rig = rig(Some(Duration::ZERO)).await;
    let mut asking = rig.client().await;
    let body = "x".repeat(claudectld::proxy::limits::KEPT + 1);
    let sending = tokio::spawn(async move {
        asking.say(post(&body)).await;
        asking.expect("HTTP/1.1 401 Unauthorized").await;
    });
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.hear(claudectld::proxy::limits::KEPT + 1).await;
    upstream.say(REFUSED).await;
    patiently(sending).await.unwrap();
}

/// What all sessions together keep is bounded, and given back.
#[tokio::test]
async fn a_request_that_does_not_fit_into_what_all_keep_gets_the_refusal() {
    let mut rig = rig(Some(Duration::ZERO)).await;
    let all = rig.session.allowance.left();
    assert!(rig.session.allowance.take(all - 1000));
    for (size, fits) in [(100, true), (2000, false)] {
        let mut asking = rig.client().await;
        asking.say(post(&"x".repeat(size))).await;
        let mut upstream = rig.accept().await;
        upstream.head().await;
        upstream.hear(size).await;
        assert_eq!(rig.session.allowance.left() < 1000, fits);
        upstream.say(REFUSED.replace("Content-Length", "Connection: close\r\nContent-Length")).await;
        if fits {
            assert!(matches!(patiently(rig.events.recv()).await, Some(Event::AccessRefused { .. })));
            drop(asking);
            upstream.expect_end().await;
        } else {
            asking.expect("HTTP/1.1 401 Unauthorized").await;
        }
        assert_eq!(rig.session.allowance.left(), 1000, "not given back");
    }
}

#[tokio::test]
async fn an_account_that_is_logged_out_while_a_request_waits_answers_with_its_sentence() {
    let rig = rig(Some(Duration::ZERO)).await;
    let mut asking = rig.client().await;
    asking.say(post("{}")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.hear(2).await;
    upstream.say(REFUSED).await;
    freeze(&rig);
    rig.close("logged out");
    let head = asking.head().await;
    assert!(head.starts_with("HTTP/1.1 401 ") && head.contains("x-should-retry: false"), "{head}");
    let sentence = r#"{"type":"error","error":{"type":"authentication_error","message":"logged out"}}"#;
    asking.expect(sentence).await;
}
