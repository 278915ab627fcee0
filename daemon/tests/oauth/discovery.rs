//! Finding a server, and refusing one.

use claudectl_tests::authority::{FakeAuthority, Reply};
use claudectld::oauth::{Authority, Network, authority::Description};
use serde_json::json;

use crate::rig::{SignIn, discover, settings};

async fn refusal(server: &FakeAuthority) -> String {
    Authority::discover("acme", &settings(server), &Network::default()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn by_its_issuer() {
    let server = FakeAuthority::plain();
    let authority = discover(&server).await;
    assert_eq!((authority.name(), authority.origin()), ("acme", server.url().as_str()));
    assert!(authority.is_revocable());
    let upstream = authority.upstream().await.unwrap();
    assert_eq!(upstream.route().upstream, "http://127.0.0.1:1/api");
}

#[tokio::test]
async fn by_open_id_discovery_where_there_is_nothing_else() {
    let server = FakeAuthority::plain();
    let document = json!({"issuer": server.url(), "token_endpoint": format!("{}/token", server.url())});
    server.next("/.well-known/oauth-authorization-server", [Reply::html(404, "no")]);
    server.next("/.well-known/openid-configuration", [Reply::Json(200, document)]);
    assert!(!discover(&server).await.is_revocable());
}

#[tokio::test]
async fn a_page_or_a_redirect_in_the_first_place_is_no_metadata() {
    let page = || Reply::html(200, "<p>the application");
    for first in [page(), Reply::redirect("https://login.example/")] {
        let server = FakeAuthority::plain();
        let document = json!({"issuer": server.url(), "token_endpoint": format!("{}/token", server.url())});
        server.next("/.well-known/oauth-authorization-server", [first]);
        server.next("/.well-known/openid-configuration", [Reply::Json(200, document)]);
        assert!(!discover(&server).await.is_revocable());
    }
}

#[tokio::test]
async fn by_its_endpoints_without_asking_anybody() {
    let server = FakeAuthority::plain();
    let mut settings = settings(&server);
    settings.issuer = None;
    let refused = Authority::discover("acme", &settings, &Network::default()).await.unwrap_err().to_string();
    assert!(refused.contains("token_endpoint"), "{refused}");
    settings.token_endpoint = Some(format!("{}/token", server.url()));
    Authority::discover("acme", &settings, &Network::default()).await.unwrap();
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn what_a_keyring_record_says_is_enough() {
    let server = FakeAuthority::plain();
    let authority = discover(&server).await;
    let asked = server.calls().len();
    let record = serde_json::to_string(authority.description()).unwrap();
    let description: Description = serde_json::from_str(&record).unwrap();
    let again = Authority::build(description).await.unwrap();
    assert_eq!(again.description(), authority.description());
    assert_eq!(server.calls().len(), asked);
}

#[tokio::test]
async fn metadata_that_is_not_believed() {
    for (change, said) in [
        (json!({"issuer": "https://evil.example"}), "exactly that"),
        (json!({"issuer": null}), "exactly that"),
        (json!({"token_endpoint": "http://127.0.0.1:1/token"}), "no TLS"),
        (json!({"token_endpoint": "http://evil.example/token"}), "plain http"),
        (json!({"revocation_endpoint": "gopher://x"}), "https://"),
        (json!({"authorization_endpoint": "javascript:alert(1)"}), "https://"),
        (json!({"token_endpoint": null}), "no token endpoint"),
        (json!({"token_endpoint": 7}), "form"),
    ] {
        let server = FakeAuthority::plain();
        server.behave(|behaviour| behaviour.metadata = change.clone());
        let refused = refusal(&server).await;
        assert!(refused.contains(said), "{change}: {refused}");
    }
}

#[tokio::test]
async fn answers_that_are_no_metadata() {
    for (reply, said) in [
        (Reply::html(200, "<p>hello"), "not JSON"),
        (Reply::Other(200, Vec::new(), "application/json".into(), b"{".to_vec()), "not JSON"),
        (Reply::redirect("https://evil.example/"), "redirect"),
        (Reply::Other(200, Vec::new(), "application/json".into(), vec![b'['; 70_000]), "65536"),
        (Reply::Close, "broke"),
    ] {
        let server = FakeAuthority::plain();
        server.next("/.well-known/oauth-authorization-server", [reply]);
        let refused = refusal(&server).await;
        assert!(refused.contains(said), "{refused}");
    }
}

#[tokio::test]
async fn over_tls_with_the_roots_that_were_named() {
    let server = FakeAuthority::tls();
    let refused = refusal(&server).await;
    assert!(refused.contains("could not be reached"), "{refused}");
    assert!(server.calls().is_empty());
    let directory = tempfile::tempdir().unwrap();
    let ca_file = directory.path().join("ca.pem");
    server.write_certificate(&ca_file);
    let network = Network { proxy: None, ca_file: Some(ca_file.to_str().unwrap().to_owned()) };
    let authority = Authority::discover("acme", &settings(&server), &network).await.unwrap();
    assert_eq!(authority.origin(), server.url());
    // The upstream of these settings is a plain one: roots are not for it.
    assert_eq!(authority.upstream().await.unwrap().route().ca_file, None);
}

#[tokio::test]
async fn without_s256_nobody_signs_in_with_a_browser() {
    let server = FakeAuthority::plain();
    server.behave(|behaviour| behaviour.metadata = json!({"code_challenge_methods_supported": ["plain"]}));
    let error = SignIn::browser(&server).await.outcome().await.unwrap_err().to_string();
    assert!(error.contains("PKCE"), "{error}");
}
