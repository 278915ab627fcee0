//! The load: requests one after the other on a connection, and whole answers read back.

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::PathBuf,
};

/// Where requests are sent.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    /// To the upstream itself.
    Port(u16),
    /// To something in front of it.
    Socket(PathBuf),
}

/// A connection with a buffer.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    arrived: Vec<u8>,
    buffer: Vec<u8>,
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A request, made once.
#[derive(Debug)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// A POST with this query and so many bytes of body.
    pub(crate) fn new(query: &str, body: usize) -> Self {
        let mut request = format!(
            "POST /v1/messages?{query} HTTP/1.1\r\nhost: claudectl.invalid\r\nauthorization: Bearer ssh-placeholder\r\n\
             content-type: application/json\r\nanthropic-version: 2023-06-01\r\naccept: application/json\r\n\
             user-agent: bench/1\r\nx-app: cli\r\ncontent-length: {body}\r\n\r\n"
        )
        .into_bytes();
        request.resize(request.len() + body, b' ');
        Self(request)
    }
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: &Address) -> std::io::Result<Self> {
        let stream: Box<dyn Stream> = match address {
            Address::Port(port) => {
                let stream = TcpStream::connect(("127.0.0.1", *port))?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Address::Socket(path) => Box::new(UnixStream::connect(path)?),
        };
        Ok(Self { stream, arrived: Vec::new(), buffer: vec![0; 64 * 1024] })
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &Request) {
        self.stream.write_all(&request.0).expect("the other side takes the request");
    }

    /// Reads a whole answer.
    pub(crate) fn receive(&mut self) {
        self.read_until(is_whole);
        self.arrived.clear();
    }

    /// Reads until the first event is there.
    pub(crate) fn receive_first_event(&mut self) {
        self.read_until(|arrived| contains(arrived, b"message_start"));
    }

    fn read_until(&mut self, done: impl Fn(&[u8]) -> bool) {
        while !done(&self.arrived) {
            let count = self.stream.read(&mut self.buffer).expect("the other side answers");
            let text = String::from_utf8_lossy(&self.arrived);
            assert!(count > 0, "the other side closed after: {text}");
            self.arrived.extend_from_slice(&self.buffer[..count]);
            assert!(self.arrived.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&self.arrived));
        }
    }
}

fn is_whole(arrived: &[u8]) -> bool {
    let Some(end) = arrived.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&arrived[..end]).to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    match length {
        Some(length) => arrived.len() >= end + 4 + length,
        None => arrived.ends_with(b"\r\n0\r\n\r\n"),
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|bytes| bytes == word)
}
