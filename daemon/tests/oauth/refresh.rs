//! Refreshing: a closed set of outcomes.

use std::{sync::Arc, time::Duration};

use claudectl_tests::authority::{FakeAuthority, Reply};
use claudectld::oauth::{Authority, RefreshOutcome, refresh};
use serde_json::json;

use crate::rig::{SignIn, deliver_and_look, discover, page, patiently, text};

const TOKEN: &str = "TESTREFRESHTOKEN-abcdefghijklmnopqrstuvwxyz";

async fn signed_in(server: &FakeAuthority) -> (Arc<Authority>, claudectld::oauth::TokenSet) {
    let mut sign_in = SignIn::browser(server).await;
    deliver_and_look(&server.consent(&sign_in.url().await)).await;
    (discover(server).await, sign_in.outcome().await.unwrap())
}

#[tokio::test]
async fn rotates_and_keeps_what_is_not_replaced() {
    for rotates in [true, false] {
        let server = FakeAuthority::plain();
        server.behave(|behaviour| behaviour.rotates = rotates);
        let (authority, tokens) = signed_in(&server).await;
        let old = tokens.refresh.unwrap();
        let RefreshOutcome::Refreshed(new) = refresh(&authority, &old).await else { panic!() };
        assert_ne!(text(&new.access), text(&tokens.access));
        assert_eq!(new.lifetime, Some(Duration::from_hours(1)));
        assert_eq!(new.refresh.is_some(), rotates);
        // The old one, used again: the end of the grant where they rotate.
        let again = refresh(&authority, &old).await;
        match again {
            RefreshOutcome::Rejected { why } if rotates => assert!(why.contains("invalid_grant"), "{why}"),
            RefreshOutcome::Refreshed(_) if !rotates => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(server.is_live(&text(&new.access)), !rotates);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Refreshed,
    Transient(Option<u64>),
    Rejected,
}

async fn kind(reply: Reply) -> (Kind, String) {
    let server = FakeAuthority::plain();
    let authority = discover(&server).await;
    server.next("/token", [reply]);
    let outcome = patiently(refresh(&authority, &page(TOKEN))).await;
    assert_eq!(server.calls_to("POST /token").len(), 1);
    assert!(!format!("{outcome:?}").contains(TOKEN));
    match outcome {
        RefreshOutcome::Refreshed(_) => (Kind::Refreshed, String::new()),
        RefreshOutcome::Transient { why, retry_after } => {
            (Kind::Transient(retry_after.map(|time| time.as_secs())), why)
        }
        RefreshOutcome::Rejected { why } => (Kind::Rejected, why),
    }
}

fn json(status: u16, document: serde_json::Value) -> Reply {
    Reply::Json(status, document)
}

fn raw_json(body: &str) -> Reply {
    Reply::Other(200, Vec::new(), "application/json".into(), body.into())
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one table")]
async fn every_answer_is_one_of_three() {
    let good = json!({"access_token": "TESTACCESS", "token_type": "bearer"});
    let with = |name: &str, value: serde_json::Value| {
        let mut document = good.clone();
        document[name] = value;
        json(200, document)
    };
    let retry = |status: u16| {
        Reply::Other(status, vec![("Retry-After".into(), "7".into())], "text/html".into(), b"busy".to_vec())
    };
    let table = [
        (json(200, good.clone()), Kind::Refreshed, ""),
        (with("expires_in", json!("3600")), Kind::Refreshed, ""),
        (Reply::error(400, "invalid_grant"), Kind::Rejected, "invalid_grant"),
        (Reply::error(401, "invalid_grant"), Kind::Rejected, "invalid_grant"),
        (Reply::error(400, "unauthorized_client"), Kind::Rejected, "unauthorized_client"),
        (Reply::error(401, "invalid_client"), Kind::Rejected, "invalid_client"),
        (Reply::error(400, "consent_required"), Kind::Rejected, "consent_required"),
        (Reply::error(400, "temporarily_unavailable"), Kind::Transient(None), "temporarily_unavailable"),
        (Reply::error(429, "slow_down"), Kind::Transient(None), "slow_down"),
        // What a proxy or a firewall on the way says is no word of the authorization server.
        (Reply::error(429, "too_many_requests"), Kind::Transient(None), "too_many_requests"),
        (Reply::error(403, "Forbidden"), Kind::Transient(None), "Forbidden"),
        (Reply::error(403, "invalid_grant"), Kind::Transient(None), "invalid_grant"),
        (Reply::error(404, "not_found"), Kind::Transient(None), "not_found"),
        (Reply::error(400, "bad_request"), Kind::Transient(None), "bad_request"),
        (Reply::error(400, "interaction_required"), Kind::Rejected, "interaction_required"),
        (Reply::error(400, "login_required"), Kind::Rejected, "login_required"),
        (Reply::error(500, "invalid_grant"), Kind::Transient(None), "500"),
        (Reply::error(503, "server_error"), Kind::Transient(None), "503"),
        (retry(429), Kind::Transient(Some(7)), "429"),
        (retry(503), Kind::Transient(Some(7)), "503"),
        (Reply::html(400, "<p>a firewall says no"), Kind::Transient(None), "400"),
        (Reply::html(403, "<p>a firewall says no"), Kind::Transient(None), "403"),
        (Reply::html(200, "<p>sign in to the network"), Kind::Transient(None), "not JSON"),
        (Reply::redirect("http://127.0.0.1:1/"), Kind::Transient(None), "redirect"),
        (with("token_type", json!("mac")), Kind::Transient(None), "another type"),
        (with("token_type", json!(null)), Kind::Transient(None), "form"),
        (with("access_token", json!(7)), Kind::Transient(None), "access token"),
        (with("access_token", json!("")), Kind::Transient(None), "access token"),
        (with("access_token", json!("a\r\nX: y")), Kind::Transient(None), "access token"),
        (with("refresh_token", json!(["x"])), Kind::Transient(None), "refresh token"),
        (with("expires_in", json!(-5)), Kind::Transient(None), "form"),
        // The refresh token may have been replaced: nothing else about the answer is worth losing it.
        (with("id_token", json!("nonsense")), Kind::Refreshed, ""),
        (
            raw_json(r#"{"access_token":"a","access_token":"b","token_type":"bearer"}"#),
            Kind::Transient(None),
            "form",
        ),
        (raw_json(&"[".repeat(60_000)), Kind::Transient(None), "not JSON"),
        (raw_json(&format!("{{\"a\":{}", "[".repeat(60_000))), Kind::Transient(None), "not JSON"),
        (raw_json(&format!("{{\"a\":\"{}\"}}", "x".repeat(70_000))), Kind::Transient(None), "65536"),
        (
            raw_json(&format!("{{\"access_token\":\"{}\",\"token_type\":\"bearer\"}}", "x".repeat(20_000))),
            Kind::Transient(None),
            "16383",
        ),
        (Reply::Close, Kind::Transient(None), "broke"),
        (Reply::raw("SSH-2.0-x\r\n\r\n"), Kind::Transient(None), "HTTP server"),
        (
            Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Kind::Transient(None),
            "HTTP server",
        ),
        (
            Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"),
            Kind::Transient(None),
            "broke",
        ),
        (
            Reply::raw(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n\u{1f}",
            ),
            Kind::Transient(None),
            "not JSON",
        ),
        (Reply::raw("HTTP/1.1 100 x\r\n\r\n".repeat(9)), Kind::Transient(None), "HTTP server"),
        (
            Reply::raw(format!(
                "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{good}\r\n0\r\n\r\n",
                good.to_string().len()
            )),
            Kind::Refreshed,
            "",
        ),
        (
            Reply::raw(format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{good}")),
            Kind::Refreshed,
            "",
        ),
    ];
    for (index, (reply, wanted, said)) in table.into_iter().enumerate() {
        let (kind, why) = kind(reply).await;
        assert_eq!(kind, wanted, "{index}: {why}");
        assert!(why.contains(said), "{index}: {why}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_token_in_its_error_does_not_spread_it() {
    let echo = json!({"error": "invalid_grant", "error_description": format!("unknown token {TOKEN}")});
    let (kind, why) = kind(json(400, echo)).await;
    assert_eq!(kind, Kind::Rejected);
    assert!(why.contains("unknown token ****") && !why.contains("TESTREFRESH"), "{why}");
}

#[tokio::test]
async fn scopes_are_told_only_if_the_server_named_them() {
    for (scope, told) in [(json!(null), vec![]), (json!("openid email"), vec!["openid", "email"])] {
        let server = FakeAuthority::plain();
        let authority = discover(&server).await;
        let tokens = json!({"access_token": "TESTACCESS", "token_type": "bearer", "scope": scope});
        server.next("/token", [json(200, tokens)]);
        let RefreshOutcome::Refreshed(new) = refresh(&authority, &page(TOKEN)).await else { panic!() };
        assert_eq!(new.profile.scopes, told);
    }
}

#[tokio::test]
async fn nobody_there() {
    let server = FakeAuthority::plain();
    let authority = discover(&server).await;
    drop(server);
    let outcome = patiently(refresh(&authority, &page(TOKEN))).await;
    assert!(matches!(outcome, RefreshOutcome::Transient { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_wiped_token_goes_nowhere() {
    let server = FakeAuthority::plain();
    let authority = discover(&server).await;
    let token = page(TOKEN);
    token.wipe();
    let outcome = patiently(refresh(&authority, &token)).await;
    assert!(matches!(outcome, RefreshOutcome::Transient { .. }), "{outcome:?}");
    assert!(server.calls_to("POST /token").is_empty());
}
