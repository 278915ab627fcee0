//! `claudectl hook` (hidden: run by the genuine client inside a session)

use std::io::Read as _;

use clap::{ArgMatches, Command};
use claudectl_proto::v1::{ListSessionsRequest, LogoutRequest};
use serde::Deserialize;

use crate::{
    Context,
    commands::logout,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    output::{Output, complain, json},
    process::environment::SESSION,
    shim::plugin,
};

/// The longest message of a hook, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// What a `SessionEnd` hook gets on stdin; there is more in it.
#[derive(Debug, Deserialize)]
struct SessionEnd {
    #[serde(default)]
    reason: String,
}

/// Its command line.
pub fn build(command: Command) -> Command {
    command
        .about("Hear what the genuine client says")
        .hide(true)
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(Command::new("session-end").about("A session of the genuine client ended"))
        .subcommand(Command::new("user-prompt-submit").about("Somebody typed a prompt"))
}

/// `/logout` in the genuine client logs the session's account out; `/login` is answered.
///
/// # Errors
/// If what it says is not understood, or the logout fails.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let mut message = String::new();
    std::io::stdin()
        .take(LIMIT)
        .read_to_string(&mut message)
        .map_err(|error| Error::new("the message of the hook could not be read").because(&error))?;
    if matches.subcommand_name() == Some("user-prompt-submit") {
        if let Some(answer) = answer(&message)? {
            Output::write(&answer)?;
        }
        return Ok(Exit::Ok);
    }
    if !is_logout(&message)? {
        return Ok(Exit::Ok);
    }
    let Some(session) = context.environment.text(SESSION) else { return Ok(Exit::Ok) };
    let Some(daemon) = Daemon::find(&context.environment).await? else { return Ok(Exit::Ok) };
    let mut client = daemon.sessions();
    let answer = in_time(async { Ok(client.list_sessions(ListSessionsRequest {}).await?) }).await?;
    let found = answer.into_inner().sessions.into_iter().find(|open| open.id == session);
    let Some(found) = found else {
        return Err(
            Error::new(format!("there is no session {session}")).hint("log out with: claudectl logout")
        );
    };
    let request = LogoutRequest { accounts: vec![found.account], all: false };
    let receipt = logout::log_out(&daemon, request).await?;
    complain(&format!("claudectl: {}", logout::told(&receipt)));
    Ok(if json::is_proven(&receipt) { Exit::Ok } else { Exit::Unproven })
}

fn is_logout(message: &str) -> Result<bool, Error> {
    let end: SessionEnd = serde_json::from_str(message)
        .map_err(|error| Error::new("the message of the hook is not understood").because(&error))?;
    Ok(end.reason == "logout")
}

/// What a `UserPromptSubmit` hook gets on stdin; there is more in it.
#[derive(Debug, Deserialize)]
struct UserPromptSubmit {
    #[serde(default)]
    prompt: String,
}

/// What the hook answers: nothing, unless the prompt asks to log in.
fn answer(message: &str) -> Result<Option<String>, Error> {
    let submitted: UserPromptSubmit = serde_json::from_str(message)
        .map_err(|error| Error::new("the message of the hook is not understood").because(&error))?;
    let answer = serde_json::json!({"decision": "block", "reason": plugin::ANSWER});
    Ok(plugin::asks_to_log_in(&submitted.prompt).then(|| answer.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_login_is_answered() {
        let answered = answer(r#"{"prompt":"/claudectl:login"}"#).unwrap().unwrap();
        assert!(answered.contains(r#""decision":"block""#) && answered.contains("claudectl login"));
        assert_eq!(answer(r#"{"prompt":"hi"}"#), Ok(None));
        assert_eq!(answer("{}"), Ok(None));
        assert!(answer("hi").is_err());
    }

    #[test]
    fn only_a_logout_logs_out() {
        assert_eq!(
            is_logout(r#"{"session_id":"x","hook_event_name":"SessionEnd","reason":"logout"}"#),
            Ok(true)
        );
        assert_eq!(is_logout(r#"{"reason":"clear"}"#), Ok(false));
        assert_eq!(is_logout("{}"), Ok(false));
        assert!(is_logout("logout").is_err());
    }
}
