//! Threat T19: an upstream that echoes the credential.

use crate::rig::{KEY, Rig, Script, get};

async fn relayed(answers: &[String]) -> String {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say(get("/").replace("Host", "Connection: close\r\nHost")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    for answer in answers {
        upstream.say(answer).await;
        // The relay has to see the pieces one by one.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    drop(upstream);
    let heard = client.rest().await;
    assert!(!heard.contains(KEY), "{heard}");
    heard
}

fn stars(length: usize) -> String {
    "*".repeat(length)
}

#[tokio::test]
async fn in_a_head() {
    let answer = format!("HTTP/1.1 401 {KEY}\r\nX-Echo: a{KEY}b\r\nContent-Length: 0\r\n\r\n");
    let text = relayed(&[answer]).await;
    let stars = stars(KEY.len());
    assert_eq!(
        text,
        format!(
            "HTTP/1.1 401 {stars}\r\nX-Echo: a{stars}b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    );
}

#[tokio::test]
async fn in_a_body_at_every_split() {
    let body = format!("<{KEY}><sk-ant-api03-TEST><{KEY}");
    for split in [1, 2, 20, KEY.len(), KEY.len() + 1, KEY.len() + 2, body.len() - 1] {
        let (first, second) = body.split_at(split);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let text = relayed(&[head + first, second.to_owned()]).await;
        let stars = stars(KEY.len());
        assert!(text.ends_with(&format!("\r\n\r\n<{stars}><sk-ant-api03-TEST><{stars}")), "{split}: {text}");
    }
}

#[tokio::test]
async fn across_chunks() {
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let (a, rest) = KEY.split_at(10);
    let (b, c) = rest.split_at(1);
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let pieces = [head + &chunk(&format!("x{a}")), chunk(b), chunk(&format!("{c}y")) + "0\r\n\r\n"];
    let expected = [
        chunk(&format!("x{}", stars(10))),
        chunk("*"),
        chunk(&format!("{}y", stars(c.len()))),
        "0\r\n\r\n".into(),
    ];
    let text = relayed(&pieces).await;
    assert!(text.ends_with(&expected.concat()), "{text}");
    let text = relayed(&[pieces.concat()]).await;
    assert!(text.ends_with(&expected.concat()), "{text}");
}

#[tokio::test]
async fn what_only_begins_like_it_is_not_lost_at_the_end() {
    let text = relayed(&["HTTP/1.1 200 OK\r\n\r\nabc sk-ant-api03".to_owned()]).await;
    assert!(text.ends_with("\r\n\r\nabc sk-ant-api03"), "{text}");
}
