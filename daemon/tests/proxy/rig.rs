//! A session, its API socket, and an upstream that does what the test says.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use claudectl_core::{
    account::Route,
    credential::Header,
    event::Event,
    ids::{Generation, SessionId},
    secret::Secret,
    session::Process,
};
use claudectl_platform::memory::SecretPage;
use claudectld::{
    gate::{Access, Gate, GateState},
    meter::Meter,
    proxy::{ApiSession, allowance::Allowance, limits, serve_tcp, serve_unix, upstream::Upstream},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::mpsc,
    time::timeout,
};

pub const KEY: &str = "sk-ant-api03-TESTKEY-abcdefghijklmnopqrstuvwxyz-0123456789-TEST";
pub const CAPABILITY: &str = "TESTCAPABILITY-0123456789";
/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Rig {
    pub session: Arc<ApiSession>,
    pub events: mpsc::Receiver<Event>,
    pub upstream: TcpListener,
    pub socket: PathBuf,
    pub port: u16,
    _directory: TempDir,
}

pub async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub fn plain(upstream: &TcpListener) -> Route {
    let address = upstream.local_addr().unwrap();
    Route { upstream: format!("http://{address}"), proxy: None, ca_file: None }
}

pub fn page(key: &str) -> Arc<SecretPage> {
    let mut bytes = key.as_bytes();
    Arc::new(SecretPage::fill(|free| io::Read::read(&mut bytes, free)).unwrap())
}

pub async fn access(route: &Route, generation: u64) -> Arc<Access> {
    Arc::new(Access {
        account: "work".parse().unwrap(),
        secret: page(KEY),
        generation: Generation(generation),
        login: Generation(generation),
        header: Header::XApiKey,
        renewable_from: None,
        is_kept: false,
        upstream: Arc::new(Upstream::build(route).await.unwrap()),
    })
}

pub fn own_process() -> Process {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    Process { pid: std::process::id(), started: fields[19].parse().unwrap() }
}

impl Rig {
    /// A session over a Unix socket, with a plain upstream.
    pub async fn new() -> Self {
        let upstream = listen().await;
        let route = plain(&upstream);
        Self::with(upstream, &route, false).await
    }

    pub async fn with(upstream: TcpListener, route: &Route, children: bool) -> Self {
        let gate = GateState::Open(access(route, 1).await);
        let (sender, events) = mpsc::channel(16);
        let session = |capability| {
            Arc::new(ApiSession {
                id: SessionId(7),
                process: own_process(),
                children,
                capability,
                gate: Gate::new(GateState::Closed { sentence: "not open yet".into() }),
                meter: Meter::default(),
                allowance: Arc::new(Allowance::new(limits::KEPT_BY_ALL)),
                patience: PATIENCE,
                events: sender.clone(),
            })
        };
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("api.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (by_unix, by_tcp) = (session(None), session(Some(Secret::new(CAPABILITY.to_owned()))));
        by_unix.gate.publish(gate);
        by_tcp.gate.publish(GateState::Open(access(route, 1).await));
        let shared = Arc::clone(&by_unix);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve_unix(stream, Arc::clone(&shared)));
            }
        });
        let tcp = listen().await;
        let port = tcp.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = tcp.accept().await {
                tokio::spawn(serve_tcp(stream, Arc::clone(&by_tcp)));
            }
        });
        Self { session: by_unix, events, upstream, socket, port, _directory: directory }
    }

    pub async fn client(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }

    pub async fn tcp_client(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// The next connection that the relay makes.
    pub async fn accept(&self) -> TcpStream {
        let (stream, _) = patiently(self.upstream.accept()).await.unwrap();
        stream
    }

    /// Whether the relay connected, up to now.
    pub async fn is_left_alone(&self) -> bool {
        timeout(Duration::from_millis(50), self.upstream.accept()).await.is_err()
    }

    pub fn close(&self, sentence: &str) {
        self.session.gate.publish(GateState::Closed { sentence: sentence.to_owned() });
    }

    pub async fn reopen(&self, generation: u64) {
        self.session.gate.publish(GateState::Open(access(&plain(&self.upstream), generation).await));
    }
}

/// The result of something that takes no time if it works.
pub async fn patiently<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it takes too long")
}

/// Reads and writes of a scripted end.
pub trait Script: AsyncRead + AsyncWrite + Unpin + Sized {
    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        patiently(self.write_all(bytes.as_ref())).await.unwrap();
        patiently(self.flush()).await.unwrap();
    }

    async fn hear(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        patiently(self.read_exact(&mut bytes)).await.unwrap();
        bytes
    }

    /// Hears exactly this.
    async fn expect(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let heard = self.hear(expected.len()).await;
        if heard != expected {
            assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(expected));
        }
    }

    /// A head, the empty line included.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(patiently(self.read_u8()).await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    /// Whatever comes until the other end closes.
    async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let end = patiently(self.read_to_end(&mut rest)).await;
        assert!(end.is_ok() || end.unwrap_err().kind() == io::ErrorKind::ConnectionReset);
        String::from_utf8(rest).unwrap()
    }

    /// The other end closes without another word.
    async fn expect_end(&mut self) {
        assert_eq!(self.rest().await, "");
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Script for S {}

/// A request head as most tests send it.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: claudectl.invalid\r\nAuthorization: Bearer ssh-placeholder\r\n\r\n")
}

/// A request as most tests send it.
pub fn post(body: &str) -> String {
    format!(
        "POST /v1/messages HTTP/1.1\r\nHost: claudectl.invalid\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
