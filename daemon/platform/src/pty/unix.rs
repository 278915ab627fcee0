//! `pty(7)`, `termios(3)`, `SIGWINCH`.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    },
    process::{Command, Stdio},
};

use rustix::{
    fs::OFlags,
    io::Errno,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize},
};
use tokio::{
    io::unix::AsyncFd,
    signal::unix::{Signal, SignalKind, signal},
};

use super::Size;

#[derive(Debug)]
pub(super) struct Pty(Channel);

impl Pty {
    pub(super) fn lend(command: &mut Command, size: Size) -> io::Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        // Not of every system's `openpt`: the program must not have our side, or it would never end.
        rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let name = name.to_str().map_err(io::Error::other)?;
        let theirs = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(name)?;
        tcsetwinsize(&theirs, winsize(size))?;
        command.stdin(Stdio::from(theirs.try_clone()?)).stdout(Stdio::from(theirs.try_clone()?));
        command.stderr(Stdio::from(theirs));
        // SAFETY: only system calls that are safe between fork and exec (signal-safety(7)).
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
                Ok(())
            });
        }
        Channel::new(ours).map(Self)
    }

    pub(super) async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into).await {
            // Linux says so when the last one has closed the other side.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(0),
            result => result,
        }
    }

    pub(super) async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    pub(super) fn resize(&self, size: Size) -> io::Result<()> {
        Ok(tcsetwinsize(self.0.fd(), winsize(size))?)
    }
}

#[derive(Debug)]
pub(super) struct RawTerminal {
    channel: Channel,
    before: Termios,
}

impl RawTerminal {
    pub(super) fn take() -> io::Result<Self> {
        // Opened anew: to make what the shell has open non-blocking would surprise it.
        let tty = File::from(OwnedFd::from(OpenOptions::new().read(true).write(true).open("/dev/tty")?));
        let before = tcgetattr(&tty)?;
        let mut raw = before.clone();
        raw.make_raw();
        let channel = Channel::new(tty.into())?;
        let terminal = Self { channel, before };
        tcsetattr(terminal.channel.fd(), OptionalActions::Flush, &raw)?;
        Ok(terminal)
    }

    pub(super) fn size(&self) -> io::Result<Size> {
        let size = tcgetwinsize(self.channel.fd())?;
        // A terminal that does not know its size says 0.
        let known = |number: u16, usual: u16| if number == 0 { usual } else { number };
        Ok(Size { rows: known(size.ws_row, 24), columns: known(size.ws_col, 80) })
    }

    pub(super) async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.channel.read(into).await
    }

    pub(super) async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.channel.write_all(bytes).await
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone. What was shown is waited for, so that the
        // rest of it is not shown in the wrong mode.
        let _ = tcsetattr(self.channel.fd(), OptionalActions::Flush, &self.before);
    }
}

/// Changes of the size of the controlling terminal.
#[derive(Debug)]
pub(super) struct Resizes(Signal);

impl Resizes {
    pub(super) fn new() -> io::Result<Self> {
        signal(SignalKind::window_change()).map(Self)
    }

    pub(super) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // There will be no more: nothing to wait for.
            std::future::pending::<()>().await;
        }
    }
}

/// A terminal, or the other side of one.
#[derive(Debug)]
struct Channel(AsyncFd<OwnedFd>);

impl Channel {
    fn new(fd: OwnedFd) -> io::Result<Self> {
        let flags = rustix::fs::fcntl_getfl(&fd)?;
        rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
        // SAFETY: an owned descriptor stays open and the same for as long as it is owned.
        Ok(Self(unsafe { AsyncFd::register(fd) }?))
    }

    fn fd(&self) -> impl AsFd {
        self.0.get_ref()
    }

    async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|fd| Ok(rustix::io::read(fd, &mut *into)?)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(result) => return result,
                Err(_would_block) => {}
            }
        }
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.0.writable().await?;
            match ready.try_io(|fd| Ok(rustix::io::write(fd, bytes)?)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) => bytes = bytes.get(count?..).unwrap_or_default(),
                Err(_would_block) => {}
            }
        }
        Ok(())
    }
}

fn winsize(size: Size) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
}
