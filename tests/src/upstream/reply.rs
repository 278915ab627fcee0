//! What the stand-in says.

use std::{
    io::{self, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{Request, State};
use crate::{http::write_chunk, wait::Watched};

/// Input tokens that every message costs (plain, written to the cache, read from it).
pub const INPUT_TOKENS: u64 = 11 + 3 + 5;
/// Output tokens that every message costs.
pub const OUTPUT_TOKENS: u64 = 7;

/// Where an echo puts the credential that the request carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// In a header field.
    Header,
    /// In a body of known length.
    Body,
    /// In a chunked body, cut in the middle of the credential.
    SplitBody,
    /// In one event of a stream, byte by byte.
    Drip,
}

/// One reply.
#[derive(Debug, Clone)]
pub struct Reply {
    kind: Kind,
    delay: Duration,
    close: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Ready made: status, further fields, body.
    Ready(u16, Vec<(String, String)>, Vec<u8>),
    /// Content blocks of a message, as JSON or as a stream, as the request wants it.
    Message(Vec<Value>),
    /// A stream with a pause before each of its events.
    Slow(Duration, usize),
    /// A stream that stops after its first events until `release`.
    Held,
    Echo(Echo),
    /// This many bytes.
    Bytes(u64),
    /// Exactly these bytes instead of a response.
    Raw(Vec<u8>),
}

impl From<Kind> for Reply {
    fn from(kind: Kind) -> Self {
        Self { kind, delay: Duration::ZERO, close: false }
    }
}

impl Reply {
    /// A message of this text.
    pub fn message(text: &str) -> Self {
        Kind::Message(vec![json!({"type": "text", "text": text})]).into()
    }

    /// A message that calls a tool.
    pub fn tool_use(name: &str, input: &Value) -> Self {
        let id = "toolu_TEST0000000000000001";
        Kind::Message(vec![json!({"type": "tool_use", "id": id, "name": name, "input": input})]).into()
    }

    /// An error in the Anthropic shape; no body if `kind` is empty.
    pub fn status(status: u16, kind: &str, message: &str) -> Self {
        let error = json!({"type": "error", "error": {"type": kind, "message": message}});
        let body = if kind.is_empty() { Vec::new() } else { error.to_string().into_bytes() };
        Kind::Ready(status, vec![("content-type".into(), "application/json".into())], body).into()
    }

    /// This JSON.
    pub fn json(body: &str) -> Self {
        Kind::Ready(200, vec![("content-type".into(), "application/json".into())], body.into()).into()
    }

    /// The list of models.
    pub fn models() -> Self {
        let model = json!({"type": "model", "id": "claude-test", "display_name": "Test", "created_at": "2026-01-01T00:00:00Z"});
        let list =
            json!({"data": [model], "has_more": false, "first_id": "claude-test", "last_id": "claude-test"});
        Self::json(&list.to_string())
    }

    /// A redirect to another place.
    pub fn redirect(location: &str) -> Self {
        Kind::Ready(307, vec![("location".into(), location.into())], Vec::new()).into()
    }

    /// A stream of `events` deltas with a pause before each.
    pub fn slow(pause: Duration, events: usize) -> Self {
        Kind::Slow(pause, events).into()
    }

    /// A stream that stays open until the upstream is told to go on, or the other side cuts it.
    pub fn held() -> Self {
        Kind::Held.into()
    }

    /// The credential of the request, sent back.
    pub fn echo(echo: Echo) -> Self {
        Kind::Echo(echo).into()
    }

    /// A body of this many bytes.
    pub fn bytes(count: u64) -> Self {
        Kind::Bytes(count).into()
    }

    /// Exactly these bytes, then the end of the connection.
    pub fn raw(bytes: &[u8]) -> Self {
        Kind::Raw(bytes.to_vec()).into()
    }

    /// The same, later.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The same, as the last of its connection.
    #[must_use]
    pub fn closing(self) -> Self {
        Self { close: true, ..self }
    }
}

type Wire<'a> = &'a mut dyn Write;

/// Sends a reply; false if the connection ends with it.
pub(super) fn send(
    wire: Wire<'_>,
    socket: &TcpStream,
    request: &Request,
    reply: &Reply,
    state: &Watched<State>,
) -> io::Result<bool> {
    if !reply.delay.is_zero() {
        state.wait_within(reply.delay, |state| state.stopping.then_some(()));
    }
    let close = reply.close;
    match &reply.kind {
        Kind::Ready(status, fields, body) => whole(wire, request, *status, fields, body, close)?,
        Kind::Message(content) => message(wire, request, content, close)?,
        Kind::Slow(pause, events) => slow(wire, *pause, *events)?,
        Kind::Held => held(wire, socket, state)?,
        Kind::Echo(echo) => send_echo(wire, request, *echo)?,
        Kind::Bytes(count) => bytes(wire, *count)?,
        Kind::Raw(bytes) => {
            wire.write_all(bytes)?;
            wire.flush()?;
            return Ok(false);
        }
    }
    Ok(!close)
}

fn begin(wire: Wire<'_>, status: u16, kind: &str, framing: &str, close: bool) -> io::Result<()> {
    let connection = if close { "close" } else { "keep-alive" };
    write!(
        wire,
        "HTTP/1.1 {status} Test\r\ncontent-type: {kind}\r\nrequest-id: req_TEST\r\n{framing}\r\nconnection: {connection}\r\n\r\n"
    )?;
    wire.flush()
}

fn whole(
    wire: Wire<'_>,
    request: &Request,
    status: u16,
    fields: &[(String, String)],
    body: &[u8],
    close: bool,
) -> io::Result<()> {
    let connection = if close { "close" } else { "keep-alive" };
    let mut out = Vec::new();
    write!(out, "HTTP/1.1 {status} Test\r\nrequest-id: req_TEST\r\nconnection: {connection}\r\n")?;
    for (name, value) in fields {
        write!(out, "{name}: {value}\r\n")?;
    }
    write!(out, "content-length: {}\r\n\r\n", body.len())?;
    if request.head.word(0) != "HEAD" {
        out.extend_from_slice(body);
    }
    wire.write_all(&out)?;
    wire.flush()
}

fn message(wire: Wire<'_>, request: &Request, content: &[Value], close: bool) -> io::Result<()> {
    if request.json()["stream"] != true {
        let body = message_json(content).to_string().into_bytes();
        let kind = vec![("content-type".to_owned(), "application/json".to_owned())];
        return whole(wire, request, 200, &kind, &body, close);
    }
    begin(wire, 200, "text/event-stream", "transfer-encoding: chunked", close)?;
    for event in events(content) {
        write_chunk(wire, &event)?;
    }
    write_chunk(wire, b"")
}

fn stop_reason(content: &[Value]) -> &'static str {
    if content.iter().any(|block| block["type"] == "tool_use") { "tool_use" } else { "end_turn" }
}

