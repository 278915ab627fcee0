//! An organisation's gateway, and its certificate.

use std::{fs, path::PathBuf, sync::Arc};

use claudectl_tests::authority::FakeAuthority;
use claudectld::oauth::{
    Announcement, Authority, AuthorityError, Header, LoginError, Network, RefreshOutcome, login, refresh,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::rig::{page, patiently, text};

struct Place {
    directory: TempDir,
    network: Network,
}

impl Place {
    fn new(server: &FakeAuthority) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ca_file = directory.path().join("ca.pem");
        server.write_certificate(&ca_file);
        let network = Network { proxy: None, ca_file: Some(ca_file.to_str().unwrap().to_owned()) };
        Self { directory, network }
    }

    fn known(&self) -> PathBuf {
        self.directory.path().join("state/claudectl/known_gateways")
    }

    fn write_known(&self, text: &str) {
        let directory = self.known().parent().unwrap().to_owned();
        fs::create_dir_all(directory.parent().unwrap()).unwrap();
        claudectl_platform::permissions::private_directory(&directory).unwrap();
        fs::write(self.known(), text).unwrap();
    }

    async fn find(
        &self,
        server: &FakeAuthority,
        accepted: Option<&str>,
    ) -> Result<Arc<Authority>, AuthorityError> {
        Authority::gateway(&server.url(), &self.network, &self.known(), accepted).await.map(Arc::new)
    }
}

async fn sign_in(server: &FakeAuthority, authority: &Arc<Authority>) -> claudectld::oauth::TokenSet {
    try_to_sign_in(server, authority).await.unwrap()
}

async fn try_to_sign_in(
    server: &FakeAuthority,
    authority: &Arc<Authority>,
) -> Result<claudectld::oauth::TokenSet, LoginError> {
    let (sender, mut announced) = mpsc::unbounded_channel();
    let announce = move |announcement| drop(sender.send(announcement));
    let person = async {
        match announced.recv().await {
            Some(Announcement::Device { code, .. }) => server.approve(&code),
            other => panic!("{other:?}"),
        }
    };
    let (tokens, ()) = patiently(async { tokio::join!(login::device(authority, &announce), person) }).await;
    tokens
}

#[tokio::test]
async fn tokens_of_a_gateway_whose_certificate_cannot_be_noted_are_revoked() {
    let server = FakeAuthority::tls();
    let place = Place::new(&server);
    let authority = place.find(&server, None).await.unwrap();
    fs::write(place.directory.path().join("state"), "a file in the way").unwrap();
    let error = try_to_sign_in(&server, &authority).await.unwrap_err();
    assert!(matches!(error, LoginError::Resource(_)), "{error}");
    assert!(server.access_tokens().iter().all(|token| !server.is_live(token)));
    assert!(!server.calls_to("POST /revoke").is_empty());
}

#[tokio::test]
async fn the_first_login_notes_the_certificate_and_the_next_one_knows_it() {
    let server = FakeAuthority::tls();
    server.behave(|behaviour| {
        behaviour.metadata = json!({"authorization_endpoint": null, "userinfo_endpoint": null});
        behaviour.access_claims = json!({"sub": "1", "email": "ada@acme.example"});
    });
    let place = Place::new(&server);
    let authority = place.find(&server, None).await.unwrap();
    assert!(authority.is_first_use() && !place.known().exists());
    assert_eq!(authority.header(), Header::Bearer);
    assert_eq!(authority.upstream().await.unwrap().route().upstream, server.url());
    let fingerprint = authority.fingerprint().unwrap().to_owned();
    assert_eq!(fingerprint, server.fingerprint());

    let tokens = sign_in(&server, &authority).await;
    assert_eq!(vec![text(&tokens.access)], server.access_tokens());
    assert_eq!(tokens.profile.email.as_deref(), Some("ada@acme.example"));
    let noted = fs::read_to_string(place.known()).unwrap();
    assert!(noted.ends_with(&format!("{} sha256:{fingerprint}\n", server.url())), "{noted}");

    let again = place.find(&server, None).await.unwrap();
    assert!(!again.is_first_use());
    let refreshed = refresh(&again, tokens.refresh.as_ref().unwrap()).await;
    assert!(matches!(refreshed, RefreshOutcome::Refreshed(_)), "{refreshed:?}");
}

