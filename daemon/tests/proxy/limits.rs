//! What is too large or too slow.

use std::time::Duration;

use claudectld::proxy::limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

/// A request that was answered already, whose rest comes byte by byte.
#[tokio::test(start_paused = true)]
async fn the_rest_of_a_request_that_takes_too_long() {
    let rig = Rig::new().await;
    rig.close("logged out");
    let mut client = rig.client().await;
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
    let mut heard = [0; 12];
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"HTTP/1.1 401");
    let began = tokio::time::Instant::now();
    while client.write_all(b"x").await.is_ok() && began.elapsed() < 3 * limits::DRAIN_TIME {
        tokio::time::sleep(limits::LINGER_TIME / 2).await;
    }
    assert!(began.elapsed() < 2 * limits::DRAIN_TIME, "it was listened to for {:?}", began.elapsed());
}
