//! `claudectl purge`, which leaves the daemon's accounts alone: those were dealt with.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use claudectl_core::footprint::Removed;
use claudectl_platform::permissions;
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
};

use super::{
    Places,
    verdict::{self, Failure},
};

/// How long it may take. The unit allows less (`TimeoutStartSec`).
const PATIENCE: Duration = Duration::from_secs(150);

/// The longest receipt that is read, in bytes.
const RECEIPT: u64 = 8 * 1024 * 1024;
/// The most of an error that is read, in bytes.
const LAST_WORDS: u64 = 2048;

/// The unit that does it where the daemon itself may only read the home directory.
const UNIT: &str = "claudectl-footprints.service";

/// What removes footprints.
#[derive(Debug)]
pub(super) struct Program {
    places: Places,
    /// Where it writes what it did: its standard output.
    receipt: PathBuf,
}

impl Program {
    pub(super) fn new(places: Places) -> Self {
        let receipt = places.runtime.join("footprints.json");
        Self { places, receipt }
    }

    /// Runs it to its end, or until it has taken too long.
    pub(super) async fn run(&self) -> Result<Removed, Failure> {
        // One from before would say what is not true any more.
        let _ = std::fs::remove_file(&self.receipt);
        let (name, mut command) = self.command()?;
        let failed = |error: io::Error| Failure::Failed(format!("{name} could not be run: {error}"));
        command
            .env_clear()
            .envs(self.places.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.places.home)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let (status, said) = wait(command.spawn().map_err(failed)?, &name).await?;
        let written = read(self.receipt.clone()).await;
        let _ = std::fs::remove_file(&self.receipt);
        verdict::of(written.as_deref()).unwrap_or_else(|| {
            Err(Failure::Failed(format!("{name} said nothing of what it did ({status}) {}", said.trim())))
        })
    }

    /// Started here, it could do no more than the daemon may. The shipped unit lets the daemon only read
    /// the home directory, and no program in it write code: there the user's manager starts it instead.
    fn command(&self) -> Result<(String, Command), Failure> {
        if !permissions::may_write(&self.places.home) {
            let mut command = Command::new("systemctl");
            command.args(["--user", "--quiet", "start", UNIT]).stdout(Stdio::null());
            return Ok((format!("systemctl --user start {UNIT}"), command));
        }
        let program = beside().map_err(|why| Failure::Failed(format!("claudectl was not found: {why}")))?;
        let receipt = File::create_new(&self.receipt)
            .map_err(|why| Failure::Failed(format!("{}: {why}", self.receipt.display())))?;
        let mut command = Command::new(&program);
        command.args(["purge", "--yes", "--keep=daemon", "--json"]).stdout(receipt);
        Ok((program.display().to_string(), command))
    }
}

/// The client that was installed with this daemon: no other one of that name.
fn beside() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let name = format!("claudectl{}", std::env::consts::EXE_SUFFIX);
    let program = own.parent().map(|directory| directory.join(name));
    let found = program.filter(|program| program.is_file());
    found
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("it is not beside {}", own.display())))
}

async fn wait(mut child: Child, name: &str) -> Result<(ExitStatus, String), Failure> {
    let mut said = Vec::new();
    let stderr = child.stderr.take();
    let ended = tokio::time::timeout(PATIENCE, async {
        if let Some(stderr) = stderr {
            stderr.take(LAST_WORDS).read_to_end(&mut said).await?;
        }
        child.wait().await
    });
    match ended.await {
        Ok(Ok(status)) => Ok((status, String::from_utf8_lossy(&said).into_owned())),
        Ok(Err(error)) => Err(Failure::Failed(format!("{name}: {error}"))),
        Err(_) => {
            // It keeps a journal: the next purge finishes what this one had begun.
            let _ = child.kill().await;
            Err(Failure::Failed(format!("{name} did not end within {} seconds", PATIENCE.as_secs())))
        }
    }
}

/// What it wrote; nothing if that is more than it ever is.
async fn read(path: PathBuf) -> Option<Vec<u8>> {
    tokio::task::spawn_blocking(move || read_now(&path)).await.ok()?
}

fn read_now(path: &Path) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(RECEIPT).read_to_end(&mut text).ok()?;
    Some(text)
}
