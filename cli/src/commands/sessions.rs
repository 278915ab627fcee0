//! `claudectl sessions`

use clap::{Arg, ArgMatches, Command};
use claudectl_platform::clock;
use claudectl_proto::v1::{ListSessionsRequest, MoveSessionRequest};

use crate::{
    Context,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    output::{
        json,
        text::{self, Plain},
    },
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("List the running sessions and what they used").arg(
        Arg::new("move")
            .long("move")
            .num_args(2)
            .value_names(["SESSION", "ACCOUNT"])
            .help("Give a session to another account; what it is asking is cut"),
    )
}

/// Lists them, or moves one. Without a daemon there are none.
///
/// # Errors
/// If the daemon does not answer, or does not move it.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let wanted: Option<Vec<&String>> = matches.get_many("move").map(Iterator::collect);
    match wanted.as_deref() {
        Some([session, account]) => give(session, account, context).await,
        _ => list(context).await,
    }
}

async fn give(session: &str, account: &str, context: &Context) -> Result<Exit, Error> {
    let daemon = Daemon::find(&context.environment).await?.ok_or_else(|| {
        Error::new("no daemon runs, so there is no session to move").exiting(Exit::NoDaemon)
    })?;
    let mut client = daemon.sessions();
    let request = MoveSessionRequest { session: session.to_owned(), account: account.to_owned() };
    let moved = in_time(async { Ok(client.move_session(request).await?) }).await?.into_inner().session;
    let moved = moved.unwrap_or_default();
    context.output.show("claudectl.session/1", &json::OneSession { session: (&moved).into() }, || {
        format!("Session {} uses {} now.", Plain(&moved.id), Plain(&moved.account))
    })?;
    Ok(Exit::Ok)
}

async fn list(context: &Context) -> Result<Exit, Error> {
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
