//! An authority as the product sees it, a browser of few words, and what was announced.

use std::{sync::Arc, time::Duration};

use claudectl_core::ids::AccountName;
use claudectl_platform::memory::SecretPage;
use claudectl_tests::authority::{CLIENT, Consent, FakeAuthority, encode};
use claudectld::{
    config::{AuthorizationServer, Inject},
    oauth::{Announcement, Authority, LoginError, Network, TokenSet, login},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn settings(server: &FakeAuthority) -> AuthorizationServer {
    AuthorizationServer {
        issuer: Some(server.url()),
        authorization_endpoint: None,
        token_endpoint: None,
        device_authorization_endpoint: None,
        revocation_endpoint: None,
        userinfo_endpoint: None,
        paste_redirect_uri: Some(format!("{}/shows-the-code", server.url())),
        client_id: CLIENT.into(),
        scopes: ["openid", "email", "offline_access"].map(ToOwned::to_owned).to_vec(),
        upstream: "http://127.0.0.1:1/api".into(),
        inject: Inject::Bearer,
    }
}

pub async fn discover(server: &FakeAuthority) -> Arc<Authority> {
    Arc::new(Authority::discover("acme", &settings(server), &Network::default()).await.unwrap())
}

pub fn page(text: &str) -> SecretPage {
    let mut bytes = text.as_bytes();
    SecretPage::fill(|free| std::io::Read::read(&mut bytes, free)).unwrap()
}

pub fn text(page: &SecretPage) -> String {
    page.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).unwrap()
}

/// The result of something that takes no time if it works.
pub async fn patiently<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it takes too long")
}

/// A sign-in on its way.
pub struct SignIn {
    pub announced: mpsc::UnboundedReceiver<Announcement>,
    pub task: JoinHandle<Result<TokenSet, LoginError>>,
}

impl SignIn {
    /// Begins one with a browser.
    pub async fn browser(server: &FakeAuthority) -> Self {
        let authority = discover(server).await;
        let (sender, announced) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let account: AccountName = "work".parse().unwrap();
            login::browser(&authority, &account, &move |announcement| drop(sender.send(announcement))).await
        });
        Self { announced, task }
    }

    /// Begins one with a device code.
    pub async fn device(server: &FakeAuthority) -> Self {
        let authority = discover(server).await;
        let (sender, announced) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            login::device(&authority, &move |announcement| drop(sender.send(announcement))).await
        });
        Self { announced, task }
    }

    /// Begins one whose code is pasted: what is pasted is made of the address to open.
    pub async fn paste(
        server: &FakeAuthority,
        pasted: impl FnOnce(String) -> String + Send + 'static,
    ) -> Result<TokenSet, LoginError> {
        let authority = discover(server).await;
        let (sender, mut announced) = mpsc::unbounded_channel();
        let pasting = async {
            match announced.recv().await {
                Some(Announcement::Paste { url, .. }) => Ok(page(&pasted(url))),
                other => panic!("{other:?}"),
            }
        };
        let announce = move |announcement| drop(sender.send(announcement));
        patiently(login::paste(&authority, &announce, pasting)).await
    }

    /// The address that a browser is to open.
    pub async fn url(&mut self) -> String {
        match patiently(self.announced.recv()).await {
            Some(Announcement::Browser { url, .. }) => url,
            other => panic!("{other:?}"),
        }
    }

    pub async fn outcome(self) -> Result<TokenSet, LoginError> {
        patiently(self.task).await.unwrap()
    }
}

/// Host and port of a loopback redirect URI.
pub fn host(redirect_uri: &str) -> String {
    redirect_uri.strip_prefix("http://").unwrap().strip_suffix("/callback").unwrap().to_owned()
}

/// Sends these bytes and reads until the other side closes.
pub async fn say(host: &str, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    // A refused request may be cut off while it is still being read.
    let _ = patiently(stream.read_to_end(&mut answer)).await;
    String::from_utf8(answer).unwrap()
}

pub async fn get(host: &str, target: &str) -> String {
    say(host, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n")).await
}

pub async fn post(host: &str, body: &str) -> String {
    let head = format!(
        "POST /callback HTTP/1.1\r\nHost: {host}\r\nOrigin: https://login.example\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    say(host, format!("{head}{body}")).await
}

/// What a browser does with the server's answer, as far as the redirect to the outcome.
pub async fn deliver(consent: &Consent) -> String {
    let host = host(&consent.redirect_uri);
    if consent.is_form_post {
        post(&host, &encode(&consent.form)).await
    } else {
        get(&host, &format!("/callback?{}", encode(&consent.form))).await
    }
}

/// The same, and the page at the end.
pub async fn deliver_and_look(consent: &Consent) -> String {
    let answer = deliver(consent).await;
    assert!(
        answer.starts_with("HTTP/1.1 303 ") && answer.contains("\r\nLocation: /signed-in\r\n"),
        "{answer}"
    );
    get(&host(&consent.redirect_uri), "/signed-in").await
}
