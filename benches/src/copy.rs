//! The role `copy`: a plain TCP copy, the floor for anything between a client and an upstream. One
//! thread, no parsing: whatever arrives on one side goes out on the other.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read, Write},
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpStream, UnixListener, UnixStream},
};

const LISTENER: Token = Token(0);

struct Pair {
    client: UnixStream,
    upstream: TcpStream,
}

/// Listens on `socket` and copies to a port of this machine, for ever.
pub(crate) fn serve(socket: &str, port: &str) {
    let address = format!("127.0.0.1:{port}").parse().expect("a port");
    let mut poll = Poll::new().expect("epoll");
    let mut listener = UnixListener::bind(socket).expect("a socket");
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("epoll");
    let mut events = Events::with_capacity(512);
    let mut pairs = BTreeMap::new();
    let mut next = 2;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        poll.poll(&mut events, None).expect("epoll");
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((client, _)) = listener.accept() {
                    pairs.insert(next, connect(&poll, client, address, next));
                    next += 2;
                }
                continue;
            }
            let number = event.token().0 & !1;
            let Some(pair) = pairs.get_mut(&number) else { continue };
            if event.is_readable() && !pair.copy(event.token().0 == number, &mut buffer) {
                pairs.remove(&number);
            }
        }
    }
}

fn connect(poll: &Poll, mut client: UnixStream, address: std::net::SocketAddr, number: usize) -> Pair {
    // Blocking while it connects: on loopback that is at once.
    let upstream = std::net::TcpStream::connect(address).expect("the upstream");
    upstream.set_nonblocking(true).expect("a socket");
    upstream.set_nodelay(true).expect("a socket");
    let mut upstream = TcpStream::from_std(upstream);
    poll.registry().register(&mut client, Token(number), Interest::READABLE).expect("epoll");
    poll.registry().register(&mut upstream, Token(number + 1), Interest::READABLE).expect("epoll");
    Pair { client, upstream }
}

impl Pair {
    fn copy(&mut self, from_client: bool, buffer: &mut [u8]) -> bool {
        if from_client {
            copy(&mut self.client, &mut self.upstream, buffer)
        } else {
            copy(&mut self.upstream, &mut self.client, buffer)
        }
    }
}

/// Copies until there is nothing to read; false when one side has closed.
fn copy(from: &mut impl Read, to: &mut impl Write, buffer: &mut [u8]) -> bool {
    loop {
        let count = match from.read(buffer) {
            Ok(0) => return false,
            Ok(count) => count,
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        let mut left = &buffer[..count];
        while !left.is_empty() {
            match to.write(left) {
                Ok(written) => left = &left[written..],
                // What is measured fits in the socket's buffer; this is only for the rest.
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(_) => return false,
            }
        }
        if count < buffer.len() {
            return true;
        }
    }
}
