//! One connection at the upstream.

use std::{
    io::{ErrorKind, Read, Write},
    sync::Arc,
};

use mio::{Interest, Poll, Token, net::TcpStream};
use rustls::{ServerConfig, ServerConnection};

use super::reply::Replies;

/// A connection, what has arrived on it, and what could not be sent yet.
pub(super) struct Stream {
    socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
    arrived: Vec<u8>,
    unsent: Vec<u8>,
}

impl Stream {
    pub(super) fn accept(
        mut socket: TcpStream,
        tls: Option<Arc<ServerConfig>>,
        poll: &Poll,
        token: Token,
    ) -> Self {
        socket.set_nodelay(true).expect("a socket");
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut socket, token, interest).expect("epoll");
        let tls = tls.map(|tls| Box::new(ServerConnection::new(tls).expect("a connection")));
        Self { socket, tls, arrived: Vec::new(), unsent: Vec::new() }
    }

    /// Reads, answers, and sends what is left; false when the connection is over.
    pub(super) fn go_on(&mut self, replies: &Replies) -> bool {
        let open = self.send(&[]) && self.receive();
        while let Some((path, length)) = request(&self.arrived) {
            let parts = replies.to(&path);
            self.arrived.drain(..length);
            for part in parts {
                if !self.send(part.as_bytes()) {
                    return false;
                }
            }
        }
        open
    }

    fn receive(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = match &mut self.tls {
                None => self.socket.read(&mut buffer),
                Some(tls) => receive_tls(tls, &mut self.socket, &mut buffer),
            };
            match read {
                Ok(0) => return false,
                Ok(count) => self.arrived.extend_from_slice(&buffer[..count]),
                Err(error) => return error.kind() == ErrorKind::WouldBlock && self.send(&[]),
            }
            if self.tls.is_none() && self.arrived.len() < buffer.len() && request(&self.arrived).is_some() {
                return true;
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> bool {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes).expect("memory");
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Ok(_) => {}
                    Err(error) => return error.kind() == ErrorKind::WouldBlock,
                }
            }
            return true;
        }
        self.unsent.extend_from_slice(bytes);
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
        true
    }
}

fn receive_tls(
    tls: &mut ServerConnection,
    socket: &mut TcpStream,
    buffer: &mut [u8],
) -> std::io::Result<usize> {
    loop {
        match tls.reader().read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => return other,
        }
        if tls.read_tls(socket)? == 0 {
            return Ok(0);
        }
        tls.process_new_packets().map_err(std::io::Error::other)?;
    }
}

/// Path and whole length of the first request, if all of it has arrived.
fn request(arrived: &[u8]) -> Option<(String, usize)> {
    let end = arrived.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&arrived[..end]).expect("a head in ASCII");
    let path = head.split(' ').nth(1)?.to_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|field| field.0.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(0, |(_, value)| value.trim().parse().expect("a length"));
    (arrived.len() >= end + length).then_some((path, end + length))
}
