//! `claudectl seal`

use clap::{Arg, ArgAction, ArgMatches, Command};
use claudectl_proto::v1::{Account, SealAccountsRequest};

use crate::{
    Context,
    daemon::{Daemon, in_time},
    error::Error,
    exit::Exit,
    kept::Kept,
    output::{
        json,
        text::{self, Plain},
    },
};

/// Its command line.
pub fn build(command: Command) -> Command {
    selection(
        command.about("Wipe kept accounts from memory; their sessions freeze until `claudectl unseal`"),
        "Every account that is kept in the keyring",
    )
}

/// The accounts that a command is about.
pub(super) fn selection(command: Command, all: &'static str) -> Command {
    command
        .arg(
            Arg::new("accounts")
                .value_name("NAME")
                .num_args(0..)
                .help("The accounts (default: the default account)"),
        )
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).conflicts_with("accounts").help(all))
}

/// The names that were given.
pub(super) fn names(matches: &ArgMatches) -> Vec<String> {
    matches.get_many::<String>("accounts").into_iter().flatten().cloned().collect()
}

/// Seals. What is sealed already stays so.
///
/// # Errors
/// If an account is not kept: its only copy would be lost.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    let request = SealAccountsRequest { accounts: names(matches), all: matches.get_flag("all") };
    let environment = &context.environment;
    let accounts = match Daemon::find_or_start_for(&Kept::look(environment), environment).await? {
        // Nothing is in memory then, and nothing is kept.
        None => Vec::new(),
        Some(daemon) => {
            let mut client = daemon.accounts();
            in_time(async { Ok(client.seal_accounts(request).await?) }).await?.into_inner().accounts
        }
    };
    context.output.show("claudectl.accounts/1", &json::Accounts::from(accounts.as_slice()), || {
        told(&accounts, "Sealed", "No account is kept in the keyring, so none was sealed.")
    })?;
    Ok(Exit::Ok)
}

/// What was done to these accounts.
pub(super) fn told(accounts: &[Account], done: &str, nothing: &str) -> String {
    if accounts.is_empty() {
        return nothing.to_owned();
    }
    let names: Vec<_> = accounts.iter().map(|account| Plain(&account.name).to_string()).collect();
    format!("{}: {}.", text::styled(text::GOOD, done), names.join(", "))
}
