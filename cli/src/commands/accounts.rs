//! `claudectl accounts`

use clap::{ArgMatches, Command};
use claudectl_proto::v1::ListAccountsRequest;

use crate::{
    Context,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    kept::Kept,
    output::{json, text},
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("List the accounts that are logged in")
}

/// Lists them. Without a daemon these are the kept ones, which are sealed.
///
/// # Errors
/// If the daemon does not answer.
pub async fn run(_matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let accounts = match Daemon::find(&context.environment).await? {
        None => Kept::look(&context.environment).accounts().to_vec(),
        Some(daemon) => {
            let mut client = daemon.accounts();
            in_time(async { Ok(client.list_accounts(ListAccountsRequest {}).await?) })
                .await?
                .into_inner()
                .accounts
        }
    };
    context.output.show("claudectl.accounts/1", &json::Accounts::from(accounts.as_slice()), || {
        if accounts.is_empty() {
            "No account is logged in.  claudectl login".to_owned()
        } else {
            text::accounts(&accounts)
        }
    })?;
    Ok(Exit::Ok)
}