fn message_json(content: &[Value]) -> Value {
    json!({
        "id": "msg_TEST", "type": "message", "role": "assistant", "model": "claude-test", "content": content,
        "stop_reason": stop_reason(content), "stop_sequence": null,
        "usage": {"input_tokens": 11, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 5, "output_tokens": OUTPUT_TOKENS},
    })
}

fn event(data: &Value) -> Vec<u8> {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default()).into_bytes()
}

fn events(content: &[Value]) -> Vec<Vec<u8>> {
    let mut out = vec![start()];
    for (index, block) in content.iter().enumerate() {
        let (empty, delta) = if block["type"] == "tool_use" {
            let empty = json!({"type": "tool_use", "id": block["id"], "name": block["name"], "input": {}});
            (empty, json!({"type": "input_json_delta", "partial_json": block["input"].to_string()}))
        } else {
            (json!({"type": "text", "text": ""}), json!({"type": "text_delta", "text": block["text"]}))
        };
        out.push(event(&json!({"type": "content_block_start", "index": index, "content_block": empty})));
        out.push(event(&json!({"type": "content_block_delta", "index": index, "delta": delta})));
        out.push(event(&json!({"type": "content_block_stop", "index": index})));
    }
    out.push(end(stop_reason(content)));
    out
}

fn start() -> Vec<u8> {
    let mut message = message_json(&[]);
    message["stop_reason"] = Value::Null;
    message["usage"]["output_tokens"] = 1.into();
    event(&json!({"type": "message_start", "message": message}))
}

