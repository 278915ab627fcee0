//! The terminal of the person.

#[cfg_attr(unix, path = "terminal/unix.rs")]
#[cfg_attr(windows, path = "terminal/windows.rs")]
mod sys;

use std::io::{self, IsTerminal};

use zeroize::Zeroizing;

/// The longest line that can be typed or pasted, in bytes, its end included (`termios(3)`).
const LINE_LIMIT: usize = 4096;

/// Whether standard input is a terminal.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Asks on the controlling terminal (whatever standard input and output are) and reads one line
/// into `into`, without its end and without showing it.
///
/// The terminal shows what is typed again on every way out. A signal that ends or stops the process
/// (Control-C, hang-up, termination) is held back until that is done, and then takes its course.
///
/// # Errors
/// If there is no controlling terminal; [`io::ErrorKind::UnexpectedEof`] if it is closed instead
/// (Control-D); [`io::ErrorKind::Interrupted`] after a signal that did not end the process.
pub fn read_hidden(prompt: &str, into: &mut Zeroizing<Vec<u8>>) -> io::Result<()> {
    into.clear();
    // Room for all of it at once: growing would leave copies behind.
    into.reserve(LINE_LIMIT);
    sys::read_hidden(prompt, into)?;
    while let Some(b'\n' | b'\r') = into.last() {
        into.pop();
    }
    Ok(())
}
