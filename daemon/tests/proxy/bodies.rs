//! Bodies pass byte for byte, at once, and in bounded memory.

use std::time::Duration;

use claudectld::meter::Reading;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UnixStream},
    task::JoinSet,
    time::timeout,
};

use crate::rig::{Rig, Script, get, patiently, post};

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

#[tokio::test]
async fn large_bodies_pass_byte_for_byte_both_ways() {
    let rig = Rig::new().await;
    let body = noise(3_000_000);
    let (client, mut upstream) = (rig.client().await, None);
    let (mut read, mut write) = client.into_split();
    let (sent, expected) = (body.clone(), body.clone());
    let sending = tokio::spawn(async move {
        write.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n").await.unwrap();
        write.write_all(&sent).await.unwrap();
        write
    });
    let stream = upstream.insert(rig.accept().await);
    stream.head().await;
    stream.expect(&expected).await;
    let answering = async {
        stream.say("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n").await;
        stream.say(&body).await;
    };
    let hearing = async {
        let mut heard = vec![0; expected.len() + 44];
        patiently(tokio::io::AsyncReadExt::read_exact(&mut read, &mut heard)).await.unwrap();
        assert!(heard[heard.len() - expected.len()..] == expected[..]);
    };
    tokio::join!(answering, hearing);
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn chunks_keep_their_framing_both_ways() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    let body = "1;x=y\r\na\r\n00b\r\nhello world\r\n0\r\n\r\n";
    client.say(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.expect(body).await;
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n";
    for byte in answer.bytes() {
        upstream.say([byte]).await;
        tokio::task::yield_now().await;
    }
    client.expect(answer).await;
    client.say(get("/next")).await;
    upstream.head().await;
}

#[tokio::test]
async fn answers_without_a_body_leave_the_connection_in_step() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    let mut upstream = None;
    for (request, answer) in [
        ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
        (get("/"), "HTTP/1.1 204 No Content\r\n\r\n"),
        (get("/"), "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
        (get("/"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ] {
        client.say(request).await;
        let stream = match &mut upstream {
            None => upstream.insert(rig.accept().await),
            Some(stream) => stream,
        };
        stream.head().await;
        stream.say(answer).await;
        client.expect(answer).await;
    }
}

#[tokio::test]
async fn events_pass_at_once_and_tokens_are_counted() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say(post("{}")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.expect("{}").await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    upstream.say(head).await;
    client.expect(head).await;
    for data in [
        r#"{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}"#,
        r#"{"type":"content_block_delta","delta":{"text":"hi"}}"#,
        r#"{"type":"message_delta","usage":{"output_tokens":20}}"#,
    ] {
        let event = format!("event: x\ndata: {data}\n\n");
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        upstream.say(&chunk).await;
        client.expect(&chunk).await;
    }
    let Reading { requests, input_tokens, output_tokens, open_streams, .. } = rig.session.meter.read();
    assert_eq!((requests, input_tokens, output_tokens, open_streams), (1, 15, 20, 1));
    upstream.say("0\r\n\r\n").await;
    client.expect("0\r\n\r\n").await;
    assert_eq!(rig.session.meter.read().open_streams, 0);
}

/// How much an end takes until nothing moves any more.
async fn fill(end: &mut (impl AsyncWriteExt + Unpin)) -> usize {
    let (piece, mut taken) = (vec![b'x'; 64 * 1024], 0);
    while let Ok(written) = timeout(Duration::from_millis(200), end.write(&piece)).await {
        taken += written.unwrap();
        assert!(taken < 64 * 1024 * 1024, "nothing holds the sender back");
    }
    taken
}

#[tokio::test]
async fn a_slow_reader_holds_the_upstream_back() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say(get("/")).await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    upstream.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
    let before = fill(&mut upstream).await;
    let head = client.head().await.len();
    client.hear(before - head).await;
    assert!(fill(&mut upstream).await > 0, "reading lets it go on");
}

#[tokio::test]
async fn a_slow_upstream_holds_the_client_back() {
    let rig = Rig::new().await;
    let mut client = rig.client().await;
    client.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n").await;
    let mut upstream = rig.accept().await;
    upstream.head().await;
    let before = fill(&mut client).await;
    upstream.hear(before / 2).await;
    assert!(fill(&mut client).await > 0, "reading lets it go on");
}

async fn ask_four_times(mut client: UnixStream, number: usize) {
    for round in 0..4 {
        let body = format!("{number}-{round}");
        client.say(post(&body)).await;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        client.expect(answer).await;
    }
}

async fn echo(mut stream: TcpStream) {
    while stream.peek(&mut [0]).await.is_ok_and(|count| count > 0) {
        let head = stream.head().await;
        let (_, length) = head.split_once("Content-Length: ").unwrap();
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        let body = stream.hear(length).await;
        stream.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")).await;
        stream.say(body).await;
    }
}

#[tokio::test]
async fn many_clients_at_once() {
    let rig = Rig::new().await;
    let clients = async {
        let mut tasks = JoinSet::new();
        for number in 0..256 {
            tasks.spawn(ask_four_times(rig.client().await, number));
        }
        tasks.join_all().await;
    };
    let upstream = async {
        loop {
            tokio::spawn(echo(rig.accept().await));
        }
    };
    tokio::select! {
        () = clients => {}
        () = upstream => {}
    }
    assert_eq!(rig.session.meter.read().requests, 1024);
}
