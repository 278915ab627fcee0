//! A credential in one of SQLite's files: its characters go from every page, and no row is lost.
//!
//! Whoever has the database open would write what is in its memory over it, so such a one is refused. In the
//! database itself a value of the same length can be exchanged in place, unless an index is ordered by
//! it. In a log or a journal the checksums of pages change with it: there the whole file is replaced in one
//! step, because with wrong ones the database would lose what other transactions wrote.

use std::{io, ops::Range, path::PathBuf};

use claudectl_platform::erasure::{PlainFile, Refusal, Step};

use super::file::{LIMIT, Trouble, overwrite, range};
use crate::{
    database::{self, HEAD, Image, Layout, Role, parts},
    finding::Occurrence,
};

/// How the names of a database's other files end.
const BESIDE: [&str; 2] = ["-wal", "-journal"];

/// One of a database's files, while nobody else has the database open.
#[derive(Debug)]
pub(super) struct Database {
    layout: Layout,
    /// The database itself, where this is another of its files: the claim is on that one.
    _main: Option<PlainFile>,
}

impl Database {
    /// `None` if the file is none of a database.
    pub(super) fn claim(file: &PlainFile) -> Result<Option<Self>, Trouble> {
        let size = file.identity()?.size;
        let head = file.read_at(0, usize::try_from(size).unwrap_or(HEAD).min(HEAD))?;
        let Some(layout) = Layout::of(&head) else { return Ok(None) };
        let main = match (layout, main_of(file)) {
            (Layout::Main { .. }, _) => {
                file.claim()?;
                None
            }
            (_, Some(path)) => match PlainFile::open(&path) {
                // Nobody can have open what is not there.
                Err(Refusal::Missing) => None,
                opened => {
                    let main = opened?;
                    main.claim()?;
                    Some(main)
                }
            },
            (_, None) => None,
        };
        Ok(Some(Self { layout, _main: main }))
    }

    /// Overwrites these; what proves it.
    pub(super) fn overwrite(
        &self,
        file: &PlainFile,
        occurrences: &[&Occurrence],
        each: Step<'_>,
    ) -> Result<&'static str, Trouble> {
        if matches!(self.layout, Layout::Main { checksummed: true, .. }) {
            return Err(Trouble::Checksummed);
        }
        self.check(file, occurrences)?;
        if matches!(self.layout, Layout::Main { .. } | Layout::Done) {
            overwrite(file, occurrences, each)?;
            return Ok("no program has it open; overwritten in place and read back, and no other byte of it");
        }
        let known = file.identity()?;
        let text = file.read(LIMIT)?;
        let spans: Vec<Range<usize>> = occurrences.iter().filter_map(|found| range(found)).collect();
        let edit = database::overwrite(&text, &spans).ok_or(Trouble::Changed)?;
        let edited = edit.apply(&text).ok_or(Trouble::Changed)?;
        file.replace(&edited, &known, each)?;
        // The old one has no name any more, but it is still open.
        overwrite(file, occurrences, each)?;
        Ok(
            "no program has the database open; replaced by one without it, whose checksums are right, and the old one overwritten",
        )
    }

    /// Whether each of them can be exchanged.
    fn check(&self, file: &PlainFile, occurrences: &[&Occurrence]) -> Result<(), Trouble> {
        let Some((size, usable)) = self.layout.page() else { return Ok(()) };
        let is_there = |image: &Image, found: &&&Occurrence| {
            (image.offset..image.offset + image.size).contains(&found.bytes.start)
        };
        let mut in_index = false;
        let mut read = |at: u64, bytes: &mut [u8]| {
            bytes.copy_from_slice(&file.read_at(at, bytes.len())?);
            Ok(())
        };
        self.layout.images(file.identity()?.size, &mut read, &mut |_, image| {
            let here: Vec<_> = occurrences.iter().filter(|found| is_there(&image, found)).collect();
            if here.is_empty() || image.size != size {
                return Ok(());
            }
            let page = file.read_at(image.offset, usize::try_from(size).map_err(io::Error::other)?)?;
            let keys = parts(&page, usable, image.is_first).into_iter().filter(|part| part.role == Role::Key);
            let keys: Vec<_> = keys.map(|part| part.bytes).collect();
            let is_key = |found: &&&Occurrence| {
                let at = usize::try_from(found.bytes.start - image.offset).unwrap_or(0);
                keys.iter().any(|key| key.contains(&at))
            };
            in_index |= here.iter().any(is_key);
            Ok(())
        })?;
        if in_index { Err(Trouble::Indexed) } else { Ok(()) }
    }
}

/// The database that a file belongs to which stands beside it.
fn main_of(file: &PlainFile) -> Option<PathBuf> {
    let path = file.path().to_str()?;
    BESIDE.iter().find_map(|end| path.strip_suffix(end)).map(PathBuf::from)
}
