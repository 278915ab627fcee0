//! A stand-in for the Anthropic API on loopback: JSON and SSE replies with `usage`, plain or TLS,
//! one thread per connection, scripted by the test, recording every request.
//!
//! It shares no code with the product, so that a mistake of one is not excused by the other.

mod connection;
mod reply;
mod tls;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
};

pub use reply::{Echo, INPUT_TOKENS, OUTPUT_TOKENS, Reply};
pub use tls::{ANTHROPIC, Authority, NAME};

use crate::{http::Head, wait::Watched};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its head.
    pub head: Head,
    /// Length of its body in bytes.
    pub length: u64,
    /// SHA-256 of its body, in hexadecimal digits.
    pub sha256: String,
    /// Its body, up to 1 MiB of it.
    pub body: Vec<u8>,
    /// Number of the connection it came on, counted from 0.
    pub connection: usize,
}

impl Request {
    /// Every credential that it carries, as `(field, value)`.
    pub fn credentials(&self) -> Vec<(String, String)> {
        let is_credential = |name: &str| {
            ["x-api-key", "authorization", "proxy-authorization", "cookie"]
                .contains(&name.to_lowercase().as_str())
        };
        self.head.fields.iter().filter(|(name, _)| is_credential(name)).cloned().collect()
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.head.word(1).split('?').next().unwrap_or_default()
    }
}

type Model = Box<dyn Fn(&Request) -> Option<Reply> + Send>;

/// What the connections share.
#[derive(Default)]
struct State {
    keys: BTreeSet<String>,
    /// Whether every credential is good.
    is_open: bool,
    queue: VecDeque<Reply>,
    model: Option<Model>,
    models: Option<Reply>,
    /// Replies of paths that anybody may ask.
    open: BTreeMap<String, Reply>,
    /// Where `CONNECT` leads to, whatever it names.
    tunnel: Option<SocketAddr>,
    requests: Vec<Request>,
    connections: usize,
    /// Held streams that go on.
    released: bool,
    /// Streams that the other side cut.
    cuts: usize,
    stopping: bool,
}

/// A running stand-in. Stops when dropped.
pub struct FakeUpstream {
    address: SocketAddr,
    authority: Option<Authority>,
    state: Arc<Watched<State>>,
}

impl FakeUpstream {
    /// A plain one that accepts these keys.
    pub fn plain<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::start(keys, None, 0)
    }

    /// One with TLS, and an authority of its own.
    pub fn tls<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::start(keys, Some(Authority::new()), 0)
    }

    /// One with TLS where everybody expects Anthropic's own servers: for a place in which their names lead to
    /// this machine ([`isolation::private_names`](crate::isolation::private_names)).
    pub fn in_place_of_anthropic<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::start(keys, Some(Authority::new()), 443)
    }

    fn start<'a>(keys: impl IntoIterator<Item = &'a str>, authority: Option<Authority>, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a loopback port");
        // Some tests ask a thousand times at once.
        rustix::net::listen(&listener, 4096).expect("a longer queue");
        let address = listener.local_addr().expect("its address");
        let state = State { keys: keys.into_iter().map(str::to_owned).collect(), ..State::default() };
        let state = Arc::new(Watched::new(state));
        let acceptor = authority.as_ref().map(Authority::acceptor);
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.lock().stopping {
                    return;
                }
                let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
                thread::spawn(move || connection::serve(&stream, acceptor, &shared));
            }
        });
        Self { address, authority, state }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes the certificate of its authority (PEM), for `ca_file`.
    pub fn write_authority(&self, path: &Path) {
        let authority = self.authority.as_ref().expect("an upstream with TLS");
        std::fs::write(path, authority.pem()).expect("a writable place");
    }

    /// Accepts this key, too.
    pub fn accept(&self, key: &str) {
        self.state.change(|state| state.keys.insert(key.to_owned()));
    }

    /// Accepts whatever credential comes.
    pub fn accept_everything(&self) {
        self.state.change(|state| state.is_open = true);
    }

    /// Accepts this key no longer.
    pub fn revoke(&self, key: &str) {
        self.state.change(|state| state.keys.remove(key));
    }

    /// The next requests (of an accepted key, to anything but `/v1/models`) get these, in order.
    pub fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.change(|state| state.queue.extend(replies));
    }

    /// Becomes a proxy: `CONNECT` leads to this upstream, whatever it names.
    pub fn tunnel_to(&self, upstream: &Self) {
        self.state.change(|state| state.tunnel = Some(upstream.address));
    }

    /// Whoever asks for the models, the check of a login among them, gets this from now on.
    pub fn models(&self, reply: Reply) {
        self.state.change(|state| state.models = Some(reply));
    }

    /// Whoever asks for this path, with a credential or without, gets this from now on.
    pub fn answer(&self, path: &str, reply: Reply) {
        self.state.change(|state| state.open.insert(path.to_owned(), reply));
    }

    /// Answers requests for which nothing is queued; `None` means the ordinary reply.
    pub fn model(&self, model: impl Fn(&Request) -> Option<Reply> + Send + 'static) {
        self.state.change(|state| state.model = Some(Box::new(model)));
    }

    /// Lets held streams go on to their end.
    pub fn release(&self) {
        self.state.change(|state| state.released = true);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().requests.clone()
    }

    /// Every request for a message so far.
    pub fn messages(&self) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.path() == "/v1/messages").collect()
    }

    /// Waits for `count` requests that `wanted` likes.
    pub fn wait_for(&self, count: usize, wanted: impl Fn(&Request) -> bool) -> Vec<Request> {
        self.state.wait(&format!("{count} requests at the upstream"), |state| {
            let found: Vec<_> = state.requests.iter().filter(|request| wanted(request)).cloned().collect();
            (found.len() >= count).then_some(found)
        })
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.state.lock().connections
    }

    /// Waits until the other side has cut `count` streams.
    pub fn wait_for_cuts(&self, count: usize) {
        self.state.wait(&format!("{count} cut streams"), |state| (state.cuts >= count).then_some(()));
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.state.change(|state| (state.stopping, state.released) = (true, true));
        // Wakes the accepting thread.
        drop(TcpStream::connect(self.address));
    }
}

#[cfg(test)]
mod tests;
