//! Files that begin with a byte order mark, as programs of Windows write them: `PowerShell`'s profiles, exports of
//! the registry. They are read and edited as if each character had one byte, and every place is carried over, so
//! that nothing else knows of encodings and no byte changes that no edit names.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::{
    edit::{Change, Edit},
    finding::{Occurrence, Structure},
    scan::format,
};

/// What stands for a character that is not ASCII: in no UTF-8, so that no name with one is taken for another.
const OTHER: u8 = 0xff;

/// How the characters of a file are written, as the mark at its start says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, the lower byte of a unit first.
    Utf16Le,
    /// UTF-16, the higher byte of a unit first.
    Utf16Be,
}

impl Encoding {
    /// `None` if there is no mark. What begins like one of UTF-16 is none if no unit has an empty half, as that of
    /// each character of a credential has, or if a credential is in it whose characters have none.
    pub fn of(text: &[u8]) -> Option<Self> {
        let is_utf16 = |rest: &[u8]| {
            memchr::memchr(0, rest).is_some() && memchr::memmem::find(rest, format::PREFIX).is_none()
        };
        match text {
            [0xef, 0xbb, 0xbf, ..] => Some(Self::Utf8),
            [0xff, 0xfe, rest @ ..] => is_utf16(rest).then_some(Self::Utf16Le),
            [0xfe, 0xff, rest @ ..] => is_utf16(rest).then_some(Self::Utf16Be),
            _ => None,
        }
    }

    /// Its name, as the Internet calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }

    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Utf8, Self::Utf16Le, Self::Utf16Be].into_iter().find(|encoding| encoding.name() == name)
    }

    /// How many bytes the mark has.
    fn mark(self) -> usize {
        if self == Self::Utf8 { 3 } else { 2 }
    }

    /// How many bytes stand for one of what is read.
    fn width(self) -> usize {
        if self == Self::Utf8 { 1 } else { 2 }
    }

    /// The text without the mark; of UTF-16 one byte for each unit.
    pub fn read(self, text: &[u8]) -> Zeroizing<Vec<u8>> {
        let text = text.get(self.mark()..).unwrap_or_default();
        let mut read = Zeroizing::new(Vec::with_capacity(text.len() / self.width()));
        let unit = |low: u8, high: u8| if high == 0 && low.is_ascii() { low } else { OTHER };
        match self {
            Self::Utf8 => read.extend_from_slice(text),
            Self::Utf16Le => read.extend(text.as_chunks().0.iter().map(|[low, high]| unit(*low, *high))),
            Self::Utf16Be => read.extend(text.as_chunks().0.iter().map(|[high, low]| unit(*low, *high))),
        }
        read
    }

    /// Where these bytes of what is read are in the file.
    pub fn written(self, read: &Range<usize>) -> Range<usize> {
        self.mark() + read.start * self.width()..self.mark() + read.end * self.width()
    }

    /// The same without the empty half of a unit on either side: from the first character to the last.
    pub(crate) fn written_trimmed(self, read: &Range<usize>, text: &[u8]) -> Range<usize> {
        let written = self.written(read);
        let is_empty = |at: usize| self != Self::Utf8 && text.get(at) == Some(&0);
        if read.is_empty() {
            return written;
        }
        let start = written.start + usize::from(is_empty(written.start));
        start..written.end - usize::from(is_empty(written.end - 1))
    }

    /// Where these bytes of the file are in what is read. The half of a unit stands for all of it.
    pub fn of_written(self, written: &Range<usize>) -> Range<usize> {
        let place = |at: usize| at.saturating_sub(self.mark());
        place(written.start) / self.width()..place(written.end).div_ceil(self.width())
    }

    /// An edit of the file, from one of what is read.
    pub fn edit(self, of_read: &Edit) -> Edit {
        let change =
            |change: &Change| Change { range: self.written(&change.range), with: self.write(&change.with) };
        Edit::new(of_read.changes().iter().map(change).collect())
    }

    /// An edit of what is read, from one of the file.
    pub(crate) fn of_edit(self, of_written: &Edit) -> Edit {
        let bare = |with: &[u8]| match self {
            Self::Utf8 => with.to_vec(),
            Self::Utf16Le | Self::Utf16Be => with.iter().copied().filter(|byte| *byte != 0).collect(),
        };
        let change =
            |change: &Change| Change { range: self.of_written(&change.range), with: bare(&change.with) };
        Edit::new(of_written.changes().iter().map(change).collect())
    }

    /// How a text is written. In UTF-16, what an edit puts in is ASCII.
    pub(crate) fn write(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 => text.to_vec(),
            Self::Utf16Le => text.iter().flat_map(|byte| [*byte, 0]).collect(),
            Self::Utf16Be => text.iter().flat_map(|byte| [0, *byte]).collect(),
        }
    }

    /// A credential's places in what is read, from those in the file.
    pub(crate) fn occurrence_of_written(self, found: &Occurrence) -> Option<Occurrence> {
        let bytes = usize::try_from(found.bytes.start).ok()?..usize::try_from(found.bytes.end).ok()?;
        Some(Occurrence { bytes: offsets(&self.of_written(&bytes)), raw: found.raw })
    }

    /// The structure that was read, with its places in the file.
    pub(crate) fn structure(self, read: Structure) -> Structure {
        let written = |range: Range<u64>| {
            let offset = |at: u64| usize::try_from(at).unwrap_or(usize::MAX >> 2);
            offsets(&self.written(&(offset(range.start)..offset(range.end))))
        };
        match read {
            Structure::Assignment { line, variable, statement, value } => Structure::Assignment {
                line,
                variable,
                statement: statement.map(written),
                value: written(value),
            },
            other => other,
        }
    }
}

