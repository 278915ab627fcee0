//! The values of a page, and what is left of old ones between them.

use std::ops::Range;

use super::number16;

/// What a part of a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One value of a row.
    Value,
    /// One value of an entry of an index, which is ordered by it.
    Key,
    /// What nobody reads any more, or what goes on from another page.
    Rest,
}

/// Bytes of a page that a text can be in, and no text beyond them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which bytes.
    pub bytes: Range<usize>,
    /// What they are.
    pub role: Role,
}

/// How the cells of a kind of page start.
struct Kind {
    header: usize,
    /// The number of the page below, before the payload.
    child: usize,
    row_number: bool,
    role: Option<Role>,
}

/// The parts of a page of which this much can be used. One that is none of a tree is one part.
pub fn parts(page: &[u8], usable: usize, is_first: bool) -> Vec<Part> {
    tree(page, usable, is_first).unwrap_or_else(|| vec![Part { bytes: 0..page.len(), role: Role::Rest }])
}

fn tree(page: &[u8], usable: usize, is_first: bool) -> Option<Vec<Part>> {
    let start = if is_first { 100 } else { 0 };
    let kind = match *page.get(start)? {
        2 => Kind { header: 12, child: 4, row_number: false, role: Some(Role::Key) },
        5 => Kind { header: 12, child: 4, row_number: true, role: None },
        10 => Kind { header: 8, child: 0, row_number: false, role: Some(Role::Key) },
        13 => Kind { header: 8, child: 0, row_number: true, role: Some(Role::Value) },
        _ => return None,
    };
    let count = usize::from(number16(page, start + 3)?);
    let pointers = start + kind.header;
    let (mut live, mut parts) = (Vec::with_capacity(1 + count), Vec::new());
    live.push(0..pointers.checked_add(2 * count)?);
    for index in 0..count {
        let at = usize::from(number16(page, pointers + 2 * index)?);
        let cell = cell(page.get(..usable)?, at, &kind, &mut parts)?;
        live.push(cell);
    }
    live.sort_by_key(|range| range.start);
    let mut end = 0;
    for range in live {
        // Two cells in one place: this is no page of a tree.
        if range.start < end {
            return None;
        }
        parts.push(Part { bytes: end..range.start, role: Role::Rest });
        end = range.end;
    }
    parts.push(Part { bytes: end..page.len(), role: Role::Rest });
    parts.retain(|part| !part.bytes.is_empty());
    Some(parts)
}

/// Which bytes the cell has here; adds its values.
fn cell(page: &[u8], at: usize, kind: &Kind, parts: &mut Vec<Part>) -> Option<Range<usize>> {
    let mut next = at.checked_add(kind.child)?;
    let Some(role) = kind.role else {
        varint(page, &mut next)?;
        return Some(at..next);
    };
    let payload = usize::try_from(varint(page, &mut next)?).ok()?;
    if kind.row_number {
        varint(page, &mut next)?;
    }
    let local = local(payload, page.len(), role)?;
    let body = page.get(..next.checked_add(local)?)?;
    values(body, next, role, parts)?;
    // What does not fit is on other pages, and this says where.
    let link = if local < payload { 4 } else { 0 };
    let end = body.len() + link;
    (end <= page.len()).then_some(at..end.max(at + 4))
}

/// The values of a record that starts here and ends with these bytes.
fn values(body: &[u8], start: usize, role: Role, parts: &mut Vec<Part>) -> Option<()> {
    let mut next = start;
    let length = usize::try_from(varint(body, &mut next)?).ok()?;
    let head = body.get(..start.checked_add(length)?)?;
    let mut at = head.len();
    while next < head.len() {
        let kind = varint(head, &mut next)?;
        let size = size(kind)?;
        let end = at.checked_add(size)?.min(body.len());
        if kind >= 12 && at < end {
            parts.push(Part { bytes: at..end, role });
        }
        at = end;
    }
    Some(())
}

/// How many bytes a value of this serial type has.
fn size(kind: u64) -> Option<usize> {
    let size = match kind {
        0 | 8..=11 => 0,
        1..=4 => kind,
        5 => 6,
        6 | 7 => 8,
        _ => (kind - 12) / 2,
    };
    usize::try_from(size).ok()
}

/// How much of a payload is on its own page.
fn local(payload: usize, usable: usize, role: Role) -> Option<usize> {
    let share = |of: usize| (usable.checked_sub(12)? * of / 255).checked_sub(23);
    let most = if role == Role::Value { usable.checked_sub(35)? } else { share(64)? };
    let least = share(32)?;
    if payload <= most {
        return Some(payload);
    }
    let wanted = least + (payload - least) % usable.checked_sub(4)?;
    Some(if wanted <= most { wanted } else { least })
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for index in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if index == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    Some(value)
}
