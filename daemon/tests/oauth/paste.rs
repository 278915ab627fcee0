//! Signing in with a browser on another machine.

use claudectl_tests::authority::{Consent, FakeAuthority, encode};
use claudectld::oauth::LoginError;

use crate::rig::SignIn;

type Copied = fn(&Consent) -> String;

/// Signs in by pasting what `copied` makes of the consent.
async fn paste(
    copied: impl Fn(&Consent) -> String + Send + 'static,
) -> Result<claudectld::oauth::TokenSet, LoginError> {
    let server = std::sync::Arc::new(FakeAuthority::plain());
    let person = std::sync::Arc::clone(&server);
    SignIn::paste(&server, move |url| copied(&person.consent(&url))).await
}

#[tokio::test]
async fn whatever_people_copy() {
    let kinds: [Copied; 5] = [
        |consent| consent.form["code"].clone(),
        |consent| format!(" {}\r\n", consent.form["code"]),
        |consent| format!("{}#{}", consent.form["code"], consent.form["state"]),
        |consent| consent.url(),
        |consent| encode(&consent.form),
    ];
    for copied in kinds {
        let tokens = paste(copied).await.unwrap();
        assert_eq!(tokens.profile.email.as_deref(), Some("ada@acme.example"));
    }
}

#[tokio::test]
async fn what_does_not_belong_here() {
    let kinds: [(Copied, &str); 7] = [
        (|_| "x".into(), "invalid_grant"),
        (|_| String::from(" \n"), "no code"),
        (|consent| format!("{}#x", consent.form["code"]), "another sign-in"),
        (|consent| consent.url().replace("state=", "state=x"), "another sign-in"),
        (|consent| consent.url().replace("iss=", "iss=x"), "another authorization server"),
        (|consent| format!("{}?error=access_denied&{}", consent.redirect_uri, "state=y"), "another sign-in"),
        (|consent| format!("{} {}", consent.form["code"], consent.form["code"]), "no code"),
    ];
    for (copied, said) in kinds {
        let error = paste(copied).await.unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
}
