//! The chunk parser gives the same verdict and the same content however the body is split.
#![no_main]

use claudectld::proxy::body::Framing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (response, piece, wire) = input;
    let framing = if response { Framing::response_chunks() } else { Framing::request_chunks() };
    assert_eq!(follow(framing, wire, wire.len()), follow(framing, wire, usize::from(piece).max(1)));
});

fn follow(mut framing: Framing, wire: &[u8], piece: usize) -> (Vec<u8>, bool, bool) {
    let mut content = Vec::new();
    for piece in wire.chunks(piece.max(1)) {
        match framing.advance(piece, |run| content.extend_from_slice(&piece[run])) {
            Ok(taken) => assert!(taken == piece.len() || framing.is_done()),
            Err(_) => return (content, false, true),
        }
        if framing.is_done() {
            break;
        }
    }
    (content, framing.is_done(), false)
}