fn end(stop_reason: &str) -> Vec<u8> {
    let delta = json!({"stop_reason": stop_reason, "stop_sequence": null});
    let usage = json!({"output_tokens": OUTPUT_TOKENS});
    let mut out = event(&json!({"type": "message_delta", "delta": delta, "usage": usage}));
    out.extend(event(&json!({"type": "message_stop"})));
    out
}

fn slow(wire: Wire<'_>, pause: Duration, events: usize) -> io::Result<()> {
    begin(wire, 200, "text/event-stream", "transfer-encoding: chunked", false)?;
    write_chunk(wire, &start())?;
    for number in 0..events {
        thread::sleep(pause);
        let delta = json!({"type": "text_delta", "text": format!("part {number} ")});
        write_chunk(wire, &event(&json!({"type": "content_block_delta", "index": 0, "delta": delta})))?;
    }
    write_chunk(wire, &end("end_turn"))?;
    write_chunk(wire, b"")
}

fn held(wire: Wire<'_>, socket: &TcpStream, state: &Watched<State>) -> io::Result<()> {
    begin(wire, 200, "text/event-stream", "transfer-encoding: chunked", false)?;
    write_chunk(wire, &start())?;
    // Looks at the socket between short waits: the only way to see both a release and a cut here.
    socket.set_nonblocking(true)?;
    loop {
        let cut = !matches!(socket.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if cut {
            state.change(|state| state.cuts += 1);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if state.wait_within(Duration::from_millis(2), |state| state.released.then_some(())).is_some() {
            break;
        }
    }
    socket.set_nonblocking(false)?;
    write_chunk(wire, &end("end_turn"))?;
    write_chunk(wire, b"")
}

fn send_echo(wire: Wire<'_>, request: &Request, echo: Echo) -> io::Result<()> {
    let credential = request.credentials().first().map_or_else(String::new, |(_, value)| value.clone());
    match echo {
        Echo::Header => {
            let fields = vec![("x-echo".to_owned(), credential)];
            whole(wire, request, 200, &fields, b"{}", false)
        }
        Echo::Body => whole(wire, request, 200, &[], format!("you sent {credential}!").as_bytes(), false),
        Echo::SplitBody => {
            let text = format!("you sent {credential}!");
            let (one, other) = text.as_bytes().split_at(text.len() / 2);
            begin(wire, 200, "text/plain", "transfer-encoding: chunked", false)?;
            for piece in [one, other, b""] {
                write_chunk(wire, piece)?;
            }
            Ok(())
        }
        Echo::Drip => {
            begin(wire, 200, "text/event-stream", "transfer-encoding: chunked", false)?;
            for byte in event(&json!({"type": "ping", "credential": credential})) {
                write_chunk(wire, &[byte])?;
            }
            write_chunk(wire, b"")
        }
    }
}

fn bytes(wire: Wire<'_>, count: u64) -> io::Result<()> {
    begin(wire, 200, "application/octet-stream", &format!("content-length: {count}"), false)?;
    let block = vec![b'x'; 64 * 1024];
    let mut left = count;
    while left > 0 {
        let piece = &block[..block.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        wire.write_all(piece)?;
        left -= piece.len() as u64;
    }
    wire.flush()
}
