//! The checksums of a write-ahead log and of a rollback journal.

use std::io;

use super::{Image, JOURNAL_HEADER, Layout, number32};

/// The first word of a log whose checksums read words with the low byte first.
pub(super) const LITTLE: u32 = 0x377f_0682;
/// The same, with the high byte first.
pub(super) const BIG: u32 = 0x377f_0683;

const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Every so many bytes of a page, from its end, count for the checksum of a journal.
const EVERY: usize = 200;

/// Where a checksum stands that is another one now, and what it is.
pub(super) type Sums = Vec<(usize, Vec<u8>)>;

/// Of a log: each goes on from the one before it, so all that follow a change are others. One that was not
/// right before is the end of the log, and what follows it is not to become part of it.
pub(super) fn log(old: &[u8], new: &[u8], page: usize) -> Sums {
    let mut sums = Sums::new();
    let Some(word) =
        number32(old, 0).map(|magic| if magic == BIG { u32::from_be_bytes } else { u32::from_le_bytes })
    else {
        return sums;
    };
    let (Some(start), Some(salt)) = (pair(old, 24), old.get(16..24)) else { return sums };
    let (mut was, mut is) = (start, start);
    for at in (LOG_HEADER..).step_by(FRAME_HEADER + page) {
        let frame = |text: &'_ [u8]| text.get(at..at + FRAME_HEADER + page).map(<[u8]>::to_vec);
        let (Some(before), Some(after)) = (frame(old), frame(new)) else { break };
        was = sum(was, &before, word);
        is = sum(is, &after, word);
        if before.get(8..16) != Some(salt) || pair(&before, 16) != Some(was) {
            break;
        }
        if is != was {
            sums.push((at + 16, [is.0.to_be_bytes(), is.1.to_be_bytes()].concat()));
        }
    }
    sums
}

/// Of a frame: the number and the size before it, without salt and checksum, and the page.
fn sum(from: (u32, u32), frame: &[u8], word: fn([u8; 4]) -> u32) -> (u32, u32) {
    let head = frame.get(..8).unwrap_or_default();
    let page = frame.get(FRAME_HEADER..).unwrap_or_default();
    let words = head.chunks_exact(4).chain(page.chunks_exact(4));
    let mut words = words.map(|bytes| word(bytes.try_into().unwrap_or_default()));
    let (mut one, mut two) = from;
    while let (Some(first), Some(second)) = (words.next(), words.next()) {
        one = one.wrapping_add(first).wrapping_add(two);
        two = two.wrapping_add(second).wrapping_add(one);
    }
    (one, two)
}

fn pair(bytes: &[u8], at: usize) -> Option<(u32, u32)> {
    Some((number32(bytes, at)?, number32(bytes, at + 4)?))
}

/// Of a journal: each page has one of its own, a sum in which what changed is exchanged.
pub(super) fn journal(layout: Layout, old: &[u8], new: &[u8]) -> io::Result<Sums> {
    let mut sums = Sums::new();
    let Some((page, _)) = layout.page() else { return Ok(sums) };
    let size = u64::try_from(old.len()).map_err(io::Error::other)?;
    let mut read = |at: u64, bytes: &mut [u8]| {
        let at = usize::try_from(at).map_err(io::Error::other)?;
        bytes.copy_from_slice(old.get(at..at + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    };
    layout.images(size, &mut read, &mut |_, Image { offset, size, .. }| {
        let (at, size) =
            (usize::try_from(offset).map_err(io::Error::other)?, usize::try_from(size).unwrap_or(0));
        let is_page = u64::try_from(size).ok() == Some(page) && at > JOURNAL_HEADER;
        if let Some(sum) = number32(old, at + size).filter(|_| is_page) {
            let renewed = exchanged(sum, old, new, at, size);
            if renewed != sum {
                sums.push((at + size, renewed.to_be_bytes().to_vec()));
            }
        }
        Ok(())
    })?;
    Ok(sums)
}

fn exchanged(sum: u32, old: &[u8], new: &[u8], at: usize, size: usize) -> u32 {
    let byte = |text: &[u8], index: usize| text.get(at + index).copied().map_or(0, u32::from);
    let counted = (1..)
        .map(|times| size.checked_sub(times * EVERY))
        .map_while(|index| index.filter(|index| *index > 0));
    counted.fold(sum, |sum, index| sum.wrapping_sub(byte(old, index)).wrapping_add(byte(new, index)))
}
