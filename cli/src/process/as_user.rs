//! This program, run as another user of the machine. That user may stop it, trace it and write what they
//! like in its name, so it is waited for only so long, and only so much of it is read.

use std::{process::Stdio, time::Duration};

use claudectl_platform::users::{self, User};
use serde_json::Value;
use tokio::{io::AsyncReadExt as _, process::Command};

use crate::{args, error::Error};

/// The longest document that is read, in bytes: the receipt of a purge of many thousand files.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What it said.
#[derive(Debug, Default)]
pub struct Said {
    /// How it ended; `None` if it could not be run, took too long, said too much or was killed.
    pub exit: Option<i32>,
    /// Its document; `None` if there is none.
    pub document: Option<Value>,
}

/// Runs this program as the user, no longer than `patience`.
///
/// # Errors
/// If nobody can act as another user here.
pub async fn run(
    user: &User,
    arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
    patience: Duration,
) -> Result<Said, Error> {
    let mut command = std::process::Command::new(args::own_program()?);
    users::become_user(&mut command, user)
        .map_err(|error| Error::new("nobody can act as another user here").because(&error))?;
    command.args(arguments);
    Ok(tokio::time::timeout(patience, listen(command)).await.ok().flatten().unwrap_or_default())
}

/// `None` if it cannot be run, or says too much. It is killed when nobody listens any more.
async fn listen(mut command: std::process::Command) -> Option<Said> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Command::from(command).kill_on_drop(true).spawn().ok()?;
    let mut said = Vec::new();
    let mut stdout = child.stdout.take()?.take(LONGEST);
    stdout.read_to_end(&mut said).await.ok()?;
    if stdout.limit() == 0 {
        return None;
    }
    let exit = child.wait().await.ok()?.code();
    Some(Said { exit, document: serde_json::from_slice(&said).ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn script(text: &str) -> Option<Said> {
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", text]);
        tokio::time::timeout(Duration::from_secs(2), listen(command)).await.ok().flatten()
    }

    #[tokio::test]
    async fn what_is_said_is_taken_and_nothing_holds_us_up() {
        let said = script("echo '{\"proven\": true}'; exit 6").await.unwrap();
        assert_eq!((said.exit, said.document), (Some(6), Some(serde_json::json!({"proven": true}))));
        assert!(script("kill -STOP $$").await.is_none(), "one that stops itself");
        assert!(script("sleep 60 & echo '{}'").await.is_none(), "one whose child keeps the pipe");
        assert!(script("exec cat /dev/zero").await.is_none(), "one that does not end");
        let killed = script("kill -KILL $$").await.unwrap();
        assert_eq!((killed.exit, killed.document), (None, None));
    }
}
