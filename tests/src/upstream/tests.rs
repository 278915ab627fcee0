use std::{
    io::{BufReader, Write as _},
    net::TcpStream,
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::CertificateDer,
    pki_types::pem::PemObject as _,
};

use super::*;
use crate::http;

const KEY: &str = "sk-ant-api03-TESTKEYFORTHEUPSTREAM";

fn ask(stream: impl std::io::Read + std::io::Write, request: &str) -> (u16, String) {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let head = http::read_head(&mut stream).unwrap().unwrap();
    let mut body = Vec::new();
    http::read_response_body(&mut stream, &head, &mut |piece| body.extend_from_slice(piece)).unwrap();
    (head.status(), String::from_utf8(body).unwrap())
}

fn post(key: &str, body: &str) -> String {
    format!("POST /v1/messages HTTP/1.1\r\nx-api-key: {key}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn only_known_keys_get_a_message_and_everything_is_recorded() {
    let upstream = FakeUpstream::plain([KEY]);
    let connect = || TcpStream::connect(upstream.address()).unwrap();
    assert_eq!(ask(connect(), &post("sk-ant-api03-WRONG", "{}")).0, 401);
    let (status, body) = ask(connect(), &post(KEY, "{}"));
    assert!(status == 200 && body.contains(r#""output_tokens":7"#), "{body}");
    upstream.revoke(KEY);
    assert_eq!(ask(connect(), &post(KEY, "{}")).0, 401);
    let requests = upstream.messages();
    assert_eq!(requests[1].credentials(), [("x-api-key".to_owned(), KEY.to_owned())]);
    assert_eq!(requests[1].sha256, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

#[test]
fn a_stream_that_is_asked_for_is_a_stream() {
    let upstream = FakeUpstream::plain([KEY]);
    let (_, body) = ask(TcpStream::connect(upstream.address()).unwrap(), &post(KEY, r#"{"stream":true}"#));
    assert!(
        body.starts_with("event: message_start") && body.ends_with("{\"type\":\"message_stop\"}\n\n"),
        "{body}"
    );
}

#[test]
fn tls_is_vouched_for_by_its_own_authority() {
    let upstream = FakeUpstream::tls([KEY]);
    let mut roots = RootCertStore::empty();
    let authority = upstream.authority.as_ref().unwrap();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let stream = StreamOwned::new(client, TcpStream::connect(upstream.address()).unwrap());
    assert_eq!(ask(stream, &post(KEY, "{}")).0, 200);
}

#[test]
fn a_cut_of_a_held_stream_is_noticed() {
    let upstream = FakeUpstream::plain([KEY]);
    upstream.next([Reply::held()]);
    let mut stream = TcpStream::connect(upstream.address()).unwrap();
    stream.write_all(post(KEY, "{}").as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(http::read_head(&mut reader).unwrap().unwrap().status(), 200);
    drop(reader);
    upstream.wait_for_cuts(1);
}

#[test]
fn echoes_send_the_credential_back() {
    let upstream = FakeUpstream::plain([KEY]);
    for echo in [Echo::Body, Echo::SplitBody, Echo::Drip] {
        upstream.next([Reply::echo(echo)]);
        let (_, body) = ask(TcpStream::connect(upstream.address()).unwrap(), &post(KEY, "{}"));
        assert!(body.contains(KEY), "{echo:?}");
    }
}
