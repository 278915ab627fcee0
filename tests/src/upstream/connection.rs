//! One connection: reads requests, records them, replies.

use std::{
    collections::BTreeSet,
    io::{self, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    thread,
};

use ring::digest;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Reply, Request, State, reply};
use crate::{
    http::{self, Head},
    wait::Watched,
};

/// How much of a body is kept.
const KEPT: usize = 1 << 20;

/// A stream to the client, and the socket under it.
trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

pub(super) fn serve(socket: &TcpStream, acceptor: Option<Arc<ServerConfig>>, state: &Watched<State>) {
    let number = state.change(|state| {
        state.connections += 1;
        state.connections - 1
    });
    // An error here is the other side's doing (a cut, a refused certificate): the test asks for it.
    let _ = relay(socket, acceptor, state, number);
    let _ = socket.shutdown(Shutdown::Both);
}

fn relay(
    socket: &TcpStream,
    acceptor: Option<Arc<ServerConfig>>,
    state: &Watched<State>,
    number: usize,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let plain = socket.try_clone()?;
    let wire: Box<dyn Wire> = match acceptor {
        None => Box::new(plain),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            Box::new(StreamOwned::new(connection, plain))
        }
    };
    let mut reader = BufReader::with_capacity(64 * 1024, wire);
    while let Some(head) = http::read_head(&mut reader)? {
        if head.field("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let request = receive(&mut reader, head, number)?;
        let tunnel = state.lock().tunnel.filter(|_| request.head.word(0) == "CONNECT");
        if let Some(target) = tunnel {
            state.change(|state| state.requests.push(request));
            return splice(socket, target);
        }
        let reply = choose(state, &request);
        state.change(|state| state.requests.push(request.clone()));
        if !reply::send(reader.get_mut(), socket, &request, &reply, state)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Passes bytes on both ways until one side ends.
fn splice(client: &TcpStream, target: SocketAddr) -> io::Result<()> {
    let upstream = TcpStream::connect(target)?;
    (&mut &*client).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    thread::scope(|scope| {
        scope.spawn(|| pass(client, &upstream));
        pass(&upstream, client);
    });
    Ok(())
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

fn receive(reader: &mut BufReader<Box<dyn Wire>>, head: Head, connection: usize) -> io::Result<Request> {
    let mut digest = digest::Context::new(&digest::SHA256);
    let (mut body, mut length) = (Vec::new(), 0);
    http::read_request_body(reader, &head, &mut |piece| {
        digest.update(piece);
        length += piece.len() as u64;
        let room = KEPT - body.len().min(KEPT);
        body.extend_from_slice(&piece[..piece.len().min(room)]);
    })?;
    let sha256 = hexadecimal(digest.finish().as_ref());
    Ok(Request { head, length, sha256, body, connection })
}

/// These bytes in hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

fn choose(state: &Watched<State>, request: &Request) -> Reply {
    let mut state = state.lock();
    let credentials = request.credentials();
    let values: BTreeSet<_> =
        credentials.iter().map(|(_, value)| value.trim_start_matches("Bearer ")).collect();
    // A key helper of the genuine client makes it send the same credential in two fields.
    let is_known =
        values.len() == 1 && (state.is_open || values.iter().all(|value| state.keys.contains(*value)));
    if let Some(reply) = state.open.get(request.path()) {
        return reply.clone();
    }
    match request.path() {
        "/" | "/api/hello" => return Reply::status(200, "", ""),
        _ if !is_known => {
            return Reply::status(401, "authentication_error", "invalid x-api-key");
        }
        "/v1/models" => return state.models.clone().unwrap_or_else(Reply::models),
        _ => {}
    }
    if let Some(reply) = state.queue.pop_front() {
        return reply;
    }
    let modelled = state.model.as_ref().and_then(|model| model(request));
    modelled.unwrap_or_else(|| match request.path() {
        "/v1/messages" => Reply::message("Hello from the fake upstream."),
        "/v1/messages/count_tokens" => Reply::json(r#"{"input_tokens":11}"#),
        "/digest" => {
            Reply::json(&format!(r#"{{"length":{},"sha256":"{}"}}"#, request.length, request.sha256))
        }
        _ => Reply::status(404, "not_found_error", "no such path"),
    })
}
