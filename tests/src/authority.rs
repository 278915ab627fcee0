//! A stand-in for an OAuth 2.0 authorization server on loopback: authorization code with PKCE, device
//! code, refresh with rotation, revocation, userinfo, introspection. Strict where a good one is, and as
//! hostile as the test wants.
//!
//! It shares no code with the product, so that a mistake of one is not excused by the other.

mod endpoints;
mod form;
mod grants;
mod reply;
mod serve;

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

pub use form::{Form, encode};
pub use reply::Reply;

use self::grants::Grants;
use crate::{
    upstream::Authority,
    wait::{PATIENCE, Watched},
};

/// The client that it knows.
pub const CLIENT: &str = "claudectl-test";

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    /// Method and path, without the query.
    pub what: String,
    /// Query or body.
    pub form: Form,
    /// `Authorization`, if there is one.
    pub bearer: Option<String>,
    /// `If-None-Match`, if there is one.
    pub if_none_match: Option<String>,
}

/// What it does, and what a test may change about that.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Metadata fields that are other than they should be; `null` takes one away.
    pub metadata: Value,
    /// `iss` of authorization responses: what it is, or none.
    pub issuer: Option<String>,
    /// Seconds that an access token lives.
    pub lifetime: u64,
    /// Whether a refresh gives a new refresh token (and the old one, used again, ends the grant).
    pub rotates: bool,
    /// Claims of the id token, beside what it always has; none without scope `openid`.
    pub claims: Value,
    /// What access tokens say, if they are JSON Web Tokens.
    pub access_claims: Value,
    /// What userinfo says.
    pub userinfo: Value,
    /// Seconds between two polls of a device.
    pub interval: u64,
}

type Listener = Box<dyn Fn(&str) + Send>;

/// What the connections share.
struct State {
    url: String,
    behaviour: Behaviour,
    grants: Grants,
    calls: Vec<Call>,
    queues: BTreeMap<String, VecDeque<Reply>>,
    told: Vec<Listener>,
    stopping: bool,
}

/// A running stand-in. Stops when dropped.
pub struct FakeAuthority {
    address: SocketAddr,
    certificate: Option<Authority>,
    state: Arc<Watched<State>>,
}

/// What the person's browser is sent back with.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Where to.
    pub redirect_uri: String,
    /// With what.
    pub form: Form,
    /// Whether as a form (and else as a query).
    pub is_form_post: bool,
}

impl Consent {
    /// Brings it there as a browser does, and follows the redirect: the page at the end.
    ///
    /// # Panics
    /// If nobody listens there, or if it is not taken.
    pub fn deliver(&self) -> String {
        let (host, body) = (self.host(), encode(&self.form));
        let request = if self.is_form_post {
            format!(
                "POST /callback HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            )
        } else {
            format!("GET /callback?{body} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        };
        let taken = ask(&host, &request).expect("a listener");
        assert!(
            taken.starts_with("HTTP/1.1 303 ") && taken.contains("\r\nLocation: /signed-in\r\n"),
            "{taken}"
        );
        ask(&host, &format!("GET /signed-in HTTP/1.1\r\nHost: {host}\r\n\r\n")).expect("the page at the end")
    }

    /// Whether nobody listens there (any more).
    pub fn is_refused(&self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(self.host()).is_ok() {
            if Instant::now() > deadline {
                return false;
            }
            thread::yield_now();
        }
        true
    }

    fn host(&self) -> String {
        self.redirect_uri.trim_start_matches("http://").trim_end_matches("/callback").to_owned()
    }

    /// The address that a redirect leads to.
    pub fn url(&self) -> String {
        format!("{}?{}", self.redirect_uri, encode(&self.form))
    }
}

fn ask(host: &str, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

impl FakeAuthority {
    /// A plain one.
    pub fn plain() -> Self {
        Self::start(None)
    }

    /// One with TLS, and a certificate authority of its own.
    pub fn tls() -> Self {
        Self::start(Some(Authority::new()))
    }

    fn start(certificate: Option<Authority>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let address = listener.local_addr().expect("its address");
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        let behaviour = Behaviour {
            metadata: json!({}),
            issuer: Some(url.clone()),
            lifetime: 3600,
            rotates: true,
            claims: json!({"email": "ada@acme.example", "organization": "Acme", "plan": "team"}),
            access_claims: Value::Null,
            userinfo: json!({"sub": "user-1", "email": "ada@acme.example"}),
            interval: 1,
        };
        let state = Arc::new(Watched::new(State {
            url,
            behaviour,
            grants: Grants::default(),
            calls: Vec::new(),
            queues: BTreeMap::new(),
            told: Vec::new(),
            stopping: false,
        }));
        let (shared, acceptor) = (Arc::clone(&state), certificate.as_ref().map(Authority::acceptor));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.lock().stopping {
                    return;
                }
                let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
                thread::spawn(move || serve::serve(&stream, acceptor, &shared));
            }
        });
        Self { address, certificate, state }
    }

    /// Its issuer identifier, which is also where its endpoints are.
    pub fn url(&self) -> String {
        self.state.lock().url.clone()
    }

    /// Writes the certificate of its certificate authority (PEM), for `ca_file`.
    pub fn write_certificate(&self, path: &Path) {
        let certificate = self.certificate.as_ref().expect("an authority with TLS");
        std::fs::write(path, certificate.pem()).expect("a writable place");
    }

    /// SHA-256 of its certificate, in hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        self.certificate.as_ref().expect("an authority with TLS").fingerprint().to_owned()
    }

