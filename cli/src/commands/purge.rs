//! `claudectl purge`

mod clients;
mod daemon;
mod json;
pub(super) mod look;
mod rounds;
mod show;
mod stores;
mod system;
mod verdict;

use clap::{Arg, ArgAction, ArgMatches, Command};
use claudectl_footprint::{
    plan::{Choice, Plan},
    receipt::Receipt,
    scan::Audit,
};
use claudectl_platform::hardening;

use crate::{
    Context,
    daemon::recognize,
    error::Error,
    exit::Exit,
    output::{can_ask, complain},
};
use daemon::Accounts;
use json::{PlanBody, ReceiptBody};
use look::Looker;

/// Its command line.
pub fn build(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let words = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("KIND")
            .value_delimiter(',')
            .num_args(1..)
            .action(ArgAction::Append)
            .help(help)
    };
    command
        .about("Log everything out, remove every trace of a credential, and prove it")
        .after_help(
            "KIND is a kind of credential (api-key, refresh-token, mcp-secret, …), a group (daemon, claude-code, \
             environment,\nprofiles, history, neighbours, project, processes, keychains), or a place or a part of its \
             name (transcripts),\nas `claudectl audit --json` names them. What was not shown is not removed.",
        )
        .arg(flag("dry-run", "Only show what would be done"))
        .arg(flag("yes", "Do not ask").short('y'))
        .arg(words("only", "Only this"))
        .arg(words("keep", "Everything but this"))
        .arg(flag("everything", "Also the grants of other services (MCP servers, plug-ins)"))
        .arg(flag("system", "Every user of this machine, from a list that is shown first (as root)"))
}

/// Purges.
///
/// # Errors
/// If it cannot look, or nobody said yes.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    // It reads credentials: nobody watches this process from here on.
    hardening::harden_client();
    if matches.get_flag("system") {
        return system::run(matches, context).await;
    }
    let looker = Looker::new(context)?;
    let _lock = looker.lock()?;
    looker.finish_interrupted()?;
    let (choice, with_daemon) = choice(matches)?;
    let accounts = if with_daemon { Accounts::find(context).await? } else { Accounts::default() };
    let Audit { findings: mut found, gaps, .. } = looker.look_first(context)?;
    // What it cannot say is no reason not to purge.
    recognize(&mut found, looker.key(), &context.environment).await;
    let plan = Plan::new(found, &choice, looker.home());
    let body = PlanBody::new(&plan, &accounts);
    if matches.get_flag("dry-run") || body.is_empty() {
        context.output.show("claudectl.plan/1", &body, || show::plan(&body))?;
        for gap in &gaps {
            complain(&show::gap(gap));
        }
        let is_proven = matches.get_flag("dry-run") || gaps.is_empty() || choice.is_nothing();
        return Ok(if is_proven { Exit::Ok } else { Exit::Unproven });
    }
    confirm(matches, context, || show::plan(&body))?;
    let receipt =
        rounds::Rounds { context, looker: &looker, choice: &choice, shown: &plan }.run(accounts).await?;
    finish(context, &receipt)
}

fn finish(context: &Context, receipt: &Receipt) -> Result<Exit, Error> {
    let body = ReceiptBody::new(receipt);
    context.output.show("claudectl.purge/1", &body, || show::receipt(&body))?;
    Ok(if receipt.is_proven() { Exit::Ok } else { Exit::Unproven })
}

/// What is to go, and whether the daemon's accounts are part of it.
fn choice(matches: &ArgMatches) -> Result<(Choice, bool), Error> {
    const DAEMON: &str = "daemon";
    let words = |name: &str| -> Vec<String> {
        matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
    };
    let (mut only, mut keep) = (words("only"), words("keep"));
    let with_daemon = (only.is_empty() || only.iter().any(|word| word == DAEMON))
        && !keep.iter().any(|word| word == DAEMON);
    let only_daemon = !only.is_empty() && only.iter().all(|word| word == DAEMON);
    only.retain(|word| word != DAEMON);
    keep.retain(|word| word != DAEMON);
    let mut choice = Choice::new(&only, &keep, matches.get_flag("everything"), &look::places())
        .map_err(|error| Error::usage(error.to_string()).hint("claudectl purge --help"))?;
    if only_daemon {
        choice = Choice::nothing();
    }
    Ok((choice, with_daemon))
}

/// Goes on only if somebody who saw it says so, or said so before.
fn confirm(matches: &ArgMatches, context: &Context, shown: impl FnOnce() -> String) -> Result<(), Error> {
    if matches.get_flag("yes") {
        return Ok(());
    }
    let refused = |what: &str| Error::usage(what).hint("claudectl purge --dry-run shows it, --yes does it");
    if context.output.json || !can_ask() {
        return Err(refused("nothing was removed, because nobody was asked"));
    }
    complain(&shown());
    complain("Remove all of this? Type yes:");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("yes") { Ok(()) } else { Err(refused("nothing was removed")) }
}
