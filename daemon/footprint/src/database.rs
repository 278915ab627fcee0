//! SQLite's files (<https://www.sqlite.org/fileformat2.html>), as far as a credential in one is concerned:
//! where values begin and end, so that exactly their bytes are told and overwritten and the database stays
//! whole. Pure. No engine runs here: one would leave what was deleted in free pages, and would run
//! whatever another program's database has in it.

mod checksum;
mod page;

use std::{io, ops::Range};

pub use page::{Role, parts};

use crate::edit::{Change, Edit};

/// How much of a file's start says whether it is one of these.
pub const HEAD: usize = 100;

/// The header of a write-ahead log, and of each page in it.
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
/// The pages of a rollback journal stand between their number and their checksum.
const RECORD_NUMBER: u64 = 4;
const RECORD_CHECKSUM: u64 = 4;
const JOURNAL: &[u8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
/// What SQLite overwrites with zeros when it has done with a journal that it keeps.
const JOURNAL_HEADER: usize = 28;
/// The bytes that the extension which puts a checksum on each page reserves there.
const CHECKSUM_ROOM: u8 = 8;
/// What follows the last page is looked at in pieces of this size.
const PIECE: u64 = 16 << 20;

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// The database.
    Main {
        /// The size of a page.
        page: u64,
        /// How much of a page can be used.
        usable: usize,
        /// Whether its pages may have checksums, which nothing here renews.
        checksummed: bool,
    },
    /// Its write-ahead log, `-wal`.
    Log {
        /// The size of a page.
        page: u64,
    },
    /// Its rollback journal, `-journal`.
    Journal {
        /// The size of a page.
        page: u64,
        /// Where the first page is, and on a multiple of what each further header is.
        sector: u64,
    },
    /// A journal that was done with: nobody reads it any more.
    Done,
}

/// A page in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub offset: u64,
    /// Its size; another one than a page has is no page.
    pub size: u64,
    /// Whether it is the first of its database, which starts with the header.
    pub is_first: bool,
}

/// Reads bytes of a file.
pub type Read<'a> = &'a mut dyn FnMut(u64, &mut [u8]) -> io::Result<()>;

impl Layout {
    /// What the file is that starts like this; `None` if it is none of these.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"SQLite format 3\0") {
            let page = page_size(u64::from(number16(head, 16)?))?;
            let reserved = *head.get(20)?;
            let usable = usize::try_from(page).ok()?.checked_sub(usize::from(reserved))?;
            return Some(Self::Main { page, usable, checksummed: reserved == CHECKSUM_ROOM });
        }
        if matches!(number32(head, 0)?, checksum::LITTLE | checksum::BIG) {
            return Some(Self::Log { page: page_size(u64::from(number32(head, 8)?))? });
        }
        if head.starts_with(JOURNAL) {
            let sector = u64::from(number32(head, 20)?);
            let page = page_size(u64::from(number32(head, 24)?))?;
            return (sector >= 32 && sector.is_power_of_two()).then_some(Self::Journal { page, sector });
        }
        let is_done = head.len() == HEAD && head.get(..JOURNAL_HEADER)?.iter().all(|byte| *byte == 0);
        is_done.then_some(Self::Done)
    }

    /// The size of a page and how much of it can be used.
    pub fn page(self) -> Option<(u64, usize)> {
        match self {
            Self::Main { page, usable, .. } => Some((page, usable)),
            Self::Log { page } | Self::Journal { page, .. } => Some((page, usize::try_from(page).ok()?)),
            Self::Done => None,
        }
    }

    /// Tells every page of a file of this size, in order, and what is no page in between.
    ///
    /// # Errors
    /// If reading or telling fails.
    pub fn images(
        self,
        size: u64,
        read: Read<'_>,
        each: &mut dyn FnMut(Read<'_>, Image) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut at = match self {
            Self::Main { page, .. } => run(0, page, 0, (size / page, 0..0), read, each)?,
            Self::Log { page } => {
                let stride = FRAME_HEADER + page;
                let count = size.saturating_sub(LOG_HEADER) / stride;
                run(LOG_HEADER, stride, FRAME_HEADER, (count, 0..4), read, each)?
            }
            Self::Journal { page, sector } => segments(page, sector, size, read, each)?,
            Self::Done => 0,
        };
        while at < size {
            let rest = PIECE.min(size - at);
            each(read, Image { offset: at, size: rest, is_first: false })?;
            at += rest;
        }
        Ok(())
    }
}

/// Pages one after the other, `stride` bytes each with what is around them; where they end.
fn run(
    start: u64,
    stride: u64,
    before: u64,
    (count, number): (u64, Range<usize>),
    read: Read<'_>,
    each: &mut dyn FnMut(Read<'_>, Image) -> io::Result<()>,
) -> io::Result<u64> {
    let after = if before == RECORD_NUMBER { RECORD_CHECKSUM } else { 0 };
    for index in 0..count {
        let at = start + index * stride;
        let is_first = if number.is_empty() {
            index == 0
        } else {
            let mut head = [0; 4];
            read(at, &mut head)?;
            u32::from_be_bytes(head) == 1
        };
        each(read, Image { offset: at + before, size: stride - before - after, is_first })?;
    }
    Ok(start + count * stride)
}

/// The parts of a journal, each with a header of its own; where they end.
fn segments(
    page: u64,
    sector: u64,
    size: u64,
    read: Read<'_>,
    each: &mut dyn FnMut(Read<'_>, Image) -> io::Result<()>,
) -> io::Result<u64> {
    let stride = RECORD_NUMBER + page + RECORD_CHECKSUM;
    let (mut at, mut end) = (0, 0);
    while at + sector <= size {
        let mut head = [0; JOURNAL_HEADER];
        read(at, &mut head)?;
        if !head.starts_with(JOURNAL) {
            break;
        }
        let possible = (size - at - sector) / stride;
        // It may not have been written down yet how many there are.
        let count = match number32(&head, 8) {
            Some(0 | u32::MAX) | None => possible,
            Some(count) => possible.min(u64::from(count)),
        };
        end = run(at + sector, stride, RECORD_NUMBER, (count, 0..4), read, each)?;
        at = end.next_multiple_of(sector);
    }
    Ok(end)
}

/// Overwrites these bytes in a log or a journal, and sets the checksums of its pages right: without that,
/// what other transactions wrote would be lost. `None` if the text is none.
pub fn overwrite(text: &[u8], spans: &[Range<usize>]) -> Option<Edit> {
    let layout = Layout::of(text.get(..HEAD.min(text.len()))?)?;
    let plain = Edit::overwrite(text, spans.iter().cloned());
    let new = plain.apply(text)?;
    let sums = match layout {
        Layout::Log { page } => checksum::log(text, &new, usize::try_from(page).ok()?),
        Layout::Journal { .. } => checksum::journal(layout, text, &new).ok()?,
        Layout::Main { .. } | Layout::Done => Vec::new(),
    };
    let sums = sums.into_iter().map(|(at, sum)| Change { range: at..at + sum.len(), with: sum });
    Some(plain.and(Edit::new(sums.collect())))
}

fn page_size(told: u64) -> Option<u64> {
    let page = if told == 1 { 65536 } else { told };
    ((512..=65536).contains(&page) && page.is_power_of_two()).then_some(page)
}

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
