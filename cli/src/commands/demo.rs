//! `claudectl demo`

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    process::Stdio,
    time::Duration,
};

use clap::{ArgMatches, Command};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use zeroize::Zeroizing;

use crate::{
    Context,
    demo::{stage::Stage, upstream},
    error::Error,
    exit::Exit,
    output::{
        Output,
        text::{BOLD, DIM, styled},
    },
    shim::{self, genuine::Form},
};

/// How long the genuine client may take for one prompt.
const PATIENCE: Duration = Duration::from_mins(1);

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("Show it all with a private daemon, an API on loopback and a made-up key; nothing stays")
}

/// Runs the demonstration. Whatever happens, nothing of it stays.
///
/// # Errors
/// If a step fails.
pub async fn run(_matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    say(
        "A demonstration: a daemon of its own, an API on loopback, a made-up key.\nNo account, no network, and nothing of it stays.",
    )?;
    let stage = Stage::set_up(&context.environment)?;
    let outcome = tokio::select! {
        outcome = play(&stage, context) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Error::new("the demonstration was interrupted")),
    };
    let torn_down = stage.tear_down();
    outcome?;
    torn_down?;
    say("\nThe daemon has ended and its directory is gone. Now with your own key:  claudectl login")?;
    Ok(Exit::Ok)
}

async fn play(stage: &Stage, context: &Context) -> Result<(), Error> {
    let key = made_up_key();
    let address = upstream::serve(key.clone())
        .map_err(|error| Error::new("the API of the demonstration has no port").because(&error))?;
    let url = format!("http://{address}");
    step("Log in. The key is typed, or comes on stdin; it goes straight into locked memory.")?;
    show(&["login", "demo", "--upstream", &url])?;
    stage.perform(stage.claudectl(&["login", "demo", "--upstream", &url]), key.as_bytes()).await?;
    genuine(stage, context).await?;
    built_in(stage).await
}

/// The genuine client, if it is here. If it does not work here, the built-in one shows the same.
async fn genuine(stage: &Stage, context: &Context) -> Result<(), Error> {
    let Ok(found) = shim::find(&context.environment) else { return Ok(()) };
    let path = found.path.to_string_lossy().into_owned();
    step("Run the genuine Claude Code as a session.")?;
    let tcp = if found.form == Form::JavaScript { &["--tcp"][..] } else { &[] };
    let shown = ["claude", "-p", "Say hello."];
    show(&[&["run"], tcp, &["--"], &shown].concat())?;
    let real = [path.as_str(), "-p", "Say hello."];
    let command = stage.claudectl(&[&["run"], tcp, &["--"], &real].concat());
    match tokio::time::timeout(PATIENCE, stage.perform(command, b"")).await {
        Ok(Ok(())) => Ok(()),
        _ => say("  (it did not answer here; the built-in client goes on)"),
    }
}

/// A session that is asked twice: before and after the logout.
async fn built_in(stage: &Stage) -> Result<(), Error> {
    let failed =
        |error: std::io::Error| Error::new("a step of the demonstration could not run").because(&error);
    step("Run a small client as a session, and let it show what it holds: a placeholder.")?;
    show(&["run", "--", "claudectl", "demo-client"])?;
    let mut command = stage.claudectl(&["run", "--"]);
    command.arg(crate::args::own_program()?).arg("demo-client").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut session = command.spawn().map_err(failed)?;
    let (Some(mut stdin), Some(stdout)) = (session.stdin.take(), session.stdout.take()) else {
        return Err(Error::new("a session of the demonstration has no pipes"));
    };
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.map_err(failed)?.filter(|line| !line.is_empty()) {
        Output::write(&line)?;
    }
    step("Ask what is held, while that session is open.")?;
    show(&["status"])?;
    stage.perform(stage.claudectl(&["status"]), b"").await?;
    step("Log out. The receipt says what happened to every copy of the key.")?;
    show(&["logout", "demo"])?;
    stage.perform(stage.claudectl(&["logout", "demo"]), b"").await?;
    step("The session is still there, and asks again.")?;
    stdin.write_all(b"again\n").await.map_err(failed)?;
    drop(stdin);
    while let Some(line) = lines.next_line().await.map_err(failed)? {
        Output::write(&line)?;
    }
    let status = session.wait().await.map_err(failed)?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::new("the session of the demonstration failed").because(&status))
    }
}

fn step(text: &str) -> Result<(), Error> {
    say(&format!("\n{}", styled(BOLD, text)))
}

fn show(words: &[&str]) -> Result<(), Error> {
    say(&styled(DIM, format!("$ claudectl {}", words.join(" "))))
}

fn say(text: &str) -> Result<(), Error> {
    Output::write(text)
}

/// A key that nobody has: it only opens the API of this demonstration.
pub(super) fn made_up_key() -> Zeroizing<String> {
    let part = || RandomState::new().build_hasher().finish();
    Zeroizing::new(format!("sk-ant-api03-DEMO-{:016x}{:016x}", part(), part()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demonstration_has_a_key_of_its_own() {
        assert_ne!(made_up_key(), made_up_key());
        assert!(made_up_key().starts_with("sk-ant-api03-"));
    }
}
