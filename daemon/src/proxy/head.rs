//! Message heads, parsed strictly: where two parsers could disagree about a message, it is refused.

pub mod request;
pub mod response;

use std::mem::MaybeUninit;

use memchr::memchr_iter;

use super::limits;

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Over the limit of bytes.
    #[error("the head is longer than {} bytes", limits::HEAD)]
    TooLarge,
    /// Over the limit of fields.
    #[error("the head has more than {} fields", limits::FIELDS)]
    TooManyFields,
    /// A bare LF, a bare CR or an empty first line.
    #[error("a line does not end with CR LF")]
    Line,
    /// Whatever else RFC 9112 does not allow: folded lines, space before a colon, control characters.
    #[error("it is not an HTTP/1.1 message")]
    Syntax,
    /// Another version.
    #[error("only HTTP/1.1 and HTTP/1.0 are spoken here")]
    Version,
    /// Anything but a path: an absolute URI, an authority, an asterisk, dot segments.
    #[error("the target is not a plain path")]
    Target,
    /// None, or several.
    #[error("it needs exactly one Host")]
    Host,
    /// Several, or not a number.
    #[error("Content-Length is not one number")]
    Length,
    /// Anything but `chunked`, or in a version that has no codings.
    #[error("Transfer-Encoding is not just chunked")]
    Coding,
    /// Two statements about where the body ends.
    #[error("it has both Content-Length and Transfer-Encoding")]
    Ambiguous,
    /// `Connection` names a field that says where the message ends or goes.
    #[error("Connection names a field that must not be dropped")]
    Connection,
    /// A chunk size, its extension or the end of a chunk.
    #[error("the body is not chunked correctly")]
    Chunk,
    /// Trailers where none are taken, or too long ones.
    #[error("its trailers are not accepted")]
    Trailers,
    /// An answer that switches protocols.
    #[error("it switches to another protocol")]
    Upgrade,
}

/// How far a head reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// It goes on.
    Partial,
    /// It has this many bytes, the empty line included.
    Complete(usize),
}

/// Finds the end of the head that `bytes` start with.
///
/// # Errors
/// [`Flaw::TooLarge`], and [`Flaw::Line`] for a line that does not end with CR LF.
pub fn extent(bytes: &[u8]) -> Result<Extent, Flaw> {
    let mut line_start = 0;
    for line_feed in memchr_iter(b'\n', bytes) {
        let line = bytes.get(line_start..line_feed).unwrap_or_default();
        if line.last() != Some(&b'\r') || line_feed == 1 {
            return Err(Flaw::Line);
        }
        line_start = line_feed + 1;
        if line_start > limits::HEAD {
            return Err(Flaw::TooLarge);
        }
        if line.len() == 1 {
            return Ok(Extent::Complete(line_start));
        }
    }
    if bytes.len() > limits::HEAD { Err(Flaw::TooLarge) } else { Ok(Extent::Partial) }
}

/// Room for the fields of one head.
pub type Room<'a> = [MaybeUninit<httparse::Header<'a>>; limits::FIELDS];

/// Empty room for the fields of one head.
pub const fn room<'a>() -> Room<'a> {
    [const { MaybeUninit::uninit() }; limits::FIELDS]
}

