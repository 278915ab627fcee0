//! Threat T1: the kernel names who is at the other end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::{
    net::{TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
};

use claudectl_platform::peer::{Peer, of_stream, own_uid};

#[test]
fn a_socket_pair_is_this_process() {
    let (one, other) = UnixStream::pair().unwrap();
    let own = Peer { uid: own_uid(), pid: std::process::id() };
    assert_eq!(of_stream(&one).unwrap(), own);
    assert_eq!(of_stream(&other).unwrap(), own);
}

#[test]
fn both_ends_of_a_connection_are_told() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    assert_eq!(of_stream(&server).unwrap().pid, std::process::id());
    assert_eq!(of_stream(&client).unwrap().uid, own_uid(), "a client can check the server's user too");
}

#[test]
fn a_tcp_peer_is_not_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    assert!(of_stream(&server).is_err());
    drop(client);
}
