//! T17: injection into the redirect of a sign-in.

use std::time::Duration;

use claudectl_tests::authority::{Consent, FakeAuthority, encode};
use claudectld::oauth::LoginError;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::rig::{SignIn, deliver, deliver_and_look, get, host, patiently, post, say, text};

/// A sign-in, and what an honest browser would bring.
async fn begin(server: &FakeAuthority) -> (SignIn, Consent) {
    let mut sign_in = SignIn::browser(server).await;
    let consent = server.consent(&sign_in.url().await);
    (sign_in, consent)
}

/// The sign-in goes on and works, and its code was exchanged exactly once.
async fn still_works(server: &FakeAuthority, sign_in: SignIn, consent: &Consent) {
    assert!(server.calls_to("POST /token").is_empty());
    let shown = deliver_and_look(consent).await;
    assert!(shown.contains("Signed in"), "{shown}");
    sign_in.outcome().await.unwrap();
    assert_eq!(server.calls_to("POST /token").len(), 1);
}

#[tokio::test]
async fn a_wrong_or_missing_state_changes_nothing() {
    let server = FakeAuthority::plain();
    let (sign_in, consent) = begin(&server).await;
    for state in [Some("x"), Some(""), None] {
        let mut wrong = consent.clone();
        wrong.form.remove("state");
        wrong.form.extend(state.map(|state| ("state".to_owned(), state.to_owned())));
        let answer = deliver(&wrong).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("Not this sign-in"), "{answer}");
    }
    still_works(&server, sign_in, &consent).await;
}

#[tokio::test]
async fn an_error_of_a_stranger_does_not_end_the_sign_in() {
    let server = FakeAuthority::plain();
    let (sign_in, consent) = begin(&server).await;
    let answer = post(&host(&consent.redirect_uri), "error=access_denied&state=x").await;
    assert!(answer.contains("Not this sign-in"), "{answer}");
    still_works(&server, sign_in, &consent).await;
}

#[tokio::test]
async fn strangers_are_heard_only_so_often() {
    let server = FakeAuthority::plain();
    let (sign_in, consent) = begin(&server).await;
    for _ in 0..10 {
        post(&host(&consent.redirect_uri), "code=x&state=x").await;
    }
    assert!(matches!(sign_in.outcome().await, Err(LoginError::Strangers(10))));
    assert!(server.calls_to("POST /token").is_empty());
}

#[tokio::test]
async fn another_issuer_ends_the_sign_in_and_gets_no_code() {
    for issuer in [Some("https://evil.example"), Some(""), None] {
        let server = FakeAuthority::plain();
        server.behave(|behaviour| behaviour.issuer = issuer.map(ToOwned::to_owned));
        let (sign_in, consent) = begin(&server).await;
        let shown = deliver_and_look(&consent).await;
        assert!(shown.contains("Not signed in") && shown.contains("authorization server"), "{shown}");
        assert!(matches!(sign_in.outcome().await, Err(LoginError::Answer(_))), "{issuer:?}");
        assert!(server.calls_to("POST /token").is_empty());
    }
}

#[tokio::test]
async fn an_issuer_that_was_never_promised_may_be_missing_but_not_wrong() {
    for (issuer, works) in [(None, true), (Some("https://evil.example"), false)] {
        let server = FakeAuthority::plain();
        server.behave(|behaviour| {
            behaviour.metadata = json!({"authorization_response_iss_parameter_supported": Value::Null});
            behaviour.issuer = issuer.map(ToOwned::to_owned);
        });
        let (sign_in, consent) = begin(&server).await;
        deliver_and_look(&consent).await;
        assert_eq!(sign_in.outcome().await.is_ok(), works);
    }
}

