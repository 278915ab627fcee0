//! An API on loopback that answers one key: enough of it for the demonstration.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
};

use serde_json::{Value, json};
use zeroize::Zeroizing;

/// What it answers to every prompt.
pub const ANSWER: &str = "Hello! Your prompt came with the demo key, which the session never saw.";

/// The longest request that it takes, in bytes.
const LIMIT: usize = 16 * 1024 * 1024;

/// A request, as far as it matters.
struct Request {
    method: String,
    path: String,
    key: Zeroizing<String>,
    body: Vec<u8>,
}

/// Serves on a loopback port of its own until the process ends.
///
/// # Errors
/// If there is no port to be had.
pub fn serve(key: Zeroizing<String>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let key = Arc::new(key);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let key = Arc::clone(&key);
            // A connection that breaks is over: its other end knows.
            std::thread::spawn(move || drop(converse(&connection, &key)));
        }
    });
    Ok(address)
}

fn converse(connection: &TcpStream, key: &str) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(request) = read(&mut reader)? {
        answer(connection, &request, key)?;
    }
    Ok(())
}

fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request { method, path, key: Zeroizing::default(), body: Vec::new() };
    let mut length = 0;
    loop {
        let mut line = Zeroizing::new(String::new());
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "x-api-key" => request.key = Zeroizing::new(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    request.body.resize(usize::min(length, LIMIT), 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn answer(connection: &TcpStream, request: &Request, key: &str) -> io::Result<()> {
    let path = request.path.split('?').next().unwrap_or_default();
    if request.key.as_str() != key {
        let error = json!({"type": "authentication_error", "message": "this is not the demo key"});
        return write(connection, request, "401 Unauthorized", &json!({"type": "error", "error": error}));
    }
    match (request.method.as_str(), path) {
        ("GET" | "HEAD", "/v1/models") => {
            write(connection, request, "200 OK", &json!({"data": [], "has_more": false}))
        }
        ("POST", "/v1/messages/count_tokens") => {
            write(connection, request, "200 OK", &json!({"input_tokens": 7}))
        }
        ("POST", "/v1/messages") => message(connection, request),
        _ => {
            let error = json!({"type": "not_found_error", "message": "the demo API does not have that"});
            write(connection, request, "404 Not Found", &json!({"type": "error", "error": error}))
        }
    }
}

fn message(connection: &TcpStream, request: &Request) -> io::Result<()> {
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let model = asked.get("model").and_then(Value::as_str).unwrap_or("demo");
    let usage = json!({"input_tokens": 7, "output_tokens": 17});
    if asked.get("stream").and_then(Value::as_bool) == Some(true) {
        return stream(connection, model, &usage);
    }
    let message = json!({
        "id": "msg_demo", "type": "message", "role": "assistant", "model": model,
        "content": [{"type": "text", "text": ANSWER}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": usage,
    });
    write(connection, request, "200 OK", &message)
}

fn stream(mut connection: &TcpStream, model: &str, usage: &Value) -> io::Result<()> {
    let message = json!({
        "id": "msg_demo", "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 7, "output_tokens": 0},
    });
    let delta = json!({"type": "text_delta", "text": ANSWER});
    let stop = json!({"stop_reason": "end_turn", "stop_sequence": null});
    let events = [
        ("message_start", json!({"type": "message_start", "message": message})),
        (
            "content_block_start",
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
        ("content_block_delta", json!({"type": "content_block_delta", "index": 0, "delta": delta})),
        ("content_block_stop", json!({"type": "content_block_stop", "index": 0})),
        ("message_delta", json!({"type": "message_delta", "delta": stop, "usage": usage})),
        ("message_stop", json!({"type": "message_stop"})),
    ];
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.write_all(head.as_bytes())?;
    for (name, data) in events {
        let event = format!("event: {name}\ndata: {data}\n\n");
        connection.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())?;
    }
    connection.write_all(b"0\r\n\r\n")
}

fn write(mut connection: &TcpStream, request: &Request, status: &str, body: &Value) -> io::Result<()> {
    let text = body.to_string();
    let length = text.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    connection.write_all(head.as_bytes())?;
    if request.method == "HEAD" { Ok(()) } else { connection.write_all(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        connection.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn only_the_right_key_gets_an_answer() {
        let address = serve(Zeroizing::new("sk-ant-api03-TEST".to_owned())).unwrap();
        let post = |key: &str, body: &str| {
            ask(
                address,
                &format!(
                    "POST /v1/messages HTTP/1.1\r\nX-Api-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                ),
            )
        };
        assert!(post("wrong", "{}").starts_with("HTTP/1.1 401 "));
        assert!(post("sk-ant-api03-TEST", "{}").contains(ANSWER));
        assert!(post("sk-ant-api03-TEST", r#"{"stream":true}"#).contains("event: message_stop"));
        assert!(ask(address, "GET /v1/models HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 401 "));
    }
}
