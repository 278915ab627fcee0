//! `claudectl switch`

use clap::{Arg, ArgMatches, Command};
use claudectl_proto::v1::SwitchAccountRequest;

use crate::{
    Context,
    commands::text,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    kept::Kept,
    output::{json, text::Plain},
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command
        .about("Make an account the default for new sessions")
        .arg(Arg::new("account").value_name("NAME").required(true).help("The account"))
}

/// Switches; running sessions keep their account.
///
/// # Errors
/// If the account is not logged in.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let kept = Kept::look(&context.environment);
    let Some(daemon) = Daemon::find_or_start_for(&kept, &context.environment).await? else {
        return Err(Error::login_needed());
    };
    let mut client = daemon.accounts();
    let request = SwitchAccountRequest { account: text(matches, "account") };
    let answer = in_time(async { Ok(client.switch_account(request).await?) }).await?.into_inner();
    let account = answer.account.unwrap_or_default();
    let body = json::OneAccount { account: (&account).into(), replaced: false };
    context.output.show("claudectl.account/1", &body, || {
        format!("New sessions use {}. Running ones keep their account.", Plain(&account.name))
    })?;
    Ok(Exit::Ok)
}
