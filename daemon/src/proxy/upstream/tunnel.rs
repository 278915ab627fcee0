//! A tunnel through an HTTP proxy (RFC 9110, section 9.3.6).

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::proxy::head::{self, Extent, response::Response};

/// Longest answer of a proxy, in bytes.
const ANSWER: usize = 8 * 1024;

/// Asks the proxy at the other end of `stream` for a tunnel to `authority`.
pub(super) async fn open(stream: &mut TcpStream, authority: &str) -> io::Result<()> {
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while answer.len() < ANSWER {
        // Byte by byte: what follows the head belongs to the tunnel.
        answer.push(stream.read_u8().await?);
        match head::extent(&answer).map_err(io::Error::other)? {
            Extent::Partial => {}
            Extent::Complete(_) => return verdict(&answer),
        }
    }
    Err(io::Error::other("the proxy's answer is too long"))
}

fn verdict(answer: &[u8]) -> io::Result<()> {
    let mut room = head::room();
    let status = Response::parse(answer, &mut room).map_err(io::Error::other)?.status();
    match status {
        200..=299 => Ok(()),
        407 => Err(io::Error::other("the proxy asks for a login, which is not supported")),
        _ => Err(io::Error::other(format!("the proxy answered {status}"))),
    }
}
