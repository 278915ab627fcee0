//! Searching a file of any size in bounded memory.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use claudectl_platform::tree::next_data;
use zeroize::Zeroizing;

use super::{
    format::{self, LONGEST, Token},
    needle::Needles,
    wide,
};
use crate::finding::Kind;

/// What is read at once.
const WINDOW: usize = 256 * 1024;
/// What of a window is looked at again with the next one: more than the longest credential, in two bytes for each
/// character.
const OVERLAP: usize = 4 * LONGEST;
/// What stands before a credential decides whether it is one.
const BEFORE: usize = 32;
/// Smaller files have no holes worth asking for.
const SPARSE: u64 = 1 << 20;

/// A buffer for searching, made when it is first needed and wiped when it goes.
#[derive(Debug)]
pub(super) struct Buffer(Option<Zeroizing<Vec<u8>>>);

impl Buffer {
    pub(super) fn new() -> Self {
        Self(None)
    }

    fn space(&mut self) -> &mut [u8] {
        self.0.get_or_insert_with(|| Zeroizing::new(vec![0; WINDOW + OVERLAP + BEFORE]))
    }
}

/// A credential in running text.
pub(super) struct Hit<'a> {
    pub(super) offset: u64,
    /// As it is written there.
    pub(super) written: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) kind: Kind,
}

