//! Whatever a netrc holds: a password is a whole word of it.
#![no_main]

use claudectl_footprint::scan::netrc::passwords;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut end = 0;
    for found in passwords(bytes, |host| !host.is_empty()) {
        assert!(found.start >= end && !bytes[found.clone()].iter().any(u8::is_ascii_whitespace));
        end = found.end;
    }
});
