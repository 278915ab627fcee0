//! Requests of a session: what is accepted, and what becomes of the head on its way up.

use super::{Field, Fields, Flaw, Room, flaw};
use crate::proxy::body::Framing;

/// The head of a request that was accepted.
#[derive(Debug)]
pub struct Request<'a> {
    method: &'a str,
    target: &'a str,
    minor: u8,
    fields: Fields<'a>,
}

impl<'a> Request<'a> {
    /// Parses a complete head.
    ///
    /// # Errors
    /// The first [`Flaw`] that makes it unacceptable.
    pub fn parse(head: &'a [u8], room: &'a mut Room<'a>) -> Result<Self, Flaw> {
        let mut parsed = httparse::Request::new(&mut []);
        match parsed.parse_with_uninit_headers(head, room) {
            Ok(httparse::Status::Complete(length)) if length == head.len() => {}
            Ok(_) => return Err(Flaw::Syntax),
            Err(error) => return Err(flaw(error)),
        }
        let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else {
            return Err(Flaw::Syntax);
        };
        if method == "CONNECT" || !is_plain_path(target) {
            return Err(Flaw::Target);
        }
        let fields = Fields::read(head, parsed.headers)?;
        if fields.hosts > 1 || (minor == 1 && fields.hosts == 0) {
            return Err(Flaw::Host);
        }
        if minor == 0 && fields.chunked {
            return Err(Flaw::Coding);
        }
        Ok(Self { method, target, minor, fields })
    }

    /// The method.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path, without the query.
    pub fn path(&self) -> &'a str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// Everything that was asked for: the path, and the query with it.
    pub fn target(&self) -> &'a str {
        self.target
    }

    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// How the body is framed.
    pub fn body(&self) -> Framing {
        match (self.fields.chunked, self.fields.length) {
            (true, _) => Framing::request_chunks(),
            (false, Some(length)) => Framing::length(length),
            (false, None) => Framing::Done,
        }
    }

    /// Whether the connection may be used again.
    pub fn keeps_alive(&self) -> bool {
        self.minor == 1 && !self.fields.close
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.fields.all(Field::Expect).any(|value| value.eq_ignore_ascii_case(b"100-continue"))
    }

    /// What the request carries where a credential belongs: the values of `x-api-key`, and of
    /// `Authorization` with the scheme `Bearer`.
    pub fn presented(&self) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter_map(|(name, value)| {
            if name.eq_ignore_ascii_case("x-api-key") {
                return Some(value);
            }
            let (scheme, token) = value.split_at_checked(7)?;
            let is_bearer =
                name.eq_ignore_ascii_case("authorization") && scheme.eq_ignore_ascii_case(b"bearer ");
            is_bearer.then(|| token.trim_ascii())
        })
    }

    /// Appends the head as the upstream gets it, up to where the credential's field begins: the
    /// upstream's own `Host` and base path; no credential, no field for one hop only, no coding asked
    /// for; everything else byte for byte and in order.
    pub fn write(&self, base: &str, host: &str, out: &mut Vec<u8>) {
        let version = if self.minor == 1 { "HTTP/1.1" } else { "HTTP/1.0" };
        for part in [self.method, " ", base, self.target, " ", version, "\r\nHost: ", host, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        self.fields.copy(out, |field| {
            matches!(field, Field::Length | Field::Coding | Field::Expect | Field::ContentType | Field::Other)
        });
        out.extend_from_slice(b"Accept-Encoding: identity\r\n");
    }
}

/// Whether the target is a path with an optional query that no server could read as a way out of the
/// upstream's base path.
fn is_plain_path(target: &str) -> bool {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let is_visible = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    target.starts_with('/') && is_visible && !path.contains('\\') && !path.split('/').any(climbs)
}

/// Whether a segment is `.` or `..`, percent-encoded or not, with or without a parameter; or has such a
/// part between slashes or backslashes that are percent-encoded, which some servers decode first.
fn climbs(segment: &str) -> bool {
    if !segment.contains('%') {
        return is_dots(segment);
    }
    let decoded = segment.to_ascii_lowercase().replace("%2e", ".").replace("%5c", "%2f");
    decoded.split("%2f").any(is_dots)
}

