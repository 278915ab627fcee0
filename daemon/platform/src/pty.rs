//! A program on a private pseudo-terminal, and the person's own terminal beside it.
//!
//! Only where there are pseudo-terminals ([`Unsupported`](crate::Unsupported) elsewhere).

#[cfg_attr(unix, path = "pty/unix.rs")]
#[cfg_attr(windows, path = "pty/windows.rs")]
mod sys;

use std::{io, process::Command};

/// Size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

/// Our side of a pseudo-terminal: what a program writes is read here.
#[derive(Debug)]
pub struct Pty(sys::Pty);

impl Pty {
    /// Makes one of this size, and has the command run on it when it is started: as the leader of a
    /// session of its own, with this as its controlling terminal. Needs an async runtime.
    ///
    /// # Errors
    /// What the system says.
    pub fn lend(command: &mut Command, size: Size) -> io::Result<Self> {
        sys::Pty::lend(command, size).map(Self)
    }

    /// Reads what the program wrote; 0 once nobody has the other side open.
    ///
    /// # Errors
    /// What `read(2)` says.
    pub async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).await
    }

    /// Types for the program.
    ///
    /// # Errors
    /// What `write(2)` says.
    pub async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Tells the program that its terminal has this size.
    ///
    /// # Errors
    /// What the system says.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        self.0.resize(size)
    }
}

/// The controlling terminal of this process, every byte of which passes as it is: nothing is echoed,
/// no key is a signal. It is put back as it was when this is dropped.
#[derive(Debug)]
pub struct RawTerminal(sys::RawTerminal);

impl RawTerminal {
    /// Takes the terminal. Needs an async runtime.
    ///
    /// # Errors
    /// If there is none.
    pub fn take() -> io::Result<Self> {
        sys::RawTerminal::take().map(Self)
    }

    /// Its size.
    ///
    /// # Errors
    /// What the system says.
    pub fn size(&self) -> io::Result<Size> {
        self.0.size()
    }

    /// Reads what is typed; 0 once the terminal is gone.
    ///
    /// # Errors
    /// What `read(2)` says.
    pub async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).await
    }

    /// Shows.
    ///
    /// # Errors
    /// What `write(2)` says.
    pub async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }
}

/// Tells when the controlling terminal has another size.
#[derive(Debug)]
pub struct Resizes(sys::Resizes);

impl Resizes {
    /// Listens from now on. Needs an async runtime.
    ///
    /// # Errors
    /// What `sigaction(2)` says.
    pub fn new() -> io::Result<Self> {
        sys::Resizes::new().map(Self)
    }

    /// Waits for the next change.
    pub async fn next(&mut self) {
        self.0.next().await;
    }
}
