//! Whatever a file holds: what is taken for a credential is one by its form, in order, and what is shown
//! afterwards holds none.
#![no_main]

use claudectl_footprint::scan::{
    format::{LONGEST, PREFIX, masked, tokens},
    placeholder::is_placeholder,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut end = 0;
    for token in tokens(bytes) {
        let found = &bytes[token.bytes.clone()];
        assert!(token.bytes.start >= end && found.starts_with(PREFIX));
        assert!(found.len() >= PREFIX.len() + 20 && found.len() <= LONGEST + 32);
        assert!(found.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)));
        end = token.bytes.end;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(tokens(masked(text).as_bytes()).next(), None);
    }
    let _ = is_placeholder(bytes);
});
