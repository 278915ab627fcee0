//! Signing in with a browser on this machine.

use claudectl_tests::authority::{FakeAuthority, Reply};
use claudectld::oauth::LoginError;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::rig::{SignIn, deliver, deliver_and_look, get, host, patiently, text};

#[tokio::test]
async fn as_a_form_the_code_is_in_no_address() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    let url = sign_in.url().await;
    assert!(url.contains("&response_mode=form_post"), "{url}");
    let consent = server.consent(&url);
    assert!(consent.is_form_post && consent.redirect_uri.starts_with("http://127.0.0.1:"));
    let shown = deliver_and_look(&consent).await;
    let tokens = sign_in.outcome().await.unwrap();

    for words in
        ["Signed in", "work", "ada@acme.example", "Acme", "team", &server.url(), "You can close this window"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    for secret in server.secrets() {
        assert!(!shown.contains(&secret) && !url.contains(&secret));
    }
    assert_eq!(vec![text(&tokens.access)], server.access_tokens());
    assert_eq!(vec![text(tokens.refresh.as_ref().unwrap())], server.refresh_tokens());
    assert_eq!(tokens.lifetime.unwrap().as_secs(), 3600);
    let profile = &tokens.profile;
    assert_eq!(profile.email.as_deref(), Some("ada@acme.example"));
    assert_eq!((profile.organization.as_deref(), profile.plan.as_deref()), (Some("Acme"), Some("team")));
    assert_eq!(profile.scopes, ["openid", "email", "offline_access"]);
    let exchanges = server.calls_to("POST /token");
    assert_eq!(exchanges.len(), 1);
    assert_eq!(exchanges[0].form["redirect_uri"], consent.redirect_uri);
}

#[tokio::test]
async fn as_a_query_the_browser_is_led_away_from_the_code_at_once() {
    let server = FakeAuthority::plain();
    server.behave(|behaviour| behaviour.metadata = json!({"response_modes_supported": ["query"]}));
    let mut sign_in = SignIn::browser(&server).await;
    let url = sign_in.url().await;
    assert!(!url.contains("response_mode"), "{url}");
    let shown = deliver_and_look(&server.consent(&url)).await;
    assert!(shown.contains("Signed in"), "{shown}");
    sign_in.outcome().await.unwrap();
}

#[tokio::test]
async fn pages_keep_to_themselves() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    let consent = server.consent(&sign_in.url().await);
    let redirect = deliver(&consent).await;
    let shown = get(&host(&consent.redirect_uri), "/signed-in").await;
    for answer in [&redirect, &shown] {
        for field in [
            "Content-Security-Policy: default-src 'none'",
            "Cache-Control: no-store",
            "Referrer-Policy: no-referrer",
            "X-Content-Type-Options: nosniff",
        ] {
            assert!(answer.contains(&format!("\r\n{field}")), "{field}: {answer}");
        }
        assert!(!answer.contains(&consent.form["code"]) && !answer.contains(&consent.form["state"]));
    }
    sign_in.outcome().await.unwrap();
}

#[tokio::test]
async fn the_page_tells_what_became_of_the_code() {
    let server = FakeAuthority::plain();
    server.next("/token", [Reply::error(400, "invalid_grant")]);
    let mut sign_in = SignIn::browser(&server).await;
    let shown = deliver_and_look(&server.consent(&sign_in.url().await)).await;
    for words in ["Not signed in", "invalid_grant", "claudectl login work --via acme"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(matches!(sign_in.outcome().await, Err(LoginError::Refused(_))));
}

#[tokio::test]
async fn a_person_who_says_no() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    let mut consent = server.consent(&sign_in.url().await);
    consent.form.remove("code");
    consent.form.insert("error".into(), "access_denied".into());
    consent.form.insert("error_description".into(), "<b>no</b>\u{1b}[2J".into());
    let shown = deliver_and_look(&consent).await;
    assert!(shown.contains("Sign-in was denied: &lt;b&gt;no&lt;/b&gt;\u{fffd}[2J."), "{shown}");
    let error = sign_in.outcome().await.unwrap_err();
    assert_eq!(error.to_string(), "sign-in was denied: <b>no</b>\u{fffd}[2J");
    assert!(matches!(error, LoginError::Denied(_)));
    assert!(server.calls_to("POST /token").is_empty());
}

