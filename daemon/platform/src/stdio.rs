//! The standard streams of a daemon that a client started.

#[cfg_attr(unix, path = "stdio/unix.rs")]
#[cfg_attr(windows, path = "stdio/windows.rs")]
mod sys;

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

/// Says one word to the client that started us.
///
/// # Errors
/// If it is not there to listen any more.
pub fn announce(word: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(word.as_bytes())?;
    output.flush()
}

/// Sends everything that is printed from now on to this file, which is emptied first.
///
/// # Errors
/// If the file cannot be made, or the streams not be moved.
pub fn redirect(log: &Path) -> io::Result<()> {
    // Never through a link that somebody left there: the name is taken anew.
    match fs::remove_file(log) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    sys::redirect(&fs::File::create_new(log)?)
}
