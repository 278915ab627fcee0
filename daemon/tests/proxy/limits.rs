//! What is too large or too slow.

use std::time::Duration;

use claudectld::proxy::limits;

use crate::rig::{Rig, Script, get};

#[tokio::test]
async fn heads_that_are_too_large() {
    let rig = Rig::new().await;
    let long = get(&format!("/{}", "a".repeat(limits::HEAD)));
    let many = get("/").replace("Host", &format!("{}Host", "X: 1\r\n".repeat(limits::FIELDS + 1)));
    for request in [long, many] {
        let mut client = rig.client().await;
        client.say(request).await;
        assert!(client.head().await.starts_with("HTTP/1.1 431 "));
    }
    assert!(rig.is_left_alone().await);
}

#[tokio::test]
async fn answers_with_heads_that_are_too_large() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say(get("/")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.say(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(limits::HEAD))).await;
    assert!(client.head().await.starts_with("HTTP/1.1 502 "));
}

#[tokio::test(start_paused = true)]
async fn heads_that_take_too_long() {
    let rig = Rig::new().await;
    let mut idle = rig.client().await;
    let mut slow = rig.client().await;
    tokio::io::AsyncWriteExt::write_all(&mut slow, b"GET / HT").await.unwrap();
    tokio::time::sleep(limits::HEAD_TIME + Duration::from_secs(1)).await;
    let mut heard = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut slow, &mut heard).await.unwrap();
    assert!(heard.starts_with(b"HTTP/1.1 408 "));
    heard.clear();
    tokio::io::AsyncReadExt::read_to_end(&mut idle, &mut heard).await.unwrap();
    assert!(heard.is_empty());
}
