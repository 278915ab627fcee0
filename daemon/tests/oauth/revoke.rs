//! T14: revocation says what the server said.

use std::time::{Duration, Instant};

use claudectl_tests::authority::{FakeAuthority, Reply};
use claudectld::oauth::{Part, Revocation, revoke};
use serde_json::json;

use crate::rig::{SignIn, deliver_and_look, discover, page, patiently};

fn ok() -> Reply {
    Reply::Other(200, Vec::new(), "text/plain".into(), Vec::new())
}

/// Revokes one access token at a server that answers so; how often it was asked.
async fn revoked(replies: Vec<Reply>) -> (Result<u16, String>, usize) {
    let server = FakeAuthority::plain();
    let authority = discover(&server).await;
    server.next("/revoke", replies);
    let token = page("TESTACCESSTOKEN-abcdefghijklmnopqrstuvwxyz");
    let revocations = patiently(revoke(&authority, None, &token)).await;
    let [Revocation { part: Part::Access, endpoint, outcome }] = revocations.as_slice() else {
        panic!("{revocations:?}")
    };
    assert_eq!(*endpoint, format!("{}/revoke", server.url()));
    assert!(!format!("{outcome:?}").contains("TESTACCESSTOKEN"));
    (outcome.clone(), server.calls_to("POST /revoke").len())
}

#[tokio::test]
async fn both_tokens_the_refresh_token_first() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    deliver_and_look(&server.consent(&sign_in.url().await)).await;
    let tokens = sign_in.outcome().await.unwrap();
    let (access, refresh) = (server.access_tokens().remove(0), server.refresh_tokens().remove(0));
    assert!(server.is_live(&access) && server.is_live(&refresh));
    let authority = discover(&server).await;
    let revocations = revoke(&authority, tokens.refresh.as_ref(), &tokens.access).await;
    let told: Vec<_> = revocations.iter().map(|one| (one.part, one.outcome.clone())).collect();
    assert_eq!(told, [(Part::Refresh, Ok(200)), (Part::Access, Ok(200))]);
    assert!(!server.is_live(&access) && !server.is_live(&refresh));
    let calls: Vec<_> = server
        .calls_to("POST /revoke")
        .into_iter()
        .map(|call| (call.form["token"].clone(), call.form["token_type_hint"].clone()))
        .collect();
    assert_eq!(calls, [(refresh, "refresh_token".to_owned()), (access, "access_token".to_owned())]);
}

#[tokio::test]
async fn what_the_server_said() {
    let table = [
        (vec![ok()], Ok(200), 1),
        (vec![Reply::error(400, "unsupported_token_type")], Err("unsupported_token_type"), 1),
        (vec![Reply::error(400, "invalid_client")], Err("answered 400: invalid_client"), 1),
        (vec![Reply::html(404, "no")], Err("answered 404"), 1),
        (vec![Reply::Json(204, json!({}))], Err("answered 204"), 1),
        (vec![Reply::redirect("http://127.0.0.1:1/")], Err("redirect"), 2),
        (vec![Reply::html(500, "no"), ok()], Ok(200), 2),
        (vec![Reply::html(500, "no"), Reply::html(503, "no")], Err("answered 503"), 2),
        (vec![Reply::Close, ok()], Ok(200), 2),
        (vec![Reply::Close, Reply::Close, ok()], Err("broke"), 2),
    ];
    for (index, (mut replies, wanted, asked)) in table.into_iter().enumerate() {
        if replies.len() == 1 && asked == 2 {
            replies.push(replies[0].clone());
        }
        let (outcome, calls) = revoked(replies).await;
        match (&outcome, wanted) {
            (Ok(status), Ok(wanted)) => assert_eq!(*status, wanted, "{index}"),
            (Err(why), Err(said)) => assert!(why.contains(said), "{index}: {why}"),
            _ => panic!("{index}: {outcome:?}"),
        }
        assert_eq!(calls, asked, "{index}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_costs_five_seconds() {
    #[allow(clippy::disallowed_methods, reason = "the bound is what is tested")]
    let began = Instant::now();
    let (outcome, calls) = revoked(vec![Reply::Hang]).await;
    assert!(outcome.unwrap_err().contains("within 5 seconds"));
    assert_eq!(calls, 1);
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test]
async fn a_server_that_revokes_nothing_says_so() {
    let server = FakeAuthority::plain();
    server.behave(|behaviour| behaviour.metadata = json!({"revocation_endpoint": null}));
    let authority = discover(&server).await;
    assert!(!authority.is_revocable());
    let revocations = revoke(&authority, Some(&page("x")), &page("y")).await;
    assert_eq!(revocations.len(), 2);
    assert!(revocations.iter().all(|one| one.endpoint == "acme" && one.outcome.is_err()));
}
