//! The role `upstream`: a fast API on loopback, plain or TLS 1.3, one thread. It prints its port,
//! and answers by the query of the path: `json`, `sse`, `burst`, `hold`.

mod reply;
mod stream;

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use mio::{Events, Interest, Poll, Token, net::TcpListener};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use stream::Stream;

const LISTENER: Token = Token(0);

/// Serves for ever; with TLS if a certificate and its key (PEM files) are given.
pub(crate) fn serve(identity: Option<(&str, &str)>) {
    let tls = identity.map(|(certificate, key)| configuration(certificate, key));
    let replies = reply::Replies::new();
    let mut poll = Poll::new().expect("epoll");
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("epoll");
    println!("{}", listener.local_addr().expect("an address").port());
    std::io::stdout().flush().expect("a pipe");
    let mut events = Events::with_capacity(512);
    let mut streams = BTreeMap::new();
    let mut next = 1;
    loop {
        poll.poll(&mut events, None).expect("epoll");
        for event in &events {
            let Token(number) = event.token();
            if event.token() == LISTENER {
                while let Ok((socket, _)) = listener.accept() {
                    streams.insert(next, Stream::accept(socket, tls.clone(), &poll, Token(next)));
                    next += 1;
                }
            } else if streams.get_mut(&number).is_some_and(|stream| !stream.go_on(&replies)) {
                streams.remove(&number);
            }
        }
    }
}

fn configuration(certificate: &str, key: &str) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate that fits its key");
    Arc::new(configuration)
}
