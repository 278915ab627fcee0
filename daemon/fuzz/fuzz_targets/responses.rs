//! Authorization responses as a browser brings them: never a panic, whatever is in the query.
#![no_main]

use claudectld::oauth::login::response::Response;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|encoded: &[u8]| {
    drop(Response::parse(encoded));
});
