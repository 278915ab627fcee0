//! The strings of a binary property list.

use std::ops::Range;

/// How long the part at the end is that says where everything is.
const TRAILER: usize = 32;
const ASCII: u8 = 0x5;
const INTEGER: u8 = 0x1;
/// As a length: it does not fit here, and follows.
const LONG: u8 = 0xf;

/// Where the characters of each ASCII string are; none if it is no such list.
pub fn strings(text: &[u8]) -> Vec<Range<usize>> {
    offsets(text).map(|offsets| offsets.filter_map(|at| string(text, at)).collect()).unwrap_or_default()
}

fn offsets(text: &[u8]) -> Option<impl Iterator<Item = usize> + '_> {
    let trailer = text.get(text.len().checked_sub(TRAILER)?..)?;
    let size = usize::from(*trailer.get(6)?);
    let (count, start) = (number(trailer.get(8..16)?)?, number(trailer.get(24..32)?)?);
    let table = text.get(start..start.checked_add(count.checked_mul(size)?)?)?;
    (size > 0).then(|| table.chunks_exact(size).filter_map(number))
}

fn string(text: &[u8], at: usize) -> Option<Range<usize>> {
    let mark = *text.get(at)?;
    if mark >> 4 != ASCII {
        return None;
    }
    let (start, length) = match mark & 0xf {
        LONG => {
            let mark = *text.get(at + 1)?;
            let size = 1_usize.checked_shl(u32::from(mark & 0xf)).filter(|_| mark >> 4 == INTEGER)?;
            let start = (at + 2).checked_add(size)?;
            (start, number(text.get(at + 2..start)?)?)
        }
        short => (at + 1, usize::from(short)),
    };
    let bytes = start..start.checked_add(length)?;
    text.get(bytes.clone()).map(|_| bytes)
}

fn number(bytes: &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for byte in bytes {
        value = value.checked_mul(256)?.checked_add(usize::from(*byte))?;
    }
    Some(value)
}
