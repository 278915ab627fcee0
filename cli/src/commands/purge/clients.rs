//! The genuine client's own log-out: it alone can revoke its login at the server.

use std::{ffi::OsString, io, path::PathBuf, process::Stdio, time::Duration};

use claudectl_footprint::{
    Kind,
    plan::ClientStep,
    receipt::{Item, Outcome},
};
use tokio::process::Command;

use crate::{
    Context,
    process::environment,
    shim::{
        self,
        genuine::Genuine,
        version::{numbers, version},
    },
};

/// How long it may take: it asks the server twice, five seconds each.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first version that is known to revoke a login when it logs out.
const REVOKES_SINCE: [u64; 3] = [2, 1, 197];

/// Where a login is revoked that the client could not revoke.
const PAGE: &str = "you, at https://claude.ai/settings/claude-code: log the device out";

/// How a log-out went.
pub(super) struct LoggedOut {
    pub(super) item: Item,
    /// Whether the client says that the server confirmed it.
    pub(super) is_revoked: bool,
}

/// Runs it for one configuration directory.
pub(super) async fn log_out(step: &ClientStep, context: &Context) -> LoggedOut {
    match shim::find(&context.environment) {
        Err(_) => {
            of(step, "none", "the genuine client was not found, so nothing was revoked".to_owned(), false)
        }
        Ok(_) if !step.findings.iter().any(|finding| finding.kind == Kind::RefreshToken) => {
            of(step, "none", "a login without a refresh token is not revoked by it".to_owned(), false)
        }
        Ok(client) => {
            let (proof, is_revoked) = run(&client, step.directory.as_ref(), context).await;
            of(step, "its own `claude auth logout`", proof, is_revoked)
        }
    }
}

/// It was not run, because it would delete what is to stay, and that could not be saved.
pub(super) fn spared(step: &ClientStep, why: &io::Error) -> LoggedOut {
    of(step, "none", format!("what is to stay of its credentials could not be saved first: {why}"), false)
}

/// It said that it logged out, but the login is still there.
pub(super) fn not_found(step: &ClientStep) -> LoggedOut {
    of(step, "its own `claude auth logout`", "it did not take the login that is kept here".to_owned(), false)
}

fn of(step: &ClientStep, action: &str, proof: String, is_revoked: bool) -> LoggedOut {
    let directory = step.directory.as_ref().map(|directory| directory.display().to_string());
    let item = Item {
        what: "login of Claude Code".to_owned(),
        place: directory.unwrap_or_else(|| "its own directory".to_owned()),
        action: action.to_owned(),
        proof,
        outcome: if is_revoked { Outcome::Proven } else { Outcome::Unproven },
        by: (!is_revoked).then(|| PAGE.to_owned()),
    };
    LoggedOut { item, is_revoked }
}

async fn run(client: &Genuine, directory: Option<&PathBuf>, context: &Context) -> (String, bool) {
    let mut command = Command::new(&client.path);
    command
        .args(["auth", "logout"])
        .env_clear()
        .envs(variables(directory, context))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => return (format!("it did not end within {} seconds", PATIENCE.as_secs()), false),
        Ok(Err(error)) => return (format!("it could not be run: {error}"), false),
        Ok(Ok(output)) => output,
    };
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        (format!("it failed ({})", output.status), false)
    } else if !said.contains("Successfully logged out") {
        ("it logged out here, but the server did not confirm the revocation".to_owned(), false)
    } else if version(&client.path).as_deref().and_then(numbers).is_none_or(|found| found < REVOKES_SINCE) {
        ("it logged out here; this version is not known to revoke anything".to_owned(), false)
    } else {
        ("it says that the server confirmed the revocation".to_owned(), true)
    }
}

/// What the client gets: no credential, no other provider, and its directory.
fn variables(directory: Option<&PathBuf>, context: &Context) -> Vec<(OsString, OsString)> {
    const DIRECTORIES: [&str; 2] = ["CLAUDE_CONFIG_DIR", "CLAUDE_SECURESTORAGE_CONFIG_DIR"];
    let mut variables = environment::plan(&context.environment, &[]).environment;
    variables.retain(|(name, _)| !DIRECTORIES.iter().any(|own| name == own));
    if let Some(directory) = directory {
        variables.push(("CLAUDE_CONFIG_DIR".into(), directory.into()));
    }
    variables
}
