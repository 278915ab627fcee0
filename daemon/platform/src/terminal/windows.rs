//! Not yet: what is typed at a console can be shown, so that nothing is asked there.

use std::io;

use crate::Unsupported;

pub(super) fn read_hidden(_prompt: &str, _into: &mut Vec<u8>) -> io::Result<()> {
    Err(Unsupported("a hidden prompt (standard input works)").into())
}
