//! Connections to the upstream, and routes that are refused.

use claudectl_core::account::Route;
use claudectld::proxy::upstream::{RouteError, Upstream};

use crate::rig::{OK, Rig, Script, get};

#[tokio::test]
async fn a_connection_is_used_again_by_other_clients() {
    let rig = Rig::new().await;
    let mut upstream = None;
    for _ in 0..3 {
        let mut client = rig.client().await;
        client.say(get("/")).await;
        let stream = match &mut upstream {
            None => upstream.insert(rig.accept().await),
            Some(stream) => stream,
        };
        stream.head().await;
        stream.say(OK).await;
        client.expect(OK).await;
    }
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_is_not_used_again() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    for wait in [false, true, false] {
        client.say(get("/")).await;
        let mut upstream = rig.accept().await;
        upstream.head().await;
        upstream.say(OK).await;
        client.expect(OK).await;
        drop(upstream);
        if wait {
            // Longer than a connection is trusted without a look.
            tokio::time::sleep(claudectld::proxy::limits::POOL_TRUST * 2).await;
        }
    }
}

#[tokio::test]
async fn a_connection_with_something_left_on_it_is_not_used_again() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    for surplus in ["surplus", ""] {
        client.say(get("/")).await;
        let mut upstream = rig.accept().await;
        upstream.head().await;
        upstream.say(format!("{OK}{surplus}")).await;
        client.expect(OK).await;
    }
}

#[tokio::test]
async fn an_upstream_that_says_close_is_obeyed_and_the_client_kept() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    for _ in 0..2 {
        client.say(get("/")).await;
        let mut upstream = rig.accept().await;
        upstream.head().await;
        upstream.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
        client.expect(OK).await;
        upstream.expect_end().await;
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_told_in_one_sentence() {
    let upstream = crate::rig::listen().await;
    let gone = crate::rig::listen().await;
    let route = crate::rig::plain(&gone);
    drop(gone);
    let rig = Rig::with(upstream, &route, false).await;
    let mut client = rig.client().await;
    client.say(get("/").replace("Host", "Connection: close\r\nHost")).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 502 ") && head.contains("x-should-retry: true\r\n"), "{head}");
    let body = client.rest().await;
    assert!(body.contains(r#""type":"api_error""#) && body.contains("could not be reached"), "{body}");
}

#[tokio::test]
async fn routes_that_are_refused() {
    let build = async |upstream: &str, proxy: Option<&str>, ca_file: Option<&str>| {
        let route = Route {
            upstream: upstream.into(),
            proxy: proxy.map(Into::into),
            ca_file: ca_file.map(Into::into),
        };
        Upstream::build(&route).await.map(|upstream| upstream.trust().to_owned())
    };
    assert!(matches!(build("http://api.example", None, None).await, Err(RouteError::PlainRemote(_))));
    assert!(matches!(
        build("https://api.example", Some("http://u:p@proxy:1"), None).await,
        Err(RouteError::UserInfo("the proxy"))
    ));
    assert!(matches!(
        build("http://127.0.0.1:1", Some("http://proxy:1"), None).await,
        Err(RouteError::ProxyToLoopback(_))
    ));
    assert!(matches!(
        build("http://127.0.0.1:1", None, Some("/x")).await,
        Err(RouteError::RootsWithoutTls(_))
    ));
    let missing =
        build("https://api.example", None, Some("/nonexistent/ca.pem")).await.unwrap_err().to_string();
    assert!(missing.contains("/nonexistent/ca.pem"), "{missing}");
    let empty = tempfile::NamedTempFile::new().unwrap();
    let empty = build("https://api.example", None, empty.path().to_str()).await.unwrap_err().to_string();
    assert!(empty.contains("no certificate in it"), "{empty}");
    assert!(build("http://127.0.0.1:1", None, None).await.unwrap().contains("none"));
}