/// Tells every credential in the first `size` bytes of a file. How many bytes were read.
pub(super) fn search(
    file: &mut File,
    size: u64,
    needles: &Needles,
    buffer: &mut Buffer,
    each: &mut impl FnMut(Hit<'_>),
) -> io::Result<u64> {
    let mut total = 0;
    let mut from = 0;
    while from < size {
        let data = if size < SPARSE {
            from..size
        } else {
            match next_data(file, from, size)? {
                Some(data) => data,
                None => break,
            }
        };
        file.seek(SeekFrom::Start(data.start))?;
        let mut windows = Windows { next: data.start, end: data.end, kept: 0, told: data.start };
        total += windows.search(file, needles, buffer.space(), each)?;
        from = data.end;
    }
    Ok(total)
}

/// A run of data, window after window.
struct Windows {
    /// Offset of what is read next.
    next: u64,
    end: u64,
    /// How much of the last window stands at the start of the buffer.
    kept: usize,
    /// Everything that starts before this was told.
    told: u64,
}

impl Windows {
    fn search(
        &mut self,
        file: &mut File,
        needles: &Needles,
        buffer: &mut [u8],
        each: &mut impl FnMut(Hit<'_>),
    ) -> io::Result<u64> {
        let mut total = 0;
        while self.next < self.end {
            let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
            let room = buffer.get_mut(self.kept..).unwrap_or_default();
            let length = left.min(room.len());
            let read = file.read(room.get_mut(..length).unwrap_or_default())?;
            if read == 0 {
                // It became shorter meanwhile.
                self.end = self.next;
            }
            let count = u64::try_from(read).unwrap_or(0);
            (self.next, total) = (self.next + count, total + count);
            let filled = self.kept + read;
            let text = buffer.get(..filled).unwrap_or_default();
            let decided = if self.next >= self.end { filled } else { filled.saturating_sub(OVERLAP) };
            self.tell(text, decided, needles, each);
            let keep = decided.saturating_sub(BEFORE);
            buffer.copy_within(keep..filled, 0);
            self.kept = filled - keep;
        }
        Ok(total)
    }

    /// Tells what starts in the part of the text that is decided.
    fn tell(&mut self, text: &[u8], decided: usize, needles: &Needles, each: &mut impl FnMut(Hit<'_>)) {
        let base = self.next - u64::try_from(text.len()).unwrap_or(0);
        let offset = |at: usize| base + u64::try_from(at).unwrap_or(0);
        let end = offset(decided);
        credentials(text, format::tokens(text), needles, &mut |at, written, value, kind| {
            if (self.told..end).contains(&offset(at)) {
                each(Hit { offset: offset(at), written, value, kind });
            }
        });
        self.told = end;
    }
}

/// Tells every credential in a text, of which `tokens` are those that have a form of their own: where it starts, how
/// it is written, what it is.
pub(super) fn credentials(
    text: &[u8],
    tokens: impl Iterator<Item = Token>,
    needles: &Needles,
    tell: &mut impl FnMut(usize, &[u8], &[u8], Kind),
) {
    for token in tokens {
        let value = text.get(token.bytes.clone()).unwrap_or_default();
        tell(token.bytes.start, value, value, token.kind);
    }
    for (needle, kind) in needles.iter() {
        for at in memchr::memmem::find_iter(text, needle) {
            let value = text.get(at..at + needle.len()).unwrap_or_default();
            tell(at, value, value, kind);
        }
    }
    for found in wide::tokens(text).into_iter().chain(wide::needles(text, needles)) {
        let written = text.get(found.bytes.clone()).unwrap_or_default();
        tell(found.bytes.start, written, &found.value, found.kind);
    }
}

/// The line of this offset, from 1. Holes have no lines.
pub(super) fn line_of(file: &mut File, offset: u64, buffer: &mut Buffer) -> io::Result<u64> {
    let space = buffer.space();
    let mut lines = 1;
    let mut from = 0;
    while let Some(data) = next_data(file, from, offset)? {
        file.seek(SeekFrom::Start(data.start))?;
        let mut left = data.end - data.start;
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(space.len());
            let read = file.read(space.get_mut(..length).unwrap_or_default())?;
            if read == 0 {
                return Ok(lines);
            }
            lines +=
                memchr::memchr_iter(b'\n', space.get(..read).unwrap_or_default()).map(|_| 1).sum::<u64>();
            left -= u64::try_from(read).unwrap_or(left);
        }
        from = data.end;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    const KEY: &[u8] = b"sk-ant-api03-TESTabcdefghij0123456789-_klmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghAA";

    fn found(content: &[u8], needles: &Needles) -> Vec<(u64, Vec<u8>)> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let mut hits = Vec::new();
        let size = u64::try_from(content.len()).unwrap();
        let read = search(&mut file, size, needles, &mut Buffer::new(), &mut |hit| {
            hits.push((hit.offset, hit.value.to_vec()));
        });
        assert_eq!(read.unwrap(), size);
        hits.sort();
        hits
    }

    #[test]
    fn a_credential_is_found_once_wherever_a_window_ends() {
        let first = WINDOW + OVERLAP + BEFORE;
        for window_end in [first, first + WINDOW, first + WINDOW - BEFORE] {
            for back in [0, 1, 7, 50, KEY.len(), OVERLAP - 1, OVERLAP, OVERLAP + 1, OVERLAP + KEY.len()] {
                let start = window_end - back;
                let mut content = vec![b' '; 2 * first];
                content[start..start + KEY.len()].copy_from_slice(KEY);
                assert_eq!(
                    found(&content, &Needles::default()),
                    [(u64::try_from(start).unwrap(), KEY.to_vec())],
                    "{window_end} {back}"
                );
            }
        }
    }

    #[test]
    fn what_has_no_form_is_found_by_its_bytes() {
        let mut needles = Needles::default();
        needles.add(b"gateway-0123456789", Kind::GatewayToken);
        let hits = found(b"x\"gateway-0123456789\" gateway-01234", &needles);
        assert_eq!(hits, [(2, b"gateway-0123456789".to_vec())]);
    }

    #[test]
    fn a_file_that_became_shorter_is_read_to_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(KEY).unwrap();
        let mut hits = 0;
        search(&mut file, 1 << 19, &Needles::default(), &mut Buffer::new(), &mut |_| hits += 1).unwrap();
        assert_eq!(hits, 1);
    }

    #[test]
    fn lines_are_counted() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"a\nb\r\nc").unwrap();
        for (offset, line) in [(0, 1), (1, 1), (2, 2), (5, 3), (6, 3)] {
            assert_eq!(line_of(&mut file, offset, &mut Buffer::new()).unwrap(), line);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn windows_change_nothing(places in proptest::collection::btree_set(0_usize..9000, 0..12)) {
            let mut content = vec![b'\n'; 9200 * 100];
            for place in &places {
                content[place * 100 + 3..][..KEY.len()].copy_from_slice(KEY);
            }
            let whole: Vec<_> = format::tokens(&content).map(|token| u64::try_from(token.bytes.start).unwrap()).collect();
            let hits: Vec<_> = found(&content, &Needles::default()).into_iter().map(|hit| hit.0).collect();
            prop_assert_eq!(hits, whole);
        }
    }
}
