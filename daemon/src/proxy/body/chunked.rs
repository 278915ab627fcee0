//! The chunked coding, strictly: CR LF only, short extensions, sizes that fit.

use std::ops::Range;

use crate::proxy::{head::Flaw, limits};

/// How far a chunked body was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunked {
    step: Step,
    /// Bytes left of the chunk, or its size while that is being read.
    left: u64,
    /// Digits of the size, bytes of its extension or of the trailers so far.
    count: u16,
    takes_trailers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Size,
    Extension,
    SizeEnd,
    Data,
    DataEnd,
    DataLineFeed,
    /// At the start of a trailer line, or of the empty line that ends the body.
    Line,
    Trailer,
    TrailerLineFeed,
    LastLineFeed,
    Done,
}

impl Chunked {
    pub(super) fn new(takes_trailers: bool) -> Self {
        Self { step: Step::Size, left: 0, count: 0, takes_trailers }
    }

    pub(super) fn is_done(self) -> bool {
        self.step == Step::Done
    }

    pub(super) fn advance(
        &mut self,
        wire: &[u8],
        mut content: impl FnMut(Range<usize>),
    ) -> Result<usize, Flaw> {
        let mut at = 0;
        while let (Some(byte), true) = (wire.get(at), self.step != Step::Done) {
            if self.step == Step::Data {
                let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(wire.len() - at);
                content(at..at + taken);
                at += taken;
                self.left -= u64::try_from(taken).unwrap_or(self.left);
                self.step = if self.left == 0 { Step::DataEnd } else { Step::Data };
                continue;
            }
            self.step = self.next(*byte)?;
            if self.step == Step::Trailer {
                content(at..at + 1);
            }
            at += 1;
        }
        Ok(at)
    }

    fn next(&mut self, byte: u8) -> Result<Step, Flaw> {
        match (self.step, byte) {
            (Step::Size, _) if byte.is_ascii_hexdigit() => self.digit(byte),
            (Step::Size | Step::Extension, b'\r') if self.left_is_known() => Ok(Step::SizeEnd),
            (Step::Size, b';' | b' ' | b'\t') if self.count > 0 => {
                self.count = 0;
                self.extension()
            }
            (Step::Extension, b'\t' | b' '..=b'~') => self.extension(),
            (Step::SizeEnd, b'\n') => {
                self.count = 0;
                Ok(if self.left == 0 { Step::Line } else { Step::Data })
            }
            (Step::DataEnd, b'\r') => Ok(Step::DataLineFeed),
            (Step::DataLineFeed, b'\n') => Ok(Step::Size),
            (Step::Line, b'\r') => Ok(Step::LastLineFeed),
            (Step::Line | Step::Trailer, _) if !self.takes_trailers => Err(Flaw::Trailers),
            (Step::Trailer, b'\r') => Ok(Step::TrailerLineFeed),
            (Step::Line | Step::Trailer, b'\t' | b' '..=b'~' | 0x80..) => self.trailer(),
            (Step::TrailerLineFeed, b'\n') => Ok(Step::Line),
            (Step::LastLineFeed, b'\n') => Ok(Step::Done),
            (Step::Line | Step::Trailer | Step::TrailerLineFeed | Step::LastLineFeed, _) => {
                Err(Flaw::Trailers)
            }
            _ => Err(Flaw::Chunk),
        }
    }

    fn left_is_known(&self) -> bool {
        self.step == Step::Extension || self.count > 0
    }

    fn digit(&mut self, byte: u8) -> Result<Step, Flaw> {
        self.count += 1;
        let digit = char::from(byte).to_digit(16).ok_or(Flaw::Chunk)?;
        // 15 digits cannot overflow, and no chunk has that many.
        if self.count > 15 {
            return Err(Flaw::Chunk);
        }
        self.left = self.left * 16 + u64::from(digit);
        Ok(Step::Size)
    }

    fn extension(&mut self) -> Result<Step, Flaw> {
        self.count += 1;
        if self.count > u16::from(limits::CHUNK_EXTENSION) { Err(Flaw::Chunk) } else { Ok(Step::Extension) }
    }

    fn trailer(&mut self) -> Result<Step, Flaw> {
        self.count += 1;
        if self.count > limits::TRAILERS { Err(Flaw::Trailers) } else { Ok(Step::Trailer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(wire: &[u8], takes_trailers: bool) -> Result<(usize, bool, Vec<u8>), Flaw> {
        let mut chunks = Chunked::new(takes_trailers);
        let mut content = Vec::new();
        let taken = chunks.advance(wire, |range| content.extend_from_slice(&wire[range]))?;
        Ok((taken, chunks.is_done(), content))
    }

    #[test]
    fn chunks() {
        assert_eq!(follow(b"3\r\nabc\r\n0\r\n\r\nnext", false), Ok((13, true, b"abc".to_vec())));
        assert_eq!(follow(b"0003;a=b\r\nabc\r\n0 \r\n\r\n", false), Ok((21, true, b"abc".to_vec())));
        assert_eq!(follow(b"A\r\n01234", false), Ok((8, false, b"01234".to_vec())));
        let (_, done, content) = follow(b"0\r\nx-sum: 1\r\n\r\n", true).unwrap();
        assert!(done && content == b"x-sum: 1");
    }

    #[test]
    fn the_smuggling_table() {
        for wire in [
            &b"3\nabc"[..],
            b"3\r\nabcd",
            b"3\r\nabc\n",
            b"\r\n",
            b"0x3\r\n",
            b"-1\r\n",
            b"+1\r\n",
            b" 3\r\n",
            b"g\r\n",
            b";a\r\n",
            b"3;\n\r\n",
            b"3;a\0\r\n",
            b"1234567890abcdef\r\n",
            b"3;aaaaaaaaaaaaaaaaa\r\n",
            b"3\r\nabc\r\n\r\n",
        ] {
            assert_eq!(follow(wire, false), Err(Flaw::Chunk), "{:?}", String::from_utf8_lossy(wire));
        }
        assert_eq!(follow(b"0\r\nAuthorization: x\r\n\r\n", false), Err(Flaw::Trailers));
        for wire in
            [&b"0\r\n\n"[..], b"0\r\na\nb\r\n\r\n", b"0\r\na\rb\r\n\r\n", b"0\r\na\0\r\n\r\n", b"0\r\n\rx"]
        {
            assert_eq!(follow(wire, true), Err(Flaw::Trailers), "{:?}", String::from_utf8_lossy(wire));
        }
        let long = [b"0\r\n".to_vec(), vec![b'a'; usize::from(limits::TRAILERS) + 1]].concat();
        assert_eq!(follow(&long, true), Err(Flaw::Trailers));
    }
}
