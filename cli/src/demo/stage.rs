//! Where the demonstration happens: a directory of its own that disappears, and a daemon of its own
//! that ends, however the demonstration does.

use std::{
    ffi::OsString,
    fs, io,
    path::PathBuf,
    process::{Child, Stdio},
    time::Duration,
};

use claudectl_platform::{clock, permissions, process};
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::{
    args::{self, Environment},
    error::Error,
    process::start,
};

/// How long the daemon may take to listen.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long it may take to wipe, close and end.
const FAREWELL: Duration = Duration::from_secs(3);

/// A private daemon in a private directory.
#[derive(Debug)]
pub struct Stage {
    /// What everything in it gets to know: places in the directory, and `PATH`.
    pub environment: Environment,
    program: PathBuf,
    daemon: Child,
    directory: tempfile::TempDir,
}

impl Stage {
    /// Sets it up.
    ///
    /// # Errors
    /// If the directory cannot be made, or the daemon does not start.
    pub fn set_up(ambient: &Environment) -> Result<Self, Error> {
        Self::set_up_with(ambient, "", &[])
    }

    /// The same with a configuration of its own, and with variables that it is to get.
    ///
    /// # Errors
    /// As [`set_up`](Self::set_up).
    pub fn set_up_with(
        ambient: &Environment,
        configuration: &str,
        variables: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::new("the demonstration has no directory").because(&error);
        let directory = tempfile::Builder::new()
            .prefix("claudectl-demo-")
            .tempdir_in(args::temporary_directory())
            .map_err(failed)?;
        let rooms = ["home", "run"].map(|name| directory.path().join(name));
        for room in &rooms {
            permissions::private_directory(room)?;
        }
        let [home, run] = rooms;
        let config = home.join(".config");
        fs::create_dir_all(config.join("claudectl")).map_err(failed)?;
        fs::write(config.join("claudectl/config.toml"), configuration).map_err(failed)?;
        let mut environment =
            Environment::from_iter([("HOME", home), ("XDG_RUNTIME_DIR", run), ("XDG_CONFIG_HOME", config)]);
        for name in ["PATH", "LANG", "TERM", "NO_COLOR"] {
            if let Some(value) = ambient.get(name) {
                environment.set(name, value);
            }
        }
        for (name, value) in variables {
            environment.set(*name, *value);
        }
        let program = args::own_program()?;
        let daemon = start::wait_until_ready(start::spawn(&environment)?, PATIENCE)?;
        Ok(Self { environment, program, daemon, directory })
    }

    /// A command of claudectl on this stage; it ends if the demonstration does.
    pub fn claudectl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let variables = self.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
        command
            .args(arguments)
            .env_clear()
            .envs(variables.collect::<Vec<(OsString, OsString)>>())
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command and gives it `input`; fails if it does.
    ///
    /// # Errors
    /// If it cannot be run, or does not end with 0.
    pub async fn perform(&self, mut command: Command, input: &[u8]) -> Result<(), Error> {
        let failed =
            |error: io::Error| Error::new("a step of the demonstration could not run").because(&error);
        let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input).await.map_err(failed)?;
        }
        let status = child.wait().await.map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        Err(Error::new("a step of the demonstration failed").because(&status).hint("claudectl doctor"))
    }

    /// Kills the daemon, as a machine out of memory would. Nothing is wiped by it but by the kernel.
    ///
    /// # Errors
    /// If there is none to kill.
    pub fn kill_daemon(&mut self) -> Result<(), Error> {
        let failed = |error: io::Error| Error::new("the private daemon could not be killed").because(&error);
        self.daemon.kill().map_err(failed)?;
        self.daemon.wait().map_err(failed)?;
        Ok(())
    }

    /// Starts another daemon in the same place.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart_daemon(&mut self) -> Result<(), Error> {
        self.daemon = start::wait_until_ready(start::spawn(&self.environment)?, PATIENCE)?;
        Ok(())
    }

    /// The directory of it all.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Ends the daemon, removes the directory, and makes sure that both are gone.
    ///
    /// # Errors
    /// What is left.
    pub fn tear_down(mut self) -> Result<(), Error> {
        self.end_daemon();
        let path = self.directory.path().to_owned();
        fs::remove_dir_all(&path)
            .map_err(|error| Error::new(format!("{} is left", path.display())).because(&error))
    }

    fn end_daemon(&mut self) {
        // If it is gone already, so much the better.
        let asked = process::ask_to_end(&self.daemon).is_ok();
        let deadline = clock::since_boot().saturating_add(FAREWELL);
        while asked && clock::since_boot() < deadline {
            if !matches!(self.daemon.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.end_daemon();
    }
}
