//! What a step stands on: a private daemon that holds a made-up key, and a session.

use std::{ffi::OsString, process::Stdio, time::Duration};

use claudectl_platform::clock;
use claudectl_proto::v1::{Status, WatchStatusRequest};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};
use zeroize::Zeroizing;

use crate::{
    args,
    commands::demo::made_up_key,
    daemon::Daemon,
    demo::{stage::Stage, upstream},
    error::Error,
};

/// How long anything may take that is not the idle minute.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The private daemon and what it holds.
pub(super) struct Stand {
    pub(super) stage: Stage,
    pub(super) key: Zeroizing<String>,
    url: String,
}

impl Stand {
    /// Logs a made-up key in on this stage.
    pub(super) async fn new(stage: Stage) -> Result<Self, Error> {
        let key = made_up_key();
        let address = upstream::serve(key.clone())
            .map_err(|error| Error::new("the API of the drill has no port").because(&error))?;
        let stand = Self { stage, key, url: format!("http://{address}") };
        stand.log_in().await?;
        Ok(stand)
    }

    pub(super) async fn log_in(&self) -> Result<(), Error> {
        let mut login = self.stage.claudectl(&["login", "drill", "--upstream", &self.url]);
        login.stdout(Stdio::null());
        self.stage.perform(login, self.key.as_bytes()).await
    }

    /// Opens a session and waits until it has its first answer.
    pub(super) async fn session(&self) -> Result<Session, Error> {
        let mut command = self.stage.claudectl(&["run", "--"]);
        command.arg(args::own_program()?).arg("demo-client");
        Session::start(command).await
    }

    /// The same on a terminal of its own, which `script` makes.
    pub(super) async fn session_on_terminal(&self, script: OsString) -> Result<Session, Error> {
        let own = args::own_program()?.to_string_lossy().replace('\'', "'\\''");
        let mut command = Command::new(script);
        command
            .args(["--quiet", "--command", &format!("'{own}' run -- '{own}' demo-client"), "/dev/null"])
            .env_clear()
            .envs(self.stage.environment.iter())
            .kill_on_drop(true);
        Session::start(command).await
    }

    /// Follows the status until it is as wanted; how long that took.
    pub(super) async fn until(
        &self,
        patience: Duration,
        wanted: impl Fn(&Status) -> bool,
    ) -> Result<Duration, Error> {
        let began = clock::since_boot();
        let daemon = Daemon::find(&self.stage.environment).await?;
        let daemon = daemon.ok_or_else(|| Error::new("the private daemon is gone"))?;
        let mut updates =
            daemon.itself().watch_status(WatchStatusRequest { place: None }).await?.into_inner();
        let outcome = tokio::time::timeout(patience, async {
            while let Some(update) = updates.message().await? {
                if wanted(&update.status.unwrap_or_default()) {
                    return Ok(());
                }
            }
            Err(Error::new("the private daemon ended"))
        });
        match outcome.await {
            Ok(outcome) => outcome.map(|()| clock::since_boot().saturating_sub(began)),
            Err(_) => Err(Error::new(format!("it did not happen within {} seconds", patience.as_secs()))),
        }
    }
}

/// A program that asks once, and once more when it is told to.
pub(super) struct Session {
    pub(super) child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Session {
    async fn start(mut command: Command) -> Result<Self, Error> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(&error))?;
        let (Some(input), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::new("a session of the drill has no pipes"));
        };
        let mut session = Self { child, input, lines: BufReader::new(stdout).lines() };
        session.line_with("answer:").await?;
        // It shows what it holds, and then waits.
        session.line_with("ANTHROPIC_BASE_URL").await?;
        Ok(session)
    }

    /// Has it ask again; the sentence of the refusal, or why there is none.
    pub(super) async fn ask_again(&mut self) -> Result<String, Error> {
        self.input.write_all(b"again\n").await.map_err(|error| failed(&error))?;
        self.line_with("refused:").await
    }

    /// Has it ask again where nobody answers any more: it must fail, not hang.
    pub(super) async fn ask_in_vain(mut self) -> Result<(), Error> {
        self.input.write_all(b"again\n").await.map_err(|error| failed(&error))?;
        drop(self.input);
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        match ended.map_err(|_| Error::new("a session hangs whose daemon is gone"))? {
            Ok(status) if !status.success() => Ok(()),
            Ok(_) => Err(Error::new("a session got an answer from a daemon that is gone")),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn line_with(&mut self, word: &str) -> Result<String, Error> {
        let found = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await.map_err(|error| failed(&error))? {
                if line.contains(word) {
                    return Ok(line);
                }
            }
            Err(Error::new(format!("a session of the drill ended without {word:?}")))
        });
        found.await.map_err(|_| Error::new(format!("a session of the drill did not say {word:?}")))?
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::new("a session of the drill failed").because(error)
}
