//! Responses of an upstream: what is accepted, and what becomes of the head on its way down.

use super::{Field, Fields, Flaw, Room, flaw};
use crate::proxy::body::Framing;

/// The head of a response that was accepted.
#[derive(Debug)]
pub struct Response<'a> {
    status: u16,
    status_line: &'a [u8],
    minor: u8,
    fields: Fields<'a>,
}

impl<'a> Response<'a> {
    /// Parses a complete head.
    ///
    /// # Errors
    /// The first [`Flaw`] that makes it unacceptable.
    pub fn parse(head: &'a [u8], room: &'a mut Room<'a>) -> Result<Self, Flaw> {
        let mut parsed = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        match config.parse_response_with_uninit_headers(&mut parsed, head, room) {
            Ok(httparse::Status::Complete(length)) if length == head.len() => {}
            Ok(_) => return Err(Flaw::Syntax),
            Err(error) => return Err(flaw(error)),
        }
        let (Some(status), Some(minor)) = (parsed.code, parsed.version) else { return Err(Flaw::Syntax) };
        if status == 101 {
            return Err(Flaw::Upgrade);
        }
        let line_end = memchr::memchr(b'\n', head).map_or(0, |end| end + 1);
        let status_line = head.get(b"HTTP/1.1".len()..line_end).unwrap_or_default();
        let fields = Fields::read(head, parsed.headers)?;
        if status < 100 {
            return Err(Flaw::Syntax);
        }
        if fields.chunked && (minor == 0 || status < 200 || status == 204) {
            return Err(Flaw::Coding);
        }
        Ok(Self { status, status_line, minor, fields })
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the final response is still to come.
    pub fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// How the body is framed (RFC 9112, section 6.3).
    pub fn body(&self, answers_head: bool) -> Framing {
        if answers_head || self.status < 200 || self.status == 204 || self.status == 304 {
            return Framing::Done;
        }
        match (self.fields.chunked, self.fields.length) {
            (true, _) => Framing::response_chunks(),
            (false, Some(length)) => Framing::length(length),
            (false, None) => Framing::UntilClose,
        }
    }

    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether the upstream's connection may be used again.
    pub fn keeps_alive(&self) -> bool {
        self.minor == 1 && !self.fields.close
    }

    /// Whether the body may tell how many tokens were used.
    pub fn may_tell_usage(&self) -> bool {
        let tells = |value: &[u8]| {
            [&b"application/json"[..], b"text/event-stream"]
                .iter()
                .any(|kind| value.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind)))
        };
        self.status < 300 && self.fields.all(Field::ContentType).any(tells)
    }

    /// Appends the head as the session gets it: without fields for one hop only, and with
    /// `Connection: close` if this is the last response on its connection; everything else byte for
    /// byte and in order.
    pub fn write(&self, close: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1");
        out.extend_from_slice(self.status_line);
        self.fields.copy(out, |field| !matches!(field, Field::Connection | Field::Hop));
        out.extend_from_slice(if close { b"Connection: close\r\n\r\n" } else { b"\r\n" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::head::room;

    fn body(head: &str, answers_head: bool) -> Result<Framing, Flaw> {
        Response::parse(head.as_bytes(), &mut room()).map(|response| response.body(answers_head))
    }

    #[test]
    fn drops_hops_and_keeps_the_rest_byte_for_byte() {
        let head = "HTTP/1.0 200 Very  OK\r\nServer: x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\
            Upgrade: h2\r\nRequest-Id:  r \r\nProxy-Authenticate: p\r\nSet-Cookie: c\r\nWWW-Authenticate: w\r\n\r\n";
        let mut room = room();
        let mut out = Vec::new();
        Response::parse(head.as_bytes(), &mut room).unwrap().write(true, &mut out);
        let expected = "HTTP/1.1 200 Very  OK\r\nServer: x\r\nRequest-Id:  r \r\nSet-Cookie: c\r\n\
            WWW-Authenticate: w\r\nConnection: close\r\n\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn bodies() {
        let head = |status: &str, fields: &str| format!("HTTP/1.1 {status}\r\n{fields}\r\n");
        let length = "Content-Length: 5\r\n";
        assert_eq!(body(&head("200 OK", length), false), Ok(Framing::length(5)));
        assert_eq!(body(&head("200 OK", length), true), Ok(Framing::Done));
        assert_eq!(body(&head("304 Not Modified", length), false), Ok(Framing::Done));
        assert_eq!(body(&head("204 No Content", ""), false), Ok(Framing::Done));
        assert_eq!(body(&head("200 OK", ""), false), Ok(Framing::UntilClose));
        assert_eq!(
            body(&head("200 OK", "Transfer-Encoding: Chunked\r\n"), false),
            Ok(Framing::response_chunks())
        );
        assert_eq!(body(&head("200", "Content-Length: 0\r\n"), false), Ok(Framing::Done));
        for (status, fields, flaw) in [
            ("200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Flaw::Ambiguous),
            ("200 OK", "Content-Length: 5\r\nContent-Length: 5\r\n", Flaw::Length),
            ("200 OK", "Transfer-Encoding: gzip\r\n", Flaw::Coding),
            ("204 No Content", "Transfer-Encoding: chunked\r\n", Flaw::Coding),
            ("101 Switching Protocols", "Upgrade: x\r\n", Flaw::Upgrade),
            ("200 OK", "X: a\r\n b\r\n", Flaw::Syntax),
            ("200 OK", "X : a\r\n", Flaw::Syntax),
            ("099 Odd", "", Flaw::Syntax),
        ] {
            assert_eq!(body(&head(status, fields), false), Err(flaw), "{status} {fields:?}");
        }
    }
}