fn is_dots(segment: &str) -> bool {
    let name = segment.split_once(';').map_or(segment, |(name, _)| name);
    matches!(name, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::head::room;

    fn check(head: &str) -> Result<(), Flaw> {
        Request::parse(head.as_bytes(), &mut room()).map(|_| ())
    }

    fn rewritten(head: &str) -> String {
        let mut room = room();
        let mut out = Vec::new();
        Request::parse(head.as_bytes(), &mut room).unwrap().write("/base", "api.example", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn drops_credentials_and_hops_and_keeps_the_rest_byte_for_byte() {
        let head = "POST /v1/messages?beta=true HTTP/1.1\r\nhost: claudectl.invalid\r\nAuthorization: Bearer x\r\n\
            X-API-Key: y\r\nCookie: z\r\nanthropic-Version:  2023-06-01 \r\nX-Unknown:\tv\r\nConnection: X-Hop, keep-alive\r\n\
            x-hop: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Authorization: p\r\nProxy-Connection: p\r\nUpgrade: h2c\r\n\
            HTTP2-Settings: q\r\nAccept-Encoding: gzip\r\nTrailer: t\r\nX-Dup: 1\r\nx-dup: 2\r\nContent-Length: 3\r\n\r\n";
        let expected = "POST /base/v1/messages?beta=true HTTP/1.1\r\nHost: api.example\r\n\
            anthropic-Version:  2023-06-01 \r\nX-Unknown:\tv\r\nX-Dup: 1\r\nx-dup: 2\r\nContent-Length: 3\r\n\
            Accept-Encoding: identity\r\n";
        assert_eq!(rewritten(head), expected);
    }

    #[test]
    fn presented_capabilities() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nx-api-key: one\r\nAuthorization: bearer two\r\nauthorization: Basic no\r\n\r\n";
        let mut room = room();
        let request = Request::parse(head, &mut room).unwrap();
        assert_eq!(request.presented().collect::<Vec<_>>(), [&b"one"[..], b"two"]);
    }

    /// Threat T18: nothing but the account's upstream can be meant.
    #[test]
    fn the_target_table() {
        let line = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        for target in [
            "http://evil/",
            "https://evil/",
            "evil:443",
            "*",
            "//",
            "/a#b",
            "/../x",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/./x",
            "/..;x/y",
            "/a\\..\\b",
            "/..%2f..%2Fadmin",
            "/a/..%2Fb",
            "/a%2f..",
            "/a%5c%2e%2e%5Cb",
        ] {
            let expected = if target == "//" { Ok(()) } else { Err(Flaw::Target) };
            assert_eq!(check(&line(target)), expected, "{target}");
        }
        assert_eq!(check("CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n"), Err(Flaw::Target));
    }

    /// Threat T18: where two parsers could disagree, the request is refused.
    #[test]
    fn the_field_table() {
        let fields = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
        for (text, flaw) in [
            ("Host: b", Flaw::Host),
            ("Content-Length: 1\r\nContent-Length: 1", Flaw::Length),
            ("Content-Length: 1, 1", Flaw::Length),
            ("Content-Length: +1", Flaw::Length),
            ("Content-Length: -1", Flaw::Length),
            ("Content-Length: 0x1", Flaw::Length),
            ("Content-Length:", Flaw::Length),
            ("Content-Length: 1 1", Flaw::Length),
            ("Content-Length: 9999999999999999999", Flaw::Length),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked", Flaw::Ambiguous),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1", Flaw::Ambiguous),
            ("Transfer-Encoding: gzip, chunked", Flaw::Coding),
            ("Transfer-Encoding: chunked, identity", Flaw::Coding),
            ("Transfer-Encoding: xchunked", Flaw::Coding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Flaw::Coding),
            ("Transfer-Encoding: \"chunked\"", Flaw::Coding),
            ("Transfer-Encoding:", Flaw::Coding),
            ("Transfer-Encoding : chunked", Flaw::Syntax),
            ("Content-Length : 1", Flaw::Syntax),
            ("X: a\r\n b", Flaw::Syntax),
            ("X: a\r\n\tb", Flaw::Syntax),
            ("X: a\rb", Flaw::Syntax),
            ("X: a\0b", Flaw::Syntax),
            ("X\0: a", Flaw::Syntax),
            (": a", Flaw::Syntax),
            ("no colon", Flaw::Syntax),
            ("Connection: content-length", Flaw::Connection),
            ("Connection: close, Transfer-Encoding", Flaw::Connection),
            ("Connection: host", Flaw::Connection),
        ] {
            assert_eq!(check(&fields(text)), Err(flaw), "{text:?}");
        }
    }

    #[test]
    fn the_line_table() {
        for head in [
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
            "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
        ] {
            assert_eq!(check(head), Err(Flaw::Version), "{head:?}");
        }
        for head in [
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "G\u{1}T / HTTP/1.1\r\nHost: a\r\n\r\n",
            " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert!(check(head).is_err(), "{head:?}");
        }
        assert_eq!(check("GET / HTTP/1.1\r\n\r\n"), Err(Flaw::Host));
        assert_eq!(check("GET / HTTP/1.0\r\n\r\n"), Ok(()));
        assert_eq!(check("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(Flaw::Coding));
        let many = "x: 1\r\n".repeat(200);
        assert_eq!(check(&format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n")), Err(Flaw::TooManyFields));
    }
}
