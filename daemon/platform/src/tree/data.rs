//! Where a file has data, so that nobody reads a hole of ten gibibytes.

use std::{fs::File, io, ops::Range};

use rustix::{
    fs::{SeekFrom, seek},
    io::Errno,
};

pub(crate) fn next_data(file: &File, from: u64, end: u64) -> io::Result<Option<Range<u64>>> {
    let start = match seek(file, SeekFrom::Data(from)) {
        Ok(start) => start,
        // Nothing but a hole up to the end.
        Err(Errno::NXIO) => return Ok(None),
        // This file system does not know.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some(from..end)),
        Err(error) => return Err(error.into()),
    };
    if start >= end {
        return Ok(None);
    }
    let stop = seek(file, SeekFrom::Hole(start)).map_or(end, |stop| stop.min(end));
    Ok(Some(start..stop.max(start + 1)))
}
