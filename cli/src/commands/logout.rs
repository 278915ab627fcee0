//! `claudectl logout`

mod everybody;

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use claudectl_proto::v1::{LogoutRequest, Reason, Receipt};

use crate::{
    Context,
    args::Environment,
    daemon::{Daemon, within},
    error::Error,
    exit::Exit,
    kept::Kept,
    output::{Waiting, json, text},
};

/// The longest that servers, one retry each, and a keyring that asks a person may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Its command line.
pub fn build(command: Command) -> Command {
    command
        .about("Log accounts out: end their sessions, revoke, wipe every copy, print the receipt")
        .arg(
            Arg::new("accounts")
                .value_name("NAME")
                .num_args(0..)
                .help("The accounts (default: the default account)"),
        )
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .conflicts_with("accounts")
                .help("Every account"),
        )
        .arg(
            Arg::new("all-users")
                .long("all-users")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["accounts", "all"])
                .help("Every account of every user of this machine (as root)"),
        )
}

/// Logs out. Without an account that is held or kept there is nothing to do, and that is no failure.
///
/// # Errors
/// If the daemon does not answer, or other accounts than the named one are held.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    if matches.get_flag("all-users") {
        return everybody::run(context).await;
    }
    let accounts: Vec<String> =
        matches.get_many::<String>("accounts").into_iter().flatten().cloned().collect();
    let request = LogoutRequest { accounts, all: matches.get_flag("all") };
    let receipt = log_out_for_certain(&context.environment, request).await?;
    context.output.show("claudectl.receipt/1", &json::Receipt::from(&receipt), || told(&receipt))?;
    Ok(if json::is_proven(&receipt) { Exit::Ok } else { Exit::Unproven })
}

/// Logs out, with a daemon that is started for what is kept; an empty receipt if nothing at all is held or
/// kept.
///
/// # Errors
/// As [`run`].
pub async fn log_out_for_certain(
    environment: &Environment,
    request: LogoutRequest,
) -> Result<Receipt, Error> {
    let mut receipt = match Daemon::find_or_start_for(&Kept::look(environment), environment).await? {
        None => Receipt::default(),
        Some(daemon) => log_out(&daemon, request.clone()).await?,
    };
    // Looked at again: what the daemon did not know of is there still.
    Kept::look(environment).complete(&mut receipt, &request.accounts, request.all);
    Ok(receipt)
}

/// Logs out at this daemon; an empty receipt if it holds nothing at all.
///
/// # Errors
/// As [`run`].
pub async fn log_out(daemon: &Daemon, request: LogoutRequest) -> Result<Receipt, Error> {
    let mut client = daemon.accounts();
    let waiting = Waiting::new("logging out; a server or the keyring may take a moment");
    let answer = within(PATIENCE, async { Ok(client.logout(request).await?) }).await;
    drop(waiting);
    match answer {
        Ok(answer) => answer
            .into_inner()
            .receipt
            .ok_or_else(|| Error::new("claudectld answered without a receipt").exiting(Exit::Unproven)),
        Err(error) if matches!(error.reason(), Some(Reason::NotLoggedIn | Reason::NoDefaultAccount)) => {
            let held: Vec<_> =
                daemon.status().await?.accounts.into_iter().map(|account| account.name).collect();
            if held.is_empty() {
                return Ok(Receipt::default());
            }
            // A wrong name must not look like a logout.
            let hint = format!("still logged in: {}; claudectl logout NAME, or --all", held.join(", "));
            Err(error.exiting(Exit::Failed).hint(hint))
        }
        Err(error) => Err(error),
    }
}

/// The receipt in words.
pub fn told(receipt: &Receipt) -> String {
    if receipt.accounts.is_empty() && receipt.items.is_empty() {
        return "Nothing is logged in.".to_owned();
    }
    let names = receipt.accounts.join(", ");
    let ended = usize::try_from(receipt.sessions_ended).unwrap_or(usize::MAX);
    let verdict = if json::is_proven(receipt) {
        text::styled(text::GOOD, "Logged out")
    } else {
        text::styled(text::BAD, "Logged out, but not all of it is proven")
    };
    format!(
        "{verdict}: {}. {} ended.\n{}",
        text::Plain(&names),
        text::count(ended, "session"),
        text::receipt(receipt)
    )
}

#[cfg(test)]
mod tests {
    use claudectl_proto::v1::{Outcome, ReceiptItem};

    use super::*;

    fn receipt(outcome: Outcome) -> Receipt {
        let item = ReceiptItem {
            account: "work".into(),
            what: "API key".into(),
            r#where: "memory of claudectld (pid 42)".into(),
            action: "25 bytes overwritten".into(),
            proof: "read back as zeros".into(),
            outcome: outcome.into(),
        };
        Receipt { issued_at: 1, accounts: vec!["work".into()], sessions_ended: 1, items: vec![item] }
    }

    #[test]
    fn the_receipt_says_what_is_not_proven() {
        let plain = |receipt| anstream::adapter::strip_str(&told(&receipt)).to_string();
        assert_eq!(
            plain(receipt(Outcome::Proven)),
            "Logged out: work. 1 session ended.\n  proven        API key of work in memory of claudectld (pid 42)\n                \
             25 bytes overwritten: read back as zeros\n"
        );
        assert!(plain(receipt(Outcome::Unproven)).starts_with("Logged out, but not all of it is proven"));
        assert_eq!(told(&Receipt::default()), "Nothing is logged in.");
    }
}
