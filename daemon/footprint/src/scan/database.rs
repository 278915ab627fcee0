//! Searching SQLite's files: value by value, because in a row the next one follows without anything in
//! between. What is left of deleted rows is searched as well.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use zeroize::Zeroizing;

use super::{
    format,
    needle::Needles,
    stream::{Hit, credentials},
};
use crate::database::{HEAD, Image, Layout, Role, parts};

/// What starts with zeros is a journal that was done with only up to this size: a larger one would have been
/// cut, and a file of holes is not to be read whole.
const DONE: u64 = 16 << 20;

/// What the file is, if it is one of these.
pub(super) fn layout(file: &mut File, size: u64) -> io::Result<Option<Layout>> {
    if size < u64::try_from(HEAD).unwrap_or(u64::MAX) {
        return Ok(None);
    }
    let mut head = [0; HEAD];
    file.seek(SeekFrom::Start(0))?;
    match file.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        outcome => outcome.map(|()| Layout::of(&head).filter(|found| *found != Layout::Done || size <= DONE)),
    }
}

/// Tells every credential in the first `size` bytes. How many bytes were read.
pub(super) fn search_database(
    file: &mut File,
    size: u64,
    layout: Layout,
    needles: &Needles,
    each: &mut impl FnMut(Hit<'_>),
) -> io::Result<u64> {
    let mut buffer = Zeroizing::new(Vec::new());
    let mut total = 0;
    let mut read = |at: u64, bytes: &mut [u8]| {
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    };
    layout.images(size, &mut read, &mut |read, image| {
        let length = usize::try_from(image.size).map_err(io::Error::other)?;
        if buffer.len() < length {
            // A new one, not a larger one: that would leave a copy behind.
            buffer = Zeroizing::new(vec![0; length]);
        }
        let Some(page) = buffer.get_mut(..length) else { return Ok(()) };
        read(image.offset, page)?;
        total += image.size;
        tell(page, layout, image, needles, each);
        Ok(())
    })?;
    Ok(total)
}

fn tell(page: &[u8], layout: Layout, image: Image, needles: &Needles, each: &mut impl FnMut(Hit<'_>)) {
    let whole = layout.page().filter(|(size, _)| *size == image.size);
    let usable = whole.map_or(page.len(), |(_, usable)| usable);
    for part in parts(page, usable, image.is_first) {
        let text = page.get(part.bytes.clone()).unwrap_or_default();
        let offset = |at: usize| image.offset + u64::try_from(part.bytes.start + at).unwrap_or(u64::MAX);
        let tokens: Vec<_> = match part.role {
            Role::Rest => format::tokens_in_remains(text).collect(),
            Role::Value | Role::Key => format::tokens(text).collect(),
        };
        credentials(text, tokens.into_iter(), needles, &mut |at, written, value, kind| {
            each(Hit { offset: offset(at), written, value, kind });
        });
    }
}
