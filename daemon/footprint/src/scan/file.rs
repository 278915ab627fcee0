//! One file: read, and read again if it changed meanwhile.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use claudectl_platform::tree::{FileIdentity, identity};
use zeroize::Zeroizing;

use super::{
    Meter, database,
    needle::Needles,
    recorder::{Seen, Written, seen},
    stream::{self, Buffer, Hit},
    structured::{self, Told, merge},
};
use crate::{
    catalog::Reader,
    finding::{FingerprintKey, Kind, Structure},
};

/// Larger files are read as running text, whatever they are.
pub(super) const WHOLE: u64 = 32 << 20;
/// How often a file that changes is read again.
const ATTEMPTS: usize = 4;
/// More different credentials in one file are not told one by one.
const MOST: usize = 500;

/// Why nothing certain is known about a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("it changes while it is looked at")]
    Changing,
    #[error("too large to be read as what it is; searched as running text")]
    TooLarge,
    #[error(
        "it is not valid JSON from byte {0} on; what is there was searched for what has a form of its own"
    )]
    Broken(usize),
    #[error("more than {MOST} credentials; the others are not listed")]
    TooMany,
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What a file told, as which file, and what is uncertain about it.
pub(super) struct Read {
    pub(super) identity: FileIdentity,
    pub(super) told: Told,
    pub(super) doubt: Option<ReadError>,
}

/// What all files have in common.
pub(super) struct Desk<'a> {
    pub(super) key: &'a FingerprintKey,
    pub(super) meter: &'a Meter,
    pub(super) home: &'a Path,
}

impl Desk<'_> {
    /// Reads a file as what it is.
    pub(super) fn structured(
        &self,
        file: &mut File,
        found: FileIdentity,
        reader: Reader,
        needle: &mut dyn FnMut(&[u8], Kind),
        buffer: &mut Buffer,
    ) -> Result<Read, ReadError> {
        let is_database = database::layout(file, found.size)?.is_some();
        if reader == Reader::Text || found.size > WHOLE || is_database {
            let mut read = self.running_text(file, found, &Needles::default(), buffer)?;
            if reader != Reader::Text && !is_database {
                read.doubt = Some(ReadError::TooLarge);
            }
            return Ok(read);
        }
        let mut read = settled(file, found, |file, found| {
            // With room for one byte more than it had, so that it is read in one buffer that never grows.
            let size = usize::try_from(found.size).map_err(io::Error::other)?;
            let mut text = Zeroizing::new(vec![0; size]);
            let mut filled = 0;
            while let Some(room) = text.get_mut(filled..).filter(|room| !room.is_empty()) {
                match file.read(room)? {
                    0 => break,
                    count => filled += count,
                }
            }
            self.meter.file(found.size);
            let text = text.get(..filled).unwrap_or_default();
            Ok(structured::File { text, key: self.key, home: self.home, needle }.read(reader))
        })?;
        read.doubt = read.doubt.or_else(|| read.told.broken.map(ReadError::Broken));
        Ok(read)
    }

    /// Searches a file of any size.
    pub(super) fn running_text(
        &self,
        file: &mut File,
        found: FileIdentity,
        needles: &Needles,
        buffer: &mut Buffer,
    ) -> Result<Read, ReadError> {
        let mut read = settled(file, found, |file, found| {
            let mut told = Told::default();
            let size = found.size;
            let mut tell = |hit: Hit<'_>| {
                let bytes = 0..hit.written.len();
                let structure = Structure::Text { line: 0 };
                let written = Written { base: hit.offset, text: hit.written, bytes, structure };
                if told.seen.len() <= MOST {
                    merge(&mut told.seen, seen(self.key, hit.kind, hit.value, written));
                }
            };
            let read = match database::layout(file, size)? {
                Some(layout) => database::search_database(file, size, layout, needles, &mut tell)?,
                None => stream::search(file, size, needles, buffer, &mut tell)?,
            };
            self.meter.file(read);
            Ok(told)
        })?;
        if read.told.seen.len() > MOST {
            read.told.seen.truncate(MOST);
            read.doubt = Some(ReadError::TooMany);
        }
        for seen in &mut read.told.seen {
            number_line(file, seen, buffer)?;
        }
        Ok(read)
    }
}

/// Reads until what was read is what is there. Only credentials make it worth a second time.
fn settled(
    file: &mut File,
    mut found: FileIdentity,
    mut read: impl FnMut(&mut File, &FileIdentity) -> io::Result<Told>,
) -> Result<Read, ReadError> {
    let mut attempts = 0;
    loop {
        file.seek(SeekFrom::Start(0))?;
        let told = read(file, &found)?;
        let now = identity(file)?;
        attempts += 1;
        if now == found || told.seen.is_empty() {
            return Ok(Read { identity: found, told, doubt: None });
        }
        if attempts == ATTEMPTS {
            return Ok(Read { identity: now, told, doubt: Some(ReadError::Changing) });
        }
        found = now;
    }
}

fn number_line(file: &mut File, seen: &mut Seen, buffer: &mut Buffer) -> io::Result<()> {
    seen.occurrences.sort_by_key(|occurrence| occurrence.bytes.start);
    // Two searches can find the same bytes.
    seen.occurrences.dedup_by_key(|occurrence| occurrence.bytes.start);
    if let Some(first) = seen.occurrences.first() {
        seen.structure = Structure::Text { line: stream::line_of(file, first.bytes.start, buffer)? };
    }
    Ok(())
}

/// A path for people.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
