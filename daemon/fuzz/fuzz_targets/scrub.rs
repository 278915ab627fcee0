//! The credential never passes, and nothing else is changed, however a body is split and chunked.
#![no_main]

use claudectld::proxy::{body::Framing, scrub::scrub};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], Vec<u8>, Vec<u8>)| {
    let (credential, text, chunks, pieces) = input;
    // Asterisks are what covers: a credential of asterisks only cannot be told from its cover.
    if credential.len() < 2 || credential.len() > 64 || credential.contains(&b'*') {
        return;
    }
    if !credential.iter().all(u8::is_ascii_graphic) || pieces.is_empty() || chunks.is_empty() {
        return;
    }
    let passed = relay(credential, &encode(text, &chunks), &pieces);
    let content = decode(&passed);
    assert!(!contains(&content, credential));
    assert_eq!(content.len(), text.len());
    if !contains(text, credential) {
        assert_eq!(content, text);
    }
});

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

fn encode(text: &[u8], sizes: &[u8]) -> Vec<u8> {
    let (mut wire, mut rest, mut sizes) = (Vec::new(), text, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = usize::from(*sizes.next().unwrap()).clamp(1, rest.len());
        wire.extend_from_slice(format!("{size:x}\r\n").as_bytes());
        wire.extend_from_slice(&rest[..size]);
        wire.extend_from_slice(b"\r\n");
        rest = &rest[size..];
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

fn decode(wire: &[u8]) -> Vec<u8> {
    let (mut framing, mut content) = (Framing::response_chunks(), Vec::new());
    framing.advance(wire, |run| content.extend_from_slice(&wire[run])).expect("the framing is whole");
    assert!(framing.is_done());
    content
}

fn relay(credential: &[u8], wire: &[u8], pieces: &[u8]) -> Vec<u8> {
    let (mut framing, mut held, mut passed) = (Framing::response_chunks(), Vec::new(), Vec::new());
    let (mut rest, mut pieces) = (wire, pieces.iter().cycle());
    while !framing.is_done() {
        let (piece, after) = rest.split_at(usize::from(*pieces.next().unwrap()).clamp(1, rest.len()));
        rest = after;
        let mut buffer: Vec<u8> = std::mem::take(&mut held);
        buffer.extend_from_slice(piece);
        let (before, mut runs) = (framing, Vec::new());
        framing.advance(&buffer, |run| runs.push(run)).expect("the framing is whole");
        let pass = scrub(credential, &mut buffer, &runs, framing.is_done()).pass;
        if pass < buffer.len() {
            framing = before;
            framing.advance(&buffer[..pass], |_| {}).expect("the framing is whole");
        }
        held = buffer.split_off(pass);
        passed.extend_from_slice(&buffer);
    }
    passed
}
