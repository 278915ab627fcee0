//! Signing in where a short code is typed.

use std::time::Duration;

use claudectl_tests::authority::{FakeAuthority, Reply};
use claudectld::oauth::{Announcement, LoginError};
use serde_json::json;

use crate::rig::{SignIn, patiently, text};

async fn code(sign_in: &mut SignIn) -> String {
    match patiently(sign_in.announced.recv()).await {
        Some(Announcement::Device { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn approved_on_another_device() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::device(&server).await;
    let announced = patiently(sign_in.announced.recv()).await.unwrap();
    let page = format!("{}/device", server.url());
    assert_eq!(
        announced,
        Announcement::Device {
            url: page.clone(),
            complete_url: Some(format!("{page}?user_code=WDJB-0000")),
            code: "WDJB-0000".into(),
            expires_in: Duration::from_mins(10),
        }
    );
    server.next("/token", [Reply::Close, Reply::error(400, "authorization_pending")]);
    server.approve("WDJB-0000");
    let tokens = sign_in.outcome().await.unwrap();
    assert_eq!(vec![text(&tokens.access)], server.access_tokens());
    assert_eq!(tokens.profile.email.as_deref(), Some("ada@acme.example"));
    assert_eq!(server.calls_to("POST /token").len(), 3);
}

#[tokio::test]
async fn denied_or_too_late() {
    for (is_denied, wanted) in [(true, "denied"), (false, "within 10 minutes")] {
        let server = FakeAuthority::plain();
        let mut sign_in = SignIn::device(&server).await;
        let code = code(&mut sign_in).await;
        if is_denied {
            server.deny(&code);
        } else {
            server.expire_devices();
        }
        let error = sign_in.outcome().await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(matches!(
            (is_denied, error),
            (true, LoginError::Denied(_)) | (false, LoginError::Expired(_))
        ));
    }
}

#[tokio::test]
async fn what_a_firewall_says_ends_nothing_and_what_the_server_says_does() {
    let code = json!({"device_code": "TESTDEVICECODE", "user_code": "A", "verification_uri": "https://a.example/", "interval": 1});
    let tokens = json!({"access_token": "TESTACCESS", "token_type": "bearer"});
    for (reply, is_final) in [
        (Reply::error(429, "too_many_requests"), false),
        (Reply::error(403, "Forbidden"), false),
        (Reply::error(400, "invalid_grant"), true),
        (Reply::error(403, "access_denied"), true),
    ] {
        let server = FakeAuthority::plain();
        server.next("/device_authorization", [Reply::Json(200, code.clone())]);
        server.next("/token", [reply, Reply::Json(200, tokens.clone())]);
        let outcome = SignIn::device(&server).await.outcome().await;
        assert_eq!(outcome.is_err(), is_final, "{outcome:?}");
    }
}

#[tokio::test]
async fn answers_that_nobody_should_follow() {
    let good = json!({"device_code": "TESTDEVICECODE", "user_code": "A", "verification_uri": "https://a.example/device"});
    for (field, value, said) in [
        ("verification_uri", json!("http://a.example/device"), "not opened"),
        ("verification_uri", json!("javascript:alert(1)"), "not opened"),
        ("verification_uri_complete", json!("file:///etc/passwd"), "not opened"),
        ("verification_uri", json!("https://a.example/\u{1b}[2J"), "not opened"),
        ("user_code", json!(" "), "no code"),
        ("device_code", json!(""), "no device code"),
        ("device_code", json!(7), "no device code"),
        ("expires_in", json!(-1), "form"),
        ("verification_uri", json!(null), "form"),
    ] {
        let server = FakeAuthority::plain();
        let mut answer = good.clone();
        answer[field] = value;
        server.next("/device_authorization", [Reply::Json(200, answer)]);
        let error = SignIn::device(&server).await.outcome().await.unwrap_err();
        assert!(
            matches!(error, LoginError::Answer(_)) && error.to_string().contains(said),
            "{field}: {error}"
        );
        assert!(!error.to_string().contains("TESTDEVICECODE"));
    }
}

#[tokio::test]
async fn a_code_cannot_speak_to_the_terminal() {
    let server = FakeAuthority::plain();
    let answer = json!({"device_code": "x", "user_code": "A\u{1b}[2J\u{202e}B", "verification_uri": "https://a.example/"});
    server.next("/device_authorization", [Reply::Json(200, answer)]);
    let mut sign_in = SignIn::device(&server).await;
    assert_eq!(code(&mut sign_in).await, "A\u{fffd}[2J\u{fffd}B");
}

#[tokio::test]
async fn a_server_without_it() {
    let server = FakeAuthority::plain();
    server.behave(|behaviour| behaviour.metadata = json!({"device_authorization_endpoint": null}));
    let error = SignIn::device(&server).await.outcome().await.unwrap_err();
    assert!(matches!(error, LoginError::Unsupported(_)), "{error}");
}