#[tokio::test]
async fn cancelling_closes_the_port() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    let consent = server.consent(&sign_in.url().await);
    let host = host(&consent.redirect_uri);
    let held = TcpStream::connect(&host).await.unwrap();
    sign_in.task.abort();
    assert!(sign_in.task.await.unwrap_err().is_cancelled());
    // The listener is a task of its own: it is gone once the connection that it held is.
    let mut rest = [0; 1];
    held.readable().await.unwrap();
    assert!(matches!(held.try_read(&mut rest), Ok(0) | Err(_)));
    assert!(TcpStream::connect(&host).await.is_err());
}

#[tokio::test]
async fn after_the_outcome_was_shown_nobody_listens() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    let consent = server.consent(&sign_in.url().await);
    deliver_and_look(&consent).await;
    sign_in.outcome().await.unwrap();
    let host = host(&consent.redirect_uri);
    patiently(async { while TcpStream::connect(&host).await.is_ok() {} }).await;
}

#[tokio::test]
async fn the_profile_is_asked_for_where_the_answer_does_not_say() {
    let server = FakeAuthority::plain();
    server.behave(|behaviour| {
        behaviour.claims = json!({});
        behaviour.userinfo = json!({"sub": "user-1", "email": "ada@userinfo.example"});
    });
    let mut sign_in = SignIn::browser(&server).await;
    deliver_and_look(&server.consent(&sign_in.url().await)).await;
    let profile = sign_in.outcome().await.unwrap().profile;
    assert_eq!(profile.email.as_deref(), Some("ada@userinfo.example"));
}

#[tokio::test]
async fn somebody_elses_userinfo_is_not_believed_and_a_broken_one_is_no_failure() {
    for userinfo in [json!({"sub": "user-2", "email": "eve@acme.example"}), Value::Null, json!([1])] {
        let server = FakeAuthority::plain();
        server.behave(|behaviour| {
            behaviour.claims = json!({});
            behaviour.userinfo = userinfo;
        });
        let mut sign_in = SignIn::browser(&server).await;
        deliver_and_look(&server.consent(&sign_in.url().await)).await;
        assert_eq!(sign_in.outcome().await.unwrap().profile.email, None);
    }
}

/// Waits until the server was asked to revoke both tokens.
async fn revoked(server: &FakeAuthority) -> bool {
    let both = async {
        while server.calls_to("POST /revoke").len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    patiently(both).await;
    let issued = [server.access_tokens(), server.refresh_tokens()].concat();
    issued.len() == 2 && issued.iter().all(|token| !server.is_live(token))
}

#[tokio::test]
async fn tokens_that_nobody_waits_for_any_more_are_revoked() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    let consent = server.consent(&sign_in.url().await);
    let cancel = sign_in.task.abort_handle();
    server.on_access_token(move |_| cancel.abort());
    deliver(&consent).await;
    assert!(patiently(sign_in.task).await.unwrap_err().is_cancelled());
    assert!(revoked(&server).await);
}

#[tokio::test]
async fn tokens_that_are_not_believed_are_revoked() {
    let server = FakeAuthority::plain();
    server.behave(|behaviour| behaviour.claims = json!({"aud": "another-client"}));
    let mut sign_in = SignIn::browser(&server).await;
    deliver(&server.consent(&sign_in.url().await)).await;
    let error = sign_in.outcome().await.unwrap_err();
    assert!(matches!(error, LoginError::Answer(_)), "{error}");
    assert!(revoked(&server).await);
}
