//! `claudectl status`

mod outside;
mod words;

use clap::{Arg, ArgAction, ArgMatches, Command};
use claudectl_platform::clock;
use claudectl_proto::v1::{Account, AccountState, Place, Status, WatchStatusRequest};

use crate::{
    Context, args::working_directory, commands::audit::last, daemon::Daemon, error::Error, exit::Exit,
    kept::Kept, output::json, process::environment::overriding,
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command
        .about("Is this machine safe to leave? What would a session started here use?")
        .after_help(
            "--check: 0 if a session started here would work, 4 if its account is sealed, 5 if a login is needed \
             (also without a daemon)",
        )
        .arg(
            Arg::new("check")
                .long("check")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["watch", "json"])
                .help("Say nothing, only set the exit code (for prompts and scripts)"),
        )
        .arg(
            Arg::new("watch")
                .long("watch")
                .action(ArgAction::SetTrue)
                .help("Show it again after every change"),
        )
}

/// Shows what is held here. Never starts a daemon: without one nothing is held, and what is kept is sealed.
///
/// # Errors
/// If the daemon does not answer.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    if matches.get_flag("check") {
        return check(context).await;
    }
    match Daemon::find(&context.environment).await? {
        Some(daemon) if matches.get_flag("watch") => watch(&daemon, context).await,
        None if matches.get_flag("watch") => {
            show(None, context)?;
            Err(Error::new("no daemon runs, so there is nothing to watch")
                .exiting(Exit::NoDaemon)
                .hint("claudectl login"))
        }
        daemon => {
            let status = match &daemon {
                Some(daemon) => Some(daemon.status_of(Some(place(context))).await?),
                None => None,
            };
            show(status.as_ref(), context)?;
            Ok(Exit::Ok)
        }
    }
}

/// Only the exit code. A daemon that is just ending is none.
async fn check(context: &Context) -> Result<Exit, Error> {
    let status = async {
        match Daemon::find(&context.environment).await? {
            Some(daemon) => daemon.status_of(Some(place(context))).await.map(Some),
            None => Ok(Kept::look(&context.environment).status(context.environment.account())),
        }
    };
    match status.await {
        Ok(Some(status)) if account_here(&status, context.environment.account()).is_some() => Ok(Exit::Ok),
        Ok(Some(status)) if status.here.as_ref().is_some_and(|here| here.is_sealed) => Ok(Exit::Sealed),
        Err(error) if error.exit() != Exit::NoDaemon => Err(error),
        _ => Ok(Exit::LoginNeeded),
    }
}

async fn watch(daemon: &Daemon, context: &Context) -> Result<Exit, Error> {
    let mut updates =
        daemon.itself().watch_status(WatchStatusRequest { place: Some(place(context)) }).await?.into_inner();
    while let Some(update) = updates.message().await? {
        show(update.status.as_ref(), context)?;
        if !context.output.json {
            crate::output::Output::write("")?;
        }
    }
    Err(Error::new("the daemon ended").exiting(Exit::NoDaemon))
}

fn show(status: Option<&Status>, context: &Context) -> Result<(), Error> {
    let overriding = overriding(&context.environment);
    let variables = overriding
        .iter()
        .map(|variable| json::Variable { name: variable.name, role: json::role(variable.role) });
    let asked_for = context.environment.account();
    let last = last(context);
    let kept = Kept::look(&context.environment);
    let sealed = kept.status(asked_for);
    let status = status.or(sealed.as_ref());
    let body = json::Status::new(status, asked_for, variables.collect(), last, kept.doubts());
    context.output.show("claudectl.status/1", &body, || {
        let now = clock::wall();
        words::told(status, asked_for, &overriding, last, now) + &words::doubts(kept.doubts())
    })
}

/// Where a session that is started now would be.
fn place(context: &Context) -> Place {
    let directory = working_directory().to_string_lossy().into_owned();
    Place { directory, account: context.environment.account().to_owned() }
}

/// The account that a session started here would use, as the daemon says; where it was not asked: the
/// one that the environment asks for, else the default.
pub fn account_here<'a>(status: &'a Status, asked_for: &str) -> Option<&'a Account> {
    let name = match &status.here {
        Some(here) => &here.account,
        None if asked_for.is_empty() => &status.default_account,
        None => asked_for,
    };
    status.accounts.iter().find(|account| account.name == name)
}

/// Whether the credential of an account is in memory.
pub fn is_held(account: &Account) -> bool {
    !matches!(account.state(), AccountState::Sealed | AccountState::LoginNeeded)
}

/// Whether somebody else at this machine could use what is held.
pub fn is_safe_to_leave(status: &Status) -> bool {
    status.desktop_watched || !status.accounts.iter().any(is_held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_to_leave_needs_somebody_who_watches_the_lock() {
        let held = Status { accounts: vec![Account::default()], ..Status::default() };
        assert!(!is_safe_to_leave(&held));
        assert!(is_safe_to_leave(&Status { desktop_watched: true, ..held }));
        assert!(is_safe_to_leave(&Status::default()));
    }
}
