//! The check at login.

use claudectl_core::credential::Header;
use claudectld::proxy::{
    check::{CheckError, credential},
    upstream::Upstream,
};

use crate::rig::{KEY, Script, listen, page, plain};

async fn verdict(answer: &str) -> Result<(), CheckError> {
    let listener = listen().await;
    let mut route = plain(&listener);
    route.upstream.push_str("/gateway");
    let upstream = Upstream::build(&route).await.unwrap();
    let secret = page(KEY);
    let asked = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = stream.head().await;
        assert!(head.starts_with("GET /gateway/v1/models?limit=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.ends_with(&format!("\r\nx-api-key: {KEY}\r\n\r\n")), "{head}");
        stream.say(answer).await;
    };
    tokio::join!(credential(&upstream, &secret, Header::XApiKey), asked).0
}

#[tokio::test]
async fn verdicts() {
    assert_eq!(verdict("HTTP/1.1 200 OK\r\n\r\n").await, Ok(()));
    assert_eq!(
        verdict("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\n\r\n").await,
        Err(CheckError::Refused { status: 401 })
    );
    assert_eq!(verdict("HTTP/1.1 403 No\r\n\r\n").await, Err(CheckError::Refused { status: 403 }));
    for (answer, said) in [
        ("HTTP/1.1 404 No\r\n\r\n", "answered 404"),
        ("HTTP/1.1 302 No\r\n\r\n", "answered 302"),
        ("", "without an answer"),
        ("SSH-2.0\r\n\r\n", "not one of an HTTP server"),
    ] {
        let error = verdict(answer).await.unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("--offline"), "{error}");
    }
}

#[tokio::test]
async fn nobody_there() {
    let listener = listen().await;
    let upstream = Upstream::build(&plain(&listener)).await.unwrap();
    drop(listener);
    let error = credential(&upstream, &page(KEY), Header::XApiKey).await.unwrap_err().to_string();
    assert!(error.contains("could not be reached") && error.contains("refused"), "{error}");
}