/// What a field means to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// `Host`: replaced.
    Host,
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding`.
    Coding,
    /// `Connection`.
    Connection,
    /// Carries a credential, or may.
    Credential,
    /// For one hop only.
    Hop,
    /// `Accept-Encoding`: replaced.
    AcceptEncoding,
    /// `Expect`.
    Expect,
    /// `Content-Type`.
    ContentType,
    /// `Trailer`: announces what only responses may have.
    Trailer,
    /// Everything else.
    Other,
}

impl Field {
    pub(crate) fn of(name: &str) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            2 if is("te") => Self::Hop,
            4 if is("host") => Self::Host,
            6 if is("cookie") => Self::Credential,
            6 if is("expect") => Self::Expect,
            7 if is("upgrade") => Self::Hop,
            7 if is("trailer") => Self::Trailer,
            9 if is("x-api-key") => Self::Credential,
            10 if is("connection") => Self::Connection,
            10 if is("keep-alive") => Self::Hop,
            12 if is("content-type") => Self::ContentType,
            13 if is("authorization") => Self::Credential,
            14 if is("content-length") => Self::Length,
            14 if is("http2-settings") => Self::Hop,
            15 if is("accept-encoding") => Self::AcceptEncoding,
            17 if is("transfer-encoding") => Self::Coding,
            _ if name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("proxy-")) => Self::Hop,
            _ => Self::Other,
        }
    }
}

/// The fields of one head, and what they say about its body and its connection.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    head: &'a [u8],
    lines: &'a [httparse::Header<'a>],
    /// `Content-Length`.
    pub(crate) length: Option<u64>,
    /// Whether `Transfer-Encoding` is `chunked`.
    pub(crate) chunked: bool,
    /// Whether `Connection` says `close`.
    pub(crate) close: bool,
    /// Number of `Host` fields.
    pub(crate) hosts: usize,
    /// Whether `Connection` names fields, which are dropped.
    has_named: bool,
}

impl<'a> Fields<'a> {
    pub(crate) fn read(head: &'a [u8], fields: &'a [httparse::Header<'a>]) -> Result<Self, Flaw> {
        let mut read = Self {
            head,
            lines: fields,
            length: None,
            chunked: false,
            close: false,
            hosts: 0,
            has_named: false,
        };
        for field in fields {
            match Field::of(field.name) {
                Field::Host => read.hosts += 1,
                Field::Length => read.length(field.value)?,
                Field::Coding => read.coding(field.value)?,
                Field::Connection => read.connection(field.value)?,
                _ => {}
            }
        }
        if read.chunked && read.length.is_some() { Err(Flaw::Ambiguous) } else { Ok(read) }
    }

    fn length(&mut self, value: &[u8]) -> Result<(), Flaw> {
        let is_number = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
        if self.length.is_some() || !is_number {
            return Err(Flaw::Length);
        }
        self.length = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
        Ok(())
    }

    fn coding(&mut self, value: &[u8]) -> Result<(), Flaw> {
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Flaw::Coding);
        }
        self.chunked = true;
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) -> Result<(), Flaw> {
        for name in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if name.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if !name.is_empty() && !name.eq_ignore_ascii_case(b"keep-alive") {
                let name = std::str::from_utf8(name).map_err(|_| Flaw::Connection)?;
                if matches!(Field::of(name), Field::Host | Field::Length | Field::Coding | Field::ContentType)
                {
                    return Err(Flaw::Connection);
                }
                self.has_named = true;
            }
        }
        Ok(())
    }

    fn is_named_by_connection(&self, name: &str) -> bool {
        self.has_named
            && self
                .all(Field::Connection)
                .flat_map(|value| value.split(|byte| *byte == b','))
                .any(|named| named.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The values of the fields of one meaning.
    pub(crate) fn all(&self, wanted: Field) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().filter(move |field| Field::of(field.name) == wanted).map(|field| field.value)
    }

    /// The fields with their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.lines.iter().map(|field| (field.name, field.value))
    }

    /// Appends the lines of the fields to keep, byte for byte and in order. Fields that `Connection`
    /// names are dropped in any case.
    pub(crate) fn copy(&self, out: &mut Vec<u8>, keep: impl Fn(Field) -> bool) {
        let start = |field: &httparse::Header<'_>| field.name.as_ptr().addr() - self.head.as_ptr().addr();
        let last = self.head.len().saturating_sub(2);
        let ends = self.lines.iter().skip(1).map(start).chain([last]);
        let mut run: Option<(usize, usize)> = None;
        for (field, end) in self.lines.iter().zip(ends) {
            if keep(Field::of(field.name)) && !self.is_named_by_connection(field.name) {
                run = Some((run.map_or_else(|| start(field), |(begin, _)| begin), end));
            } else if let Some((begin, end)) = run.take() {
                out.extend_from_slice(self.head.get(begin..end).unwrap_or_default());
            }
        }
        if let Some((begin, end)) = run {
            out.extend_from_slice(self.head.get(begin..end).unwrap_or_default());
        }
    }
}

pub(crate) fn flaw(error: httparse::Error) -> Flaw {
    match error {
        httparse::Error::TooManyHeaders => Flaw::TooManyFields,
        httparse::Error::Version => Flaw::Version,
        _ => Flaw::Syntax,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        assert_eq!(extent(b"GET / HTTP/1.1\r\na: b\r\n\r\nrest"), Ok(Extent::Complete(24)));
        assert_eq!(extent(b"GET / HTTP/1.1\r\na: b\r\n"), Ok(Extent::Partial));
        assert_eq!(extent(b""), Ok(Extent::Partial));
        assert_eq!(extent(b"GET / HTTP/1.1\n\n"), Err(Flaw::Line));
        assert_eq!(extent(b"\r\nGET / HTTP/1.1\r\n\r\n"), Err(Flaw::Line));
        assert_eq!(extent(b"\n"), Err(Flaw::Line));
        assert_eq!(extent(&vec![b'a'; limits::HEAD]), Ok(Extent::Partial));
        assert_eq!(extent(&vec![b'a'; limits::HEAD + 1]), Err(Flaw::TooLarge));
    }

    #[test]
    fn the_longest_head_is_the_same_for_every_split() {
        let mut head = vec![b'a'; limits::HEAD - 4];
        head.extend_from_slice(b"\r\n\r\n");
        assert_eq!(extent(&head), Ok(Extent::Complete(limits::HEAD)));
        head.insert(0, b'a');
        assert_eq!(extent(&head), Err(Flaw::TooLarge));
    }
}
