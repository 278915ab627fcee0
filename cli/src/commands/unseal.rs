//! `claudectl unseal`

use std::time::Duration;

use clap::{ArgMatches, Command};
use claudectl_proto::v1::UnsealAccountsRequest;

use super::seal::{names, selection, told};
use crate::{
    Context,
    daemon::{Daemon, within},
    error::Error,
    exit::Exit,
    output::{Waiting, json},
};

/// How long a person may take to unlock the keyring, and the daemon to say so.
const PATIENCE: Duration = Duration::from_secs(75);

/// Its command line.
pub fn build(command: Command) -> Command {
    selection(
        command.about("Load sealed accounts from the keyring; their sessions go on"),
        "Every account that is sealed",
    )
}

/// Unseals; starts the daemon if none runs. What is held already stays so.
///
/// # Errors
/// If the keyring does not give the credential.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let request = UnsealAccountsRequest { accounts: names(matches), all: matches.get_flag("all") };
    let daemon = Daemon::find_or_start(&context.environment).await?;
    let waiting = Waiting::new("asking the keyring; if it is locked, answer its prompt");
    let mut client = daemon.accounts();
    let answer = within(PATIENCE, async { Ok(client.unseal_accounts(request).await?) }).await;
    drop(waiting);
    let accounts = answer?.into_inner().accounts;
    context.output.show("claudectl.accounts/1", &json::Accounts::from(accounts.as_slice()), || {
        told(&accounts, "Unsealed", "No account is sealed.")
    })?;
    Ok(Exit::Ok)
}