    /// What the configuration says about it.
    pub fn configuration(&self, name: &str, upstream: &str) -> String {
        format!(
            "[authorization_server.{name}]\nissuer = \"{url}\"\nclient_id = \"{CLIENT}\"\n\
             scopes = [\"openid\", \"email\", \"offline_access\"]\nupstream = \"{upstream}\"\n\
             paste_redirect_uri = \"{url}/shows-the-code\"\n",
            url = self.url(),
        )
    }

    /// Changes what it does from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        self.state.change(|state| change(&mut state.behaviour));
    }

    /// The next requests to this path get these, in order, instead of what is right.
    pub fn next(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state.change(|state| state.queues.entry(path.to_owned()).or_default().extend(replies));
    }

    /// Tells every access token that it issues from now on: to an upstream that is to accept it, say.
    pub fn on_access_token(&self, tell: impl Fn(&str) + Send + 'static) {
        self.state.change(|state| state.told.push(Box::new(tell)));
    }

    /// A person with a browser: opens the page of this authorization request, signs in and agrees.
    ///
    /// # Panics
    /// If it is not a request that a good server would show a page for.
    pub fn consent(&self, url: &str) -> Consent {
        let (page, query) = url.split_once('?').expect("a query");
        assert_eq!(page, format!("{}/authorize", self.url()));
        let form = form::decode(query);
        self.state.change(|state| endpoints::consent(state, &form)).expect("an acceptable request")
    }

    /// The person types this code and agrees.
    pub fn approve(&self, user_code: &str) {
        self.state.change(|state| state.grants.answer_device(user_code, true));
    }

    /// The person types this code and does not agree.
    pub fn deny(&self, user_code: &str) {
        self.state.change(|state| state.grants.answer_device(user_code, false));
    }

    /// The time of every device code that is waiting is over.
    pub fn expire_devices(&self) {
        self.state.change(|state| state.grants.expire_devices());
    }

    /// Whether this token is good.
    pub fn is_live(&self, token: &str) -> bool {
        self.state.lock().grants.is_live(token)
    }

    /// Access tokens that were issued, in order.
    pub fn access_tokens(&self) -> Vec<String> {
        self.state.lock().grants.access_tokens()
    }

    /// Refresh tokens that were issued, in order.
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.state.lock().grants.refresh_tokens()
    }

    /// Everything secret that it ever gave out: codes, device codes, access, refresh and id tokens.
    pub fn secrets(&self) -> Vec<String> {
        self.state.lock().grants.secrets()
    }

    /// Every request so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().calls.clone()
    }

    /// Every request of this method and path so far.
    pub fn calls_to(&self, what: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.what == what).collect()
    }

    /// Waits for `count` requests of this method and path.
    pub fn wait_for(&self, count: usize, what: &str) -> Vec<Call> {
        self.state.wait(&format!("{count} × {what}"), |state| {
            let found: Vec<_> = state.calls.iter().filter(|call| call.what == what).cloned().collect();
            (found.len() >= count).then_some(found)
        })
    }

    /// Waits until `count` access tokens were issued.
    pub fn wait_for_tokens(&self, count: usize) {
        self.state.wait(&format!("{count} access tokens"), |state| {
            (state.grants.access_tokens().len() >= count).then_some(())
        });
    }

    /// How long a reply that hangs does so at most.
    pub const PATIENCE: Duration = Duration::from_mins(1);
}

impl Drop for FakeAuthority {
    fn drop(&mut self) {
        self.state.change(|state| state.stopping = true);
        // Wakes the accepting thread.
        drop(TcpStream::connect(self.address));
    }
}
