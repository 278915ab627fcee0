//! `claudectl sessions`

use clap::{ArgMatches, Command};
use claudectl_platform::clock;
use claudectl_proto::v1::ListSessionsRequest;

use crate::{
    Context,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    output::{json, text},
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("List the running sessions and what they used")
}

/// Lists them. Without a daemon there are none.
///
/// # Errors
/// If the daemon does not answer.
pub async fn run(_matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let sessions = match Daemon::find(&context.environment).await? {
        None => Vec::new(),
        Some(daemon) => {
            let mut client = daemon.sessions();
            in_time(async { Ok(client.list_sessions(ListSessionsRequest {}).await?) })
                .await?
                .into_inner()
                .sessions
        }
    };
    context.output.show("claudectl.sessions/1", &json::Sessions::from(sessions.as_slice()), || {
        if sessions.is_empty() {
            "No session is running.".to_owned()
        } else {
            text::sessions(&sessions, clock::wall())
        }
    })?;
    Ok(Exit::Ok)
}
