//! HTTP/2 frames by hand, to say to the control socket what no library would.

use std::{
    io::{self, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

/// `DATA`
pub const DATA: u8 = 0;
/// `HEADERS`
pub const HEADERS: u8 = 1;
/// `SETTINGS`
pub const SETTINGS: u8 = 4;
/// `PING`
pub const PING: u8 = 6;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals without indexing: no compression, no state.
fn fields(path: &str) -> Vec<u8> {
    let all = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let text = |text: &str| [&[u8::try_from(text.len()).expect("a short text")], text.as_bytes()].concat();
    all.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// The head of a call of `method` (`package.Service/Method`).
pub fn call(stream: u32, method: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &fields(&format!("/{method}")))
}

/// The largest frame that is taken without asking (RFC 9113 section 6.5.2).
const LARGEST: usize = 16_384;

/// A gRPC message, whole, as the last of its stream.
pub fn message(stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small message").to_be_bytes();
    let whole = [&[0], &length[..], payload].concat();
    let mut frames = whole.chunks(LARGEST).map(|part| frame(DATA, 0, stream, part)).collect::<Vec<_>>();
    if let Some(last) = frames.last_mut() {
        // The flags of a frame are behind its length and kind.
        last[4] = END_STREAM;
    }
    frames.concat()
}

/// A connection to the control socket.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<UnixStream>,
    next: u32,
}

impl Connection {
    /// Connects and begins HTTP/2.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn open(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(crate::wait::PATIENCE))?;
        let mut connection = Self { stream: BufReader::new(stream), next: 1 };
        connection.write(PREFACE)?;
        connection.write(&frame(SETTINGS, 0, 0, &[]))?;
        Ok(connection)
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// How long the other side may keep us waiting for room to write.
    pub fn give_up_writing_after(&self, patience: Duration) {
        self.stream.get_ref().set_write_timeout(Some(patience)).expect("a socket");
    }

    /// The number of a new stream.
    pub fn stream(&mut self) -> u32 {
        let stream = self.next;
        self.next += 2;
        stream
    }

    /// Reads a frame: its kind, flags, stream and payload.
    ///
    /// # Errors
    /// Those of the socket, and its end.
    pub fn read(&mut self) -> io::Result<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).expect("a length")];
        self.stream.read_exact(&mut payload)?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        if head[3] == SETTINGS && head[4] & 1 == 0 {
            self.write(&frame(SETTINGS, 1, 0, &[]))?;
        }
        Ok((head[3], head[4], stream, payload))
    }

    /// Calls a method with an empty message and waits for its end; how long it took, and the bytes
    /// of data that came back.
    ///
    /// # Errors
    /// Those of the socket, and a stream or connection that the other side ends.
    pub fn ask(&mut self, method: &str) -> io::Result<(Duration, Vec<u8>)> {
        self.ask_about(method, b"")
    }

    /// As [`ask`](Self::ask), with this message.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn ask_about(&mut self, method: &str, request: &[u8]) -> io::Result<(Duration, Vec<u8>)> {
        let began = Instant::now();
        let ours = self.stream();
        self.write(&[call(ours, method), message(ours, request)].concat())?;
        let mut data = Vec::new();
        loop {
            let (kind, flags, stream, payload) = self.read()?;
            if stream != ours {
                continue;
            }
            match kind {
                DATA => data.extend(payload),
                HEADERS if flags & END_STREAM != 0 => return Ok((began.elapsed(), data)),
                HEADERS => {}
                other => return Err(io::Error::other(format!("frame {other} ended the stream"))),
            }
        }
    }
}