#[tokio::test]
async fn another_certificate_is_refused_before_anything_is_sent() {
    let server = FakeAuthority::tls();
    let place = Place::new(&server);
    let other = "ab".repeat(32);
    place.write_known(&format!("# noted\n{} sha256:{other}\n", server.url()));
    let refused = place.find(&server, None).await.unwrap_err();
    let told = refused.to_string();
    assert!(matches!(refused, AuthorityError::Certificate { .. }));
    assert!(
        told.contains(&other) && told.contains(&server.fingerprint()) && told.contains("known_gateways"),
        "{told}"
    );
    // Nor is one that the person did not expect.
    assert!(place.find(&server, Some(&other)).await.is_err());
    assert!(server.calls().is_empty());
    // Expecting the new one is how a change is accepted.
    let authority = place.find(&server, Some(&server.fingerprint().to_uppercase())).await.unwrap();
    sign_in(&server, &authority).await;
    assert!(!place.find(&server, None).await.unwrap().is_first_use());
}

#[tokio::test]
async fn the_pin_lives_in_the_record_and_binds_every_connection() {
    let server = FakeAuthority::tls();
    let place = Place::new(&server);
    let mut description = place.find(&server, None).await.unwrap().description().clone();
    let asked = server.calls().len();
    description.pin = Some("cd".repeat(32));
    let authority = Authority::build(description.clone()).await.unwrap();
    let outcome = refresh(&authority, &page("TESTREFRESH")).await;
    assert!(
        matches!(&outcome, RefreshOutcome::Transient { why, .. } if why.contains("pinned")),
        "{outcome:?}"
    );
    let upstream = authority.upstream().await.unwrap();
    assert!(upstream.certificate().await.unwrap_err().to_string().contains("pinned"));
    assert!(upstream.trust().contains(&"cd".repeat(32)));
    assert_eq!(server.calls().len(), asked);
    description.pin = Some("nonsense".into());
    assert!(Authority::build(description).await.is_err());
}

#[tokio::test]
async fn a_gateway_leads_nowhere_else() {
    for endpoint in
        ["token_endpoint", "device_authorization_endpoint", "revocation_endpoint", "userinfo_endpoint"]
    {
        let server = FakeAuthority::tls();
        server.behave(|behaviour| behaviour.metadata = json!({endpoint: "https://elsewhere.example/x"}));
        let refused = Place::new(&server).find(&server, None).await.unwrap_err().to_string();
        assert!(refused.contains("another server"), "{endpoint}: {refused}");
    }
    for endpoint in ["token_endpoint", "device_authorization_endpoint"] {
        let server = FakeAuthority::tls();
        server.behave(|behaviour| behaviour.metadata = json!({endpoint: null}));
        assert!(Place::new(&server).find(&server, None).await.is_err(), "{endpoint}");
    }
}

#[tokio::test]
async fn what_is_no_gateway() {
    let server = FakeAuthority::plain();
    let known = tempfile::tempdir().unwrap();
    let find = async |url: String| {
        let known = known.path().join("claudectl/known_gateways");
        Authority::gateway(&url, &Network::default(), &known, None).await
    };
    // On loopback without TLS there is nothing to pin.
    assert_eq!(find(server.url()).await.unwrap().fingerprint(), None);
    let refused = find(format!("{}/team", server.url())).await.unwrap_err().to_string();
    assert!(refused.contains("/team/.well-known/") && refused.contains("gateway?"), "{refused}");
    assert!(find("http://gateway.example".into()).await.is_err());
    assert!(find("ftp://gateway.example".into()).await.is_err());
}
