//! Token answers: never a panic, and what comes out as a token can be sent in a header.
#![no_main]

use claudectld::oauth::TokenAnswer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let Ok(answer) = TokenAnswer::parse(document) else { return };
    for page in [Some(answer.access), answer.refresh, answer.id_token].into_iter().flatten() {
        let is_fit = page.expose(|token| token.iter().all(u8::is_ascii_graphic));
        assert_eq!(is_fit, Some(true));
    }
});
