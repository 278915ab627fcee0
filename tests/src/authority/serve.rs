//! One connection: reads requests, records them, replies.

use std::{
    io::{self, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Call, FakeAuthority, Reply, State, endpoints, form};
use crate::{
    http::{self, Head},
    wait::Watched,
};

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

pub(super) fn serve(socket: &TcpStream, acceptor: Option<Arc<ServerConfig>>, state: &Watched<State>) {
    // An error here is the other side's doing (a cut, a refused certificate): the test asks for it.
    let _ = answer(socket, acceptor, state);
    let _ = socket.shutdown(Shutdown::Both);
}

fn answer(socket: &TcpStream, acceptor: Option<Arc<ServerConfig>>, state: &Watched<State>) -> io::Result<()> {
    let plain = socket.try_clone()?;
    let wire: Box<dyn Wire> = match acceptor {
        None => Box::new(plain),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            Box::new(StreamOwned::new(connection, plain))
        }
    };
    let mut reader = BufReader::new(wire);
    while let Some(head) = http::read_head(&mut reader)? {
        let mut body = Vec::new();
        http::read_request_body(&mut reader, &head, &mut |piece| body.extend_from_slice(piece))?;
        let call = call(&head, &body);
        let path = call.what.split(' ').nth(1).unwrap_or_default().to_owned();
        let reply = state.change(|state| {
            state.calls.push(call.clone());
            let scripted = state.queues.get_mut(&path).and_then(std::collections::VecDeque::pop_front);
            scripted.unwrap_or_else(|| endpoints::answer(state, &call))
        });
        let close = head.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !send(reader.get_mut(), socket, &reply)? || close {
            return Ok(());
        }
    }
    Ok(())
}

fn call(head: &Head, body: &[u8]) -> Call {
    let (path, query) = head.word(1).split_once('?').unwrap_or((head.word(1), ""));
    let body = String::from_utf8_lossy(body);
    let form = form::decode(if head.word(0) == "POST" { &body } else { query });
    Call {
        what: format!("{} {path}", head.word(0)),
        form,
        bearer: head.field("authorization").map(ToOwned::to_owned),
        if_none_match: head.field("if-none-match").map(ToOwned::to_owned),
    }
}

/// Whether the connection goes on.
fn send(wire: &mut Box<dyn Wire>, socket: &TcpStream, reply: &Reply) -> io::Result<bool> {
    match reply {
        Reply::Close => return Ok(false),
        Reply::Hang => {
            // Until the other side is gone.
            socket.set_read_timeout(Some(FakeAuthority::PATIENCE))?;
            let _ = wire.read(&mut [0; 1]);
            return Ok(false);
        }
        Reply::Raw(bytes) => {
            wire.write_all(bytes)?;
            wire.flush()?;
            return Ok(false);
        }
        Reply::Json(status, document) => {
            let body = document.to_string();
            write(wire, *status, &[], "application/json", body.as_bytes())?;
        }
        Reply::Other(status, fields, kind, body) => write(wire, *status, fields, kind, body)?,
    }
    Ok(true)
}

fn write(
    wire: &mut Box<dyn Wire>,
    status: u16,
    fields: &[(String, String)],
    kind: &str,
    body: &[u8],
) -> io::Result<()> {
    let fields =
        fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n{fields}\r\n",
        body.len()
    );
    wire.write_all(&[head.as_bytes(), body].concat())?;
    wire.flush()
}
