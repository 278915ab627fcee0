//! TLS upstreams, trust roots, and tunnels.

use std::sync::Arc;

use claudectl_core::account::Route;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::rig::{KEY, OK, Rig, Script, get, listen, patiently};

/// A certificate authority of the test's own, and a server that it vouches for.
struct Authority {
    acceptor: TlsAcceptor,
    ca_file: String,
    _directory: TempDir,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let ca_file = directory.path().join("ca.pem");
        std::fs::write(&ca_file, issuer.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let ca_file = ca_file.to_str().unwrap().to_owned();
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), ca_file, _directory: directory }
    }

    async fn accept(&self, stream: TcpStream) -> TlsStream<TcpStream> {
        patiently(self.acceptor.accept(stream)).await.unwrap()
    }
}

fn route(listener: &TcpListener, host: &str, ca_file: Option<&str>) -> Route {
    let port = listener.local_addr().unwrap().port();
    Route { upstream: format!("https://{host}:{port}"), proxy: None, ca_file: ca_file.map(ToOwned::to_owned) }
}

#[tokio::test]
async fn requests_and_streams_over_tls() {
    let (authority, listener) = (Authority::new("localhost"), listen().await);
    let route = route(&listener, "localhost", Some(&authority.ca_file));
    let rig = Rig::with(listener, &route, false).await;
    let mut client = rig.client().await;
    let body = "b".repeat(200_000);
    let (head, ()) = tokio::join!(
        async {
            let mut upstream = authority.accept(rig.accept().await).await;
            assert_eq!(upstream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            let head = upstream.head().await;
            upstream.expect(&body).await;
            upstream.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            for round in 0..3 {
                upstream.say(format!("1\r\n{round}\r\n")).await;
            }
            upstream.say("0\r\n\r\n").await;
            let again = upstream.head().await;
            upstream
                .say(format!("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{}", "d".repeat(300_000)))
                .await;
            upstream.shutdown().await.unwrap();
            head + &again
        },
        async {
            client.say(crate::rig::post(&body)).await;
            client.expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n1\r\n1\r\n1\r\n2\r\n0\r\n\r\n").await;
            client.say(get("/")).await;
            client
                .expect(format!("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{}", "d".repeat(300_000)))
                .await;
        },
    );
    assert_eq!(head.matches(KEY).count(), 2);
}

#[tokio::test]
async fn a_connection_cut_short_is_not_the_end_of_a_body() {
    let (authority, listener) = (Authority::new("localhost"), listen().await);
    let route = route(&listener, "localhost", Some(&authority.ca_file));
    let rig = Rig::with(listener, &route, false).await;
    let mut client = rig.client().await;
    client.say(get("/")).await;
    let mut upstream = authority.accept(rig.accept().await).await;
    upstream.head().await;
    upstream.say("HTTP/1.1 200 OK\r\n\r\nhalf").await;
    client.expect("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf").await;
    drop(upstream);
    client.expect_end().await;
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    let (authority, stranger) = (Authority::new("localhost"), Authority::new("localhost"));
    let other_name = Authority::new("other.example");
    for (server, ca_file) in
        [(&authority, None), (&authority, Some(&stranger.ca_file)), (&other_name, Some(&other_name.ca_file))]
    {
        let listener = listen().await;
        let route = route(&listener, "localhost", ca_file.map(String::as_str));
        let rig = Rig::with(listener, &route, false).await;
        let mut client = rig.client().await;
        client.say(get("/")).await;
        let refused = server.acceptor.accept(rig.accept().await).await;
        assert!(refused.is_err());
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    }
}

#[tokio::test]
async fn through_a_tunnel() {
    let (authority, proxy) = (Authority::new("api.example"), listen().await);
    let route = Route {
        upstream: "https://api.example".into(),
        proxy: Some(format!("http://{}", proxy.local_addr().unwrap())),
        ca_file: Some(authority.ca_file.clone()),
    };
    let rig = Rig::with(proxy, &route, false).await;
    let mut client = rig.client().await;
    client.say(get("/")).await;
    let mut tunnel = rig.accept().await;
    tunnel.expect("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n").await;
    tunnel.say("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
    let mut upstream = authority.accept(tunnel).await;
    assert!(upstream.head().await.contains("\r\nHost: api.example\r\n"));
    upstream.say(OK).await;
    client.expect(OK).await;

    let mut other = rig.client().await;
    client.say(get("/")).await;
    upstream.head().await;
    other.say(get("/")).await;
    let mut refused = rig.accept().await;
    refused.head().await;
    refused.say("HTTP/1.1 407 Who?\r\n\r\n").await;
    let head = other.head().await;
    assert!(head.starts_with("HTTP/1.1 502 "));
    assert!(other.rest_of(&head).await.contains("the proxy asks for a login"));
}

trait RestOf: Script {
    async fn rest_of(&mut self, head: &str) -> String {
        let (_, length) = head.split_once("Content-Length: ").unwrap();
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        String::from_utf8(self.hear(length).await).unwrap()
    }
}

impl<S: Script> RestOf for S {}
