//! What the upstream answers, made once.

use std::fmt::Write as _;

/// Events in a burst.
const EVENTS: usize = 200;

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n\
                   request-id: req_TEST\r\ntransfer-encoding: chunked\r\n\r\n";

/// One answer: parts that are written one after the other.
#[derive(Debug)]
pub(super) struct Replies {
    json: [String; 1],
    sse: [String; 2],
    burst: [String; 2],
    hold: [String; 1],
}

impl Replies {
    pub(super) fn new() -> Self {
        let first = chunk(&event(
            "message_start",
            r#"{"type":"message_start","message":{"id":"msg_TEST","type":"message","role":"assistant","model":"claude-test","content":[],"usage":{"input_tokens":25,"output_tokens":1}}}"#,
        ));
        let last = chunk(&event("message_stop", r#"{"type":"message_stop"}"#)) + "0\r\n\r\n";
        let start = format!("{SSE}{first}");
        let delta =
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}"#;
        let burst = chunk(&event("content_block_delta", delta)).repeat(EVENTS);
        Self {
            json: [json()],
            sse: [start.clone(), last.clone()],
            burst: [start.clone(), burst + &last],
            hold: [start],
        }
    }

    /// The answer to a request with this path.
    pub(super) fn to(&self, path: &str) -> &[String] {
        match path.split_once('?').map_or("", |(_, query)| query) {
            "sse" => &self.sse,
            "burst" => &self.burst,
            "hold" => &self.hold,
            _ => &self.json,
        }
    }
}

fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// A message of 1 KiB.
fn json() -> String {
    let usage = r#""usage":{"input_tokens":25,"output_tokens":180}"#;
    let mut body = format!(
        r#"{{"id":"msg_TEST","type":"message","role":"assistant","model":"claude-test",{usage},"content":[{{"type":"text","text":""#
    );
    let end = "\"}]}";
    while body.len() + end.len() < 1024 {
        body.push('w');
    }
    body.push_str(end);
    let mut reply =
        String::from("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_TEST\r\n");
    write!(reply, "content-length: {}\r\n\r\n{body}", body.len()).expect("memory");
    reply
}