#[tokio::test]
async fn a_code_is_used_once() {
    let server = FakeAuthority::plain();
    // Both are on their way before either is answered: a form that a person and a script have sent.
    let (sign_in, consent) = begin(&server).await;
    let (one, other) = tokio::join!(deliver(&consent), deliver(&consent));
    for answer in [&one, &other] {
        assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    }
    sign_in.outcome().await.unwrap();
    // And once more when it is over.
    let reloaded = deliver_and_look(&consent).await;
    assert!(reloaded.contains("Signed in"), "{reloaded}");
    assert_eq!(server.calls_to("POST /token").len(), 1);
    assert!(server.is_live(&server.access_tokens()[0]));
}

#[tokio::test]
async fn another_code_in_the_same_state_is_too_late() {
    let server = FakeAuthority::plain();
    let (sign_in, mut consent) = begin(&server).await;
    assert!(deliver(&consent).await.starts_with("HTTP/1.1 303 "));
    sign_in.outcome().await.unwrap();
    let code = consent.form.iter_mut().find(|(name, _)| *name == "code").unwrap();
    code.1.push_str("TESTOTHER");
    let answer = deliver(&consent).await;
    assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
    assert_eq!(server.calls_to("POST /token").len(), 1);
}

#[tokio::test]
async fn two_at_once_do_not_mix() {
    let server = FakeAuthority::plain();
    let (one, first) = begin(&server).await;
    let (other, second) = begin(&server).await;
    assert_ne!(first.redirect_uri, second.redirect_uri);
    // The answer to one brought to the other, whole and piece by piece.
    let crossed = Consent { redirect_uri: first.redirect_uri.clone(), ..second.clone() };
    assert!(deliver(&crossed).await.contains("Not this sign-in"));
    let crossed = Consent { redirect_uri: second.redirect_uri.clone(), ..first.clone() };
    assert!(deliver(&crossed).await.contains("Not this sign-in"));
    deliver_and_look(&second).await;
    deliver_and_look(&first).await;
    let (one, other) = (one.outcome().await.unwrap(), other.outcome().await.unwrap());
    assert_eq!(server.access_tokens(), [text(&other.access), text(&one.access)]);
}

#[tokio::test]
async fn a_stolen_code_in_a_right_state_is_stopped_by_the_verifier() {
    let server = FakeAuthority::plain();
    let (_waiting, victim) = begin(&server).await;
    let (sign_in, mut consent) = begin(&server).await;
    consent.form.insert("code".into(), victim.form["code"].clone());
    let shown = deliver_and_look(&consent).await;
    assert!(shown.contains("invalid_grant"), "{shown}");
    assert!(matches!(sign_in.outcome().await, Err(LoginError::Refused(_))));
    assert!(server.access_tokens().is_empty());
}

