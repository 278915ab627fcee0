//! HTTP/1.1, as much of it as a test needs: heads and bodies over any blocking stream.

use std::io::{self, BufRead, Write};

/// Head of a request or a response.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// Request line or status line.
    pub line: String,
    /// Header fields in order, names as they were sent.
    pub fields: Vec<(String, String)>,
    /// All of it, as it was sent.
    pub raw: Vec<u8>,
}

impl Head {
    /// Every value of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let same = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.fields.iter().filter(same).map(|(_, value)| value.as_str()).collect()
    }

    /// First value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// Nth word of the first line: method and target, or the status.
    pub fn word(&self, index: usize) -> &str {
        self.line.split(' ').nth(index).unwrap_or_default()
    }

    /// Status of a response; 0 if there is none.
    pub fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or(0)
    }

    fn is_chunked(&self) -> bool {
        self.field("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    }

    fn length(&self) -> Option<u64> {
        self.field("content-length")?.parse().ok()
    }
}

/// Reads a head; `None` if the stream ended before its first byte.
///
/// # Errors
/// Those of the stream, and an end in the middle.
pub fn read_head(stream: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut head = Head::default();
    loop {
        let start = head.raw.len();
        if stream.read_until(b'\n', &mut head.raw)? == 0 {
            return if start == 0 { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        let line = String::from_utf8_lossy(&head.raw[start..]).trim_end_matches(['\r', '\n']).to_owned();
        if start == 0 {
            head.line = line;
        } else if line.is_empty() {
            return Ok(Some(head));
        } else if let Some((name, value)) = line.split_once(':') {
            head.fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }
}

/// Reads the body of a request and gives its pieces to `sink`.
///
/// # Errors
/// Those of the stream, and an end in the middle.
pub fn read_request_body(
    stream: &mut impl BufRead,
    head: &Head,
    sink: &mut dyn FnMut(&[u8]),
) -> io::Result<()> {
    if head.is_chunked() {
        read_chunks(stream, sink)
    } else {
        read_exactly(stream, head.length().unwrap_or(0), sink)
    }
}

/// Reads the body of a response (to anything but `HEAD`) and gives its pieces to `sink`.
///
/// # Errors
/// Those of the stream, and an end in the middle.
pub fn read_response_body(
    stream: &mut impl BufRead,
    head: &Head,
    sink: &mut dyn FnMut(&[u8]),
) -> io::Result<()> {
    if head.is_chunked() {
        read_chunks(stream, sink)
    } else if let Some(length) = head.length() {
        read_exactly(stream, length, sink)
    } else if matches!(head.status(), 100..=199 | 204 | 304) {
        Ok(())
    } else {
        while let Some(count) = read_some(stream, u64::MAX, sink)? {
            debug_assert!(count > 0);
        }
        Ok(())
    }
}

fn read_chunks(stream: &mut impl BufRead, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let size = line.trim_end().split(';').next().unwrap_or_default();
        let size =
            u64::from_str_radix(size, 16).map_err(|_| io::Error::other(format!("chunk size {line:?}")))?;
        read_exactly(stream, size, sink)?;
        line.clear();
        stream.read_line(&mut line)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn read_exactly(stream: &mut impl BufRead, mut left: u64, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    while left > 0 {
        left -= read_some(stream, left, sink)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    }
    Ok(())
}

fn read_some(stream: &mut impl BufRead, limit: u64, sink: &mut dyn FnMut(&[u8])) -> io::Result<Option<u64>> {
    let piece = stream.fill_buf()?;
    let count = piece.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
    if count == 0 {
        return Ok(None);
    }
    sink(&piece[..count]);
    stream.consume(count);
    Ok(Some(count as u64))
}

/// Writes one chunk of a chunked body at once.
///
/// # Errors
/// Those of the stream.
pub fn write_chunk(stream: &mut (impl Write + ?Sized), piece: &[u8]) -> io::Result<()> {
    let mut framed = format!("{:x}\r\n", piece.len()).into_bytes();
    framed.extend_from_slice(piece);
    framed.extend_from_slice(b"\r\n");
    stream.write_all(&framed)?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_chunked_body_and_what_follows() {
        let mut stream = io::Cursor::new(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nHTTP/1.1 204 x\r\n\r\n",
        );
        let head = read_head(&mut stream).unwrap().unwrap();
        let mut body = Vec::new();
        read_response_body(&mut stream, &head, &mut |piece| body.extend_from_slice(piece)).unwrap();
        assert_eq!((head.status(), body.as_slice()), (200, &b"abcde"[..]));
        assert_eq!(read_head(&mut stream).unwrap().unwrap().status(), 204);
        assert!(read_head(&mut stream).unwrap().is_none());
    }

    #[test]
    fn a_body_that_ends_early_is_an_error() {
        let mut stream = io::Cursor::new(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        let head = read_head(&mut stream).unwrap().unwrap();
        assert!(read_response_body(&mut stream, &head, &mut |_| ()).is_err());
    }
}
