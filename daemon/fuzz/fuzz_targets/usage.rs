//! The usage scanner counts the same however a body is split, and never falls over.
#![no_main]

use claudectld::proxy::usage::Usage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, body) = input;
    let (mut whole, mut split) = (Usage::default(), Usage::default());
    whole.read(body);
    body.chunks(usize::from(piece).max(1)).for_each(|piece| split.read(piece));
    assert_eq!(whole.take(), split.take());
});
