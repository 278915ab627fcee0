//! `claudectl reload`

use clap::{ArgMatches, Command};
use claudectl_proto::v1::ReloadRequest;

use crate::{
    Context,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    output::{json, text::Plain},
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("Let the daemon read its configuration again")
}

/// Reloads. A bad file keeps the old configuration.
///
/// # Errors
/// If no daemon runs, or why the file was not taken.
pub async fn run(_matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let Some(daemon) = Daemon::find(&context.environment).await? else {
        return Err(Error::new("no daemon runs")
            .exiting(Exit::NoDaemon)
            .hint("it reads the file when it starts"));
    };
    let mut client = daemon.itself();
    let answer = in_time(async { Ok(client.reload(ReloadRequest {}).await?) }).await?.into_inner();
    let configuration = answer.configuration.unwrap_or_default();
    if !configuration.error.is_empty() {
        return Err(Error::new(format!("{} was not taken", configuration.path))
            .because(&configuration.error)
            .hint("the old configuration stays in force; correct the file and reload again"));
    }
    context.output.show("claudectl.configuration/1", &json::Configuration::from(&configuration), || {
        let path = Plain(&configuration.path);
        if configuration.present {
            format!("{path} is in force.")
        } else {
            format!("{path} does not exist: defaults.")
        }
    })?;
    Ok(Exit::Ok)
}
