//! `dup2(2)`.

use std::{fs::File, io};

pub(super) fn redirect(log: &File) -> io::Result<()> {
    rustix::stdio::dup2_stdout(log)?;
    Ok(rustix::stdio::dup2_stderr(log)?)
}
