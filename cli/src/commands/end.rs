//! `claudectl end`

use clap::{Arg, ArgMatches, Command};
use claudectl_proto::v1::EndSessionRequest;

use crate::{
    Context,
    commands::text,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    output::{json, text::Plain},
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("End a session: cut its streams and refuse its requests").arg(
        Arg::new("session")
            .value_name("SESSION")
            .required(true)
            .help("Its identifier, from `claudectl sessions`"),
    )
}

/// Ends it. Its program goes on running and is told so when it asks again.
///
/// # Errors
/// If there is no such session.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let Some(daemon) = Daemon::find(&context.environment).await? else {
        return Err(Error::new("no session is running").exiting(Exit::NoDaemon));
    };
    let mut client = daemon.sessions();
    let request = EndSessionRequest { session: text(matches, "session") };
    let answer = in_time(async { Ok(client.end_session(request).await?) }).await?.into_inner();
    let session = answer.session.unwrap_or_default();
    let body = json::OneSession { session: (&session).into() };
    context.output.show("claudectl.session/1", &body, || {
        let (id, program) = (Plain(&session.id), Plain(&session.program));
        format!("Session {id} ({program}, pid {}) is ended.", session.pid)
    })?;
    Ok(Exit::Ok)
}
