//! A message bus of the drill's own, if the programs for it are here.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{args::Environment, error::Error, process::search};

/// Ends with its handle.
#[derive(Debug)]
pub(super) struct Bus {
    daemon: Child,
    /// Its address.
    pub(super) address: String,
    send: PathBuf,
}

impl Bus {
    /// Starts one below this directory; `None` if the programs are missing.
    pub(super) fn start(environment: &Environment, directory: &Path) -> Result<Option<Self>, Error> {
        let find = |name: &str| search::all(OsStr::new(name), &environment.search_path()).next();
        let (Some(program), Some(send)) = (find("dbus-daemon"), find("dbus-send")) else { return Ok(None) };
        let failed = |error: std::io::Error| Error::new("the private message bus failed").because(&error);
        let address = format!("unix:path={}", directory.join("bus").display());
        let mut daemon = Command::new(program)
            .args(["--session", "--nofork", "--print-address", "--address", &address])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let stdout = daemon.stdout.take();
        let bus = Self { daemon, address, send };
        // Once it says where it is, it listens.
        let mut line = String::new();
        stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line)).transpose().map_err(failed)?;
        if line.is_empty() {
            return Err(Error::new("the private message bus did not start"));
        }
        Ok(Some(bus))
    }

    /// Tells of a locked screen, as a desktop does.
    pub(super) fn lock(&self) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::new("the lock could not be told").because(&error);
        let status = Command::new(&self.send)
            .env_clear()
            .arg(format!("--bus={}", self.address))
            .args(["--type=signal", "/org/freedesktop/ScreenSaver"])
            .args(["org.freedesktop.ScreenSaver.ActiveChanged", "boolean:true"])
            .stdin(Stdio::null())
            .status()
            .map_err(failed)?;
        if status.success() { Ok(()) } else { Err(Error::new("the lock could not be told").because(&status)) }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // If it is gone already, so much the better.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