#[tokio::test]
async fn a_name_that_was_pointed_here_is_not_answered() {
    let server = FakeAuthority::plain();
    let (sign_in, consent) = begin(&server).await;
    let host = host(&consent.redirect_uri);
    let port = host.split(':').nth(1).unwrap();
    let target = format!("/callback?{}", encode(&consent.form));
    for named in [
        format!("evil.example:{port}"),
        format!("localhost:{port}"),
        "127.0.0.1".into(),
        format!("127.0.0.1:{port}.evil.example"),
    ] {
        let answer = say(&host, format!("GET {target} HTTP/1.1\r\nHost: {named}\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{named}: {answer}");
    }
    for request in [
        format!("GET {target} HTTP/1.1\r\n\r\n"),
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n"),
        format!("GET http://{host}{target} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET http://evil.example{target} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET {target} HTTP/1.1\nHost: {host}\n\n"),
        "\u{16}\u{3}\u{1}\n\n".to_owned(),
    ] {
        let answer = say(&host, request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    for (target, status) in
        [("/", 404), ("/favicon.ico", 404), ("/callback/", 404), ("/CALLBACK", 404), ("/signed-in", 404)]
    {
        let answer = get(&host, target).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
    }
    let answer = say(&host, format!("HEAD {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    still_works(&server, sign_in, &consent).await;
}

#[tokio::test]
async fn forms_that_are_none() {
    let server = FakeAuthority::plain();
    let (sign_in, consent) = begin(&server).await;
    let (host, body) = (host(&consent.redirect_uri), encode(&consent.form));
    let post = |fields: &str, body: &str| {
        format!("POST /callback HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n\r\n{body}")
    };
    let length = format!("Content-Length: {}", body.len());
    let form = "Content-Type: application/x-www-form-urlencoded";
    for request in [
        post(&format!("Content-Type: text/plain\r\n{length}"), &body),
        post(&length, &body),
        post(form, ""),
        post(
            &format!("{form}\r\nTransfer-Encoding: chunked"),
            &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        ),
        post(&format!("{form}\r\n{length}\r\n{length}"), &body),
    ] {
        let answer = say(&host, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request}: {answer}");
    }
    let doubled = format!("{body}&code=another");
    let answer = say(&host, post(&format!("{form}\r\nContent-Length: {}", doubled.len()), &doubled)).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    still_works(&server, sign_in, &consent).await;
}

#[tokio::test]
async fn too_much_is_cut_off() {
    let server = FakeAuthority::plain();
    let (sign_in, consent) = begin(&server).await;
    let host = host(&consent.redirect_uri);
    let long = "x".repeat(20_000);
    for request in [
        format!("GET /callback?code={long} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET /callback HTTP/1.1\r\nHost: {host}\r\nX: {long}\r\n\r\n"),
        format!(
            "POST /callback HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 9999999999\r\n\r\ncode=x"
        ),
    ] {
        let answer = say(&host, request).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
    still_works(&server, sign_in, &consent).await;
}

#[tokio::test]
async fn who_says_nothing_does_not_keep_the_browser_out() {
    let server = FakeAuthority::plain();
    let (sign_in, consent) = begin(&server).await;
    let host = host(&consent.redirect_uri);
    let mut silent = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        // A word, and then nothing.
        let _ = stream.write_all(b"GET /callback?").await;
        silent.push(stream);
    }
    still_works(&server, sign_in, &consent).await;
    // The oldest were cut to make room.
    let mut byte = [0; 1];
    let read = patiently(silent[0].read(&mut byte)).await;
    assert!(matches!(read, Ok(0) | Err(_)));
}

#[tokio::test]
async fn who_is_slow_is_cut_off() {
    let server = FakeAuthority::plain();
    let (_sign_in, consent) = begin(&server).await;
    let mut stream = TcpStream::connect(host(&consent.redirect_uri)).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let drip = async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            if writer.write_all(b"G").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        () = drip => unreachable!(),
        end = timeout(Duration::from_secs(15), reader.read_to_end(&mut rest)) => {
            assert!(end.is_ok(), "a connection that drips was still open after 15 seconds");
        }
    }
    assert!(rest.is_empty());
}

/// The port and the state of a sign-in are in the arguments of a browser, for everybody to see.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn another_user_of_the_machine_cannot_take_part() {
    use std::os::unix::process::CommandExt as _;
    claudectl_tests::need!(claudectl_tests::require::root());
    let server = FakeAuthority::plain();
    let mut sign_in = SignIn::browser(&server).await;
    let url = sign_in.url().await;
    let (theirs, ours) = (server.consent(&url), server.consent(&url));
    let host = host(&theirs.redirect_uri);
    let (address, port) = host.split_once(':').unwrap();
    let body = encode(&theirs.form);
    let request = format!(
        "POST /callback HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let script = "exec 3<>/dev/tcp/$0/$1; printf %s \"$2\" >&3; cat <&3; true";
    let mut other = std::process::Command::new("/bin/bash");
    other.args(["-c", script, address, port, &request]).uid(65_534).gid(65_534);
    let answer = tokio::task::spawn_blocking(move || other.output().unwrap());
    let answer = patiently(answer).await.unwrap();
    assert!(answer.stdout.is_empty(), "{answer:?}");
    assert!(server.calls_to("POST /token").is_empty());
    // It goes on.
    deliver_and_look(&ours).await;
    sign_in.outcome().await.unwrap();
}
