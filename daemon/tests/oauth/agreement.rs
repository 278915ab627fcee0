//! What we say and what we understand, beside what the `oauth2` crate makes of the same.

use std::collections::{BTreeMap, BTreeSet};

use claudectl_tests::authority::{CLIENT, FakeAuthority, Reply};
use claudectld::oauth::{RefreshOutcome, refresh};
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
    basic::{BasicClient, BasicTokenResponse, BasicTokenType},
    url::Url,
};
use serde_json::{Value, json};

use crate::rig::{SignIn, deliver_and_look, discover, page, text};

fn query(url: &Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn the_authorization_request_is_the_same() {
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    let ours = sign_in.url().await;
    let consent = server.consent(&ours);
    deliver_and_look(&consent).await;
    sign_in.outcome().await.unwrap();
    let ours = query(&Url::parse(&ours).unwrap());

    let verifier = server.calls_to("POST /token")[0].form["code_verifier"].clone();
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
    let client = BasicClient::new(ClientId::new(CLIENT.into()))
        .set_auth_uri(AuthUrl::new(format!("{}/authorize", server.url())).unwrap())
        .set_redirect_uri(RedirectUrl::new(consent.redirect_uri).unwrap());
    let state = ours["state"].clone();
    let (url, _) = client
        .authorize_url(|| CsrfToken::new(state))
        .add_scopes(["openid", "email", "offline_access"].map(|scope| Scope::new(scope.into())))
        .set_pkce_challenge(challenge)
        .add_extra_param("response_mode", "form_post")
        .add_extra_param("prompt", "consent")
        .url();
    assert_eq!(ours, query(&url));
}

/// What one reader makes of a token answer.
#[derive(Debug, PartialEq, Eq)]
struct Understood {
    access: String,
    refresh: Option<String>,
    seconds: Option<u64>,
    scopes: Option<BTreeSet<String>>,
}

fn theirs(body: &str) -> Option<Understood> {
    let answer: BasicTokenResponse = serde_json::from_str(body).ok()?;
    if *answer.token_type() != BasicTokenType::Bearer {
        return None;
    }
    Some(Understood {
        access: answer.access_token().secret().clone(),
        refresh: answer.refresh_token().map(|token| token.secret().clone()),
        seconds: answer.expires_in().map(|time| time.as_secs()),
        scopes: answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect()),
    })
}

async fn ours(body: &str) -> Option<Understood> {
    let server = FakeAuthority::plain();
    let authority = discover(&server).await;
    server.next("/token", [Reply::Other(200, Vec::new(), "application/json".into(), body.into())]);
    let RefreshOutcome::Refreshed(tokens) = refresh(&authority, &page("x")).await else { return None };
    let scopes: BTreeSet<_> = tokens.profile.scopes.iter().cloned().collect();
    Some(Understood {
        access: text(&tokens.access),
        refresh: tokens.refresh.as_ref().map(text),
        seconds: tokens.lifetime.map(|time| time.as_secs()),
        scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
    })
}

#[tokio::test]
async fn token_answers_are_understood_the_same() {
    let good = json!({"access_token": "a-._~+/=b", "token_type": "Bearer"});
    let with = |name: &str, value: Value| {
        let mut document = good.clone();
        document[name] = value;
        document.to_string()
    };
    for (body, works) in [
        (good.to_string(), true),
        (with("token_type", json!("bearer")), true),
        (with("token_type", json!("BEARER")), true),
        (with("token_type", json!("mac")), false),
        (with("token_type", json!(1)), false),
        (with("refresh_token", json!("r")), true),
        (with("refresh_token", json!(null)), true),
        (with("expires_in", json!(3600)), true),
        (with("expires_in", json!(null)), true),
        (with("expires_in", json!(-1)), false),
        (with("scope", json!("a b c")), true),
        (with("scope", json!(["a"])), false),
        (with("extra", json!({"deep": [1, 2, {"er": null}]})), true),
        (with("access_token", json!(null)), false),
        (r#"{"token_type":"bearer","access_token":"\u0061\/\"\\"}"#.to_owned(), true),
        (r#"{"token_type":"bearer"}"#.to_owned(), false),
        (r#"{"access_token":"a"}"#.to_owned(), false),
        ("[]".to_owned(), false),
        (String::new(), false),
    ] {
        let (ours, theirs) = (ours(&body).await, theirs(&body));
        assert_eq!(ours, theirs, "{body}");
        assert_eq!(ours.is_some(), works, "{body}");
    }
}