/// What a text is read as: itself, or without its mark.
pub fn read(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    Encoding::of(text).map(|encoding| encoding.read(text))
}

pub(crate) fn offsets(range: &Range<usize>) -> Range<u64> {
    u64::try_from(range.start).unwrap_or(0)..u64::try_from(range.end).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
        let units = || std::iter::once(0xfeff).chain(text.encode_utf16());
        match encoding {
            Encoding::Utf8 => format!("\u{feff}{text}").into_bytes(),
            Encoding::Utf16Le => units().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => units().flat_map(u16::to_be_bytes).collect(),
        }
    }

    const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be];

    #[test]
    fn a_mark_tells_the_encoding() {
        for encoding in ALL {
            assert_eq!(Encoding::of(&encode("a", encoding)), Some(encoding));
        }
        for text in
            [b"".as_slice(), b"a", b"\xff\xfe", b"\xff\xfe\x80 a\n", b"\xfe\xffA", b"\xff\xfe\0=sk-ant-"]
        {
            assert_eq!(Encoding::of(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_ascii_is_nothing_that_a_reader_knows() {
        assert_eq!(
            *Encoding::Utf16Le.read(&encode("aä=\u{3d00}\u{1f600}b", Encoding::Utf16Le)),
            b"a\xff=\xff\xff\xffb"
        );
        assert_eq!(*Encoding::Utf16Be.read(b"\xfe\xff\0a\0"), b"a", "half a unit at the end");
    }

    proptest! {
        #[test]
        fn an_edit_changes_only_what_it_names(
            before in "[a-zä€😀\n]{0,20}", part in "[a-z]{1,9}", after in "[a-zä€😀\n]{0,20}", with in "[x:]{0,3}",
        ) {
            for encoding in ALL {
                let text = encode(&format!("{before}{part}{after}"), encoding);
                let start = match encoding {
                    Encoding::Utf8 => before.len(),
                    Encoding::Utf16Le | Encoding::Utf16Be => before.encode_utf16().count(),
                };
                let range = start..start + part.len();
                prop_assert_eq!(&encoding.read(&text)[range.clone()], part.as_bytes());
                prop_assert_eq!(encoding.of_written(&encoding.written(&range)), range.clone());
                let edit = Edit::new(vec![Change { range, with: with.clone().into_bytes() }]);
                let edited = encoding.edit(&edit).apply(&text).unwrap();
                prop_assert_eq!(edited.to_vec(), encode(&format!("{before}{with}{after}"), encoding));
                prop_assert_eq!(encoding.of_edit(&encoding.edit(&edit)), edit);
                prop_assert_eq!(Encoding::named(encoding.name()), Some(encoding));
            }
        }
    }
}
