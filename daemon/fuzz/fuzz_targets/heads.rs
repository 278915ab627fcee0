//! No head makes the parsers fall over, and what goes up is strict enough for the strictest reader:
//! parsed again, it means the same, without a credential and without a field for one hop only.
#![no_main]

use claudectld::proxy::head::{self, Extent, request::Request, response::Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Extent::Complete(end)) = head::extent(bytes) else { return };
    let head = &bytes[..end];
    if let Ok(request) = Request::parse(head, &mut head::room()) {
        check_request(&request);
    }
    if let Ok(response) = Response::parse(head, &mut head::room()) {
        let mut out = Vec::new();
        response.write(false, &mut out);
        assert_eq!(head::extent(&out), Ok(Extent::Complete(out.len())));
        let mut room = head::room();
        let again = Response::parse(&out, &mut room).expect("what goes down can be read");
        assert_eq!((again.status(), again.body(false)), (response.status(), response.body(false)));
    }
});

fn check_request(request: &Request<'_>) {
    let mut out = Vec::new();
    request.write("/base", "upstream.example", &mut out);
    out.extend_from_slice(b"\r\n");
    // The upstream's own name may be longer than what it replaces.
    if out.len() > claudectld::proxy::limits::HEAD {
        return;
    }
    assert_eq!(head::extent(&out), Ok(Extent::Complete(out.len())));
    let mut room = head::room();
    let again = match Request::parse(&out, &mut room) {
        Ok(again) => again,
        Err(head::Flaw::TooManyFields) => return,
        Err(flaw) => panic!("{flaw}: {}", String::from_utf8_lossy(&out)),
    };
    assert_eq!((again.method(), again.body()), (request.method(), request.body()));
    assert!(again.path().starts_with("/base/") && again.presented().next().is_none());
    let text = String::from_utf8_lossy(&out).to_ascii_lowercase();
    for field in ["authorization", "x-api-key", "cookie", "connection", "upgrade", "te", "proxy-authorization"] {
        assert!(!text.contains(&format!("\r\n{field}:")), "{field}");
    }
}
